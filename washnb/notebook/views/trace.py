"""The view `trace`: requests and messages as rows, their host calls as bars, and what each call said and changed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from washnb.errors import ConfigError
from washnb.events import CallHeld, Event, Handled, HostCall, LogLine, StateChanged

from .. import hosted
from ..handles import News
from ..widgets import Answer, Door, Wish
from .base import View

TRACE_ACTIONS = ("on", "off", "last", "clear", "save")
SPEEDS = ("0.25", "0.5", "1", "2", "off")
"""The speeds of slow motion that TAB offers; any number will do."""

_LOOKED_AT = 2_000
"""Calls that a look goes through: the latest, and those before whose values they have changed."""

_SHOWN_CALLS = 400
_SHOWN_OF_ONE = 100
_SHOWN_REQUESTS = 50
"""What the widget is told at once: of one request so many calls, and the others where somebody asks for them."""

_ASKED = 160
"""Characters of a call in its row; the widget asks for its values when somebody wants to see them."""


class TracingDoor(Door, Protocol):
    """What the view needs of the session: the door, and the switch that records host calls."""

    tracing: bool


@dataclass(frozen=True)
class Filter:
    """Which calls are shown: those of a workload, of interfaces and functions with a text in their names.

    With `errors` only those that failed, were denied or injected; with `slower` those that took so many seconds.
    """

    of: str | None = None
    interface: str = ""
    function: str = ""
    errors: bool = False
    slower: float = 0.0

    @property
    def chooses(self) -> bool:
        """Whether the filter chooses among calls, and not only a workload."""
        return self != Filter(self.of)

    def __str__(self) -> str:
        """The filter in words; empty where all calls are shown."""
        words = (
            f"of {self.of}" if self.of else "",
            f"interface {self.interface}" if self.interface else "",
            f"function {self.function}" if self.function else "",
            "in trouble" if self.errors else "",
            f"{self.slower:g} s or more" if self.slower else "",
        )
        return " · ".join(filter(None, words))

    def passes(self, call: HostCall) -> bool:
        """Whether a call passes the filter."""
        from washnb.host import outcome_of

        return (
            self.interface in call.interface
            and self.function in call.function
            and (not self.errors or outcome_of(call) != "ok")
            and call.duration >= self.slower
        )

    def shows_all_of(self, request: hosted.RequestTrace) -> bool:
        """Whether a request is shown with all its calls: it failed, and none of them is in trouble (a trap)."""
        return self == Filter(self.of, errors=True) and request.failed and not any(map(self.passes, request.calls))


@dataclass(frozen=True)
class Look:
    """What the view shows: the requests with calls that pass the filter, oldest first, and their timeline.

    `forgotten` counts the requests that the history has dropped. `tracing` says whether calls are being recorded, and
    `slow` is the speed of slow motion in words.
    """

    requests: Sequence[hosted.RequestTrace]
    timeline: hosted.Timeline
    forgotten: int
    tracing: bool
    slow: str


class TraceView(View):
    """The host calls of requests, messages and calls of exports, live, oldest first.

    `wash.trace("last")` shows the last request, `wash.trace(of=WORKLOAD, interface="keyvalue", errors=True)` filters.
    `.data` is the list of those with calls that pass, as `RequestTrace`s.
    """

    widget = "trace"

    def __init__(self, door: TracingDoor, *, last: bool = False, chosen: Filter | None = None) -> None:
        """Show all requests of the history, or the one answered last, of the workload that `chosen` names, if any."""
        self.chosen = chosen or Filter()
        super().__init__(door, self.chosen.of)
        self._door = door
        self.last = last

    def __call__(
        self,
        action: str | None = None,
        path: str | Path | None = None,
        *,
        of: str | None = None,
        interface: str | None = None,
        function: str | None = None,
        errors: bool = False,
        slower: float | None = None,
        slow: float | str | None = None,
    ) -> Any:
        """Return a view with filters, as `%wash trace` shows; or do an action, and return its news.

        The actions are `last` (only the last request), `on` and `off` (of recording), `clear`, and `save`, which writes
        a film to `path` and returns that. The filters are a workload `of`, a part of an `interface`'s or `function`'s
        name, `errors` (calls that failed, were denied or injected, and requests that failed without one), and `slower`
        (calls of at least so many seconds).

        `slow` is the speed of slow motion: each call is held before it is served, at speed 1 for as long as in a film
        (0.9 s; 0.3 s for a call of WASI; calls that a language's runtime makes by itself are not held), at 0.5 for
        twice as long; `off` ends it. A request is held for a minute at most, and held time counts for no timeout.
        """
        __tracebackhide__ = True
        if action not in {None, *TRACE_ACTIONS}:
            raise ConfigError(f"trace knows no {action!r}", repair=f"%wash trace [{'|'.join(TRACE_ACTIONS)}]")
        if slow is not None and not self._slowed(slow):
            return News("host calls go at full speed")
        if action == "save":
            return self._saved(path)
        if action in {"on", "off"}:
            self._door.tracing = action == "on"
            return News("host calls are recorded" if self._door.tracing else "host calls are not recorded")
        if action == "clear":
            self.door.on_host(_clear)
            return News("no request yet")
        before = self.chosen
        chosen = Filter(
            of or before.of,
            interface or before.interface,
            function or before.function,
            errors or before.errors,
            slower or before.slower,
        )
        return TraceView(self._door, last=self.last or action == "last", chosen=chosen)

    def _slowed(self, speed: float | str) -> bool:
        """Set the speed of slow motion, which needs recording and turns it on; return whether it is not `off`."""
        with contextlib.suppress(ValueError):  # the host says what a speed is
            speed = float(speed)
        wanted: Any = None if speed in {"off", 0} else speed
        self.door.on_host(lambda deployments: _slow(deployments, wanted))
        self._door.tracing = self._door.tracing or wanted is not None
        return wanted is not None

    def _saved(self, path: str | Path | None) -> hosted.FilmFile:
        if path is None:
            raise ConfigError("trace save needs the name of a file", repair="%wash trace save film.html")
        return hosted.film_saved(self.door.on_host(hosted.memory_of), Path(path).expanduser())

    def __iter__(self) -> Iterator[hosted.RequestTrace]:
        """The requests that pass the filters."""
        return iter(self.data)

    def __len__(self) -> int:
        """The number of requests with calls that pass the filters."""
        return len(self.data)

    async def read(self, deployments: hosted.Deployments) -> list[hosted.RequestTrace]:
        """Read the requests that pass the filters, each with the calls that do."""
        chosen = self.chosen
        requests = deployments.history.requests(of=chosen.of, last=self.last)
        if not chosen.chooses:
            return requests
        whole = {each.number for each in requests if chosen.shows_all_of(each)}
        keep = [
            each if each.number in whole else replace(each, calls=each.calls.only(chosen.passes)) for each in requests
        ]
        held = {each.number for each in requests if each.held is not None and chosen.passes(each.held)}
        return [each for each in keep if each.calls or each.number in whole or each.number in held]

    async def look(self, deployments: hosted.Deployments) -> Look:
        """Read the latest requests, and their timeline: the changes, lines and messages that belong to their calls."""
        history, host = deployments.history, deployments.host
        timeline = hosted.Timeline.of(history.memory(_LOOKED_AT))
        return Look(await self.read(deployments), timeline, history.forgotten, host.tracing, str(host.slow_motion))

    def still(self, look: Look) -> hosted.TraceReport:
        """Show each request with a line for each call."""
        left_out = self.chosen.chooses and bool(look.timeline.passages)
        return hosted.TraceReport(look.requests, tracing=look.tracing, left_out=left_out)

    def picture(self, look: Look) -> dict[str, Any]:
        """The latest requests; the widget filters them once more, as the person likes.

        `closer`: it shows calls from the beginning.
        """
        kept = {each.number for each in look.requests}
        rows: list[dict[str, Any]] = []
        room = _SHOWN_CALLS
        for passage in reversed(look.timeline.passages):
            if passage.number not in kept:
                continue
            if len(rows) >= _SHOWN_REQUESTS:
                break
            wanted = self._rows(passage)
            calls = [_row(passage, *each) for each in wanted[: min(room, _SHOWN_OF_ONE)]]
            room -= len(calls)
            under_way = passage.under_way
            if under_way is not None and self.chosen.passes(under_way.call):
                calls.append(_row(passage, len(wanted), under_way))
            ongoing = bool(passage.trace.doing) and passage.trace.handled is None
            entry = {**hosted.passage_entry(passage), "ongoing": ongoing, "passing": len(wanted), "rows": calls}
            rows.insert(0, entry)
        report = self.still(look)
        state = look.slow if look.tracing else "recording is off"
        last = "the last request" if self.last else ""
        return {
            "title": "trace",
            "place": " · ".join(filter(None, (state, last, str(self.chosen)))),
            "requests": rows,
            "older": len(look.requests) - len(rows),
            "forgotten": look.forgotten,
            "closer": self.last or self.chosen.chooses,
            "empty": "" if look.requests else repr(report),
        }

    def _rows(self, passage: hosted.Passage) -> list[tuple[int, hosted.Crossing]]:
        """The calls of a request that pass, each with its place among them."""
        every = not self.chosen.chooses or self.chosen.shows_all_of(passage.trace)
        return list(enumerate(each for each in passage.crossings if every or self.chosen.passes(each.call)))

    def concerns(self, event: Event) -> bool:
        """Calls, and what belongs to them."""
        return isinstance(event, HostCall | CallHeld | Handled | StateChanged | LogLine)

    async def grant(self, deployments: hosted.Deployments, wish: Wish, value: bytes) -> Answer:
        """Tell all of one call, or the calls of a request from one on, as the widget asks."""
        if wish.get("do") not in {"values", "calls"}:
            return await super().grant(deployments, wish, value)
        timeline = hosted.Timeline.of(deployments.history.memory(_LOOKED_AT))
        passage = next((each for each in timeline.passages if str(each.number) == wish["group"]), None)
        if passage is None:
            raise KeyError("this request is no longer remembered")
        if wish["do"] == "calls":
            first = int(wish["key"])
            asked = self._rows(passage)[first : first + _SHOWN_CALLS]
            return Answer({"rows": [_row(passage, *each) for each in asked]})
        calls = (each for each in (*passage.crossings, passage.under_way) if each is not None)
        crossing = next((each for each in calls if str(each.call.number) == wish["key"]), None)
        if crossing is None:
            raise KeyError("this call is no longer remembered")
        return Answer(hosted.crossing_entry(crossing))


def _row(passage: hosted.Passage, place: int, crossing: hosted.Crossing) -> dict[str, Any]:
    """One call as its row needs it; `at` is in seconds from the beginning of the request."""
    entry = hosted.line_entry(crossing, _ASKED)
    return {
        **entry,
        "place": place,
        "interface": entry["interface"].partition("@")[0],
        "at": passage.at(crossing),
        "changed": bool(crossing.changes),
        "waits": crossing.waits,
    }


async def _slow(deployments: hosted.Deployments, speed: float | None) -> None:
    deployments.host.slow_motion.speed = speed


async def _clear(deployments: hosted.Deployments) -> None:
    deployments.history.clear_requests()
