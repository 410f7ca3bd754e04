"""What the host tells the world, and the bus that carries it.

Events are values: whoever wants to know subscribes, nobody is asked.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from washnb.types import WorkloadState

_log = logging.getLogger(__name__)

CallId = tuple[int, int]
"""The number of a request, and that of one of its host calls."""

current_call: ContextVar[CallId | None] = ContextVar("current_call", default=None)
"""The recorded host call in which code runs, or that began the task in which it runs; None: no call asked for it.

Work that goes on for everybody, whoever asks for it first, begins in an empty `contextvars.Context`.
"""


@dataclass(frozen=True, slots=True)
class CompileProgress:
    """How far a component's way from bytes to code has come. `stage` is read, cached, compile, store or done."""

    component: str
    stage: str
    size: int
    elapsed: float


class HostCall(NamedTuple):  # made in a quarter of a dataclass' time, and there is one for each call
    """One call of a guest to the host.

    `arguments` are (name, value) pairs and `result` a value, both made safe to keep: long bytes and text shortened,
    resources as name and number, secrets redacted. `error` is set where the call did not return: the WIT error that it
    raised, or the exception that ended the guest. Times are seconds; `started` counts from the start of the request.
    `size` is about how many bytes the values take. `injected` says what a fault did to it; "": nothing. What a
    fault did to a call of an export is one, too: its `provider` is `fault`, and it ends where the guest goes on.
    `held` is how long it was held in slow motion before it started.
    """

    request: int
    number: int
    workload: str
    component: str
    interface: str
    function: str
    arguments: tuple[tuple[str, Any], ...]
    result: Any
    error: str | None
    provider: str
    started: float
    duration: float
    size: int
    injected: str = ""
    held: float = 0.0


@dataclass(frozen=True, slots=True)
class CallHeld:
    """A call of a guest is held in slow motion: it has been asked for, and is not served yet.

    `doing` says what it is part of: `GET /apples`, or the name of an export.
    """

    call: HostCall
    doing: str


CLIENT_GONE = 499
"""The status of a `RequestHandled` whose client left before the answer: of this event only, nobody is sent it."""


@dataclass(frozen=True, slots=True)
class RequestHandled:
    """A request has been answered, or has failed: `error` is the message then, `code` that of the WashError.

    `duration` is in seconds.
    """

    request: int
    workload: str
    method: str
    target: str
    status: int
    duration: float
    error: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a component wrote, or the host about it. `time` is a Unix timestamp.

    `stream` is stdout, stderr, log (wasi:logging), or host. `host` is the id of another host, whose component it was.
    `cause` is the host call in which it was written, where calls are recorded.
    """

    workload: str
    component: str
    stream: str
    level: str
    context: str
    message: str
    time: float
    host: str = ""
    cause: CallId | None = field(default_factory=current_call.get, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class MessageSent:
    """A component, or somebody from outside (`workload` and `component` are empty), has sent a message.

    `kind` is publish or request. `handlers` names who took it; empty: nobody, and the message is gone; None: the
    broker does not tell. `error` says why it could not be sent, or why a request had no answer. `body` is the beginning
    of `size` bytes, `time` a Unix timestamp.
    """

    workload: str
    component: str
    kind: str
    subject: str
    body: bytes
    size: int
    reply_to: str | None
    handlers: tuple[str, ...] | None
    error: str | None
    time: float


@dataclass(frozen=True, slots=True)
class MessageHeard:
    """Somebody, here or elsewhere, has sent a message to a subject that is listened to; else as in `MessageSent`."""

    subject: str
    body: bytes
    size: int
    reply_to: str | None
    time: float


@dataclass(frozen=True, slots=True)
class MessageHandled:
    """A component has handled a message, or has failed to (`error`): it answered so, trapped, took too long.

    `request` is the number that the host calls of the handler carry, too. `body` is the beginning of `size` bytes;
    `time` is the Unix timestamp of the message's arrival, `duration` the seconds from there. `cause` is the host call
    that has sent it, where calls are recorded and the broker is in this process.
    """

    request: int
    workload: str
    component: str
    subject: str
    body: bytes
    size: int
    reply_to: str | None
    error: str | None
    duration: float
    time: float
    cause: CallId | None = field(default_factory=current_call.get, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ExportCalled:
    """An export has been called, neither by a request nor by a message, and has returned or failed (`error`).

    `request` is the number that its host calls carry, too; `export` is `interface#function`, `duration` is in seconds.
    """

    request: int
    workload: str
    component: str
    export: str
    duration: float
    error: str | None = None


Handled = RequestHandled | MessageHandled | ExportCalled
"""What ends that which host calls belong to: a request, a message, a call of an export."""


@dataclass(frozen=True, slots=True)
class CallWaiting:
    """A call of a guest waits for somebody to answer it (`waits`), or no longer."""

    workload: str
    interface: str
    function: str
    waits: bool


@dataclass(frozen=True, slots=True)
class StateChanged:
    """State that a plugin keeps has changed: `path` leads to it (bucket and key), `action` is set or delete.

    `cause` is the host call that has changed it, where calls are recorded; None: an edit, or another host.
    """

    workload: str
    plugin: str
    path: tuple[str, ...]
    action: str
    cause: CallId | None = field(default_factory=current_call.get, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class WorkloadChanged:
    """A workload has come into another state."""

    workload_id: str
    name: str
    state: WorkloadState
    message: str


@dataclass(frozen=True, slots=True)
class PluginChanged:
    """A plugin was attached or detached; `action` says which. `workload` is the one that it is about; "" for all."""

    plugin: str
    action: str
    workload: str = ""


Event = (
    CompileProgress
    | HostCall
    | CallHeld
    | RequestHandled
    | LogLine
    | MessageSent
    | MessageHeard
    | MessageHandled
    | ExportCalled
    | CallWaiting
    | StateChanged
    | WorkloadChanged
    | PluginChanged
)


Subscriber = Callable[[Any], None]
"""Is called with an event, at once, on the thread that publishes it."""


class EventBus:
    """Hands each event to those who subscribe to its kind, at once and in order, on the thread that publishes.

    A subscriber must be quick; one that has more to do queues the event and returns. What it raises is logged: it
    concerns neither who publishes nor the other subscribers.
    """

    def __init__(self) -> None:
        """Begin with no subscriber."""
        self._subscriptions: tuple[tuple[Subscriber, tuple[type, ...]], ...] = ()
        self._by_kind: dict[type, tuple[Subscriber, ...]] = {}  # of the kinds published since that changed
        self._requests = itertools.count(1)

    def __bool__(self) -> bool:
        """Whether anybody listens: publishers skip the making of events that nobody would hear."""
        return bool(self._subscriptions)

    def number(self) -> int:
        """Return the next number by which events know what they belong to: a request, a call, a message."""
        return next(self._requests)

    def publish(self, event: Event) -> None:
        """Call every subscriber to events of this kind."""
        kind = type(event)
        subscribers = self._by_kind.get(kind)
        if subscribers is None:
            subscribers = self._by_kind[kind] = tuple(
                subscriber for subscriber, kinds in self._subscriptions if not kinds or kind in kinds
            )
        for subscriber in subscribers:
            try:
                subscriber(event)
            except Exception:  # noqa: BLE001 - a subscriber may raise anything
                _log.exception("a subscriber failed at %s", kind.__name__)

    def subscribe(self, subscriber: Subscriber, *kinds: type[Event]) -> Callable[[], None]:
        """Call `subscriber` for each event of these kinds from now on, or of all kinds where none is given.

        Return the function that ends it.
        """
        subscription = subscriber, kinds
        self._subscriptions = (*self._subscriptions, subscription)
        self._by_kind = {}

        def unsubscribe() -> None:
            self._subscriptions = tuple(each for each in self._subscriptions if each is not subscription)
            self._by_kind = {}

        return unsubscribe
