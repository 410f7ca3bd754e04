"""Key-value on NATS: a bucket is a key-value bucket of JetStream, shared by all hosts on the same NATS account.

Names, settings and counters are those of wash-runtime, so that its hosts open the same buckets. An increment is a
compare-and-swap on the revision of its key, tried again until no other host was faster; a lock for each key lets the
callers of one host take turns.
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
"""How long an increment may take, with all its tries."""

BELIEVED_SECONDS = 1.0
"""How long a bucket that was opened is taken to exist: guests open it with every request, and the server is not asked
each time."""

_BUCKET = re.compile(r"[a-zA-Z0-9_-]{1,252}")  # the stream's name has KV_ before it, and 255 characters at most
_STREAM_EXISTS = 10058  # the error code of JetStream where a stream has that name and other settings
_WRONG_REVISION = (10071, 10164)  # error codes of JetStream where the expected revision is not the last one
_HEADER_BYTES = 256  # what the headers of a swap take at most

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Opened:
    """That a bucket exists, as the server has said on a connection; `until` (`time.monotonic()`) it is believed.

    `created` is when the bucket was made: with another one it is another bucket of the same name.
    """

    connection: object
    until: float
    created: object


class NatsBackend:
    """Buckets on a NATS server. The server is opened before the first use and closed after the last."""

    counter_order: Literal["little", "big"] = "big"

    def __init__(self, server: NatsServer, changed: Changed, heard: Callable[[], bool] = lambda: True) -> None:
        """Keep buckets on `server`, and call `changed` after each change of a value.

        Changes by other hosts are reported, too, in buckets that were opened or listed while `heard` returned True.
        """
        self._server = server
        self._changed = changed
        self._locks = Locks()
        self._opened: dict[str, _Opened] = {}
        self._silent: dict[str, float] = {}  # by bucket: when an increment last got no answer (`time.monotonic()`)
        self._watches = Watches(server, changed, heard)

    async def stop(self) -> None:
        """End the watching of buckets."""
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
        """Make a bucket of that name where there is none. Raises BackendError where it exists with other settings."""
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
        """Open a bucket, and return once each later change of it will be reported."""
        await self.open(bucket)
        await self._watches.begun(bucket)

    async def keys(self, bucket: str, cursor: int | None = None) -> KeyResponse:
        """Return a page of keys, the one that was set longest ago first. A cursor is a revision of the bucket."""
        async with self._server.asking(f"list bucket '{bucket}'"):
            await self._stream(bucket)
            page = await nats_keys.page(self._server, bucket, cursor)
        self._watches.watch(bucket)
        return page

    async def exists(self, bucket: str, key: str) -> bool:
        """Return whether `key` has a value."""
        return await self.get(bucket, key) is not None

    async def get(self, bucket: str, key: str) -> bytes | None:
        """Return the value of `key`, None where it has none."""
        return (await self.snapshot(bucket, key)).value

    async def set(self, bucket: str, key: str, value: bytes) -> None:
        """Set the value of `key`, in place of any that it had."""
        what = f"set {_of(bucket, key)}"
        self._server.require_write(what)
        async with self._server.asking(what):
            await self._put(bucket, key, value)

    async def delete(self, bucket: str, key: str) -> None:
        """Put a mark of deletion in place of the value of `key`, if it has one."""
        what = f"delete {_of(bucket, key)}"
        self._server.require_write(what)
        async with self._server.asking(what):
            seen = await self._last(bucket, key)
            if seen.value is not None:
                await self._mark_deleted(bucket, key, seen)

    async def increment(self, bucket: str, key: str, delta: int, *, signed: bool = False) -> int:
        """Add `delta` to the counter `key` and return the sum, which is kept as 8 bytes, big endian."""
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
        """Return the value of `key` with its revision, for a later `swap`."""
        async with self._server.asking(f"get {_of(bucket, key)}"):
            return await self._last(bucket, key)

    async def swap(self, bucket: str, key: str, seen: Snapshot, value: bytes) -> bool:
        """Set `key` unless anybody has set or deleted it since the snapshot `seen`; return whether it was set."""
        what = f"swap {_of(bucket, key)}"
        self._server.require_write(what)
        async with self._server.asking(what):
            return await self._replace(what, bucket, key, seen, value)

    async def get_many(self, bucket: str, keys: Sequence[str]) -> Sequence[tuple[str, bytes] | None]:
        """Return, for each of `keys`, the key with its value, or None where it has no value."""
        found = await self._each(bucket, partial(self.get, bucket), keys)
        return [None if value is None else (key, value) for key, value in zip(keys, found, strict=True)]

    async def set_many(self, bucket: str, entries: Sequence[tuple[str, bytes]]) -> None:
        """Set the values of many keys, many at the same time: where one fails, others may have been set."""
        await self._each(bucket, lambda entry: self.set(bucket, *entry), list(dict(entries).items()))

    async def delete_many(self, bucket: str, keys: Sequence[str]) -> None:
        """Delete the values of many keys, many at the same time: where one fails, others may have been deleted."""
        await self._each(bucket, partial(self.delete, bucket), list(dict.fromkeys(keys)))

    def _require_answers(self, bucket: str, begun: float) -> None:
        """Raise TimeoutError where the increment that had the lock before got no answer from the server.

        Without this, each of many increments that queue for the lock would wait two seconds more than the one before.
        """
        if self._silent.get(bucket, begun) > begun:
            raise TimeoutError

    async def _count(self, what: str, bucket: str, key: str, delta: int, *, signed: bool) -> int:
        """Increment a counter under the lock of its key, and try again as long as other hosts are faster."""
        try:
            while True:
                seen = await self._last(bucket, key)
                total = counted(big_counter_value(seen.value or b""), delta, signed=signed)
                if await self._replace(what, bucket, key, seen, counter_bytes(total, "big")):
                    return total
                await asyncio.sleep(random.uniform(0, 0.005))  # noqa: S311 - so that hosts do not try in step
        except TimeoutError:
            self._silent[bucket] = time.monotonic()
            raise

    async def _stream(self, bucket: str) -> Any:
        """Return the `nats.js.api.StreamInfo` of the bucket's stream. Raises NoSuchBucket where there is none."""
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
        """Make the bucket where there is none, and return when it was made.

        On a server that is only read, look for the bucket, and raise AccessDenied where there is none.
        """
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
        """Return value and revision of a key; the revision of a key that was never set is 0."""
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
        """Return what `_last` does, for a bucket made by another program that allows no direct reads."""
        from nats.js.errors import NotFoundError

        await self._stream(bucket)
        try:
            message = await self._server.jetstream.get_msg(stream_name(bucket), subject=subject(bucket, key))
        except NotFoundError:
            return Snapshot(None, 0)
        return Snapshot(None if is_deleted(message.headers) else message.data or b"", message.seq)

    async def _replace(self, what: str, bucket: str, key: str, seen: Snapshot, value: bytes) -> bool:
        """Set a key if its revision is still that of `seen`; return whether it was set."""
        from nats.js.errors import APIError

        self._server.require_room(what, len(value) + _HEADER_BYTES)  # the server counts headers, and nats-py does not
        try:
            await self._put(bucket, key, value, {"Nats-Expected-Last-Subject-Sequence": str(seen.revision)})
        except APIError as error:
            if error.err_code in _WRONG_REVISION:
                return False
            raise
        return True

    async def _put(self, bucket: str, key: str, value: bytes | None, headers: dict[str, str] | None = None) -> None:
        """Set a key, None as the value of one that is deleted, and report the change once the server has it."""
        from nats.errors import NoRespondersError

        try:
            answer = json.loads((await self._server.request(_subject(bucket, key), value or b"", headers)).data)
        except NoRespondersError:
            await self._stream(bucket)
            raise
        if "error" in answer:
            from nats.js.errors import APIError

            APIError.from_error(answer["error"])  # raises the class that belongs to the error's code
        self._watches.own(bucket, answer["seq"])
        self._changed((bucket, key), "delete" if value is None else "set")

    async def _mark_deleted(self, bucket: str, key: str, seen: Snapshot) -> None:
        """Put a mark of deletion in place of a value, which tells hosts that watch the bucket.

        Where the server has no room for the mark, the value is purged first.
        """
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
            except APIError:  # the value is gone, but for other hosts that watch
                self._changed((bucket, key), "delete")

    async def _each(self, bucket: str, work: Callable[[S], Coroutine[Any, Any, T]], subjects: Sequence[S]) -> list[T]:
        """Do `work` for many keys. Without any key, ask for the bucket alone: it may be the one that is missing."""
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
    """wasi:keyvalue on a NATS server. All workloads share the buckets, and so do other hosts on the same account."""

    backend_kind = "nats"

    def __init__(self, server: NatsServer) -> None:
        """Keep the buckets on `server`."""
        self.server = server
        self.location = server.url
        self._buckets = NatsBackend(server, self.changed, lambda: bool(self.events))

    @property
    def shared(self) -> NatsBackend:
        """The backend, which all workloads share."""
        return self._buckets

    async def start(self) -> None:
        """Connect. Raises BackendError where the server is away or has no JetStream, ConfigError without nats-py."""
        await super().start()
        await open_for_streams(self.server, self, "keep buckets")

    async def stop(self) -> None:
        """End the watching of buckets, and this plugin's use of the connection."""
        await self._buckets.stop()
        await self.server.close(self)
        await super().stop()
