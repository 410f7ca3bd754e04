"""What a place that keeps buckets of keys and values must be able to do. It knows nothing of WIT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from washnb.errors import BackendError


class NoSuchBucket(BackendError):  # noqa: N818 - what WIT calls it, too
    """The bucket has never been opened, or is gone."""

    def __init__(self, bucket: str) -> None:
        """Say it in the words of wash-runtime, which guests may look for."""
        super().__init__(f"bucket '{bucket:.80}' does not exist")


@dataclass(frozen=True, slots=True)
class KeyResponse:
    """One page of the keys of a bucket. `cursor` leads to the next page; None: this was the last one."""

    keys: Sequence[str]
    cursor: int | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The value of a key at one moment, None where there was none. What `revision` is, only the backend knows."""

    value: bytes | None
    revision: object


class Backend(Protocol):
    """Buckets of keys and values. A bucket is there once it was opened.

    Every method but `buckets` and `open` raises NoSuchBucket where the bucket is not there, and every method raises
    BackendError where the outside world fails. Views use the same methods as guests.
    """

    counter_order: Literal["little", "big"]
    """In which order the eight bytes of a counter are kept: views show it as the number that it is."""

    async def buckets(self) -> Sequence[str]:
        """Return the names of all buckets, sorted."""

    async def open(self, bucket: str) -> None:
        """Make the bucket where it does not exist."""

    async def keys(self, bucket: str, cursor: int | None = None) -> KeyResponse:
        """Return the page of keys that `cursor` of the page before leads to, None the first one."""

    async def exists(self, bucket: str, key: str) -> bool:
        """Return whether there is a value."""

    async def get(self, bucket: str, key: str) -> bytes | None:
        """Return the value, None where there is none."""

    async def set(self, bucket: str, key: str, value: bytes) -> None:
        """Keep the value in place of any that was there."""

    async def delete(self, bucket: str, key: str) -> None:
        """Forget the value; one that is not there is no error."""

    async def increment(self, bucket: str, key: str, delta: int, *, signed: bool = False) -> int:
        """Add to a counter, one that is not there counts as 0, and return the sum. Atomic.

        Without `signed` the sum is a u64 that stops at its greatest value; a `signed` one is an s64, in the same eight
        bytes, and what does not fit raises BackendError.
        """

    async def snapshot(self, bucket: str, key: str) -> Snapshot:
        """Return the value for a later `swap`."""

    async def swap(self, bucket: str, key: str, seen: Snapshot, value: bytes) -> bool:
        """Set the value unless somebody has set or deleted it after `seen` was taken; return whether it was set."""

    async def get_many(self, bucket: str, keys: Sequence[str]) -> Sequence[tuple[str, bytes] | None]:
        """Return key and value for each key, None where there is no value."""

    async def set_many(self, bucket: str, entries: Sequence[tuple[str, bytes]]) -> None:
        """Keep all the values; of two for the same key the later one stays."""

    async def delete_many(self, bucket: str, keys: Sequence[str]) -> None:
        """Forget all the values."""
