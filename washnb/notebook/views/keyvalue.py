"""The view `kv`: buckets, keys and values of a workload, to look at and to edit."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from washnb.errors import ConfigError
from washnb.events import Event, PluginChanged, StateChanged, WorkloadChanged

from .. import hosted
from ..text import HIDDEN, Table, face, is_secret, one_line, size
from ..widgets import Door, Wish
from .base import View

Buckets = Mapping[str, Mapping[str, bytes]]

_PLUGIN = "wasi-keyvalue"
_SHOWN = 200
"""Keys of each bucket that faces show."""

_SHOWN_BYTES = 2_048
"""Bytes of each value that the widget gets; a longer one is not edited there."""


@dataclass(frozen=True)
class Look:
    """What there is to see: the first keys of each bucket, and which of the buckets have `more`."""

    buckets: Buckets
    more: frozenset[str]


def encoded(value: object) -> bytes:
    """Bytes as they are, text as UTF-8, anything else as JSON."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return (value if isinstance(value, str) else json.dumps(value)).encode()


class Bucket(MutableMapping[str, bytes]):
    """A bucket as a mapping from key to bytes; text is stored as UTF-8, other values as JSON."""

    def __init__(self, view: KeyValueView, name: str) -> None:
        """Look at the bucket `name` of the workload that `view` looks at."""
        self._view = view
        self.name = name

    def _all(self) -> Mapping[str, bytes]:
        buckets: Buckets = self._view.door.on_host(KeyValueView(self._view.door, self._view.of).buckets)
        return buckets.get(self.name, {})

    def __getitem__(self, key: str) -> bytes:
        """Return the value. Raises KeyError."""
        return self._all()[key]

    def __setitem__(self, key: str, value: object) -> None:
        """Set the value; the bucket is made where it does not exist."""
        self._view.door.on_host(lambda deployments: self._view.set(deployments, self.name, key, encoded(value)))

    def __delitem__(self, key: str) -> None:
        """Delete the key. Raises KeyError."""
        if key not in self._all():
            raise KeyError(key)
        self._view.door.on_host(lambda deployments: self._view.delete(deployments, self.name, key))

    def __iter__(self) -> Iterator[str]:
        """The keys, sorted."""
        return iter(self._all())

    def __len__(self) -> int:
        """How many keys there are."""
        return len(self._all())

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        return repr(_table({self.name: self._all()}))

    def _repr_html_(self) -> str:
        return _table({self.name: self._all()})._repr_html_()


class KeyValueView(View):
    """Buckets, keys and values. `.data` maps bucket to key to bytes; of one bucket, key to bytes; of one key, bytes."""

    widget = "state"

    def __init__(self, door: Door, of: str | None = None, bucket: str | None = None, key: str | None = None) -> None:
        """Look at everything, at one bucket, or at one key of it."""
        super().__init__(door, of)
        self.bucket = bucket
        self.key = key

    def __call__(self, bucket: str | None = None, key: str | None = None, *, of: str | None = None) -> KeyValueView:
        """Look closer: what `%wash kv` does."""
        return KeyValueView(self.door, of or self.of, bucket, key)

    def __getitem__(self, bucket: str) -> Bucket:
        """Return a bucket, as a mapping that can be written."""
        return Bucket(self, bucket)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.door.on_host(KeyValueView(self.door, self.of).look).buckets)

    async def buckets(self, deployments: hosted.Deployments, most: int | None = None) -> Buckets:
        """Read every bucket that the view shows, or no more than begins with `most` keys."""
        found = hosted.keyvalue_of(deployments, self.of)
        buckets: dict[str, Mapping[str, bytes]] = {}
        for name in await found.buckets() if found is not None else ():
            if found is not None and self.bucket in {None, name}:
                buckets[name] = await _content(found, name, most)
        return buckets

    async def read(self, deployments: hosted.Deployments) -> Any:
        """Read what `data` is. Raises ConfigError for a bucket or key that is not there."""
        return self._narrowed(await self.buckets(deployments))

    async def look(self, deployments: hosted.Deployments) -> Look:
        """Read the first keys of each bucket."""
        if self.key is not None:
            value = await self.read(deployments)
            return Look({str(self.bucket): {self.key: value}}, frozenset())
        buckets = await self.buckets(deployments, _SHOWN + 1)
        self._narrowed(buckets)
        cut = {name: dict(itertools.islice(content.items(), _SHOWN)) for name, content in buckets.items()}
        return Look(cut, frozenset(name for name, content in buckets.items() if len(content) > _SHOWN))

    def _narrowed(self, buckets: Buckets) -> Any:
        if self.bucket is None:
            return buckets
        if self.bucket not in buckets:
            raise ConfigError(f"there is no bucket {self.bucket!r}", repair="%wash kv  # shows all buckets")
        content = buckets[self.bucket]
        if self.key is None:
            return content
        if self.key not in content:
            raise ConfigError(f"bucket {self.bucket!r} has no key {self.key!r}", repair=f"%wash kv {self.bucket}")
        return content[self.key]

    def table(self, look: Look) -> Table:
        """One row for each key."""
        return _table(look.buckets, look.more)

    def picture(self, look: Look) -> dict[str, Any]:
        """Groups are buckets."""
        groups = [
            {"name": name, "more": name in look.more, "entries": [_entry(*entry) for entry in content.items()]}
            for name, content in look.buckets.items()
        ]
        return {"title": "key-value", "word": "bucket", "groups": groups, "empty": _EMPTY, "new_groups": True}

    def concerns(self, event: Event) -> bool:
        """Changes of key-value, and of who has it."""
        if isinstance(event, StateChanged):
            return event.plugin == _PLUGIN
        return isinstance(event, WorkloadChanged | PluginChanged)

    async def change(self, deployments: hosted.Deployments, wish: Wish) -> None:
        """Set or delete a key, as the widget asks."""
        group, key = str(wish["group"]), str(wish["key"])
        if wish["do"] == "delete":
            await self.delete(deployments, group, key)
        else:
            await self.set(deployments, group, key, _typed(str(wish["text"]), wish.get("kind", "text")))

    async def set(self, deployments: hosted.Deployments, bucket: str, key: str, value: bytes) -> None:
        """Set a key. Raises ConfigError where the workload does not use key-value."""
        backend = hosted.keyvalue_of(deployments, self.of)
        if backend is None:
            raise ConfigError("no key-value state is kept here", repair=("%wash attach keyvalue", "%wash load SOURCE"))
        await backend.open(bucket)
        await backend.set(bucket, key, value)

    async def delete(self, deployments: hosted.Deployments, bucket: str, key: str) -> None:
        """Delete a key."""
        backend = hosted.keyvalue_of(deployments, self.of)
        if backend is not None:
            await backend.delete(bucket, key)


_EMPTY = "nothing is stored"


async def _content(backend: hosted.KeyValueBackend, bucket: str, most: int | None) -> dict[str, bytes]:
    content: dict[str, bytes] = {}
    cursor = None
    while True:
        page = await backend.keys(bucket, cursor)
        entries = await backend.get_many(bucket, page.keys)
        content.update(entry for entry in entries if entry is not None)
        cursor = page.cursor
        if cursor is None or (most is not None and len(content) >= most):
            return content


def _typed(text: str, kind: str) -> bytes:
    """What the person typed, in the form that the value had. Raises ConfigError."""
    try:
        if kind == "counter":
            return int(text).to_bytes(8, "little")
        return bytes.fromhex(text) if kind == "hex" else text.encode()
    except (ValueError, OverflowError):
        wanted = "a whole number from 0 to 2**64 - 1" if kind == "counter" else "hex, such as 00 ff"
        raise ConfigError(f"{one_line(text, 40)!r} is not {wanted}") from None


def _entry(key: str, value: bytes) -> dict[str, Any]:
    secret = is_secret(key)
    shown = face(value, _SHOWN_BYTES)
    return {
        "key": key,
        "kind": "secret" if secret else shown.kind,
        "text": HIDDEN if secret else shown.text,
        "preview": _preview(key, value),
        "note": "" if secret else shown.note,
        "size": size(len(value)),
        "whole": len(value) <= _SHOWN_BYTES,
        "hex": value.hex(" ") if shown.kind == "hex" and len(value) <= _SHOWN_BYTES and not secret else "",
    }


def _table(buckets: Buckets, more: Collection[str] = ()) -> Table:
    rows = []
    for name, content in buckets.items():
        rows += [(name, key, _cell(key, value)) for key, value in content.items()] or [(name, "", "(empty)")]
        rows += [(name, "…", "and more keys")] if name in more else []
    return Table(("bucket", "key", "value"), rows, empty=_EMPTY, title="key-value")


def _preview(key: str, value: bytes) -> str:
    """The value in one line."""
    if is_secret(key):
        return HIDDEN
    shown = face(value, 400)
    if shown.kind == "hex":
        return value[:32].hex(" ") + (" …" if len(value) > 32 else "")
    return one_line(" ".join(shown.text.split()) if shown.kind == "json" else shown.text, 200)


def _cell(key: str, value: bytes) -> str:
    note = "" if is_secret(key) else face(value, 400).note
    return f"{_preview(key, value)}  ({note})" if note else _preview(key, value)
