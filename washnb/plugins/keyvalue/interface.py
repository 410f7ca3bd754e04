"""wasi:keyvalue@0.2.0-draft: store, atomics and batch, over any backend.

The watcher interface is not served: wash-runtime has none either.
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
    """The host does not know the store."""


@dataclass(frozen=True, slots=True)
class Error_AccessDenied:  # noqa: N801
    """The guest may not use the store."""


@dataclass(frozen=True, slots=True)
class Error_Other:  # noqa: N801
    """Anything else, in words."""

    value: str


@resource("bucket")
class Bucket:
    """An open bucket in the hands of a guest."""

    def __init__(self, name: str, backend: Backend) -> None:
        """Know where the values are."""
        self.name = name
        self.backend = backend

    @staticmethod
    def told() -> AbstractContextManager[None]:
        """Turn what a backend raises in the block into the error of WIT.

        A bucket that is not there is `other`, in the words of wash-runtime, as it is there.
        """
        return told_to_guest(Error_Other, Error_AccessDenied)

    async def get(self, key: str) -> bytes | None:
        """Return the value of `key`, None where there is none."""
        with self.told():
            return await self.backend.get(self.name, key)

    async def set(self, key: str, value: bytes) -> None:
        """Set the value of `key`."""
        with self.told():
            await self.backend.set(self.name, key, value)

    async def delete(self, key: str) -> None:
        """Delete `key`; one that is not there is no error."""
        with self.told():
            await self.backend.delete(self.name, key)

    async def exists(self, key: str) -> bool:
        """Return whether `key` has a value."""
        with self.told():
            return await self.backend.exists(self.name, key)

    async def list_keys(self, cursor: int | None) -> KeyResponse:
        """Return one page of the keys."""
        with self.told():
            return await self.backend.keys(self.name, cursor)

    def __repr__(self) -> str:
        """What a trace shows of a handle."""
        return f"bucket {self.name!r}"


class Store(Interface, wit="wasi:keyvalue/store@0.2.0-draft"):
    """wasi:keyvalue/store: open a bucket, read and write it."""

    def __init__(self, backend: Backend) -> None:
        """Open buckets of `backend`."""
        self.backend = backend

    async def open(self, identifier: str) -> Bucket:
        """Open a bucket; as in wash-runtime, one that is not there is made."""
        with Bucket.told():
            await self.backend.open(identifier)
        return Bucket(identifier, self.backend)


class Atomics(Interface, wit="wasi:keyvalue/atomics@0.2.0-draft"):
    """wasi:keyvalue/atomics: counters."""

    async def increment(self, bucket: Bucket, key: str, delta: int) -> int:
        """Add `delta` to the counter and return the sum, which stops at 2**64 - 1."""
        with bucket.told():
            return await bucket.backend.increment(bucket.name, key, delta)


class Batch(Interface, wit="wasi:keyvalue/batch@0.2.0-draft"):
    """wasi:keyvalue/batch: many keys in one call."""

    async def get_many(self, bucket: Bucket, keys: Sequence[str]) -> Sequence[tuple[str, bytes] | None]:
        """Return key and value for each key, None where there is no value."""
        with bucket.told():
            return await bucket.backend.get_many(bucket.name, keys)

    async def set_many(self, bucket: Bucket, key_values: Sequence[tuple[str, bytes]]) -> None:
        """Set many values."""
        with bucket.told():
            await bucket.backend.set_many(bucket.name, key_values)

    async def delete_many(self, bucket: Bucket, keys: Sequence[str]) -> None:
        """Delete many keys."""
        with bucket.told():
            await bucket.backend.delete_many(bucket.name, keys)
