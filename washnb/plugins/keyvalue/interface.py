"""wasi:keyvalue@0.2.0-draft: store, atomics and batch, over any backend.

The interface watcher of the package is not served; wash-runtime does not serve it either.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from washnb.engine import Interface, resource

from ..base import told_to_guest
from .backend import Backend, KeyResponse


@dataclass(frozen=True, slots=True)
class Error_NoSuchStore:  # noqa: N801 - variant_Case, as componentize-py names them for guests
    """The case `no-such-store` of `error`: the bucket does not exist."""


@dataclass(frozen=True, slots=True)
class Error_AccessDenied:  # noqa: N801
    """The case `access-denied` of `error`: the guest may not use the bucket."""


@dataclass(frozen=True, slots=True)
class Error_Other:  # noqa: N801
    """The case `other` of `error`: any other failure, told in words."""

    value: str


@resource("bucket")
class Bucket:
    """The resource `bucket` of wasi:keyvalue/store: a bucket that a guest has opened."""

    def __init__(self, name: str, backend: Backend) -> None:
        """Keep the bucket's name, and the backend that has its values."""
        self.name = name
        self.backend = backend

    @staticmethod
    def told() -> AbstractContextManager[None]:
        """Raise `Err` with the `error` of wasi:keyvalue/store in place of a BackendError in the block.

        As in wash-runtime, a bucket that does not exist is `other`, and not `no-such-store`.
        """
        return told_to_guest(Error_Other, Error_AccessDenied)

    async def get(self, key: str) -> bytes | None:
        """Return the value of `key`, None where it has none."""
        with self.told():
            return await self.backend.get(self.name, key)

    async def set(self, key: str, value: bytes) -> None:
        """Set the value of `key`."""
        with self.told():
            await self.backend.set(self.name, key, value)

    async def delete(self, key: str) -> None:
        """Delete the value of `key`; a key without value is no error."""
        with self.told():
            await self.backend.delete(self.name, key)

    async def exists(self, key: str) -> bool:
        """Return whether `key` has a value."""
        with self.told():
            return await self.backend.exists(self.name, key)

    async def list_keys(self, cursor: int | None) -> KeyResponse:
        """Return the first page of the bucket's keys, or with the `cursor` of a page the page after it."""
        with self.told():
            return await self.backend.keys(self.name, cursor)

    def __repr__(self) -> str:
        """Name the bucket: what a trace shows of the handle."""
        return f"bucket {self.name!r}"


class Store(Interface, wit="wasi:keyvalue/store@0.2.0-draft"):
    """wasi:keyvalue/store: opens buckets, which guests read and write."""

    def __init__(self, backend: Backend) -> None:
        """Keep the backend whose buckets guests open."""
        self.backend = backend

    async def open(self, identifier: str) -> Bucket:
        """Return the bucket `identifier`; as in wash-runtime, it is made where it does not exist."""
        with Bucket.told():
            await self.backend.open(identifier)
        return Bucket(identifier, self.backend)


class Atomics(Interface, wit="wasi:keyvalue/atomics@0.2.0-draft"):
    """wasi:keyvalue/atomics: counters."""

    async def increment(self, bucket: Bucket, key: str, delta: int) -> int:
        """Add `delta` to the counter `key` and return the sum, which stops at 2**64 - 1."""
        with bucket.told():
            return await bucket.backend.increment(bucket.name, key, delta)


class Batch(Interface, wit="wasi:keyvalue/batch@0.2.0-draft"):
    """wasi:keyvalue/batch: many keys in one call."""

    async def get_many(self, bucket: Bucket, keys: Sequence[str]) -> Sequence[tuple[str, bytes] | None]:
        """Return, for each of `keys`, the key with its value, or None where it has no value."""
        with bucket.told():
            return await bucket.backend.get_many(bucket.name, keys)

    async def set_many(self, bucket: Bucket, key_values: Sequence[tuple[str, bytes]]) -> None:
        """Set the value of each key in `key_values`."""
        with bucket.told():
            await bucket.backend.set_many(bucket.name, key_values)

    async def delete_many(self, bucket: Bucket, keys: Sequence[str]) -> None:
        """Delete the values of `keys`; a key without value is no error."""
        with bucket.told():
            await bucket.backend.delete_many(bucket.name, keys)
