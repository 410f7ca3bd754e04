"""Values that crossed the border between a guest and the host, in a form that can be kept and shown.

Long text and bytes are shortened, resources are a name and a number, and what is secret is redacted.
"""

from __future__ import annotations

import enum
import functools
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from washnb.engine import Err, Ok, Some, shapes
from washnb.secrecy import REDACTION, is_secret, without_secrets

_LONGEST = 64  # characters or bytes of one value, items of one list
_LONGEST_BINARY = 16  # bytes of a value that is no text: nobody reads more of it
_LONGEST_ADDRESS = 4096  # characters of a text in which secrets are looked for; what is kept of it is the beginning
_BINARY = re.compile(rb"[^\t\n\r\x20-\x7e\x80-\xff]")
_DEEPEST = 7  # levels of one nested value
_MOST = 1_000  # values inside one value; also resources whose names are remembered
SIZE = 8
"""Bytes that every value counts for, besides its contents."""

_PLAIN = frozenset({int, bool, float, str, bytes})  # not their subclasses, whose methods may raise
_BYTES = shapes.List(shapes.Primitive("u8"))


@dataclass(frozen=True, slots=True)
class ResourceName:
    """Stands for a resource: the name of its type, and a number that it has during one request."""

    name: str
    number: int

    def __repr__(self) -> str:
        return f"{self.name}#{self.number}"


_resource_name = functools.lru_cache(maxsize=4096)(ResourceName)  # each request has the same few


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a long value; `size` is its whole length in characters, bytes or items."""

    start: str | bytes | tuple[Any, ...]
    size: int

    def __repr__(self) -> str:
        unit = {str: "characters", bytes: "bytes", tuple: "items"}[type(self.start)]
        return f"{text_of(self.start)}... ({self.size:,} {unit})"


@dataclass(frozen=True, slots=True)
class Redacted:
    """Stands in place of a value whose name is that of a secret."""

    def __repr__(self) -> str:
        return REDACTION


@dataclass(frozen=True, slots=True)
class RecordValue:
    """The copy of a record: its fields with their names."""

    fields: tuple[tuple[str, Any], ...]

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{name}: {text_of(value)}" for name, value in self.fields) + "}"


@dataclass(frozen=True, slots=True)
class CaseValue:
    """The copy of a variant, an enum, an option or a result: its case, and the payload where there is one."""

    name: str
    payload: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        return self.name + "".join(f"({text_of(value)})" for value in self.payload)


REDACTED = Redacted()
_NONE = CaseValue("none")


class ValueKeeper:
    """Copies values that cross the border into ones that can be kept and shown, for the time of one request.

    A resource has the same number each time. `size` is about how many bytes of contents it has copied so far.
    """

    def __init__(self) -> None:
        """Begin without any resource."""
        self.size = 0
        self.names: dict[int, tuple[ResourceName, object]] = {}  # by id(), which stays taken while the object is here
        self._counts: dict[str, int] = {}
        self._room = _MOST

    def safe(self, value: object, shape: shapes.Shape | None, depth: int = 0) -> Any:
        """Return a copy of `value`, whose WIT type is `shape` (None: a scalar, or no value).

        Of a value that does not fit the type only the name of its class is kept: the engine raises MismatchError then.
        """
        if depth:
            self._room -= 1
            self.size += SIZE
        else:
            self._room = _MOST
        if depth > _DEEPEST or self._room < 0:
            return CaseValue("...")
        try:
            return self._keepers[type(shape)](self, value, shape, depth + 1)
        except Exception:  # noqa: BLE001 - whatever the value raises where it is asked for what it does not have
            return CaseValue(type(value).__name__)

    def plain(self, value: object) -> Any:
        """Return a number as it is, or the beginning of a text or of bytes; of anything else the name of its class."""
        if isinstance(value, str):
            if len(value) <= _LONGEST_ADDRESS:
                return self._shortened(without_secrets(value), _LONGEST)
            self.size += _LONGEST
            return Excerpt(without_secrets(value[:_LONGEST_ADDRESS])[:_LONGEST], len(value))
        if isinstance(value, bytes):
            return self._shortened(value, _LONGEST_BINARY if _BINARY.search(value, 0, _LONGEST) else _LONGEST)
        return value if value is None or isinstance(value, bool | int | float) else CaseValue(type(value).__name__)

    def _scalar(self, value: object, _shape: shapes.Shape | None, _depth: int) -> Any:
        return self.plain(value)

    def _shortened(self, value: str | bytes, longest: int) -> str | bytes | Excerpt:
        size = len(value)
        self.size += min(size, longest)
        return value if size <= longest else Excerpt(value[:longest], size)

    def _list(self, value: Any, shape: shapes.List, depth: int) -> Any:
        if isinstance(value, bytes):
            return self._scalar(value, shape, depth)
        kept = tuple(self.safe(item, shape.element, depth) for item in value[:_LONGEST])
        return kept if len(value) <= _LONGEST else Excerpt(kept, len(value))

    def _option(self, value: Any, shape: shapes.Option, depth: int) -> Any:
        if value is None:
            return _NONE
        if isinstance(value, Some):
            return CaseValue("some", (self.safe(value.value, shape.some, depth),))
        return self.safe(value, shape.some, depth)

    def _result(self, value: Any, shape: shapes.Result, depth: int) -> Any:
        name, payload = ("err", shape.err) if isinstance(value, Err) else ("ok", shape.ok)
        inner = value.value if isinstance(value, Ok | Err) else value
        return CaseValue(name, () if payload is None else (self.safe(inner, payload, depth),))

    def _tuple(self, value: Any, shape: shapes.Tuple, depth: int) -> Any:
        """Copy a tuple; of a pair whose first half is the name of a secret, as in a header, redact the second half."""
        kept = [self.safe(item, inner, depth) for item, inner in zip(value, shape.items, strict=False)]
        if len(kept) == 2 and isinstance(value[0], str) and is_secret(value[0]):
            kept[1] = REDACTED
        return tuple(kept)

    def _record(self, value: Any, shape: shapes.Record, depth: int) -> Any:
        def field(name: str) -> object:
            if isinstance(value, Mapping):
                return value.get(name, value.get(_snake(name)))
            return getattr(value, _snake(name), None)

        return RecordValue(
            tuple(
                (name, REDACTED if hides(name) else self.safe(field(name), inner, depth))
                for name, inner in shape.fields
            )
        )

    def _variant(self, value: Any, shape: shapes.Variant, depth: int) -> Any:
        spoken = type(value).__name__.rpartition("_")[2].lower()
        for name, payload in shape.cases:
            if name.replace("-", "").lower() == spoken:
                return CaseValue(name, () if payload is None else (self.safe(value.value, payload, depth),))
        return CaseValue(spoken)

    def _enum(self, value: Any, _shape: shapes.Enum, _depth: int) -> Any:
        return CaseValue(_kebab(value.name) if isinstance(value, enum.Enum) else str(value))

    def _flags(self, value: Any, shape: shapes.Flags, _depth: int) -> Any:
        flags = itertools.islice(value, len(shape.names))  # a value that does not fit may have no end
        names = (_kebab(flag.name) if isinstance(flag, enum.Flag) else _kebab(str(flag)) for flag in flags)
        return tuple(CaseValue(name) for name in sorted(names))

    def _resource(self, value: object, shape: shapes.Own | shapes.Borrow, _depth: int) -> ResourceName:
        known = self.names.get(id(value))
        return self.new_name(value, shape.resource.name) if known is None else known[0]

    def new_name(self, value: object, kind: str) -> ResourceName:
        """Return a new name for a resource, and remember it until 1,000 others have come since."""
        self._counts[kind] = number = self._counts.get(kind, 0) + 1
        name = _resource_name(kind, number)
        self.names[id(value)] = name, value
        if len(self.names) > _MOST:
            del self.names[next(iter(self.names))]
        return name

    _keepers: ClassVar[dict[type, Callable[..., Any]]] = {
        type(None): _scalar,
        shapes.Primitive: _scalar,
        shapes.List: _list,
        shapes.Option: _option,
        shapes.Result: _result,
        shapes.Tuple: _tuple,
        shapes.Record: _record,
        shapes.Variant: _variant,
        shapes.Enum: _enum,
        shapes.Flags: _flags,
        shapes.Own: _resource,
        shapes.Borrow: _resource,
    }


Keep = Callable[[ValueKeeper, Any], Any]
"""Returns a copy of a value of one type, as `ValueKeeper.safe` does for all."""


def keep_as(shape: shapes.Shape | None) -> Keep:
    """Return the function that copies values of a type, a quick one for resources, numbers, text and bytes."""
    if isinstance(shape, shapes.Own | shapes.Borrow):
        return _keep_resources(shape.resource.name)
    if shape is None:
        return lambda keeper, value: None if value is None else keeper.safe(value, None)
    if isinstance(shape, shapes.Primitive) or shape == _BYTES:
        return _keep_plain(shape)
    return lambda keeper, value: keeper.safe(value, shape)


def keep_all(parameters: Sequence[tuple[str, Keep]]) -> Callable[[ValueKeeper, Sequence[Any]], tuple[Any, ...]]:
    """Return the function that copies the arguments of a call, as pairs of name and copy.

    Most functions have one or two parameters, for which a loop takes as long as the copying.
    """
    if not parameters:
        return lambda _keeper, _values: ()
    (first, keep_first), *more = parameters
    if not more:
        return lambda keeper, values: ((first, keep_first(keeper, values[0])),)
    (second, keep_second), *more = more
    if not more:
        return lambda keeper, values: ((first, keep_first(keeper, values[0])), (second, keep_second(keeper, values[1])))
    return lambda keeper, values: tuple(
        [(name, keep(keeper, value)) for (name, keep), value in zip(parameters, values, strict=True)]
    )


def keep_hidden(_keeper: ValueKeeper, _value: Any) -> Any:
    """Return `REDACTED` for any value."""
    return REDACTED


def _keep_resources(kind: str) -> Keep:
    def keep(keeper: ValueKeeper, value: Any) -> Any:
        known = keeper.names.get(id(value))
        return keeper.new_name(value, kind) if known is None else known[0]

    return keep


def _keep_plain(shape: shapes.Shape) -> Keep:
    def keep(keeper: ValueKeeper, value: Any) -> Any:
        return keeper.plain(value) if type(value) in _PLAIN else keeper.safe(value, shape)

    return keep


@functools.lru_cache(maxsize=1024)
def hides(name: str) -> bool:
    """Return `is_secret` of a name in WIT; there are few of these, so the answer is remembered."""
    return is_secret(name)


def text_of(value: object) -> str:
    """Return a kept value as text, as WIT's readers expect it: `true`, `"text"`, `[1, 2]`, `some(3)`, `bucket#1`."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(text_of, value)) + "]"
    return repr(value)


def _snake(name: str) -> str:
    return name.replace("-", "_")


def _kebab(name: str | None) -> str:
    return str(name).replace("_", "-").lower()
