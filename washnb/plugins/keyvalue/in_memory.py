"""Key-value in memory: each workload has its own buckets, which go when the workload is stopped.

wash-runtime empties the buckets each time a component of the workload is bound; washnb keeps them over a reload.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

from ..base import BackendKind, Changed, WorkloadContext
from ..state import PerWorkload, in_words
from .backend import KeyResponse, NoSuchBucket, Snapshot
from .counters import counted, counter_bytes, counter_value
from .plugin import KeyValue

PAGE = 100
"""Keys in one page, as in wash-runtime."""


class InMemoryBackend:
    """Buckets as dictionaries. No method awaits anything, so that each is atomic on its loop.

    Each value is in a tuple of its own, whose identity is the revision: `swap` compares it, for equal bytes may have
    been set again.
    """

    counter_order: Literal["little", "big"] = "little"

    def __init__(self, changed: Changed) -> None:
        """Begin without buckets, and call `changed` after each change of a value."""
        self._buckets: dict[str, dict[str, tuple[bytes]]] = {}
        self._changed = changed

    @property
    def size(self) -> int:
        """The number of keys in all buckets."""
        return sum(map(len, self._buckets.values()))

    async def buckets(self) -> Sequence[str]:
        """Return the names of all buckets, sorted."""
        return sorted(self._buckets)

    async def open(self, bucket: str) -> None:
        """Make a bucket of that name where there is none."""
        self._buckets.setdefault(bucket, {})

    async def keys(self, bucket: str, cursor: int | None = None) -> KeyResponse:
        """Return a page of the sorted keys. A cursor is the index of the next key."""
        names = sorted(self._values(bucket))
        begin = cursor or 0
        end = begin + PAGE
        return KeyResponse(names[begin:end], end if end < len(names) else None)

    async def exists(self, bucket: str, key: str) -> bool:
        """Return whether `key` has a value."""
        return key in self._values(bucket)

    async def get(self, bucket: str, key: str) -> bytes | None:
        """Return the value of `key`, None where it has none."""
        return (await self.snapshot(bucket, key)).value

    async def set(self, bucket: str, key: str, value: bytes) -> None:
        """Set the value of `key`, in place of any that it had."""
        self._set(bucket, key, value)

    async def delete(self, bucket: str, key: str) -> None:
        """Delete the value of `key`; a key without value is no error, and no change is reported."""
        self._delete(bucket, key)

    async def increment(self, bucket: str, key: str, delta: int, *, signed: bool = False) -> int:
        """Add `delta` to the counter `key` and return the sum, which is kept as 8 bytes, little endian."""
        (stored,) = self._values(bucket).get(key, (b"",))
        total = counted(counter_value(stored), delta, signed=signed)
        self._set(bucket, key, counter_bytes(total, "little"))
        return total

    async def snapshot(self, bucket: str, key: str) -> Snapshot:
        """Return the value of `key` with its revision, for a later `swap`."""
        entry = self._values(bucket).get(key)
        return Snapshot(None if entry is None else entry[0], entry)

    async def swap(self, bucket: str, key: str, seen: Snapshot, value: bytes) -> bool:
        """Set `key` unless anybody has set or deleted it since the snapshot `seen`; return whether it was set."""
        unchanged = self._values(bucket).get(key) is seen.revision
        if unchanged:
            self._set(bucket, key, value)
        return unchanged

    async def get_many(self, bucket: str, keys: Sequence[str]) -> Sequence[tuple[str, bytes] | None]:
        """Return, for each of `keys`, the key with its value, or None where it has no value."""
        values = self._values(bucket)
        return [(key, *values[key]) if key in values else None for key in keys]

    async def set_many(self, bucket: str, entries: Sequence[tuple[str, bytes]]) -> None:
        """Set the values of many keys."""
        self._values(bucket)
        for key, value in entries:
            self._set(bucket, key, value)

    async def delete_many(self, bucket: str, keys: Sequence[str]) -> None:
        """Delete the values of many keys."""
        self._values(bucket)
        for key in keys:
            self._delete(bucket, key)

    def _values(self, bucket: str) -> dict[str, tuple[bytes]]:
        try:
            return self._buckets[bucket]
        except KeyError:
            raise NoSuchBucket(bucket) from None

    def _set(self, bucket: str, key: str, value: bytes) -> None:
        self._values(bucket)[key] = (value,)
        self._changed((bucket, key), "set")

    def _delete(self, bucket: str, key: str) -> None:
        if self._values(bucket).pop(key, None) is not None:
            self._changed((bucket, key), "delete")


class InMemoryKeyValue(PerWorkload[InMemoryBackend], KeyValue):
    """wasi:keyvalue in memory. Each workload has its own buckets, and keeps them over a reload."""

    location = "memory"
    backend_kind: BackendKind = "memory"

    def new_state(self, workload: WorkloadContext) -> InMemoryBackend:
        """Return the backend of a workload that has none yet, without buckets."""
        return InMemoryBackend(partial(self.state_changed, workload.workload_name))

    def amount_of_state(self, state: InMemoryBackend) -> str:
        """Return how many keys a workload has, such as "2 keys"."""
        return in_words(state.size, "key")

    def backend(self, workload_id: str) -> InMemoryBackend:
        """Return the backend of a workload. Raises WorkloadNotFound where it does not use the plugin."""
        return self.state(workload_id)
