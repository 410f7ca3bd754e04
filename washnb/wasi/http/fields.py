"""The resource fields of wasi:http: headers and trailers.

Names are in lower case and values grouped by name, as in wasmtime-wasi-http. WIT would keep the case, but a component
has to see the same fields on both hosts.
"""
# ruff: noqa: N801 - variant_Case is how componentize-py's guests spell it

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from washnb.engine import Err, resource
from washnb.types import Header

from .uri import is_token


@dataclass(frozen=True, slots=True)
class HeaderError_InvalidSyntax:
    """The name is not a token, or the value has control characters, or is no Content-Length."""


@dataclass(frozen=True, slots=True)
class HeaderError_Forbidden:
    """The host alone sets this field (`FORBIDDEN_FIELDS`)."""


@dataclass(frozen=True, slots=True)
class HeaderError_Immutable:
    """The fields cannot be changed: they were received, or belong to a message."""


HeaderError = HeaderError_InvalidSyntax | HeaderError_Forbidden | HeaderError_Immutable

FORBIDDEN_FIELDS = frozenset(
    {
        "connection",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "transfer-encoding",
        "upgrade",
    }
)
"""The fields that the host alone sets and reads, as in wasmtime-wasi-http: hop by hop, or part of the target."""

FIELD_SIZE_LIMIT = 128 * 1024
"""How many bytes one `fields` resource may hold; each name and each value counts `ENTRY_COST` on top of its length."""
ENTRY_COST = 32
NAME_LIMIT = 65535
"""The most characters of a name, as in wasmtime-wasi-http."""

_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_CONTENT_LENGTH = "content-length"
_MOST_DIGITS = 20  # of a 64-bit number


def _parsed_name(name: str) -> str | None:
    return name.lower() if len(name) <= NAME_LIMIT and is_token(name) else None


_known_name = lru_cache(maxsize=1024)(_parsed_name)


def _normal_name(name: str) -> str | None:
    # guests choose the names: long ones are not cached, so that they cannot fill the memory
    return _known_name(name) if len(name) <= 64 else _parsed_name(name)


def _name_to_change(name: str) -> str:
    """The name of a field in lower case. Raises Err: invalid-syntax, or forbidden where guests may not change it."""
    normal = _normal_name(name)
    if normal is None:
        raise Err(HeaderError_InvalidSyntax())
    if normal in FORBIDDEN_FIELDS:
        raise Err(HeaderError_Forbidden())
    return normal


def _checked_value(name: str, value: bytes) -> bytes:
    """The value for a field as it is kept. Raises Err: invalid-syntax."""
    if name == _CONTENT_LENGTH:
        length = _length(value)
        if length is None:
            raise Err(HeaderError_InvalidSyntax())
        return b"%d" % length  # one spelling per number: hosts on the way must not read it differently
    if _VALUE.fullmatch(value) is None:
        raise Err(HeaderError_InvalidSyntax())
    return value


def _length(value: bytes) -> int | None:
    """The 64-bit number that a Content-Length is in decimal digits; None where `value` is anything else."""
    digits = value.lstrip(b"0") or b"0"
    if not value.isdigit() or len(digits) > _MOST_DIGITS:  # int() raises ValueError for thousands of digits
        return None
    length = int(digits)
    return length if length < 1 << 64 else None


def _cost(text: str | bytes) -> int:
    return len(text) + ENTRY_COST


@resource("fields")
class Fields:
    """An ordered multimap from names, whose case does not matter, to values, which are bytes.

    A guest that puts more than `FIELD_SIZE_LIMIT` into one ends (ValueError).
    """

    __slots__ = ("_mutable", "_size", "_values")

    def __init__(self) -> None:
        self._values: dict[str, list[bytes]] = {}
        self._size = 0
        self._mutable = True

    @classmethod
    def from_list(cls, entries: Sequence[tuple[str, bytes]]) -> Fields:
        """Make mutable fields of name and value pairs. Raises Err: invalid-syntax, forbidden."""
        fields = cls()
        for name, value in entries:
            fields.append(name, value)
        return fields

    @classmethod
    def received(cls, headers: Iterable[Header]) -> Fields:
        """Make immutable fields of the headers of a message that was received, without the forbidden ones."""
        fields = cls()
        values = fields._values
        for name, value in headers:
            key = name.lower()
            if key not in FORBIDDEN_FIELDS:
                values.setdefault(key, []).append(value)
        return fields.freeze()

    def freeze(self) -> Fields:
        """Make these fields immutable for good; return them."""
        self._mutable = False
        return self

    def get(self, name: str) -> list[bytes]:
        """Return all values of a name; an empty list where it is missing or no valid name."""
        return list(self._values.get(_normal_name(name) or "", ()))

    def has(self, name: str) -> bool:
        """Whether there is a field of this name."""
        return _normal_name(name) in self._values

    def set(self, name: str, value: Sequence[bytes]) -> None:
        """Replace all values of a name; without values, remove it. Raises Err: invalid-syntax, forbidden, immutable."""
        key = _name_to_change(name)
        self._require_mutable()
        values = [_checked_value(key, each) for each in value]
        self._resize(self._size - self._cost_of(key) + (_cost(key) + sum(map(_cost, values)) if values else 0))
        if values:
            self._values[key] = values
        else:
            self._values.pop(key, None)

    def delete(self, name: str) -> None:
        """Remove a name with all its values, if it is there. Raises Err: invalid-syntax, forbidden, immutable."""
        key = _name_to_change(name)
        self._require_mutable()
        self._size -= self._cost_of(key)
        self._values.pop(key, None)

    def append(self, name: str, value: bytes) -> None:
        """Add a value to those of a name. Raises Err: invalid-syntax, forbidden, immutable."""
        key = _name_to_change(name)
        checked = _checked_value(key, value)
        self._require_mutable()
        self._resize(self._size + _cost(checked) + (0 if key in self._values else _cost(key)))
        self._values.setdefault(key, []).append(checked)

    def entries(self) -> list[Header]:
        """Return all pairs of name and value, grouped by name, in the order in which each name was first added."""
        return [(name, value) for name, values in self._values.items() for value in values]

    def clone(self) -> Fields:
        """Return a mutable copy."""
        copy = Fields()
        copy._values = {name: values.copy() for name, values in self._values.items()}
        copy._size = sum(map(self._cost_of, self._values))
        return copy

    def content_length(self) -> int | None:
        """Return the Content-Length in bytes; None where the fields have none, or several, or one that is no number.

        Received fields may have any text there: nothing was checked when they came.
        """
        values = set(self._values.get(_CONTENT_LENGTH, ()))
        return _length(values.pop()) if len(values) == 1 else None

    def _require_mutable(self) -> None:
        if not self._mutable:
            raise Err(HeaderError_Immutable())

    def _cost_of(self, key: str) -> int:
        values = self._values.get(key)
        return 0 if values is None else _cost(key) + sum(map(_cost, values))

    def _resize(self, size: int) -> None:
        if size > FIELD_SIZE_LIMIT:
            raise ValueError(f"the guest put {size} bytes into one fields resource, which may hold {FIELD_SIZE_LIMIT}")
        self._size = size
