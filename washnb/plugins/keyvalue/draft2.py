"""wasi:keyvalue@0.2.0-draft2, over the same backends as draft: with text cursors, signed counters, and `swap`.

The function `get-many` has had three shapes under this one version. A component gets the one that its import declares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from washnb.engine import Err, Interface, InterfaceType, resource, shapes

from ..base import told_to_guest
from . import interface
from .backend import NoSuchBucket, Snapshot
from .interface import Error_AccessDenied, Error_NoSuchStore, Error_Other

_CURSOR = re.compile("[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class KeyResponse:
    """One page of the keys of a bucket. `cursor` asks for the next page; None says that this page is the last."""

    keys: Sequence[str]
    cursor: str | None


@resource("bucket")
class Bucket(interface.Bucket):
    """The resource `bucket` of wasi:keyvalue/store@0.2.0-draft2: a bucket that a guest has opened."""

    @staticmethod
    @contextmanager
    def told() -> Iterator[None]:
        """Raise `Err` with the `error` of wasi:keyvalue/store in place of a BackendError in the block.

        In this version a bucket that does not exist is `no-such-store`.
        """
        with told_to_guest(Error_Other, Error_AccessDenied):
            try:
                yield
            except NoSuchBucket as error:
                raise Err(Error_NoSuchStore()) from error

    async def list_keys(self, cursor: str | None) -> KeyResponse:  # type: ignore[override]  # draft2: a text cursor
        """Return the first page of the bucket's keys, or with the `cursor` of a page the page after it."""
        if cursor is not None and _CURSOR.fullmatch(cursor) is None:
            raise Err(Error_Other(f"{cursor!r:.80} is no cursor of list-keys"))
        with self.told():
            page = await self.backend.keys(self.name, None if cursor is None else int(cursor))
        return KeyResponse(page.keys, None if page.cursor is None else str(page.cursor))


class Store(interface.Store, wit="wasi:keyvalue/store@0.2.0-draft2"):
    """wasi:keyvalue/store@0.2.0-draft2: opens buckets, which guests read and write."""

    async def open(self, identifier: str) -> Bucket:
        """Return the bucket `identifier`, which is made where it does not exist."""
        with Bucket.told():
            await self.backend.open(identifier)
        return Bucket(identifier, self.backend)


@resource("cas")
class Cas:
    """The resource `cas` of wasi:keyvalue/atomics (compare-and-swap): a key, with the value that it had when looked at.

    `Atomics.swap` sets the key's value only if nobody has changed it since.
    """

    def __init__(self, bucket: interface.Bucket, key: str, seen: Snapshot) -> None:
        """Keep the key, its bucket, and the snapshot of its value."""
        self.bucket = bucket
        self.key = key
        self.seen = seen

    @staticmethod
    async def new(bucket: Bucket, key: str) -> Cas:
        """Return a `cas` of `key` as it is now."""
        with bucket.told():
            return Cas(bucket, key, await bucket.backend.snapshot(bucket.name, key))

    async def current(self) -> bytes | None:
        """Return the value that the key had when this `cas` was made, None where it had none."""
        return self.seen.value

    def __repr__(self) -> str:
        """Name key and bucket: what a trace shows of the handle."""
        return f"cas of {self.key!r} in {self.bucket!r}"


@dataclass(frozen=True, slots=True)
class CasError_StoreError:  # noqa: N801 - variant_Case, as componentize-py names them for guests
    """The case `store-error` of `cas-error`: the bucket could not be read or written."""

    value: Error_NoSuchStore | Error_AccessDenied | Error_Other


@dataclass(frozen=True, slots=True)
class CasError_CasFailed:  # noqa: N801
    """The case `cas-failed` of `cas-error`: the key was changed meanwhile. `value` is a fresh `cas` of it."""

    value: Cas


class Atomics(Interface, wit="wasi:keyvalue/atomics@0.2.0-draft2"):
    """wasi:keyvalue/atomics@0.2.0-draft2: counters, and values that are set only if nobody has changed them."""

    async def increment(self, bucket: Bucket, key: str, delta: int) -> int:
        """Add `delta` to the counter `key` and return the sum; a sum that is no s64 is the error `other`."""
        with bucket.told():
            return await bucket.backend.increment(bucket.name, key, delta, signed=True)

    async def swap(self, cas: Cas, value: bytes) -> None:
        """Set the value of the key of `cas`; the error `cas-failed` where it was changed since `cas` was made."""
        bucket = cas.bucket
        try:
            with bucket.told():
                done = await bucket.backend.swap(bucket.name, cas.key, cas.seen, value)
                fresh = cas.seen if done else await bucket.backend.snapshot(bucket.name, cas.key)
        except Err as error:
            raise Err(CasError_StoreError(error.value)) from error
        if not done:
            raise Err(CasError_CasFailed(Cas(bucket, cas.key, fresh)))


class Batch(interface.Batch, wit="wasi:keyvalue/batch@0.2.0-draft2"):
    """wasi:keyvalue/batch@0.2.0-draft2: many keys in one call, as in the standard since August 2026, and in Spin."""

    async def get_many(  # type: ignore[override]  # its result has another type than in draft
        self, bucket: Bucket, keys: Sequence[str]
    ) -> Sequence[tuple[str, bytes | None]]:
        """Return each key with its value, or with None where it has no value."""
        found = await super().get_many(bucket, keys)
        return [(key, None) if entry is None else entry for key, entry in zip(keys, found, strict=True)]


class BatchAsInDraft(interface.Batch, wit=Batch.wit):
    """wasi:keyvalue/batch@0.2.0-draft2 before August 2026: `get-many` returns a pair or none for each key, as draft."""


class BatchOfPairs(interface.Batch, wit=Batch.wit):
    """wasi:keyvalue/batch@0.2.0-draft2 in a third shape: `get-many` returns pairs only, none for keys without value."""

    async def get_many(  # type: ignore[override]  # its result has another type than in draft
        self, bucket: Bucket, keys: Sequence[str]
    ) -> Sequence[tuple[str, bytes]]:
        """Return key and value of each of `keys` that has a value."""
        return [entry for entry in await super().get_many(bucket, keys) if entry is not None]


def batch(imports: Mapping[str, InterfaceType]) -> interface.Batch:
    """Return the wasi:keyvalue/batch whose `get-many` has the shape that a component declares in its `imports`."""
    imported = imports.get(Batch.wit)
    get_many = imported and imported.functions.get("get-many")
    match get_many and get_many.result:
        case shapes.Result(shapes.List(shapes.Option())):
            return BatchAsInDraft()
        case shapes.Result(shapes.List(shapes.Tuple((_, shapes.List())))):
            return BatchOfPairs()
    return Batch()
