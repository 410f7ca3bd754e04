"""Requests to a NATS server: one subscription for the replies, and next to nothing for each of them.

The client's own `request` does the same; half of its time goes into names that nobody guesses and a task that waits.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any


class Replies:
    """What waits for replies on a connection. It goes with the connection."""

    def __init__(self, client: Any) -> None:
        """Subscribe to nothing yet."""
        self._client = client
        self._inbox: str = client.new_inbox()
        self._tokens = map(str, itertools.count())
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._subscribed: asyncio.Future[Any] | None = None

    async def request(self, subject: str, payload: bytes, headers: dict[str, str] | None, patience: float) -> Any:
        """Ask, and return the first reply, a `nats.aio.msg.Msg`.

        Raises nats-py's NoRespondersError where nobody listens, and its TimeoutError after `patience` seconds.
        """
        if self._subscribed is None:
            listening = self._client.subscribe(f"{self._inbox}.*", cb=self._take)
            self._subscribed = asyncio.ensure_future(listening)
        if not self._subscribed.done():
            await asyncio.shield(self._subscribed)
        token = next(self._tokens)
        loop = asyncio.get_running_loop()
        reply = self._waiting[token] = loop.create_future()
        deadline = loop.call_later(patience, _expire, reply)
        try:
            await self._client.publish(subject, payload, f"{self._inbox}.{token}", headers)
            return await reply
        finally:
            deadline.cancel()
            del self._waiting[token]

    async def _take(self, message: Any) -> None:
        reply = self._waiting.get(message.subject[len(self._inbox) + 1 :])
        if reply is None or reply.done():
            return  # nobody waits any more
        if not message.data and message.headers and message.headers.get("Status") == "503":
            from nats.errors import NoRespondersError

            reply.set_exception(NoRespondersError())
        else:
            reply.set_result(message)


def _expire(reply: asyncio.Future[Any]) -> None:
    if not reply.done():
        from nats.errors import TimeoutError as NatsTimeoutError

        reply.set_exception(NatsTimeoutError())
