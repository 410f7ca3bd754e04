"""What generated code calls for the kinds whose packing depends on the Python class that it meets."""

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
"""Most elements that one list may have on its way into a guest.

wasmtime holds 32 bytes and more for each element of a list, even of list<u8>, while it copies them: at this limit half
a gigabyte for about a second.
"""

_ROW = struct.Struct("<QQ")
_BYTE = KIND["u8"].ljust(VAL, b"\0")
_Lower = Callable[[Any, Any, Callable[[bytes], None]], bytes]


def integer(value: Any) -> int:
    """Any integer, such as a member of an IntEnum or one of NumPy, but no bool. Raises TypeError."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError
    return int(value)


def number(value: Any) -> float:
    """Any real number as a float, but no bool. Raises TypeError."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError
    return float(value)


def code_point(value: Any) -> int:
    """The Unicode scalar value of a string of one character. wasmtime aborts the process on a surrogate."""
    point = ord(value) if isinstance(value, str) else -1
    if point < 0 or 0xD800 <= point <= 0xDFFF:
        raise TypeError
    return point


def items_of(value: Any) -> Sequence[Any]:
    """The items of a list or tuple; text and bytes are none. Raises TypeError, and ValueError over the limit.

    A sequence of another class gives as many as it says that it has: one that never ends would fill the memory.
    """
    if isinstance(value, str | bytes | bytearray | memoryview) or not isinstance(value, Sequence):
        raise TypeError
    size = len(value)
    if size > HOST_VALUE_LIMIT:
        raise ValueError
    return value if type(value) is list or type(value) is tuple else list(itertools.islice(value, size))


def octets(value: Any) -> bytes | bytearray | memoryview:
    """The bytes of a bytes-like object or of a list of small ints. Raises TypeError or ValueError."""
    if isinstance(value, bytes | bytearray):
        return value
    if isinstance(value, memoryview):
        return value.tobytes()
    return bytes(map(integer, items_of(value)))


def spread(value: Any, keep: Callable[[Any], None]) -> tuple[int, int]:
    """Bytes as a block of u8 values: their number, and the address of the block."""
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
    """The fields of a record given as a mapping, by names in snake_case or kebab-case. Raises TypeError or KeyError."""
    if not isinstance(value, Mapping):
        raise TypeError
    return tuple(value[name] if name in value else value[name.rstrip("_").replace("_", "-")] for name in names)


class Cases(dict[type, tuple[int, int, _Lower | None]]):
    """The cases of a variant by the Python class that stands for them.

    To each belong length and address of its name, and what packs its payload. Filled as classes are met; raises
    KeyError for a class that stands for no case.
    """

    _MOST = 256  # a notebook defines its classes again and again

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
    """Length and address of an enum's names, by any spelling: `NETWORK_DOWN` or `network-down`. Raises KeyError."""

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
    """The names of a flags type, packed for those that a value has set."""

    def __init__(self, shape: Flags) -> None:
        self._rows = [(folded(name), name.encode()) for name in shape.names]

    def pack(self, value: Any, keep: Callable[[bytes], None]) -> tuple[int, int]:
        """Number and address of the names in `value`, an enum.Flag or a set of names. Raises TypeError or KeyError."""
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
