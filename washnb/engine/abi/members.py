"""Functions that generated code calls to pack values whose Python classes it cannot know beforehand."""

from __future__ import annotations

import ctypes
import enum
import itertools
import numbers
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .classes import names_case
from .layout import BYTES, KIND, VAL
from .names import folded
from .shapes import Enum, Flags, Shape, Variant

HOST_VALUE_LIMIT = 8 << 20
"""The most elements of one list that is passed to a guest.

While wasmtime copies a list it needs 32 bytes and more for each element, even of list<u8>: at this limit half a
gigabyte for about a second.
"""

_ROW = struct.Struct("<QQ")
_BYTE = KIND["u8"].ljust(VAL, b"\0")
_Lower = Callable[[Any, Any, Callable[[bytes], None]], bytes]


def integer(value: Any) -> int:
    """Return any integer, such as an IntEnum member or one of NumPy, as an int. Raises TypeError, also for a bool."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError
    return int(value)


def number(value: Any) -> float:
    """Return any real number as a float. Raises TypeError for anything else, also for a bool."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError
    return float(value)


def code_point(value: Any) -> int:
    """Return the Unicode scalar value of a string of one character.

    Raises TypeError for anything else, and for a surrogate, on which wasmtime would abort the process.
    """
    point = ord(value) if isinstance(value, str) else -1
    if point < 0 or 0xD800 <= point <= 0xDFFF:
        raise TypeError
    return point


def items_of(value: Any) -> Sequence[Any]:
    """Return the items of a sequence other than text and bytes.

    Raises TypeError for anything else, ValueError for more items than `HOST_VALUE_LIMIT`. Of a class that is neither
    list nor tuple only as many items are read as its length says, because iterating over it may never end.
    """
    if isinstance(value, str | bytes | bytearray | memoryview) or not isinstance(value, Sequence):
        raise TypeError
    size = len(value)
    if size > HOST_VALUE_LIMIT:
        raise ValueError
    return value if type(value) is list or type(value) is tuple else list(itertools.islice(value, size))


def octets(value: Any) -> bytes | bytearray | memoryview:
    """Return a bytes-like object, or a sequence of ints from 0 to 255, as bytes. Raises TypeError or ValueError."""
    if isinstance(value, bytes | bytearray):
        return value
    if isinstance(value, memoryview):
        return value.tobytes()
    return bytes(map(integer, items_of(value)))


def spread(value: Any, keep: Callable[[Any], None]) -> tuple[int, int]:
    """Write bytes as a block of component values, one u8 each; return their number and the address of the block.

    `keep` is called with what keeps the block alive. Raises as `octets`, and ValueError over `HOST_VALUE_LIMIT`.
    """
    data = value if type(value) is bytes else octets(value)
    size = len(data)
    if not size:
        return 0, id(_BYTE) + BYTES
    if size > HOST_VALUE_LIMIT:
        raise ValueError
    block = bytearray(_BYTE) * size
    block[_U8_PAYLOAD::VAL] = data
    view = ctypes.c_char.from_buffer(block)
    keep(view)
    return size, ctypes.addressof(view)


_U8_PAYLOAD = 8


def fields_of(value: Mapping[str, Any], names: Iterable[str]) -> tuple[Any, ...]:
    """Return the fields of a record that is given as a mapping, in the order of `names`.

    The keys may be in Python's spelling, as `names` are, or in WIT's. Raises TypeError for no mapping, KeyError for a
    missing field.
    """
    if not isinstance(value, Mapping):
        raise TypeError
    return tuple(value[name] if name in value else value[name.rstrip("_").replace("_", "-")] for name in names)


class Cases(dict[type, tuple[int, int, _Lower | None]]):
    """The cases of a variant by the Python class that stands for them.

    An entry is length and address of the case's name, and the function that packs its payload, None without one. It is
    made when a class is first looked up; a class that stands for no case raises KeyError.
    """

    _MOST = 256  # entries; each run of a notebook's cell defines its classes anew

    def __init__(self, shape: Variant, lowerer: Callable[[Shape], _Lower]) -> None:
        super().__init__()
        self._lowerer = lowerer
        self._cases = [(name.encode(), payload) for name, payload in shape.cases]
        self._lowerers: dict[bytes, _Lower] = {}

    def __missing__(self, cls: type) -> tuple[int, int, _Lower | None]:
        if len(self) >= self._MOST:
            self.clear()
        for name, payload in self._cases:
            if names_case(cls, name.decode()):
                self[cls] = len(name), id(name) + BYTES, None if payload is None else self._lower(name, payload)
                return self[cls]
        raise KeyError(cls)

    def _lower(self, name: bytes, payload: Shape) -> _Lower:
        if name not in self._lowerers:
            self._lowerers[name] = self._lowerer(payload)
        return self._lowerers[name]


class EnumNames(dict[str, tuple[int, int]]):
    """Length and address of each name of an enum, looked up in any spelling: `NETWORK_DOWN` or `network-down`.

    Raises KeyError for what is no name of the enum.
    """

    def __init__(self, shape: Enum) -> None:
        super().__init__()
        self._names = [name.encode() for name in shape.names]

    def __missing__(self, spelling: Any) -> tuple[int, int]:
        for name in self._names:
            if isinstance(spelling, str) and folded(spelling) == folded(name.decode()):
                self[spelling] = len(name), id(name) + BYTES
                return self[spelling]
        raise KeyError(spelling)


class FlagNames:
    """Packs the names of the flags that are set in a value of a flags type."""

    def __init__(self, shape: Flags) -> None:
        self._rows = [(folded(name), name.encode()) for name in shape.names]

    def pack(self, value: Any, keep: Callable[[bytes], None]) -> tuple[int, int]:
        """Return number and address of the packed names in `value`, an enum.Flag or a collection of names.

        Raises TypeError for any other value, KeyError for a name that the type does not have.
        """
        wanted = self._spellings(value)
        rows = [_ROW.pack(len(name), id(name) + BYTES) for spelling, name in self._rows if spelling in wanted]
        if len(rows) != len(wanted):
            raise KeyError(value)
        block = b"".join(rows)
        keep(block)
        return len(rows), id(block) + BYTES

    @staticmethod
    def _spellings(value: Any) -> set[str]:
        if isinstance(value, enum.Flag):
            return {folded(str(member.name)) for member in value}
        if isinstance(value, set | frozenset | list | tuple):
            return {folded(name) for name in value}
        raise TypeError
