"""wasmcloud:messaging@0.2.0: types, consumer and the handler that the host calls, over any broker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import cached_property
from weakref import WeakSet

from washnb.engine import Interface
from washnb.errors import WorkloadNotFound
from washnb.events import MessageHeard
from washnb.wit import WitInterface, WitWorld

from ..base import WorkloadContext, WorkloadItem, told_to_guest
from ..state import PerWorkload
from .backend import Broker, BrokerMessage
from .handling import Deliveries, Handler
from .hearing import Hearing
from .sending import Sender
from .settings import handler_settings

REQUEST_SECONDS = 2.0
"""How long a request from outside waits for its answer, unless it says so."""


class Types(Interface, wit="wasmcloud:messaging/types@0.2.0"):
    """wasmcloud:messaging/types: it has no functions."""


class Consumer(Interface, wit="wasmcloud:messaging/consumer@0.2.0"):
    """wasmcloud:messaging/consumer for one component."""

    def __init__(self, sender: Sender) -> None:
        """Send by `sender`."""
        self._sender = sender

    async def request(self, subject: str, body: bytes, timeout_ms: int) -> BrokerMessage:
        """Send a message and return the first answer."""
        with told_to_guest(str):
            return await self._sender.request(subject, body, timeout_ms / 1000)

    async def publish(self, msg: BrokerMessage) -> None:
        """Send a message. Where wash-runtime ends the guest, it gets the error that WIT has for it."""
        with told_to_guest(str):
            await self._sender.publish(msg)


class Messaging(PerWorkload[Deliveries], ABC, abstract=True):
    """The plugin of the capability, whatever its broker: serves the consumer, and brings messages to handlers."""

    id = "wasmcloud-messaging"
    interfaces = (Types, Consumer)

    @property
    @abstractmethod
    def broker(self) -> Broker:
        """What carries the messages."""

    async def publish(self, subject: str, body: bytes, reply_to: str | None = None) -> tuple[str, ...] | None:
        """Send a message from outside and return who took it, None where the broker does not tell.

        Raises BackendError where it cannot be sent.
        """
        return await Sender(self.broker, self.events).publish(BrokerMessage(subject, body, reply_to))

    async def request(
        self,
        subject: str,
        body: bytes,
        timeout: float = REQUEST_SECONDS,  # noqa: ASYNC109 - the broker's, which may know sooner that nobody answers
    ) -> BrokerMessage:
        """Send a message from outside and return the first answer. Raises BackendError where none comes."""
        return await Sender(self.broker, self.events).request(subject, body, timeout)

    async def hear(self, subject: str, hear: Callable[[MessageHeard], None]) -> Hearing:
        """Call `hear` with each message to a subject, whoever sends it, until what is returned is ended.

        It takes no message from anybody; but a request that nobody else hears waits for its time to pass, for at the
        server somebody is there. Raises BackendError.
        """

        def told(message: MessageHeard) -> None:
            hear(message)
            self.events.publish(message)

        hearing = Hearing(subject, told)
        await hearing.begin(self.broker)
        self._hearings.add(hearing)
        return hearing

    @cached_property
    def _hearings(self) -> WeakSet[Hearing]:
        return WeakSet()

    async def listen(self, handler: Handler) -> None:
        """Let a handler have its messages from now on. Raises BackendError."""
        await handler.listen(self.broker, handler.settings.subscriptions)

    def world(self) -> WitWorld:
        """What it serves, and the handler that it calls."""
        return WitWorld(super().world().imports, (WitInterface.parse("wasmcloud:messaging/handler@0.2.0"),))

    def new_state(self, workload: WorkloadContext) -> Deliveries:  # noqa: ARG002
        """Begin without handlers."""
        return Deliveries()

    def amount(self, state: Deliveries) -> str:  # noqa: ARG002
        """Return "": what handlers are at is no state."""
        return ""

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:
        """Link the consumer; make a handler where the component exports one."""
        item.link(Types())
        item.link(Consumer(Sender(self.broker, self.events, item.workload_name, item.component)))
        if any("handler" in entry.interfaces for entry in interfaces):
            deliveries = self.state(item.workload_id)
            settings = handler_settings(item, interfaces)
            deliveries.handlers.append(Handler(item, settings, deliveries.tasks, self.events))

    async def on_workload_resolved(self, workload: WorkloadContext, component_id: str) -> None:
        """Let the component's handler listen, now that it could be called."""
        deliveries = self.state(workload.workload_id)
        for handler in deliveries.handlers:
            if handler.item.component == component_id and not handler.listening:
                await self.listen(handler)
                deliveries.begun(handler)

    async def on_workload_unbind(self, workload_id: str, interfaces: Collection[WitInterface]) -> None:
        """Let the handlers of the version go; with the last one end what they are at."""
        with suppress(WorkloadNotFound):  # where its bind failed
            await self.state(workload_id).part()
        await super().on_workload_unbind(workload_id, interfaces)

    async def stop(self) -> None:
        """End what every handler is at: a host that stops does not unbind its workloads."""
        for hearing in tuple(self._hearings):
            await hearing.end()
        for deliveries, _ in tuple(self._states.values()):
            await deliveries.end()
        await super().stop()
