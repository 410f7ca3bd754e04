"""What the session remembers of what the host told: log lines, and the calls of the requests that were answered."""

from __future__ import annotations

import itertools
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from washnb.engine import names
from washnb.events import (
    CallHeld,
    Event,
    ExportCalled,
    Handled,
    HostCall,
    LogLine,
    MessageHandled,
    MessageSent,
    RequestHandled,
    StateChanged,
    WorkloadChanged,
)
from washnb.host import Parity, Receipts, Trace

from ..text import escape, one_line, plain

KEPT_LINES = 5_000
KEPT_REQUESTS = 100
KEPT_MESSAGES = 1_000
KEPT_CHANGES = 2_000

_SHOWN_CALLS = 1_000
"""How many calls a report shows: it is saved with the notebook, and written again while requests arrive."""

_UNCOUNTED = 128
"""Events that are counted together."""

_FIRST_FAILURE = 400
"""The first HTTP status of those that say that something went wrong."""

UNDER_WAY = "under way"
"""The outcome that is shown of a held call, and of the request that it belongs to."""

Message = MessageSent | MessageHandled
"""The events of messages that are kept: of each that this host sent, and of each that it handled."""


@dataclass
class RequestTrace:
    """One request, message or call of an export, with its host calls; `handled` is the event that ended it.

    `begun` is the Unix timestamp from which the times of its calls count, `injected` the number of calls that a fault
    has changed. In slow motion, `doing` says in words what goes on, and `held` is the call held last, until it returns.
    """

    number: int
    begun: float
    calls: Trace = field(default_factory=Trace)
    handled: Handled | None = None
    injected: int = 0
    doing: str = ""
    held: HostCall | None = None

    @property
    def workload(self) -> str:
        """The workload that handled the request; "" where none did."""
        if self.handled is not None:
            return self.handled.workload
        return next((call.workload for call in (*self.calls[:1], self.held) if call is not None), "")

    @property
    def failed(self) -> bool:
        """Whether the request failed, or was answered with a status of 400 or above."""
        done = self.handled
        return done is not None and bool(
            done.error or (isinstance(done, RequestHandled) and done.status >= _FIRST_FAILURE)
        )

    @property
    def headline(self) -> str:
        """Its title: method, target and status, or the subject of a message or name of a call, and what went wrong."""
        done = self.handled
        if done is None and self.doing:
            return one_line(f"{_spoken(self.doing)}  {UNDER_WAY}  in {self.workload}", 200)
        if done is None:
            component = next((call.component for call in self.calls), "a guest")
            return f"a request or call that {component} has not answered yet"
        error = "  " + done.error.partition("\n")[0] if done.error else ""
        if isinstance(done, MessageHandled):
            outcome = "failed" if done.error else "handled"
            return one_line(f"message {done.subject}  {outcome}  by {done.workload}{error}", 200)
        if isinstance(done, ExportCalled):
            outcome = "failed" if done.error else "returned"
            return one_line(f"call {done.workload}.{_spoken(done.export)}  {outcome}{error}", 200)
        return one_line(f"{done.method} {done.target}  {done.status}  to {done.workload or 'nobody'}{error}", 200)


@dataclass(frozen=True)
class Memory:
    """A copy of the history: requests, changes of state with their Unix timestamps, and log lines."""

    requests: tuple[RequestTrace, ...]
    changes: tuple[tuple[float, StateChanged], ...]
    lines: tuple[LogLine, ...]


def _titled(request: RequestTrace) -> str:
    """What stands above its calls: also, whether something was injected into it."""
    return f"{request.headline}  ⚡ {request.injected} injected" if request.injected else request.headline


class TraceReport:
    """Requests with their host calls as text, oldest first. `data` has all `RequestTrace`s; the latest are shown."""

    def __init__(self, requests: Iterable[RequestTrace], *, tracing: bool, left_out: bool = False) -> None:
        """Show `requests`; `tracing` says whether calls are recorded, `left_out` whether filters left out requests."""
        self.data = list(requests)
        self.tracing = tracing
        self.left_out = left_out

    @property
    def _shown(self) -> list[RequestTrace]:
        return latest(self.data, _SHOWN_CALLS)

    @property
    def _older(self) -> str:
        older = len(self.data) - len(self._shown)
        return f"{older} older requests are not shown" if older else ""

    def __repr__(self) -> str:
        if not self.data:
            if self.left_out:
                return "nothing here passes the filters"
            return "no request yet" if self.tracing else "tracing is off: %wash trace on"
        shown = (f"{_titled(request)}\n{_indented(plain(str(request.calls)))}" for request in self._shown)
        return "\n\n".join(filter(None, (self._older, *shown)))

    def _repr_html_(self) -> str:
        if not self.data:
            return f"<div>{escape(repr(self))}</div>"
        parts = (
            f'<div style="font-weight: 600; white-space: pre-wrap">{escape(_titled(request))}</div>'
            f"{_table(request.calls)}"
            for request in self._shown
        )
        return "".join((f"<div>{self._older}</div>" if self._older else "", *parts))


def latest(requests: Sequence[RequestTrace], most: int) -> list[RequestTrace]:
    """The latest requests that have no more than `most` calls together, and the last one in any case."""
    counts = itertools.accumulate(len(each.calls) for each in reversed(requests))
    kept = sum(1 for count in counts if count <= most)
    return [*requests[max(0, len(requests) - max(1, kept)) :]]


def _table(calls: Trace) -> str:
    """The calls as HTML; long ones are wrapped, so that their durations stay on the page."""
    if not calls:
        return "<div>no host calls</div>"
    more = f"<div>... and {calls.dropped} more calls that were not kept</div>" if calls.dropped else ""
    return f'<table style="font-family: monospace"><tbody>{"".join(map(_row, calls.rows))}</tbody></table>{more}'


def _row(row: tuple[str, str, str, str]) -> str:
    number, call, duration, provider = map(escape, row)
    return (
        f'<tr><td>{number}</td><td style="text-align: left; overflow-wrap: anywhere">{call}</td>'
        f"<td>{duration.replace(' ', '&nbsp;')}</td>"
        f'<td style="text-align: left; white-space: nowrap">{provider}</td></tr>'
    )


def _spoken(export: str) -> str:
    """The plain name of an exported function, without its interface and its kind."""
    return names.without_kind(export.rpartition("#")[2])


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


class History:
    """Listens to the events of the host. Written and read on the host's loop only.

    Guests wait meanwhile: what is only counted waits for others, until somebody asks or they are many, since that takes
    a fraction of the time for each.
    """

    def __init__(self) -> None:
        """Begin with an empty history."""
        self.lines: deque[LogLine] = deque(maxlen=KEPT_LINES)
        self.messages: deque[Message] = deque(maxlen=KEPT_MESSAGES)
        self.changes: deque[tuple[float, StateChanged]] = deque(maxlen=KEPT_CHANGES)
        """Changes of state, each with the Unix timestamp at which it was told."""
        self.forgotten = 0
        """How many requests were remembered, and are no longer, since there were too many."""
        self._requests: OrderedDict[int, RequestTrace] = OrderedDict()
        self._parity = Parity()
        self._receipts = Receipts()
        self._uncounted: list[Event] = []

    def take(self, event: Event) -> None:
        """Keep an event; where there are too many of its kind, the oldest goes."""
        self._uncounted.append(event)
        if len(self._uncounted) >= _UNCOUNTED or isinstance(event, WorkloadChanged):
            self._count()
        if isinstance(event, HostCall):  # first: of these there are many
            request = self._requests.get(event.request)
            if request is None:
                request = self._request(event.request, event.started + event.duration)
            request.calls.append(event)
            if event.injected:
                request.injected += 1
            request.held = None
            return
        if isinstance(event, CallHeld):
            request = self._request(event.call.request, event.call.started)
            request.doing, request.held = event.doing, event.call
        elif isinstance(event, LogLine):
            self.lines.append(event)
        elif isinstance(event, StateChanged):
            self.changes.append((time.time(), event))
        elif isinstance(event, Handled):
            request = self._request(event.request, event.duration)
            request.handled, request.held = event, None
        if isinstance(event, MessageSent | MessageHandled):
            self.messages.append(event)

    @property
    def parity(self) -> Parity:
        """The deviations from wash-runtime that workloads have relied on."""
        self._count()
        return self._parity

    @property
    def receipts(self) -> Receipts:
        """What workloads have used and were denied."""
        self._count()
        return self._receipts

    def requests(self, *, of: str | None = None, last: bool = False) -> list[RequestTrace]:
        """Return the requests of the history, or those `of` a workload, or only the one of these answered last."""
        found = [each for each in self._requests.values() if of is None or each.workload == of]
        return [each for each in found if each.handled is not None][-1:] if last else found

    def memory(self, most: int | None = None) -> Memory:
        """Return a copy of the history: of all requests, or of the latest with no more than about `most` calls.

        Changes and lines are those since the first of these requests.
        """
        requests = list(self._requests.values())
        if most is not None:
            requests = latest(requests, most)
        since = min((each.begun for each in requests), default=0.0)
        changes = tuple(each for each in self.changes if each[0] >= since)
        return Memory(tuple(requests), changes, tuple(line for line in self.lines if line.time >= since))

    def clear_requests(self) -> None:
        """Forget all requests, and the changes of state that they made."""
        self.forgotten = 0
        self._requests.clear()
        self.changes.clear()

    def _count(self) -> None:
        """Count the events that wait to be counted, calls before the event that ends their request or workload."""
        events, self._uncounted = self._uncounted, []
        calls = [event for event in events if isinstance(event, HostCall)]
        self._parity.take_calls(calls)
        self._receipts.take_calls(calls)
        for event in events:
            if not isinstance(event, HostCall):
                self._parity.take(event)
                self._receipts.take(event)

    def _request(self, number: int, ago: float) -> RequestTrace:
        """The request `number`, made where it is new; it has then begun `ago` seconds before."""
        begun = time.time() - ago
        request = self._requests.get(number)
        if request is None:
            request = self._requests[number] = RequestTrace(number, begun)
            if len(self._requests) > KEPT_REQUESTS:
                self._requests.popitem(last=False)
                self.forgotten += 1
        elif begun < request.begun:  # none is heard of too early, some are too late
            request.begun = begun
        return request
