"""Listening to what passes at a broker: whoever has sent it, and without taking anything from anybody."""

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
    """Tells `hear` of each message to a subject, from `begin` to `end`. It is in no group: nobody gets fewer for it."""

    def __init__(self, subject: str, hear: Callable[[MessageHeard], None]) -> None:
        """Listen to nothing yet. Raises BackendError for a subject that cannot be; `*` and `>` are wildcards."""
        if problem := flaw(subject, wildcards=True):
            raise BackendError(f"subject {subject!r:.80} is invalid: {problem}", repair="orders.*  # or orders.>")
        self._subject = subject
        self._hear = hear
        self._subscription: Subscription | None = None

    async def begin(self, broker: Broker) -> None:
        """Listen from now on. Raises BackendError."""
        self._subscription = await broker.subscribe(self._subject, None, LISTENER, self._take)

    async def end(self) -> None:
        """Listen no more. Does not raise."""
        ending, self._subscription = self._subscription, None
        if ending is not None:
            await ending.end()

    def _take(self, message: BrokerMessage) -> bool:
        """Pass a message on, and leave it to those who handle it."""
        heard = MessageHeard(message.subject, message.body[:SHOWN], len(message.body), message.reply_to, time.time())
        self._hear(heard)
        return False
