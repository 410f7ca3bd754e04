"""Sending messages, for a component or for people, with an event for each."""

from __future__ import annotations

import time

from washnb.errors import BackendError
from washnb.events import EventBus, MessageSent

from .backend import Broker, BrokerMessage
from .subjects import require_sendable

SHOWN = 1024
"""How many bytes of a message its events carry."""

_GIVEN_UP = "the sender gave up"


class Sender:
    """Checks the subjects of messages, sends them, and publishes an event for each."""

    def __init__(self, broker: Broker, events: EventBus, workload: str = "", component: str = "") -> None:
        """Send at `broker`, in the name of a component; the names are empty for messages that come from no guest."""
        self._broker = broker
        self._events = events
        self._workload = workload
        self._component = component

    async def publish(self, message: BrokerMessage) -> tuple[str, ...] | None:
        """Send a message and return the names of those who took it, None where the broker does not know them.

        Raises BackendError where the message cannot be sent; that nobody takes it is no error.
        """
        began, handlers, error = time.time(), None, _GIVEN_UP
        try:
            require_sendable(message.subject)
            if message.reply_to is not None:
                require_sendable(message.reply_to)
            handlers, error = await self._broker.publish(message), ""
        except BackendError as failure:
            error = failure.message
            raise
        finally:
            self._tell("publish", message, handlers, error, began)
        return handlers

    async def request(self, subject: str, body: bytes, seconds: float) -> BrokerMessage:
        """Send a message and return the first answer. Raises BackendError where none comes within `seconds`."""
        began, error = time.time(), _GIVEN_UP
        try:
            require_sendable(subject)
            answer, error = await self._broker.request(subject, body, seconds), ""
        except BackendError as failure:
            error = failure.message
            raise
        finally:
            self._tell("request", BrokerMessage(subject, body), None, error, began)
        return answer

    def _tell(
        self, kind: str, message: BrokerMessage, handlers: tuple[str, ...] | None, error: str, began: float
    ) -> None:
        if self._events:
            self._events.publish(
                MessageSent(
                    workload=self._workload,
                    component=self._component,
                    kind=kind,
                    subject=message.subject,
                    body=message.body[:SHOWN],
                    size=len(message.body),
                    reply_to=message.reply_to,
                    handlers=handlers,
                    error=error or None,
                    time=began,
                )
            )
