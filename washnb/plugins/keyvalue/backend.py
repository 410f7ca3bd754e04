"""The protocol of key-value backends: buckets of keys and values, in memory, in files, on NATS. No WIT is seen here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from washnb.errors import BackendError


class NoSuchBucket(BackendError):  # noqa: N818 - what WIT calls it, too
    """A bucket does not exist: nobody has opened it, or it was deleted."""

    def __init__(self, bucket: str) -> None:
        """Name the bucket, in the words of wash-runtime, which guests may look for."""
        super().__init__(f"bucket '{bucket:.80}' does not exist")


@dataclass(frozen=True, slots=True)
class KeyResponse:
    """One page of the keys of a bucket. `cursor` asks for the next page; None says that this page is the last."""

    keys: Sequence[str]
    cursor: int | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The value that a key had at one moment, None where it had none.

    `revision` is the backend's mark of that moment, which `swap` compares; it means nothing to anybody else.
    """

    value: bytes | None
    revision: object


class Backend(Protocol):
    """Buckets of keys and values. Guests use them through `Bucket`, views directly.

    Every method but `buckets` and `open` raises NoSuchBucket where the bucket does not exist, and every method raises
    BackendError where a disk or a server fails.
    """

    counter_order: Literal["little", "big"]
    """The byte order in which the eight bytes of a counter are kept, so that views can show its number."""

    async def buckets(self) -> Sequence[str]:
        """Return the names of all buckets, sorted."""

    async def open(self, bucket: str) -> None:
        """Make a bucket of that name where there is none."""

    async def keys(self, bucket: str, cursor: int | None = None) -> KeyResponse:
        """Return the first page of the bucket's keys, or with the `cursor` of a page the page after it."""

    async def exists(self, bucket: str, key: str) -> bool:
        """Return whether `key` has a value."""

    async def get(self, bucket: str, key: str) -> bytes | None:
        """Return the value of `key`, None where it has none."""

    async def set(self, bucket: str, key: str, value: bytes) -> None:
        """Set the value of `key`, in place of any that it had."""

    async def delete(self, bucket: str, key: str) -> None:
        """Delete the value of `key`; a key without value is no error."""

    async def increment(self, bucket: str, key: str, delta: int, *, signed: bool = False) -> int:
        """Add `delta` to the counter `key` as one atomic step, and return the sum. A key without value counts as 0.

        The sum is a u64 that stops at 2**64 - 1. With `signed` it is an s64, in the same eight bytes, and a sum that
        does not fit raises BackendError.
        """

    async def snapshot(self, bucket: str, key: str) -> Snapshot:
        """Return the value of `key` with its revision, for a later `swap`."""

    async def swap(self, bucket: str, key: str, seen: Snapshot, value: bytes) -> bool:
        """Set `key` unless anybody has set or deleted it since the snapshot `seen`; return whether it was set."""

    async def get_many(self, bucket: str, keys: Sequence[str]) -> Sequence[tuple[str, bytes] | None]:
        """Return, for each of `keys`, the key with its value, or None where it has no value."""

    async def set_many(self, bucket: str, entries: Sequence[tuple[str, bytes]]) -> None:
        """Set the values of many keys; of two values for one key the later stays."""

    async def delete_many(self, bucket: str, keys: Sequence[str]) -> None:
        """Delete the values of many keys; a key without value is no error."""
