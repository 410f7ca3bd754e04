"""The timeline of a session: its requests, their host calls, and the changes, lines and messages of each call.

Changes of state, lines and messages name the call that caused them. A line that was written between two calls belongs
to the request of its workload that went on then, a message from a server to the call that named its subject before.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from washnb.events import CallId, HostCall, LogLine, MessageHandled, StateChanged
from washnb.host import Meanings, outcome_of, sentence, text_of

from .history import UNDER_WAY, Memory, RequestTrace

_LATE = 0.5
"""Seconds by which a broker elsewhere may bring a message after the call that sent it."""

_CLOCK = 2e-4
"""Seconds by which timestamps of two clocks may differ."""

_LOOKED_AT = 64
"""How many requests are searched for the one in which a line was written that names no call."""

NOTHING = "none"
"""The text of an option without a value, and so of a key after its delete."""


@dataclass
class Change:
    """A change of state. `before` and `after` are the values as the trace shows them, None where it has not seen them.

    `time` is the Unix timestamp of the event that told of the change.
    """

    time: float
    workload: str
    plugin: str
    path: tuple[str, ...]
    action: str
    before: str | None = None
    after: str | None = None

    @property
    def place(self) -> tuple[str, str, str]:
        """The place that has changed: workload, plugin, and the path of names, such as bucket and key."""
        return self.workload, self.plugin, "/".join(self.path)


@dataclass
class Crossing:
    """One host call, at a Unix timestamp, with the changes that it made and the lines that were logged in it.

    `held` is the time in seconds for which slow motion has held calls of its request up to this one. `answered` says
    whether the call has returned.
    """

    call: HostCall
    time: float
    held: float = 0.0
    answered: bool = True
    changes: list[Change] = field(default_factory=list)
    lines: list[LogLine] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """How the call ended, or that it is under way."""
        return outcome_of(self.call) if self.answered else UNDER_WAY

    @property
    def end(self) -> float:
        """The Unix timestamp at which the call returned."""
        return self.time + self.call.duration

    @property
    def asked(self) -> str:
        """The call without its interface and its answer: `bucket#1.get("count")`."""
        said = sentence(self.call._replace(result=None, error=None, injected=""))
        return said.removeprefix(f"{self.call.interface.partition('@')[0]}.")

    @property
    def answer(self) -> str:
        """The value or the error that the call returned, as text; "" where the function returns nothing."""
        if self.call.error is not None:
            return self.call.error or "error"
        return "" if self.call.result is None else text_of(self.call.result)

    @property
    def waits(self) -> bool:
        """Whether the guest asked to be suspended until something is ready."""
        return self.call.interface.startswith("wasi:io/poll") or "blocking-" in self.call.function


@dataclass(frozen=True)
class Shares:
    """The seconds that a request spent in the guest, in host calls, and in host calls that wait for something."""

    guest: float
    host: float
    waiting: float


@dataclass
class Passage:
    """A request, message or call of an export, with its crossings in order. `begun` is a Unix timestamp.

    `under` names the host call that sent the message, and its request, where these are known.
    """

    trace: RequestTrace
    crossings: list[Crossing]
    lines: list[LogLine] = field(default_factory=list)
    under: tuple[int, int] | None = None

    @property
    def number(self) -> int:
        """The number of the request, which its events carry."""
        return self.trace.number

    @property
    def begun(self) -> float:
        """The Unix timestamp at which the request began."""
        return self.trace.begun

    @property
    def workload(self) -> str:
        """The workload that handled the request; "" where none did."""
        return self.trace.workload

    @property
    def duration(self) -> float:
        """Seconds from the beginning of the request to the end of its answer, or of its last call so far."""
        last = max((each.end - self.begun for each in self.crossings), default=0.0)
        return max(last, 0.0 if self.trace.handled is None else self.trace.handled.duration)

    @property
    def held(self) -> float:
        """Seconds of the duration for which slow motion held calls of the request."""
        return self.crossings[-1].held if self.crossings else 0.0

    @property
    def took(self) -> float:
        """Seconds of the duration without those in which calls were held."""
        return max(0.0, self.duration - self.held)

    @property
    def under_way(self) -> Crossing | None:
        """The call that slow motion holds, or that it held last and that has not returned; else None."""
        call = self.trace.held
        return None if call is None else Crossing(call, self.begun + call.started, self.held, answered=False)

    def at(self, crossing: Crossing) -> float:
        """Seconds from the beginning of the request to the start of a call, without those in which calls were held."""
        return max(0.0, crossing.time - self.begun - crossing.held)

    @property
    def error(self) -> str:
        """The error that the request failed with; "" where it did not fail."""
        return (self.trace.handled.error or "") if self.trace.handled is not None else ""

    @property
    def failed(self) -> bool:
        """Whether the request failed, or was answered with a status of 400 or above."""
        return self.trace.failed

    @property
    def shares(self) -> Shares:
        """The shares of guest and host in the time of the request."""
        crossing = _covered((each.time, each.end) for each in self.crossings)
        waiting = _covered((each.time, each.end) for each in self.crossings if each.waits)
        return Shares(max(0.0, self.took - crossing), crossing - waiting, waiting)


@dataclass(frozen=True)
class Timeline:
    """The requests of a session, oldest first. `outside` are changes of state that no call made: edits, other hosts."""

    passages: tuple[Passage, ...]
    outside: tuple[Change, ...]

    @classmethod
    def of(cls, memory: Memory) -> Timeline:
        """Make the timeline of a history. With thousands of calls it takes a while, so not on the host's loop."""
        passages = sorted(map(_passage, memory.requests), key=lambda each: each.begun)
        crossings = {(each.call.request, each.call.number): each for passage in passages for each in passage.crossings}
        outside = _join_changes(crossings, memory.changes)
        _follow_values(crossings.values(), outside)
        _join_lines(passages, crossings, memory.lines)
        _nest(passages, crossings)
        return cls(tuple(passages), tuple(outside))


def _passage(trace: RequestTrace) -> Passage:
    held = itertools.accumulate(call.held for call in trace.calls)
    calls = zip(trace.calls, held, strict=True)
    return Passage(trace, [Crossing(call, trace.begun + call.started, so_far) for call, so_far in calls])


def _covered(spans: Iterable[tuple[float, float]]) -> float:
    """The seconds that spans of time cover together; where they overlap, these count once."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _join_changes(crossings: Mapping[CallId, Crossing], changes: Iterable[tuple[float, StateChanged]]) -> list[Change]:
    """Give each change to the call that made it, and return those that no call made."""
    outside: list[Change] = []
    for told, event in changes:
        change = Change(told, event.workload, event.plugin, event.path, event.action)
        maker = None if event.cause is None else crossings.get(event.cause)
        (outside if maker is None else maker.changes).append(change)
    return outside


def _follow_values(crossings: Iterable[Crossing], outside: Iterable[Change]) -> None:
    """Set `before` and `after` of each change, as far as earlier calls have shown these values."""
    known: dict[tuple[str, str, str], str] = {}
    meanings: dict[int, Meanings] = {}
    moments: list[Crossing | Change] = [*crossings, *outside]
    for moment in sorted(moments, key=lambda each: each.time):
        if isinstance(moment, Change):
            known.pop(moment.place, None)  # what another one put there did not cross the border
            continue
        call = moment.call
        for change in moment.changes:
            change.before = known.pop(change.place, None)
            change.after = NOTHING if change.action == "delete" else _value_of(call, change.path[-1])
            if change.after is not None:
                known[change.place] = change.after
        for kind, name in meanings.setdefault(call.request, Meanings()).touched(call):
            if kind == "keys" and call.function.endswith(".get") and call.error is None:
                known[call.workload, call.provider, name] = text_of(call.result)


def _value_of(call: HostCall, name: str) -> str | None:
    """The value that a call stored under a name: its argument, one of its pairs, or the sum that it returned."""
    arguments = dict(call.arguments)
    pairs = (pair for each in arguments.values() if isinstance(each, tuple) for pair in each)
    paired = next((pair[1] for pair in pairs if isinstance(pair, tuple) and len(pair) == 2 and pair[0] == name), None)
    counted = call.result if isinstance(call.result, int) else None
    value = arguments.get("value", counted if paired is None else paired)
    return None if value is None else text_of(value)


def _join_lines(passages: Iterable[Passage], crossings: Mapping[CallId, Crossing], lines: Iterable[LogLine]) -> None:
    """Give each line to the call that wrote it, or else to the request in which it was written."""
    by_workload: dict[str, list[Passage]] = {}
    for each in passages:
        by_workload.setdefault(each.workload, []).append(each)
    for line in lines:
        writer = None if line.cause is None else crossings.get(line.cause)
        if writer is not None and writer.call.workload == line.workload:
            writer.lines.append(line)
            continue
        of_workload = by_workload.get(line.workload, [])
        last = bisect_right(of_workload, line.time + _CLOCK, key=lambda each: each.begun)
        begun = of_workload[max(0, last - _LOOKED_AT) : last][::-1]
        during = (each for each in begun if line.time <= each.begun + each.duration + _CLOCK)
        request = next(during, None)
        if request is not None:
            request.lines.append(line)


def _nest(passages: Sequence[Passage], crossings: Mapping[CallId, Crossing]) -> None:
    """Put messages below the calls that sent them. One that came by a server is found by its subject and time."""
    sent: dict[str, list[Crossing]] = {}
    for crossing in crossings.values():
        subject = _subject(crossing.call)
        if subject is not None:
            sent.setdefault(subject, []).append(crossing)
    for passage in passages:
        handled = passage.trace.handled
        if not isinstance(handled, MessageHandled):
            continue
        if handled.cause is not None:
            passage.under = handled.cause if handled.cause in crossings else None
            continue
        for crossing in sent.get(handled.subject, ()):
            in_time = crossing.time - _CLOCK <= handled.time <= crossing.end + _LATE
            if in_time and crossing.call.request < passage.number:  # an earlier request has sent it
                passage.under = crossing.call.request, crossing.call.number


def _subject(call: HostCall) -> str | None:
    if call.interface.startswith("wasmcloud:messaging/consumer"):
        return next((name for kind, name in Meanings().touched(call) if kind == "subjects"), None)
    return None
