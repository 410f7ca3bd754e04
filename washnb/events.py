"""The events of a host and its plugins, and the bus that carries them.

Events are values. Who wants to know of them subscribes to the bus; who publishes them does not know who listens.
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
"""The recorded host call in which code runs, or whose task it is; None where no host call has caused it.

Work on behalf of all callers, such as a shared connection, begins in an empty `contextvars.Context`: the call that
happens to come first is not its cause.
"""


@dataclass(frozen=True, slots=True)
class CompileProgress:
    """Compiling a component has reached a `stage`: read, cached, compile, store or done.

    `size` is that of the component in bytes, `elapsed` is in seconds.
    """

    component: str
    stage: str
    size: int
    elapsed: float


class HostCall(NamedTuple):  # a quarter of the time that a dataclass takes to make, and there is one for each call
    """One call of a guest to the host.

    `arguments` are (name, value) pairs and `result` a value, both made safe to keep: long bytes and text shortened,
    resources as name and number, secrets redacted. `error` is set where the call did not return: the WIT error that it
    raised, or the exception that ended the guest. `provider` is the id of the plugin that served it, `wasi`, or "" for
    none. Times are in seconds; `started` counts from the start of the request, `held` is the time in slow motion before
    that. `size` is about how many bytes the values take. `injected` says what a fault did to the call, "" for nothing.

    A fault on an export is told as a host call as well: its `provider` is `fault`, and it ends where the guest goes on.
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
    """A host call is held in slow motion: the guest waits for it, and it is not served yet.

    `doing` is the request or the export that the call belongs to: `GET /apples`, or the export's name.
    """

    call: HostCall
    doing: str


CLIENT_GONE = 499
"""The status of a `RequestHandled` whose client left before the answer: of this event only, nobody is sent it."""


@dataclass(frozen=True, slots=True)
class RequestHandled:
    """An HTTP request has been answered, or has failed: then `error` and `code` are those of the WashError.

    `request` is the number that its host calls carry, too; `duration` is in seconds.
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
    """A line that a component has written, or the host about a component. `time` is a Unix timestamp.

    `stream` is stdout, stderr, log (wasi:logging), or host. `host` is the id of the other host that has the component,
    "" for this one. `cause` is the host call in which the line was written, where calls are recorded.
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
    """A component has sent a message; or a person or a program has, and `workload` and `component` are empty.

    `kind` is publish or request. `handlers` names the components that took the message: none where it is gone, None
    where the broker does not say. `error` says why it could not be sent, or why a request had no answer. `body` is the
    beginning of `size` bytes, `reply_to` the subject for an answer, `time` a Unix timestamp.
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
    """A message has been sent, on this host or elsewhere, to a subject that somebody listens to without handling it.

    `body` is the beginning of `size` bytes, `reply_to` the subject for an answer, `time` a Unix timestamp.
    """

    subject: str
    body: bytes
    size: int
    reply_to: str | None
    time: float


@dataclass(frozen=True, slots=True)
class MessageHandled:
    """A component has handled a message, or has failed to: `error` is what it answered, or how the guest ended.

    `request` is the number that the handler's host calls carry, too. `body` is the beginning of `size` bytes,
    `reply_to` the subject for an answer, `time` the Unix timestamp of the message's arrival, `duration` the seconds
    since then.
    `cause` is the host call that has sent the message, where calls are recorded and the broker is in this process.
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
    """An export that was called, by neither a request nor a message, has returned, or has failed with `error`.

    `request` is the number that its host calls carry, too; `export` is `interface#function`, `duration` is in seconds.
    """

    request: int
    workload: str
    component: str
    export: str
    duration: float
    error: str | None = None


Handled = RequestHandled | MessageHandled | ExportCalled
"""The events that end what host calls belong to: a request, a message, or a call of an export."""


@dataclass(frozen=True, slots=True)
class CallWaiting:
    """A host call of a guest waits for a person or a program to answer it; with `waits` false, it no longer does."""

    workload: str
    interface: str
    function: str
    waits: bool


@dataclass(frozen=True, slots=True)
class StateChanged:
    """State that a plugin keeps has changed: `path` leads to it (bucket and key), `action` is set or delete.

    `cause` is the host call that has changed it, where calls are recorded; None for an edit or another host's change.
    """

    workload: str
    plugin: str
    path: tuple[str, ...]
    action: str
    cause: CallId | None = field(default_factory=current_call.get, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class WorkloadChanged:
    """A workload has another `state` now; `message` says so in words, with the error where there is one."""

    workload_id: str
    name: str
    state: WorkloadState
    message: str


@dataclass(frozen=True, slots=True)
class PluginChanged:
    """A plugin was attached or detached: `action` is attach or detach. `workload` is the name it is for, "" for all."""

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
"""A function that is called with an event, on the thread that publishes the event."""


class EventBus:
    """Hands each event to the subscribers to its kind, at once and in order, on the thread that publishes it.

    A subscriber must be quick; one that has more to do queues the event and returns. What a subscriber raises is
    logged, and reaches neither the publisher nor the other subscribers.
    """

    def __init__(self) -> None:
        """Begin without subscribers."""
        self._subscriptions: tuple[tuple[Subscriber, tuple[type, ...]], ...] = ()
        self._by_kind: dict[type, tuple[Subscriber, ...]] = {}  # of the kinds published since that changed
        self._requests = itertools.count(1)

    def __bool__(self) -> bool:
        """Return whether there is a subscriber: publishers make no events that nobody would get."""
        return bool(self._subscriptions)

    def number(self) -> int:
        """Return a new number for a request, a message or a call of an export, which all its events carry."""
        return next(self._requests)

    def publish(self, event: Event) -> None:
        """Call every subscriber to the kind of `event` with it."""
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
        """Call `subscriber` with each event of these `kinds`, or of all where none is given, from now on.

        Returns the function that ends the subscription.
        """
        subscription = subscriber, kinds
        self._subscriptions = (*self._subscriptions, subscription)
        self._by_kind = {}

        def unsubscribe() -> None:
            self._subscriptions = tuple(each for each in self._subscriptions if each is not subscription)
            self._by_kind = {}

        return unsubscribe
