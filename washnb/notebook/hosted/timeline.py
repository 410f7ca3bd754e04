"""What happened when: the requests that are remembered, their host calls, and what belongs to each of these.

Changes of state, lines and messages say which call they come from. A line that was written between two calls belongs to
the request of its workload that went on then, a message from a server to the call that named its subject right before.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from washnb.events import CallId, HostCall, LogLine, MessageHandled, RequestHandled, StateChanged
from washnb.host import Meanings, outcome_of, sentence, text_of

from .history import UNDER_WAY, Memory, RequestTrace

_LATE = 0.5
"""Seconds by which a broker elsewhere may bring a message after the call that sent it."""

_CLOCK = 2e-4
"""Seconds by which timestamps of two clocks may differ."""

_FIRST_FAILURE = 400
"""The first status of HTTP that says that something went wrong."""

_LOOKED_AT = 64
"""Requests that are looked at for a line that no call has written."""

NOTHING = "none"
"""How a trace shows an option without a value, and so what is there after a delete."""


@dataclass
class Change:
    """A change of state: `before` and `after` are texts of the values as the trace knows them; None: not known.

    `time` is the Unix timestamp at which it was told.
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
        """What has changed: workload, plugin, and the names that lead there."""
        return self.workload, self.plugin, "/".join(self.path)


@dataclass
class Crossing:
    """One host call, at a Unix timestamp, with the changes that it made and the lines that were logged in it.

    `held` is for how many seconds calls of the request were held in slow motion, this one included. `answered`: it has
    come back.
    """

    call: HostCall
    time: float
    held: float = 0.0
    answered: bool = True
    changes: list[Change] = field(default_factory=list)
    lines: list[LogLine] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """How it ended, or that it is under way."""
        return outcome_of(self.call) if self.answered else UNDER_WAY

    @property
    def end(self) -> float:
        """The Unix timestamp of its return."""
        return self.time + self.call.duration

    @property
    def asked(self) -> str:
        """The call without its interface and its answer: `bucket#1.get("count")`."""
        said = sentence(self.call._replace(result=None, error=None, injected=""))
        return said.removeprefix(f"{self.call.interface.partition('@')[0]}.")

    @property
    def answer(self) -> str:
        """What came back: the value, or the error; "" where a function returns nothing."""
        if self.call.error is not None:
            return self.call.error or "error"
        return "" if self.call.result is None else text_of(self.call.result)

    @property
    def waits(self) -> bool:
        """Whether the guest asked to be suspended until something is ready."""
        return self.call.interface.startswith("wasi:io/poll") or "blocking-" in self.call.function


@dataclass(frozen=True)
class Shares:
    """Where the seconds of a request went: to the guest, to host calls, to calls that wait until something is ready."""

    guest: float
    host: float
    waiting: float


@dataclass
class Passage:
    """A request, message or call of an export, with its crossings in order. `begun` is a Unix timestamp.

    `under` is the request and the call of it that sent the message, where that is known.
    """

    trace: RequestTrace
    crossings: list[Crossing]
    lines: list[LogLine] = field(default_factory=list)
    under: tuple[int, int] | None = None

    @property
    def number(self) -> int:
        """The number that its events carry."""
        return self.trace.number

    @property
    def begun(self) -> float:
        """The Unix timestamp of its beginning."""
        return self.trace.begun

    @property
    def workload(self) -> str:
        """The workload that handled it; "" where none did."""
        return self.trace.workload

    @property
    def duration(self) -> float:
        """Seconds from its beginning to the end of its answer, or of its last call so far."""
        last = max((each.end - self.begun for each in self.crossings), default=0.0)
        return max(last, 0.0 if self.trace.handled is None else self.trace.handled.duration)

    @property
    def held(self) -> float:
        """The seconds of these for which calls of it were held in slow motion."""
        return self.crossings[-1].held if self.crossings else 0.0

    @property
    def took(self) -> float:
        """The seconds of these that are its own."""
        return max(0.0, self.duration - self.held)

    @property
    def under_way(self) -> Crossing | None:
        """The call that is held, or was held and is served, in slow motion."""
        call = self.trace.held
        return None if call is None else Crossing(call, self.begun + call.started, self.held, answered=False)

    def at(self, crossing: Crossing) -> float:
        """The second of its own in which a call of it was served."""
        return max(0.0, crossing.time - self.begun - crossing.held)

    @property
    def error(self) -> str:
        """Why it failed; "" where it did not."""
        return (self.trace.handled.error or "") if self.trace.handled is not None else ""

    @property
    def failed(self) -> bool:
        """Whether it failed, or was answered with a status that says so."""
        handled = self.trace.handled
        return bool(self.error) or (isinstance(handled, RequestHandled) and handled.status >= _FIRST_FAILURE)

    @property
    def shares(self) -> Shares:
        """Where its time went."""
        crossing = _covered((each.time, each.end) for each in self.crossings)
        waiting = _covered((each.time, each.end) for each in self.crossings if each.waits)
        return Shares(max(0.0, self.took - crossing), crossing - waiting, waiting)


@dataclass(frozen=True)
class Timeline:
    """What is remembered, oldest first. `outside` are the changes of state that no call made: edits, other hosts."""

    passages: tuple[Passage, ...]
    outside: tuple[Change, ...]

    @classmethod
    def of(cls, memory: Memory) -> Timeline:
        """Put together what belongs together. Of thousands of calls this takes a while: not on the host's loop."""
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
    """The seconds that spans cover together: a call within another one does not count twice."""
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
    """Tell each change what was there before and is there now, as far as the calls so far have shown it."""
    known: dict[tuple[str, str, str], str] = {}
    meanings: dict[int, Meanings] = {}
    moments: list[Crossing | Change] = [*crossings, *outside]
    for moment in sorted(moments, key=lambda each: each.time):
        if isinstance(moment, Change):
            known.pop(moment.place, None)  # what somebody else has put there did not cross the border
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
    """The value that a call has put under a name: its argument, one of its pairs, or the sum that it returned."""
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
    """Put messages below the calls that sent them. Of one that came by a server only subject and time are known."""
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
            if in_time and crossing.call.request < passage.number:  # who handles its own messages is no ancestor of it
                passage.under = crossing.call.request, crossing.call.number


def _subject(call: HostCall) -> str | None:
    if call.interface.startswith("wasmcloud:messaging/consumer"):
        return next((name for kind, name in Meanings().touched(call) if kind == "subjects"), None)
    return None
