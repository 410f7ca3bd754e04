"""Listening to the messages at a broker, whoever sends them, without taking any from a handler."""

from __future__ import annotations

import time
from collections.abc import Callable

from washnb.errors import BackendError
from washnb.events import MessageHeard

from .backend import Broker, BrokerMessage, Subscription
from .sending import SHOWN
from .subjects import flaw

LISTENER = "a listener"


class Hearing:
    """Calls a function with each message to a subject, from `begin` to `end`.

    It subscribes without a group, so that no handler gets fewer messages.
    """

    def __init__(self, subject: str, hear: Callable[[MessageHeard], None]) -> None:
        """Keep `subject`, which may have the wildcards `*` and `>`, and the function; `begin` subscribes.

        Raises BackendError where `subject` is not valid.
        """
        if problem := flaw(subject, wildcards=True):
            raise BackendError(f"subject {subject!r:.80} is invalid: {problem}", repair="orders.*  # or orders.>")
        self._subject = subject
        self._hear = hear
        self._subscription: Subscription | None = None

    async def begin(self, broker: Broker) -> None:
        """Subscribe at `broker`. Raises BackendError where it refuses."""
        self._subscription = await broker.subscribe(self._subject, None, LISTENER, self._take)

    async def end(self) -> None:
        """End the subscription. Does not raise."""
        ending, self._subscription = self._subscription, None
        if ending is not None:
            await ending.end()

    def _take(self, message: BrokerMessage) -> bool:
        """Pass a message on to `hear`, and return False: it is not taken, and stays for the handlers."""
        heard = MessageHeard(message.subject, message.body[:SHOWN], len(message.body), message.reply_to, time.time())
        self._hear(heard)
        return False
