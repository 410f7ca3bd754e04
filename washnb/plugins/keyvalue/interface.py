"""wasi:keyvalue@0.2.0-draft: store, atomics and batch, over any backend.

The watcher interface is not served: wash-runtime has none either.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from washnb.engine import Interface, resource
from washnb.wit import WitInterface

from ..base import HostPlugin, WorkloadItem, told_to_guest
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

    async def get(self, key: str) -> bytes | None:
        """Return the value of `key`, None where there is none."""
        with told_to_guest(Error_Other):
            return await self.backend.get(self.name, key)

    async def set(self, key: str, value: bytes) -> None:
        """Set the value of `key`."""
        with told_to_guest(Error_Other):
            await self.backend.set(self.name, key, value)

    async def delete(self, key: str) -> None:
        """Delete `key`; one that is not there is no error."""
        with told_to_guest(Error_Other):
            await self.backend.delete(self.name, key)

    async def exists(self, key: str) -> bool:
        """Return whether `key` has a value."""
        with told_to_guest(Error_Other):
            return await self.backend.exists(self.name, key)

    async def list_keys(self, cursor: int | None) -> KeyResponse:
        """Return one page of the keys."""
        with told_to_guest(Error_Other):
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
        with told_to_guest(Error_Other):
            await self.backend.open(identifier)
        return Bucket(identifier, self.backend)


class Atomics(Interface, wit="wasi:keyvalue/atomics@0.2.0-draft"):
    """wasi:keyvalue/atomics: counters."""

    async def increment(self, bucket: Bucket, key: str, delta: int) -> int:
        """Add `delta` to the counter and return the sum, which stops at 2**64 - 1."""
        with told_to_guest(Error_Other):
            return await bucket.backend.increment(bucket.name, key, delta)


class Batch(Interface, wit="wasi:keyvalue/batch@0.2.0-draft"):
    """wasi:keyvalue/batch: many keys in one call."""

    async def get_many(self, bucket: Bucket, keys: Sequence[str]) -> Sequence[tuple[str, bytes] | None]:
        """Return key and value for each key, None where there is no value."""
        with told_to_guest(Error_Other):
            return await bucket.backend.get_many(bucket.name, keys)

    async def set_many(self, bucket: Bucket, key_values: Sequence[tuple[str, bytes]]) -> None:
        """Set many values."""
        with told_to_guest(Error_Other):
            await bucket.backend.set_many(bucket.name, key_values)

    async def delete_many(self, bucket: Bucket, keys: Sequence[str]) -> None:
        """Delete many keys."""
        with told_to_guest(Error_Other):
            await bucket.backend.delete_many(bucket.name, keys)


class KeyValue(HostPlugin, ABC):
    """The plugin of the capability, whatever its backend: serves the surface, and shows views where the values are."""

    id = "wasi-keyvalue"
    interfaces = (Store, Atomics, Batch)

    @abstractmethod
    def backend(self, workload_id: str) -> Backend:
        """Return what keeps the values of a workload. Raises WorkloadNotFound where it does not use the plugin."""

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:  # noqa: ARG002
        """Link the three interfaces to the workload's backend."""
        item.link(Store(self.backend(item.workload_id)))
        item.link(Atomics())
        item.link(Batch())
