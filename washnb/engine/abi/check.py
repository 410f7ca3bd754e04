"""Finding the place where a Python value does not fit its WIT type, and saying so.

The generated code only notices that a value does not fit. The walk here is slow and careful, and runs after that.
"""

from __future__ import annotations

import enum
import numbers
import reprlib
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from washnb.errors import MismatchError

from ..interface import Err, Ok, Some
from .classes import Classes, names_case
from .layout import SCALARS
from .members import HOST_VALUE_LIMIT, items_of
from .names import folded, python_name
from .shapes import (
    PLAIN,
    Borrow,
    Enum,
    Flags,
    Function,
    List,
    Option,
    Own,
    Primitive,
    Record,
    Result,
    Shape,
    Tuple,
    Variant,
)

_SHOWN = 80
_SHOWN_CASES = 4


@dataclass(frozen=True)
class Mismatch:
    """The innermost value that does not fit: its place (`point.x`, `headers[2]`), the shape there, what is wrong.

    Where the shape is a variant, `cases` are the indexes of the cases that the value may have been meant for.
    """

    place: str
    shape: Shape | None
    reason: str
    cases: Sequence[int] = ()


def mismatch_error(
    function: str,
    place: str,
    shape: Shape | None,
    value: Any,
    *,
    signature: Function | None = None,
    classes: Classes | None = None,
    error: BaseException | None = None,
) -> MismatchError:
    """Make the error for `value`, which does not fit `shape`.

    `function` names the function and `place` the value in it: a parameter, or "result". A `signature` is shown as the
    repairing line. With `classes`, types are written by their names, and examples are given. `error` is what packing
    has raised: the cause only where the value seems to fit, for it says less than the message.
    """
    cause, found = None, find(shape, value, place)
    if found is None:
        cause, found = error, Mismatch(place, shape, shown(value))
    message = (
        f"{function}: {found.place} is {_expected(found.shape, classes)}, not {found.reason}{_such(found, classes)}"
    )
    lines = [] if signature is None else [str(signature) if classes is None else classes.wit(signature)]
    if classes is not None and isinstance(found.shape, Record | Variant | Enum | Flags):
        definition = classes.definition(found.shape)
        lines = lines if definition in message else [definition, *lines]
    if isinstance(found.shape, Own | Borrow) and found.shape.resource.host and place == "result":
        lines.append(f'@resource("{found.shape.resource.name}")  # marks the class, an object of which is returned')
    made = MismatchError(message, repair=lines)
    made.__cause__ = cause
    return made


def _expected(shape: Shape | None, classes: Classes | None) -> str:
    if shape is None:
        return "nothing (WIT has no value there)"
    return str(shape) if classes is None else classes.wit(shape)


def _such(found: Mismatch, classes: Classes | None) -> str:
    """Suggest expressions for the first few cases of a variant that the value may have been meant for."""
    if classes is None or found.shape is None or not found.cases:
        return ""
    expressions = classes.examples(found.shape)
    return f", such as {' or '.join(expressions[each] for each in found.cases[:_SHOWN_CASES])}"


def shown(value: Any) -> str:
    """Write the first 80 characters of a value for an error message, and its Python type where these do not show it."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    text = _brief.repr(value)
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return text if value is None or isinstance(value, str | bytes | bool) else f"{text} ({type(value).__name__})"


class _Brief(reprlib.Repr):
    """Writes the beginning of a value of any size and depth, even where its `__repr__` raises."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = self.maxfrozenset = self.maxdeque = _SHOWN
        self.maxstring = self.maxother = self.maxlong = 2 * _SHOWN

    def repr_int(self, value: int, _level: int) -> str:
        """Write an integer, or how large it is: Python refuses to write numbers of thousands of digits."""
        return repr(value) if value.bit_length() <= _SHOWN else f"an integer of {value.bit_length()} bits"

    def repr_bytes(self, value: bytes, _level: int) -> str:
        """Write the beginning of bytes, which are cut first: the repr of all of them may be huge."""
        return repr(value[: self.maxother])


_brief = _Brief()


def find(shape: Shape | None, value: Any, place: str) -> Mismatch | None:
    """Return the first place where `value`, which is called `place`, does not fit `shape`; None where it fits."""
    if shape is None:
        return None if value is None else Mismatch(place, None, shown(value))
    return next(_WALKS[type(shape)](shape, value, place), None)


def _wrong(shape: Shape, value: Any, place: str) -> Iterator[Mismatch]:
    yield Mismatch(place, shape, shown(value))


def _inside(shape: Shape | None, value: Any, place: str) -> Iterator[Mismatch]:
    found = find(shape, value, place)
    if found is not None:
        yield found


def _primitive(shape: Primitive, value: Any, place: str) -> Iterator[Mismatch]:
    if not _PRIMITIVES.get(shape.name, _is_integer)(value):
        yield from _wrong(shape, value, place)
    elif shape.name == "string" and not _is_encodable(value):
        yield Mismatch(place, shape, f"{shown(value)}, which holds a lone surrogate")
    elif shape.name in SCALARS and shape.name not in _PRIMITIVES:
        bits = int(shape.name[1:])
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if shape.name[0] == "s" else (0, (1 << bits) - 1)
        if not low <= value <= high:
            yield Mismatch(place, shape, f"{_brief.repr(value)}: it must be between {low} and {high}")
    elif shape.name in {"f32", "f64"} and not _fits(shape.name, value):
        yield Mismatch(place, shape, f"{_brief.repr(value)}: it is too large")


def _is_integer(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _is_char(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 1 and not 0xD800 <= ord(value) <= 0xDFFF


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fits(kind: str, value: float) -> bool:
    try:
        struct.pack(f"<{SCALARS[kind]}", value)
    except (OverflowError, struct.error):  # the latter for an int
        return False
    return True


_PRIMITIVES: dict[str, Callable[[Any], bool]] = {
    "bool": lambda value: isinstance(value, bool),
    "char": _is_char,
    "string": lambda value: isinstance(value, str),
    "f32": _is_number,
    "f64": _is_number,
}


def _list(shape: List, value: Any, place: str) -> Iterator[Mismatch]:
    is_bytes = isinstance(value, bytes | bytearray | memoryview)
    if isinstance(value, str) or not isinstance(value, Sequence) or (is_bytes and shape.element != Primitive("u8")):
        yield from _wrong(shape, value, place)
    elif len(value) > HOST_VALUE_LIMIT:
        reason = f"one of {len(value):,} elements: washnb passes at most {HOST_VALUE_LIMIT:,} in one list"
        yield Mismatch(place, shape, reason)
    elif not is_bytes:
        for index, item in enumerate(items_of(value)):
            yield from _inside(shape.element, item, f"{place}[{index}]")


def _tuple(shape: Tuple, value: Any, place: str) -> Iterator[Mismatch]:
    if isinstance(value, str | bytes | bytearray | memoryview) or not isinstance(value, Sequence):
        yield from _wrong(shape, value, place)
    elif len(value) != len(shape.items):
        yield Mismatch(place, shape, f"{shown(value)}: it must have {len(shape.items)} items")
    else:
        for index, (inner, item) in enumerate(zip(shape.items, items_of(value), strict=False)):
            yield from _inside(inner, item, f"{place}[{index}]")


def _option(shape: Option, value: Any, place: str) -> Iterator[Mismatch]:
    if value is None:
        return
    if not isinstance(shape.some, Option):
        yield from _inside(shape.some, value, place)
    elif isinstance(value, Some):
        yield from _inside(shape.some, value.value, f"{place}.value")
    else:
        yield Mismatch(place, shape, f"{shown(value)}: an option in an option is None or Some(value)")


def _result(shape: Result, value: Any, place: str) -> Iterator[Mismatch]:
    if not isinstance(value, Ok | Err):
        yield Mismatch(place, shape, f"{shown(value)}: a nested result is Ok(value) or Err(value)")
    else:
        yield from _inside(shape.ok if isinstance(value, Ok) else shape.err, value.value, f"{place}.value")


def _record(shape: Record, value: Any, place: str) -> Iterator[Mismatch]:
    for name, field in shape.fields:
        attribute = python_name(name)
        if isinstance(value, Mapping):
            present = attribute in value or name in value
            inner = value.get(attribute, value.get(name))
        else:
            present = hasattr(value, attribute)
            inner = getattr(value, attribute, None)
        if not present:
            yield Mismatch(place, shape, f"{shown(value)}: it has no field {attribute}")
            return
        yield from _inside(field, inner, f"{place}.{attribute}")


def _variant(shape: Variant, value: Any, place: str) -> Iterator[Mismatch]:
    for name, payload in shape.cases:
        if names_case(type(value), name):
            if payload is not None:
                yield from _inside(payload, getattr(value, "value", None), f"{place}.value")
            return
    if isinstance(value, type):
        yield Mismatch(place, shape, f"{shown(value)}: an object of it is needed")
    else:
        reason = f"{shown(value)}: an object of the class of a case is needed"
        yield Mismatch(place, shape, reason, _meant(shape, value) or range(len(shape.cases)))


def _meant(shape: Variant, value: Any) -> list[int]:
    """Indexes of the cases that `value` names as text, or else of those whose payload it could be."""
    named = [at for at, (name, _) in enumerate(shape.cases) if isinstance(value, str) and folded(name) == folded(value)]
    return named or [
        at for at, (_, payload) in enumerate(shape.cases) if payload is not None and find(payload, value, "") is None
    ]


def _enum(shape: Enum, value: Any, place: str) -> Iterator[Mismatch]:
    name = value.name if isinstance(value, enum.Enum) else value
    if not isinstance(name, str) or folded(name) not in map(folded, shape.names):
        yield from _wrong(shape, value, place)


def _flags(shape: Flags, value: Any, place: str) -> Iterator[Mismatch]:
    names = [member.name for member in value] if isinstance(value, enum.Flag) else value
    known = set(map(folded, shape.names))
    if not isinstance(names, set | frozenset | list | tuple) or not all(
        isinstance(name, str) and folded(name) in known for name in names
    ):
        yield from _wrong(shape, value, place)


def _handle(shape: Own | Borrow, value: Any, place: str) -> Iterator[Mismatch]:
    if type(value) in PLAIN and shape.resource.host:  # for a resource of the guest `hand_back` has raised already
        yield from _wrong(shape, value, place)


_WALKS: dict[type, Callable[[Any, Any, str], Iterator[Mismatch]]] = {
    Primitive: _primitive,
    List: _list,
    Option: _option,
    Result: _result,
    Tuple: _tuple,
    Record: _record,
    Variant: _variant,
    Enum: _enum,
    Flags: _flags,
    Own: _handle,
    Borrow: _handle,
}
