"""wasi:keyvalue@0.2.0-draft2, over the same backends: cursors are text, counters signed, and values can be swapped.

`get-many` has had several shapes under this version. A component gets the one that its import declares.
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
    """One page of the keys of a bucket. `cursor` leads to the next page; None: this was the last one."""

    keys: Sequence[str]
    cursor: str | None


@resource("bucket")
class Bucket(interface.Bucket):
    """An open bucket in the hands of a guest."""

    @staticmethod
    @contextmanager
    def told() -> Iterator[None]:
        """Turn what a backend raises in the block into the error of WIT."""
        with told_to_guest(Error_Other, Error_AccessDenied):
            try:
                yield
            except NoSuchBucket as error:
                raise Err(Error_NoSuchStore()) from error

    async def list_keys(self, cursor: str | None) -> KeyResponse:  # type: ignore[override]  # this version's own
        """Return one page of the keys."""
        if cursor is not None and _CURSOR.fullmatch(cursor) is None:
            raise Err(Error_Other(f"{cursor!r:.80} is no cursor of list-keys"))
        with self.told():
            page = await self.backend.keys(self.name, None if cursor is None else int(cursor))
        return KeyResponse(page.keys, None if page.cursor is None else str(page.cursor))


class Store(interface.Store, wit="wasi:keyvalue/store@0.2.0-draft2"):
    """wasi:keyvalue/store: open a bucket, read and write it."""

    async def open(self, identifier: str) -> Bucket:
        """Open a bucket; one that is not there is made."""
        with Bucket.told():
            await self.backend.open(identifier)
        return Bucket(identifier, self.backend)


@resource("cas")
class Cas:
    """A key as it was seen, to be swapped if it still is so."""

    def __init__(self, bucket: interface.Bucket, key: str, seen: Snapshot) -> None:
        """Keep what was seen."""
        self.bucket = bucket
        self.key = key
        self.seen = seen

    @staticmethod
    async def new(bucket: Bucket, key: str) -> Cas:
        """Look at `key`: the swap fails if somebody changes it from now on."""
        with bucket.told():
            return Cas(bucket, key, await bucket.backend.snapshot(bucket.name, key))

    async def current(self) -> bytes | None:
        """Return the value that was seen, which is the one that a swap would replace."""
        return self.seen.value

    def __repr__(self) -> str:
        """What a trace shows of a handle."""
        return f"cas of {self.key!r} in {self.bucket!r}"


@dataclass(frozen=True, slots=True)
class CasError_StoreError:  # noqa: N801 - variant_Case, as componentize-py names them for guests
    """The store failed."""

    value: Error_NoSuchStore | Error_AccessDenied | Error_Other


@dataclass(frozen=True, slots=True)
class CasError_CasFailed:  # noqa: N801
    """Somebody was faster; here is the key as it is now."""

    value: Cas


class Atomics(Interface, wit="wasi:keyvalue/atomics@0.2.0-draft2"):
    """wasi:keyvalue/atomics: counters, and values that are replaced only if nobody else has."""

    async def increment(self, bucket: Bucket, key: str, delta: int) -> int:
        """Add `delta` to the counter and return the sum; one that is no s64 is an error."""
        with bucket.told():
            return await bucket.backend.increment(bucket.name, key, delta, signed=True)

    async def swap(self, cas: Cas, value: bytes) -> None:
        """Set the value of the key if it is as `cas` has seen it."""
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
    """wasi:keyvalue/batch: many keys in one call, as the standard has it since August 2026, and Spin before that."""

    async def get_many(  # type: ignore[override]  # this version's own
        self, bucket: Bucket, keys: Sequence[str]
    ) -> Sequence[tuple[str, bytes | None]]:
        """Return each key with its value, None where there is none."""
        found = await super().get_many(bucket, keys)
        return [(key, None) if entry is None else entry for key, entry in zip(keys, found, strict=True)]


class BatchAsInDraft(interface.Batch, wit=Batch.wit):
    """wasi:keyvalue/batch as the standard had it before August 2026: a pair or none for each key, as in 0.2.0-draft."""


class BatchOfPairs(interface.Batch, wit=Batch.wit):
    """wasi:keyvalue/batch in a third shape: pairs only, which cannot tell a guest of a key without a value."""

    async def get_many(  # type: ignore[override]  # this version's own
        self, bucket: Bucket, keys: Sequence[str]
    ) -> Sequence[tuple[str, bytes]]:
        """Return key and value for each key that has one."""
        return [entry for entry in await super().get_many(bucket, keys) if entry is not None]


def batch(imports: Mapping[str, InterfaceType]) -> interface.Batch:
    """Return the batch whose `get-many` has the shape that a component with these imports declares."""
    imported = imports.get(Batch.wit)
    get_many = imported and imported.functions.get("get-many")
    match get_many and get_many.result:
        case shapes.Result(shapes.List(shapes.Option())):
            return BatchAsInDraft()
        case shapes.Result(shapes.List(shapes.Tuple((_, shapes.List())))):
            return BatchOfPairs()
    return Batch()
