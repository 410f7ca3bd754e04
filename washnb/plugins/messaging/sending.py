"""Sending messages, for a component or for somebody outside, and telling of it."""

from __future__ import annotations

import time

from washnb.errors import BackendError
from washnb.events import EventBus, MessageSent

from .backend import Broker, BrokerMessage
from .subjects import require_sendable

SHOWN = 1024
"""Bytes of a message that its events carry."""

_GIVEN_UP = "the sender gave up"


class Sender:
    """Sends messages for a component; `workload` and `component` are empty for somebody outside."""

    def __init__(self, broker: Broker, events: EventBus, workload: str = "", component: str = "") -> None:
        """Send by `broker`, and tell `events` of each message."""
        self._broker = broker
        self._events = events
        self._workload = workload
        self._component = component

    async def publish(self, message: BrokerMessage) -> tuple[str, ...] | None:
        """Send a message and return who took it, None where the broker does not tell.

        Raises BackendError where it cannot be sent; that nobody takes it is no error.
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
        """Send a message and return the answer. Raises BackendError where none comes within `seconds`."""
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
