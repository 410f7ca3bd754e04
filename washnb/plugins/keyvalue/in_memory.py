"""Key-value in the memory of the host: each workload has its own buckets, which go when it is stopped.

wash-runtime empties them each time a component of the workload is bound; here a reload keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

from ..base import BackendKind, Changed, WorkloadContext
from ..state import PerWorkload
from .backend import KeyResponse, NoSuchBucket, Snapshot
from .counters import counted, counter_bytes, counter_value
from .plugin import KeyValue

PAGE = 100
"""Keys in one page, as in wash-runtime."""


class InMemoryBackend:
    """Buckets as dictionaries. No method waits, so that each is atomic on its loop.

    A value stands in a tuple of its own: `swap` tells by it whether the value is still the one that was seen.
    """

    counter_order: Literal["little", "big"] = "little"

    def __init__(self, changed: Changed) -> None:
        """Begin empty, and call `changed` after each change."""
        self._buckets: dict[str, dict[str, tuple[bytes]]] = {}
        self._changed = changed

    async def buckets(self) -> Sequence[str]:
        """Return the names of all buckets, sorted."""
        return sorted(self._buckets)

    async def open(self, bucket: str) -> None:
        """Make the bucket where it does not exist."""
        self._buckets.setdefault(bucket, {})

    async def keys(self, bucket: str, cursor: int | None = None) -> KeyResponse:
        """Return a page of the sorted keys; the cursor is the index of the next key."""
        names = sorted(self._values(bucket))
        begin = cursor or 0
        end = begin + PAGE
        return KeyResponse(names[begin:end], end if end < len(names) else None)

    async def exists(self, bucket: str, key: str) -> bool:
        """Return whether there is a value."""
        return key in self._values(bucket)

    async def get(self, bucket: str, key: str) -> bytes | None:
        """Return the value, None where there is none."""
        return (await self.snapshot(bucket, key)).value

    async def set(self, bucket: str, key: str, value: bytes) -> None:
        """Keep the value in place of any that was there."""
        self._set(bucket, key, value)

    async def delete(self, bucket: str, key: str) -> None:
        """Forget the value; one that is not there is no error, and no change."""
        self._delete(bucket, key)

    async def increment(self, bucket: str, key: str, delta: int, *, signed: bool = False) -> int:
        """Add to a counter; the sum is kept as 8 bytes, little endian."""
        (stored,) = self._values(bucket).get(key, (b"",))
        total = counted(counter_value(stored), delta, signed=signed)
        self._set(bucket, key, counter_bytes(total, "little"))
        return total

    async def snapshot(self, bucket: str, key: str) -> Snapshot:
        """Return the value for a later `swap`."""
        entry = self._values(bucket).get(key)
        return Snapshot(None if entry is None else entry[0], entry)

    async def swap(self, bucket: str, key: str, seen: Snapshot, value: bytes) -> bool:
        """Set the value unless somebody has set or deleted it after `seen` was taken; return whether it was set."""
        unchanged = self._values(bucket).get(key) is seen.revision
        if unchanged:
            self._set(bucket, key, value)
        return unchanged

    async def get_many(self, bucket: str, keys: Sequence[str]) -> Sequence[tuple[str, bytes] | None]:
        """Return key and value for each key, None where there is no value."""
        values = self._values(bucket)
        return [(key, *values[key]) if key in values else None for key in keys]

    async def set_many(self, bucket: str, entries: Sequence[tuple[str, bytes]]) -> None:
        """Keep all the values."""
        self._values(bucket)
        for key, value in entries:
            self._set(bucket, key, value)

    async def delete_many(self, bucket: str, keys: Sequence[str]) -> None:
        """Forget all the values."""
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
    """wasi:keyvalue in memory, apart for each workload."""

    location = "memory"
    backend_kind: BackendKind = "memory"

    def new_state(self, workload: WorkloadContext) -> InMemoryBackend:
        """Begin with no bucket."""
        return InMemoryBackend(partial(self.state_changed, workload.workload_name))

    def backend(self, workload_id: str) -> InMemoryBackend:
        """Return the buckets of a workload. Raises WorkloadNotFound where it does not use the plugin."""
        return self.state(workload_id)
