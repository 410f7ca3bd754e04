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
"""How long a request that no guest sends waits for its answer, where the caller does not say."""


class Types(Interface, wit="wasmcloud:messaging/types@0.2.0"):
    """wasmcloud:messaging/types, which has no functions."""


class Consumer(Interface, wit="wasmcloud:messaging/consumer@0.2.0"):
    """wasmcloud:messaging/consumer for one component: sends its messages."""

    def __init__(self, sender: Sender) -> None:
        """Keep the sender of the component."""
        self._sender = sender

    async def request(self, subject: str, body: bytes, timeout_ms: int) -> BrokerMessage:
        """Send a message and return the first answer that comes within `timeout_ms` milliseconds."""
        with told_to_guest(str):
            return await self._sender.request(subject, body, timeout_ms / 1000)

    async def publish(self, msg: BrokerMessage) -> None:
        """Send a message. One that cannot be sent is an error of WIT; in wash-runtime it ends the guest."""
        with told_to_guest(str):
            await self._sender.publish(msg)


class Messaging(PerWorkload[Deliveries], ABC, abstract=True):
    """Serves wasmcloud:messaging over a broker that a subclass chooses, and calls the handlers of components."""

    id = "wasmcloud-messaging"
    interfaces = (Types, Consumer)

    @property
    @abstractmethod
    def broker(self) -> Broker:
        """The broker that carries the messages."""

    async def publish(self, subject: str, body: bytes, reply_to: str | None = None) -> tuple[str, ...] | None:
        """Send a message that comes from no guest, and return the names of the handlers that took it.

        None says that the broker does not know them. Raises BackendError where the message cannot be sent.
        """
        return await Sender(self.broker, self.events).publish(BrokerMessage(subject, body, reply_to))

    async def request(
        self,
        subject: str,
        body: bytes,
        timeout: float = REQUEST_SECONDS,  # noqa: ASYNC109 - the broker's, which may know sooner that nobody answers
    ) -> BrokerMessage:
        """Send a message that comes from no guest, and return the first answer.

        Raises BackendError where nobody takes the message, and where no answer comes within `timeout` seconds.
        """
        return await Sender(self.broker, self.events).request(subject, body, timeout)

    async def hear(self, subject: str, hear: Callable[[MessageHeard], None]) -> Hearing:
        """Call `hear` with each message to `subject`, whoever sends it, until the Hearing that is returned is ended.

        No handler gets fewer messages for that. But on NATS a request that only the Hearing hears waits until its time
        is over, because the server sees a subscriber. Raises BackendError where the broker refuses.
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
        """Subscribe a handler to its subjects. Raises BackendError where the broker refuses."""
        await handler.listen(self.broker, handler.settings.subscriptions)

    def world(self) -> WitWorld:
        """Return the interfaces that the plugin serves (imports), and the handler that it calls (export)."""
        return WitWorld(super().world().imports, (WitInterface.parse("wasmcloud:messaging/handler@0.2.0"),))

    def new_state(self, workload: WorkloadContext) -> Deliveries:  # noqa: ARG002
        """Return the handlers of a workload, none yet."""
        return Deliveries()

    def amount_of_state(self, state: Deliveries) -> str:  # noqa: ARG002
        """Return "": messages that are being handled are no state."""
        return ""

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:
        """Link the consumer into one component, and make a handler where the component exports it."""
        item.link(Types())
        item.link(Consumer(Sender(self.broker, self.events, item.workload_name, item.component)))
        if any("handler" in entry.interfaces for entry in interfaces):
            deliveries = self.state(item.workload_id)
            settings = handler_settings(item, interfaces)
            deliveries.handlers.append(Handler(item, settings, deliveries.tasks, self.events))

    async def on_workload_resolved(self, workload: WorkloadContext, component_id: str) -> None:
        """Subscribe the component's handler, which can be called from now on."""
        deliveries = self.state(workload.workload_id)
        for handler in deliveries.handlers:
            if handler.item.component == component_id and not handler.listening:
                await self.listen(handler)
                deliveries.begun(handler)

    async def on_workload_unbind(self, workload_id: str, interfaces: Collection[WitInterface]) -> None:
        """End the subscriptions of the version that is unbound, and with the last version the handling of messages."""
        with suppress(WorkloadNotFound):  # its bind has failed
            await self.state(workload_id).part()
        await super().on_workload_unbind(workload_id, interfaces)

    async def stop(self) -> None:
        """End all subscriptions, and the handling of messages: a host that stops does not unbind its workloads."""
        for hearing in tuple(self._hearings):
            await hearing.end()
        for deliveries, _ in tuple(self._states.values()):
            await deliveries.end()
        await super().stop()
