"""Handling messages: a fresh instance of the component for each, a bounded number at once, and an event at the end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from functools import partial

from washnb.engine import Err, GuestTime
from washnb.errors import WashError, WorkloadFailed, spelled_out
from washnb.events import EventBus, LogLine, MessageHandled

from ..base import WorkloadItem
from .backend import Broker, BrokerMessage, Subscription
from .sending import SHOWN
from .settings import HandlerSettings
from .subjects import INBOX

HANDLE_MESSAGE = "wasmcloud:messaging/handler@0.2.0#handle-message"

INBOX_LIMIT = 10_000
"""How many messages one component may have taken and not yet handled, as in wash-runtime's broker in memory."""

INBOX_BYTES = 64 * 1024 * 1024
"""How many bytes the messages that a component has taken may have before it takes no more."""

_log = logging.getLogger(__name__)


class Handler:
    """One version of a component that exports wasmcloud:messaging/handler: takes messages, and calls the export."""

    def __init__(
        self, item: WorkloadItem, settings: HandlerSettings, tasks: set[asyncio.Task[None]], events: EventBus
    ) -> None:
        """Subscribe to nothing yet. `tasks` gets a task for each message; all versions of the workload share it."""
        self.item = item
        self.settings = settings
        self.name = item.component if item.component == item.workload_name else f"{item.workload_name}/{item.component}"
        self._tasks = tasks
        self._events = events
        self._places = asyncio.Semaphore(settings.max_in_flight)
        self._taken = 0
        self._taken_bytes = 0
        self.listening = False
        self.successor: Handler | None = None
        self._subscriptions: list[Subscription] = []

    async def listen(self, broker: Broker, subjects: Sequence[str]) -> None:
        """Subscribe to `subjects`. Raises BackendError where the broker refuses."""
        self.listening = True
        for subject in subjects:
            self._subscriptions.append(await broker.subscribe(subject, self.settings.group, self.name, self.take))

    async def unsubscribe(self) -> None:
        """End the subscriptions. Messages that were taken before are still handled, by the version that runs then."""
        ending, self._subscriptions = self._subscriptions, []
        await asyncio.gather(*(each.end() for each in ending))

    def take(self, message: BrokerMessage) -> bool:
        """Start a task that handles a message, and return True; False where this handler does not take it.

        Where too many messages wait, an event and a log line say so.
        """
        if not self.settings.subscriptions and message.subject.startswith(INBOX):
            return False  # without subscriptions a handler gets all messages, but not the answers to others' requests
        if self.settings.group is None and self.successor is not None and self.successor.item.bound:
            return False  # without group both versions are offered each message during a reload: the new one takes it
        request, began = self._events.number(), (time.time(), time.perf_counter())
        if self._taken >= INBOX_LIMIT or self._taken_bytes >= INBOX_BYTES:
            self._tell(message, request, began, f"message queue full: {self._taken:,} messages wait for {self.name}")
            return False
        self._taken += 1
        self._taken_bytes += len(message.body)
        task = asyncio.create_task(self._handle(message, request))
        self._tasks.add(task)
        task.add_done_callback(partial(self._handled, message, request, began))
        return True

    def say(self, level: str, text: str) -> None:
        """Write a line of the host about the component to Python's `logging`, and publish it among the log lines."""
        _log.log(logging.ERROR if level == "error" else logging.WARNING, "%s: %s", self.name, text)
        if self._events:
            item = self.item
            self._events.publish(LogLine(item.workload_name, item.component, "host", level, "", text, time.time()))

    async def _handle(self, message: BrokerMessage, request: int) -> None:
        wait, clock = self.settings.admission_wait, GuestTime.here()
        asked = clock.now()
        try:
            async with clock.limit(wait):
                await self._places.acquire()
        except TimeoutError:
            raise WorkloadFailed(
                f"shed: none of its {self.settings.max_in_flight} places was free within {wait:g} s",
                repair="admission_wait=2m  # or send fewer; max_in_flight says how many places there are",
            ) from None
        try:
            left = max(0.0, wait - (clock.now() - asked))
            await self.item.deliver(HANDLE_MESSAGE, message, request=request, wait=left)
        finally:
            self._places.release()

    def _handled(
        self, message: BrokerMessage, request: int, began: tuple[float, float], task: asyncio.Task[None]
    ) -> None:
        """Report how the handling of a message ended, also of a task that was cancelled before it ran."""
        self._taken -= 1
        self._taken_bytes -= len(message.body)
        self._tasks.discard(task)
        self._tell(message, request, began, _failure(task))

    def _tell(self, message: BrokerMessage, request: int, began: tuple[float, float], error: str | None) -> None:
        if error is not None:
            self.say("error", f"message to {message.subject}: {error}")
        if self._events:
            self._events.publish(
                MessageHandled(
                    request=request,
                    workload=self.item.workload_name,
                    component=self.item.component,
                    subject=message.subject,
                    body=message.body[:SHOWN],
                    size=len(message.body),
                    reply_to=message.reply_to,
                    error=error,
                    duration=time.perf_counter() - began[1],
                    time=began[0],
                )
            )


def _failure(task: asyncio.Task[None]) -> str | None:
    if task.cancelled():
        return "the workload was stopped, or lost its messages, before it was done"
    error = task.exception()
    if isinstance(error, Err):
        return f"handle-message returned the error {error.value!r}"
    if isinstance(error, WashError):
        return error.message
    return None if error is None else spelled_out(error)


class Deliveries:
    """The handlers of one workload, in all its versions that are bound, and the tasks that handle messages."""

    def __init__(self) -> None:
        """Begin without handlers."""
        self.handlers: list[Handler] = []
        self.tasks: set[asyncio.Task[None]] = set()

    def begun(self, handler: Handler) -> None:
        """Note that `handler` has subscribed, and succeeds the handlers of the same component in older versions."""
        for other in self.handlers:
            if other is not handler and other.item.component == handler.item.component:
                other.successor = handler

    async def part(self) -> None:
        """End the subscriptions of handlers whose version is no longer bound; messages they have taken are handled.

        Where no handler is left, end the tasks, too.
        """
        gone = [handler for handler in self.handlers if not handler.item.bound]
        self.handlers = [handler for handler in self.handlers if handler.item.bound]
        await asyncio.gather(*(handler.unsubscribe() for handler in gone))
        if not self.handlers:
            await self.end()

    async def end(self) -> None:
        """End all subscriptions, and cancel the handling of messages."""
        await asyncio.gather(*(handler.unsubscribe() for handler in self.handlers))
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks)
