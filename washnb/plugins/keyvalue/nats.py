"""Key-value on NATS: a bucket is a key-value bucket of JetStream, shared with every host on that account.

Names, settings and counters are those of wash-runtime, so that its hosts open the same buckets. Between hosts a counter
is kept by compare-and-swap on the revision of its key, tried again until it succeeds; inside a host one lock for each
key keeps the callers out of each other's way.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeVar

from washnb.errors import BackendError

from ..at_once import at_once
from ..base import Changed
from ..nats import NatsServer, is_full, make_stream, open_for_streams, purge
from ..state import OfManyHosts, SharedState
from . import nats_keys
from .backend import KeyResponse, NoSuchBucket, Snapshot
from .counters import big_counter_value, counted, counter_bytes
from .locks import Locks
from .nats_stream import differences, stream_config, stream_name, subject
from .nats_watch import Watches, is_deleted
from .plugin import KeyValue

COUNT_SECONDS = 10.0
"""How long an increment may take: others count, too."""

BELIEVED_SECONDS = 1.0
"""How long a bucket counts as there without asking the server: guests open it with every request."""

_BUCKET = re.compile(r"[a-zA-Z0-9_-]{1,252}")  # KV_ and that is all that a stream's name may have
_STREAM_EXISTS = 10058
_WRONG_REVISION = (10071, 10164)
_HEADER_BYTES = 256

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Opened:
    """That a bucket is there, known on which connection and until when, and when it was made."""

    connection: object
    until: float
    created: object


class NatsBackend:
    """The buckets of a NATS server, which is open while they are used."""

    counter_order: Literal["little", "big"] = "big"

    def __init__(self, server: NatsServer, changed: Changed, heard: Callable[[], bool] = lambda: True) -> None:
        """Keep buckets on `server`; call `changed` after each change, and while `heard` after those of other hosts."""
        self._server = server
        self._changed = changed
        self._locks = Locks()
        self._opened: dict[str, _Opened] = {}
        self._silent: dict[str, float] = {}  # when an increment had waited for the server in vain
        self._watches = Watches(server, changed, heard)

    async def stop(self) -> None:
        """Watch nothing any more."""
        await self._watches.stop()

    async def buckets(self) -> Sequence[str]:
        """Return the names of all buckets of the account, sorted."""
        names: list[str] = []
        while True:
            asked = json.dumps({"subject": "$KV.*.>", "offset": len(names)}).encode()
            async with self._server.asking("list buckets"):
                page = json.loads((await self._server.request("$JS.API.STREAM.NAMES", asked)).data)
                names += page.get("streams") or ()
            if not page.get("streams") or len(names) >= page["total"]:
                return sorted(name.removeprefix("KV_") for name in names if name.startswith("KV_"))

    async def open(self, bucket: str) -> None:
        """Make the bucket where it does not exist. Raises BackendError where it exists with other settings."""
        what = f"open bucket '{bucket:.80}'"
        if _BUCKET.fullmatch(bucket) is None:
            raise BackendError(f"{what}: on NATS its name has letters, digits, '_' and '-', 252 at most")
        async with self._server.asking(what):
            known, connection = self._opened.get(bucket), self._server.connected
            if known is None or known.connection != connection or known.until < time.monotonic():
                created = await self._open(what, bucket)
                if known is not None and known.created != created:
                    self._watches.forget(bucket)
                self._opened[bucket] = _Opened(connection, time.monotonic() + BELIEVED_SECONDS, created)
        self._watches.watch(bucket)

    async def follow(self, bucket: str) -> None:
        """Open a bucket, and miss no change of it from now on."""
        await self.open(bucket)
        await self._watches.begun(bucket)

    async def keys(self, bucket: str, cursor: int | None = None) -> KeyResponse:
        """Return a page of keys, those first that were not set for longest; the cursor is a revision of the bucket."""
        async with self._server.asking(f"list bucket '{bucket}'"):
            await self._stream(bucket)
            page = await nats_keys.page(self._server, bucket, cursor)
        self._watches.watch(bucket)
        return page

    async def exists(self, bucket: str, key: str) -> bool:
        """Return whether there is a value."""
        return await self.get(bucket, key) is not None

    async def get(self, bucket: str, key: str) -> bytes | None:
        """Return the value, None where there is none."""
        return (await self.snapshot(bucket, key)).value

    async def set(self, bucket: str, key: str, value: bytes) -> None:
        """Keep the value in place of any that was there."""
        what = f"set {_of(bucket, key)}"
        self._server.require_write(what)
        async with self._server.asking(what):
            await self._put(bucket, key, value)

    async def delete(self, bucket: str, key: str) -> None:
        """Put a mark of deletion in place of the value, if there is one."""
        what = f"delete {_of(bucket, key)}"
        self._server.require_write(what)
        async with self._server.asking(what):
            seen = await self._last(bucket, key)
            if seen.value is not None:
                await self._mark_deleted(bucket, key, seen)

    async def increment(self, bucket: str, key: str, delta: int, *, signed: bool = False) -> int:
        """Add to a counter; the sum is kept as 8 bytes, big endian."""
        what, begun = f"increment {_of(bucket, key)}", time.monotonic()
        self._server.require_write(what)
        try:
            async with asyncio.timeout(COUNT_SECONDS), self._server.asking(what), self._locks[bucket, key]:
                self._require_answers(bucket, begun)
                return await self._count(what, bucket, key, delta, signed=signed)
        except TimeoutError:
            raise BackendError(
                f"{what}: others have counted there for {COUNT_SECONDS:g} s, faster each time", repair="try again"
            ) from None

    async def snapshot(self, bucket: str, key: str) -> Snapshot:
        """Return the value for a later `swap`."""
        async with self._server.asking(f"get {_of(bucket, key)}"):
            return await self._last(bucket, key)

    async def swap(self, bucket: str, key: str, seen: Snapshot, value: bytes) -> bool:
        """Set the value unless somebody has set or deleted it after `seen` was taken; return whether it was set."""
        what = f"swap {_of(bucket, key)}"
        self._server.require_write(what)
        async with self._server.asking(what):
            return await self._replace(what, bucket, key, seen, value)

    async def get_many(self, bucket: str, keys: Sequence[str]) -> Sequence[tuple[str, bytes] | None]:
        """Return key and value for each key, None where there is no value."""
        found = await self._each(bucket, partial(self.get, bucket), keys)
        return [None if value is None else (key, value) for key, value in zip(keys, found, strict=True)]

    async def set_many(self, bucket: str, entries: Sequence[tuple[str, bytes]]) -> None:
        """Keep all the values, many at the same time: where one fails, others may have been set."""
        await self._each(bucket, lambda entry: self.set(bucket, *entry), list(dict(entries).items()))

    async def delete_many(self, bucket: str, keys: Sequence[str]) -> None:
        """Forget all the values, many at the same time: where one fails, others may have been deleted."""
        await self._each(bucket, partial(self.delete, bucket), list(dict.fromkeys(keys)))

    def _require_answers(self, bucket: str, begun: float) -> None:
        """Let whoever has waited for a lock wait no longer than the one who had it, and got no answer."""
        if self._silent.get(bucket, begun) > begun:
            raise TimeoutError

    async def _count(self, what: str, bucket: str, key: str, delta: int, *, signed: bool) -> int:
        """Add to a counter that nobody else here adds to."""
        try:
            while True:
                seen = await self._last(bucket, key)
                total = counted(big_counter_value(seen.value or b""), delta, signed=signed)
                if await self._replace(what, bucket, key, seen, counter_bytes(total, "big")):
                    return total
                await asyncio.sleep(random.uniform(0, 0.005))  # noqa: S311 - only to part from other hosts
        except TimeoutError:
            self._silent[bucket] = time.monotonic()
            raise

    async def _stream(self, bucket: str) -> Any:
        """Return the stream of the bucket. Raises NoSuchBucket."""
        from nats.js.errors import NotFoundError

        if _BUCKET.fullmatch(bucket) is None:
            raise NoSuchBucket(bucket)
        try:
            return await self._server.jetstream.stream_info(stream_name(bucket))
        except NotFoundError as error:
            self._opened.pop(bucket, None)
            self._watches.forget(bucket)
            raise NoSuchBucket(bucket) from error

    async def _open(self, what: str, bucket: str) -> object:
        """Make the bucket where it is not there; return when it was made."""
        from nats.js.errors import APIError

        try:
            if self._server.writes:
                return (await make_stream(self._server, stream_config(bucket))).created
            return (await self._stream(bucket)).created
        except NoSuchBucket:
            self._server.require_write(what)
            raise
        except APIError as error:
            if error.err_code != _STREAM_EXISTS:
                raise
            others = differences(bucket, (await self._stream(bucket)).config)
            raise BackendError(
                f"{what}: on NATS server {self._server.url} it is no bucket of a wash-runtime host: {others}",
                repair=f"open another bucket, or: nats stream edit {stream_name(bucket)}",
            ) from error

    async def _last(self, bucket: str, key: str) -> Snapshot:
        """Read a key; the revision of one that was never there is 0."""
        from nats.errors import NoRespondersError

        asked = f"$JS.API.DIRECT.GET.{stream_name(bucket)}.{_subject(bucket, key)}"
        try:
            message = await self._server.request(asked)
        except NoRespondersError:
            return await self._last_elsewhere(bucket, key)
        headers = message.headers
        if headers.get("Status") == "404":
            return Snapshot(None, 0)
        return Snapshot(None if is_deleted(headers) else message.data, int(headers["Nats-Sequence"]))

    async def _last_elsewhere(self, bucket: str, key: str) -> Snapshot:
        """Read a key of a bucket that allows no direct reads: somebody else has made it, for others."""
        from nats.js.errors import NotFoundError

        await self._stream(bucket)
        try:
            message = await self._server.jetstream.get_msg(stream_name(bucket), subject=subject(bucket, key))
        except NotFoundError:
            return Snapshot(None, 0)
        return Snapshot(None if is_deleted(message.headers) else message.data or b"", message.seq)

    async def _replace(self, what: str, bucket: str, key: str, seen: Snapshot, value: bytes) -> bool:
        """Set a value if the revision is still the one that was seen."""
        from nats.js.errors import APIError

        self._server.require_room(what, len(value) + _HEADER_BYTES)  # too much with headers ends the connection
        try:
            await self._put(bucket, key, value, {"Nats-Expected-Last-Subject-Sequence": str(seen.revision)})
        except APIError as error:
            if error.err_code in _WRONG_REVISION:
                return False
            raise
        return True

    async def _put(self, bucket: str, key: str, value: bytes | None, headers: dict[str, str] | None = None) -> None:
        """Set a value, None for one that is deleted, and tell when it is acknowledged."""
        from nats.errors import NoRespondersError

        try:
            answer = json.loads((await self._server.request(_subject(bucket, key), value or b"", headers)).data)
        except NoRespondersError:
            await self._stream(bucket)
            raise
        if "error" in answer:
            from nats.js.errors import APIError

            APIError.from_error(answer["error"])  # raises the one that it is
        self._watches.own(bucket, answer["seq"])
        self._changed((bucket, key), "delete" if value is None else "set")

    async def _mark_deleted(self, bucket: str, key: str, seen: Snapshot) -> None:
        """Put a mark in place of a value, for those who watch. It needs room, which the value has to give."""
        from nats.js.errors import APIError

        mark = {"KV-Operation": "DEL"}
        try:
            await self._put(bucket, key, None, mark)
        except APIError as error:
            if not is_full(error):
                raise
            assert isinstance(seen.revision, int), "a revision of this backend is one"
            await purge(self._server, stream_name(bucket), subject(bucket, key), seen.revision)
            try:
                await self._put(bucket, key, None, mark)
            except APIError:  # it is gone all the same
                self._changed((bucket, key), "delete")

    async def _each(self, bucket: str, work: Callable[[S], Coroutine[Any, Any, T]], subjects: Sequence[S]) -> list[T]:
        """Do the same for many keys. Raises as `work` does; NoSuchBucket where there is no key to find that out."""
        if not subjects:
            async with self._server.asking(f"look for bucket '{bucket}'"):
                await self._stream(bucket)
        return await at_once(work, subjects)


def _subject(bucket: str, key: str) -> str:
    if _BUCKET.fullmatch(bucket) is None:
        raise NoSuchBucket(bucket)
    if not nats_keys.is_key(key):
        raise BackendError(
            f"JetStream error: {key!r:.80} can be no key: on NATS it has letters, digits and any of '-/_=.', "
            f"{nats_keys.LONGEST:,} at most"
        )
    return subject(bucket, key)


def _of(bucket: str, key: str) -> str:
    return f"key {key!r:.80} of bucket '{bucket:.80}'"


class NatsKeyValue(OfManyHosts, SharedState[NatsBackend], KeyValue):
    """wasi:keyvalue on a NATS server, shared with every host on its account."""

    backend_kind = "nats"

    def __init__(self, server: NatsServer) -> None:
        """Keep the buckets on `server`."""
        self.server = server
        self.location = server.url
        self._buckets = NatsBackend(server, self.changed, lambda: bool(self.events))

    @property
    def shared(self) -> NatsBackend:
        """The buckets of the server."""
        return self._buckets

    async def start(self) -> None:
        """Connect. Raises BackendError where the server is away or has no JetStream, ConfigError without nats-py."""
        await super().start()
        await open_for_streams(self.server, "keep buckets")

    async def stop(self) -> None:
        """Watch nothing any more, and let go of the connection."""
        await self._buckets.stop()
        await self.server.close()
        await super().stop()
