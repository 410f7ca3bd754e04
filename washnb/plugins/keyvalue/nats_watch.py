"""Learns what other hosts change in buckets on NATS, by a consumer for each bucket that was opened or listed here."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from washnb.errors import BackendError

from ..base import Changed
from ..nats import NatsServer

MOST = 64
"""How many buckets are watched at the same time: those that were opened or listed last."""

_ECHO_SECONDS = 0.05  # the consumer may tell of a change by this host before the acknowledgement of it arrives
_MOST_OWN = 10_000  # revisions of changes by this host that the consumer has not told of
_INACTIVE_SECONDS = 5.0  # then the server deletes a consumer that nobody listens to
_log = logging.getLogger(__name__)


def is_deleted(headers: Any) -> bool:
    """Whether a message with these headers is the mark of a deleted key."""
    return bool(headers) and headers.get("KV-Operation") in {"DEL", "PURGE"}


class Watches:
    """The buckets that are watched for changes by other hosts."""

    def __init__(self, server: NatsServer, changed: Changed, heard: Callable[[], bool]) -> None:
        """Keep `changed`, which is called for each change by another host, and `heard`, without which none is watched.

        Changes by this host are told to `own`.
        """
        self._server = server
        self._changed = changed
        self._heard = heard
        self._watches: dict[str, _Watch] = {}

    def watch(self, bucket: str) -> None:
        """Watch a bucket from now on, if `heard`. Of more than `MOST`, end the one that was asked for longest ago."""
        if not self._heard():
            return
        known = self._watches.pop(bucket) if bucket in self._watches else None
        self._watches[bucket] = known or _Watch(self._server, bucket, self._changed)
        while len(self._watches) > MOST:
            self._watches.pop(next(iter(self._watches))).end()

    async def begun(self, bucket: str) -> None:
        """Wait until the consumer of a watched bucket has begun, or has failed to."""
        await self._watches[bucket].begun()

    def own(self, bucket: str, revision: int) -> None:
        """Note that the change with this revision was made by this host, and is reported already."""
        if bucket in self._watches:
            self._watches[bucket].own(revision)

    def forget(self, bucket: str) -> None:
        """End the watch of a bucket that is gone, or is now another one of the same name."""
        if bucket in self._watches:
            self._watches.pop(bucket).end()

    async def stop(self) -> None:
        """End all watches."""
        ending = [watch.end() for watch in self._watches.values()]
        self._watches.clear()
        await asyncio.gather(*ending)


class _Watch:
    """The watch of one bucket: a consumer from the next change on. On a new connection it goes on where it was."""

    def __init__(self, server: NatsServer, bucket: str, changed: Changed) -> None:
        self._server = server
        self._bucket = bucket
        self._changed = changed
        self._own: set[int] = set()
        self._last: int | None = None
        self._subscription: Any = None
        self._forget = server.on_return(self._begin)
        self._work: asyncio.Task[None] | None = None
        self._begin()

    async def begun(self) -> None:
        """Wait until the consumer has begun, or has failed to."""
        if self._work is not None:
            await asyncio.wait([self._work])

    def own(self, revision: int) -> None:
        """Note a revision that the consumer will tell of, and that is reported already."""
        if len(self._own) == _MOST_OWN:  # the consumer does not tell of them any more
            self._own.clear()
        self._own.add(revision)

    def end(self) -> asyncio.Task[None]:
        """End the watch; the task that is returned ends when the server knows."""
        self._forget()
        if self._work is not None:
            self._work.cancel()
        return asyncio.get_running_loop().create_task(self._leave())

    def _begin(self) -> None:
        if self._work is not None:
            self._work.cancel()
        everybody = contextvars.Context()  # a change by another host is not caused by the call that opens the bucket
        self._work = asyncio.get_running_loop().create_task(self._follow(), context=everybody)

    async def _follow(self) -> None:
        from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

        try:
            async with self._server.asking(f"watch bucket '{self._bucket}'"):
                await self._leave()
                client = self._server.client
                inbox = client.new_inbox()
                self._subscription = await client.subscribe(inbox, cb=self._take)
                config = ConsumerConfig(
                    deliver_subject=inbox,
                    deliver_policy=DeliverPolicy.NEW if self._last is None else DeliverPolicy.BY_START_SEQUENCE,
                    opt_start_seq=None if self._last is None else self._last + 1,
                    ack_policy=AckPolicy.NONE,
                    headers_only=True,
                    mem_storage=True,
                    num_replicas=1,
                    inactive_threshold=_INACTIVE_SECONDS,
                )
                made = await self._server.jetstream.add_consumer(f"KV_{self._bucket}", config)
            self._last = max(self._last or 0, made.delivered.stream_seq)
        except BackendError as error:
            _log.info("what other hosts change in bucket %r is not seen: %s", self._bucket, error)

    async def _leave(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            from nats.errors import Error

            with suppress(Error):  # without connection the server has no subscription either
                await subscription.unsubscribe()

    async def _take(self, message: Any) -> None:
        revision = message.metadata.sequence.stream
        self._last = max(self._last or 0, revision)
        key = message.subject.removeprefix(f"$KV.{self._bucket}.")
        action = "delete" if is_deleted(message.headers) else "set"
        asyncio.get_running_loop().call_later(_ECHO_SECONDS, self._tell, revision, key, action)

    def _tell(self, revision: int, key: str, action: str) -> None:
        if revision in self._own:
            self._own.discard(revision)
        elif self._subscription is not None:
            self._changed((self._bucket, key), action)
