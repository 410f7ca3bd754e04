"""The view `kv`: buckets, keys and values of a workload, to look at and to edit."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, ItemsView, Iterator, Mapping, Sequence, ValuesView
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from washnb.errors import ConfigError

from .. import hosted
from ..requests import encoded
from ..text import ByteOrder, Table
from ..widgets import Answer, Door, Wish
from .base import NotThere, Part, View, titled
from .values import COUNTER_FORMS, cell, entry

T = TypeVar("T")

Buckets = Mapping[str, Mapping[str, bytes]]

_SHOWN = 200
"""How many keys of each bucket are shown; `.data` has all."""

_SHOWN_BUCKETS = 50


@dataclass(frozen=True)
class Look:
    """What the view shows: the first keys of the first buckets; which have `more`, and the number of `others`."""

    buckets: Buckets
    more: frozenset[str] = frozenset()
    others: int = 0
    place: str = ""
    order: ByteOrder = "little"


class Bucket(Part):
    """A bucket as a mapping from key to bytes; text is stored as UTF-8, other values as JSON.

    `dict(bucket.items())` reads all values at once. `dict(bucket)` reads one after the other, as Python does with any
    mapping, so that a guest may change some in between.
    """

    def __init__(self, view: KeyValueView, name: str) -> None:
        """Take the bucket `name` of the workload that `view` shows."""
        self._view = view
        self.name = name

    def _keys(self) -> list[str]:
        try:
            return self._view.door.on_host(lambda deployments: _keys(self._view.backend(deployments), self.name))
        except hosted.NoSuchBucket:
            return []

    def _all(self) -> dict[str, bytes]:
        try:
            return self._view.door.on_host(lambda deployments: _content(self._view.backend(deployments), self.name))
        except hosted.NoSuchBucket:
            return {}

    def __getitem__(self, key: str) -> bytes:
        """Return the value of a key as bytes. Raises NotThere, a KeyError that names the keys or buckets there are."""
        __tracebackhide__ = True
        return self._view.door.on_host(lambda deployments: self._view.value(deployments, self.name, key))

    def __setitem__(self, key: str, value: object) -> None:
        """Set the value of a key; the bucket is made where it does not exist."""
        self._view.door.on_host(lambda deployments: self._view.set(deployments, self.name, key, encoded(value)))

    def __delitem__(self, key: str) -> None:
        """Delete a key. Raises NotThere, a KeyError."""
        __tracebackhide__ = True
        self._view.door.on_host(lambda deployments: self._view.delete(deployments, self.name, key))

    def items(self) -> ItemsView[str, bytes]:
        """All keys with their values, read at once."""
        return self._all().items()

    def values(self) -> ValuesView[bytes]:
        """All values, read at once."""
        return self._all().values()

    def update(self, *others: Any, **values: object) -> None:
        """Set many values at once, with the arguments of `dict.update`; the bucket is made where it does not exist."""
        given = {key: encoded(value) for key, value in dict(*others, **values).items()}
        self._view.door.on_host(lambda deployments: self._view.update(deployments, self.name, given))

    def clear(self) -> None:
        """Delete all keys of the bucket at once."""
        with suppress(hosted.NoSuchBucket):
            self._view.door.on_host(lambda deployments: _clear(self._view.backend(deployments), self.name))

    def __iter__(self) -> Iterator[str]:
        """The keys, sorted."""
        return iter(self._keys())

    def __len__(self) -> int:
        """The number of keys."""
        return len(self._keys())

    def _closer(self) -> KeyValueView:
        return self._view(self.name)


class KeyValueView(View):
    """The buckets, keys and values of a workload, live and editable: `wash.kv["default"]["apples"] = "41"`.

    `wash.kv(bucket, key, of=WORKLOAD)` narrows the view. `.data` maps bucket to key to bytes; of a single bucket it
    maps key to bytes, and of a single key it is the value as bytes.
    """

    widget = "state"
    plugin = "wasi-keyvalue"

    def __init__(self, door: Door, of: str | None = None, bucket: str | None = None, key: str | None = None) -> None:
        """Show all buckets, one bucket, or one key of it."""
        super().__init__(door, of)
        self.bucket = bucket
        self.key = key

    def __call__(self, bucket: str | None = None, key: str | None = None, *, of: str | None = None) -> KeyValueView:
        """Return a view of one bucket, of one key of it, or of the workload `of`: what `%wash kv` shows."""
        return KeyValueView(self.door, of or self.of, bucket, key)

    def __getitem__(self, bucket: str) -> Bucket:
        """Return a bucket as a mapping from key to bytes, which can be written."""
        return Bucket(self, bucket)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.door.on_host(KeyValueView(self.door, self.of).look).buckets)

    def backend(self, deployments: hosted.Deployments) -> hosted.KeyValueBackend:
        """The backend that keeps the values. Raises ConfigError where the workload does not use key-value."""
        kept = hosted.keyvalue_of(deployments, self.of)
        if kept is None:
            raise ConfigError("no key-value state is kept here", repair=("%wash attach keyvalue", "%wash load SOURCE"))
        return kept.backend

    async def read(self, deployments: hosted.Deployments) -> Any:
        """Read what `data` returns. Raises NotThere for a bucket or key that does not exist."""
        if self.bucket is not None:
            if self.key is not None:
                return await self.value(deployments, self.bucket, self.key)
            backend = self.backend(deployments)
            return await _found(_content(backend, self.bucket), backend, self.bucket)
        kept = hosted.keyvalue_of(deployments, self.of)
        if kept is None:
            return {}
        return {name: await _content(kept.backend, name) for name in await hosted.buckets_of(kept)}

    async def look(self, deployments: hosted.Deployments) -> Look:
        """Read the first keys of the first buckets. Raises NotThere for a bucket or key that does not exist."""
        kept = hosted.keyvalue_of(deployments, self.of)
        if kept is None:
            return Look({} if self.bucket is None else await self.read(deployments))
        backend, order = kept.backend, kept.backend.counter_order
        if self.key is not None:
            return Look({str(self.bucket): {self.key: await self.read(deployments)}}, place=kept.place, order=order)
        names = [self.bucket] if self.bucket is not None else await hosted.buckets_of(kept)
        shown = {
            name: await _found(_content(backend, name, _SHOWN + 1), backend, name) for name in names[:_SHOWN_BUCKETS]
        }
        cut = {name: dict(itertools.islice(content.items(), _SHOWN)) for name, content in shown.items()}
        more = frozenset(name for name, content in shown.items() if len(content) > _SHOWN)
        return Look(cut, more, len(names) - len(shown), kept.place, order)

    def still(self, look: Look) -> Table:
        """Show a row for each key."""
        return _table(look)

    def picture(self, look: Look) -> dict[str, Any]:
        """Show buckets to the widget as groups, and keys as their entries."""
        forms = ("text", "json", "hex", COUNTER_FORMS[look.order])
        groups = [
            {
                "name": name,
                "more": name in look.more,
                "entries": [entry(key, value, forms, look.order) for key, value in content.items()],
            }
            for name, content in look.buckets.items()
        ]
        return {
            "title": _TITLE,
            "place": look.place,
            "word": "bucket",
            "groups": groups,
            "more": look.others,
            "empty": _EMPTY,
            "new_groups": True,
            "forms": forms,
        }

    async def grant(self, deployments: hosted.Deployments, wish: Wish, value: bytes) -> Answer:
        """Set or delete a key, as the widget asks."""
        if wish["do"] == "delete":
            await self.delete(deployments, wish["group"], wish["key"])
        else:
            await self.set(deployments, wish["group"], wish["key"], value)
        return Answer()

    async def set(self, deployments: hosted.Deployments, bucket: str, key: str, value: bytes) -> None:
        """Set a key; the bucket is made where it does not exist."""
        backend = self.backend(deployments)
        await backend.open(bucket)
        await backend.set(bucket, key, value)

    async def update(self, deployments: hosted.Deployments, bucket: str, values: Mapping[str, bytes]) -> None:
        """Set many keys; the bucket is made where it does not exist."""
        backend = self.backend(deployments)
        await backend.open(bucket)
        await backend.set_many(bucket, [*values.items()])

    async def delete(self, deployments: hosted.Deployments, bucket: str, key: str) -> None:
        """Delete a key. Raises NotThere where there is none."""
        backend = self.backend(deployments)
        if not await _found(backend.exists(bucket, key), backend, bucket):
            raise await _not_there(backend, bucket, key)
        await backend.delete(bucket, key)

    async def value(self, deployments: hosted.Deployments, bucket: str, key: str) -> bytes:
        """Read a value. Raises NotThere where there is none."""
        backend = self.backend(deployments)
        value = await _found(backend.get(bucket, key), backend, bucket)
        if value is None:
            raise await _not_there(backend, bucket, key)
        return value


_TITLE = "key-value"
_EMPTY = "nothing is stored"


async def _not_there(backend: hosted.KeyValueBackend, bucket: str, key: str) -> NotThere:
    """Make the error that says which keys the bucket has instead of the missing one."""
    page = await _found(backend.keys(bucket), backend, bucket)
    return NotThere("key", key, page.keys, f"in bucket {bucket!r}")


async def _found(asked: Awaitable[T], backend: hosted.KeyValueBackend, bucket: str) -> T:
    """Await what a backend is asked for. Raises NotThere where it answers that the bucket is missing."""
    try:
        return await asked
    except hosted.NoSuchBucket:
        raise NotThere("bucket", bucket, await backend.buckets()) from None


async def _pages(backend: hosted.KeyValueBackend, bucket: str) -> AsyncIterator[Sequence[str]]:
    page = await backend.keys(bucket)
    yield page.keys
    while page.cursor is not None:
        page = await backend.keys(bucket, page.cursor)
        yield page.keys


async def _keys(backend: hosted.KeyValueBackend, bucket: str) -> list[str]:
    """All keys of a bucket, sorted."""
    return sorted({key async for page in _pages(backend, bucket) for key in page})


async def _clear(backend: hosted.KeyValueBackend, bucket: str) -> None:
    await backend.delete_many(bucket, await _keys(backend, bucket))


async def _content(backend: hosted.KeyValueBackend, bucket: str, most: int | None = None) -> dict[str, bytes]:
    """The values of a bucket by key, at most the first `most` of them."""
    content: dict[str, bytes] = {}
    async for page in _pages(backend, bucket):
        step = most or len(page) or 1
        for begin in range(0, len(page), step):
            entries = await backend.get_many(bucket, page[begin : begin + step])
            content.update(each for each in entries if each is not None)
            if most is not None and len(content) >= most:
                return content
    return content


def _table(look: Look) -> Table:
    rows = []
    for name, content in look.buckets.items():
        rows += [(name, key, cell(key, value, look.order)) for key, value in content.items()] or [(name, "", "(empty)")]
        rows += [(name, "…", "and more keys")] if name in look.more else []
    rows += [("…", "", f"and {look.others} more buckets")] if look.others else []
    return Table(("bucket", "key", "value"), rows, empty=_EMPTY, title=titled(_TITLE, look.place))
