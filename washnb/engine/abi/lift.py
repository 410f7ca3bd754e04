"""From wasmtime's values to Python's: generating the code that reads a value of one shape.

The payload of a value is unpacked into a few raw variables; `Lift.value` turns those into an expression for the Python
value, after statements that it adds where one expression is not enough. wasmtime guarantees that strings are UTF-8.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..interface import Err, Ok, Some
from . import classes
from .classes import Classes
from .handles import adopt, rep_of
from .layout import ENTRY, MEMORY, PAYLOAD, SCALARS, VAL, VIEW, WORD
from .names import python_name
from .shapes import Borrow, Enum, Flags, List, Option, Own, Primitive, Record, Resource, Result, Shape, Tuple, Variant
from .source import Source, payload_layout

FindClasses = Callable[[], Classes]
"""Returns the Python classes of a component's named types; they are made when the first value of one is read."""

_WIDTHS = {"b": 1, "B": 1, "?": 1, "h": 2, "H": 2, "i": 4, "I": 4, "f": 4, "q": 8, "Q": 8, "d": 8}


class Lift:
    """Adds code that reads values to `source`, a function with the store as the local `store`.

    `named` returns the classes for types that no annotation names. Making them takes milliseconds, so it is called for
    such a type only.
    """

    def __init__(self, source: Source, named: FindClasses) -> None:
        self._source = source
        self._named = named

    def values(self, shapes: Sequence[Shape], hints: Sequence[Any], address: str, *, skip: int = PAYLOAD) -> list[str]:
        """Return expressions for values that lie side by side from `address` on.

        `hints` are their annotations, or None; `skip` is the number of bytes before each payload.
        """
        raws = [[self._source.name("r") for _ in range(payload_layout(shape)[1])] for shape in shapes]
        if shapes:
            unpack = self._source.unpacker("".join(f"{skip}x{payload_layout(shape)[0]}" for shape in shapes))
            names = ", ".join(name for each in raws for name in each)
            self._source.line(f"{names}, = {unpack}(VIEW, {address})")
        return [self.value(*each) for each in zip(shapes, raws, hints, strict=True)]

    def value(self, shape: Shape, raws: Sequence[str], hint: Any) -> str:
        """Return an expression for the value in the raw variables `raws`, in the class that the annotation names."""
        write: Callable[..., str] = getattr(self, f"_{type(shape).__name__.lower()}")
        return write(shape, raws, hint)

    def boxed(self, shape: Shape, hint: Any, address: str) -> str:
        """Return an expression for the value that lies at `address`."""
        return self.values([shape], [hint], address)[0]

    def _primitive(self, shape: Primitive, raws: Sequence[str], _hint: Any) -> str:
        if shape.name == "string":
            size, address = raws
            return f"MEMORY[{address}:{address} + {size}].decode()"
        return f"chr({raws[0]})" if shape.name == "char" else raws[0]

    def _list(self, shape: List, raws: Sequence[str], hint: Any) -> str:
        size, address = raws
        element = shape.element
        block = f"MEMORY[{address}:{address} + {VAL} * {size}]"
        if isinstance(element, Primitive) and element.name in SCALARS and element.name != "char":
            if element.name == "u8":
                return f"MEMORY[{address} + {PAYLOAD}:{address} + {PAYLOAD} + {VAL} * {size}:{VAL}]"
            code = SCALARS[element.name]
            width = _WIDTHS[code]
            return f"memoryview({block}).cast({code!r})[{PAYLOAD // width}::{VAL // width}].tolist()"
        if self._source.is_deep:
            return self._apart(shape, raws, hint)
        layout, count = payload_layout(element)
        names = [self._source.name("r") for _ in range(count)]
        inner = (classes.arguments(hint, list, Sequence) or (None,))[0]
        rows = f"for {', '.join(names)}, in {self._source.rows(f'{PAYLOAD}x{layout}')}({block})"
        if isinstance(element, Primitive | Enum | Flags):
            return f"[{self.value(element, names, inner)} {rows}]"
        items = self._source.name("items")
        self._source.line(f"{items} = []")
        with self._source.block(f"{rows}:"):
            self._source.line(f"{items}.append({self.value(element, names, inner)})")
        return items

    def _apart(self, shape: List, raws: Sequence[str], hint: Any) -> str:
        """Read a list in a function of its own: Python takes only 20 blocks inside each other."""
        inner = Source("read(store, size, address)")
        inner.line(f"return {Lift(inner, self._named).value(shape, ('size', 'address'), hint)}")
        return f"{self._source.constant('read', inner.compile(f'lift {shape}'))}(store, {', '.join(raws)})"

    def _option(self, shape: Option, raws: Sequence[str], hint: Any) -> str:
        (address,) = raws
        result = self._source.name("option")
        nested = isinstance(shape.some, Option)
        if nested:
            hint = (classes.arguments(hint, Some) or (None,))[0]
        with self._source.block(f"if {address}:"):
            some = self.boxed(shape.some, hint, address)
            self._source.line(
                f"{result} = {self._source.constant('some', Some)}({some})" if nested else f"{result} = {some}"
            )
        with self._source.block("else:"):
            self._source.line(f"{result} = None")
        return result

    def _result(self, shape: Result, raws: Sequence[str], hint: Any) -> str:
        is_ok, address = raws
        result = self._source.name("result")
        for header, cls, payload in ((f"if {is_ok}:", Ok, shape.ok), ("else:", Err, shape.err)):
            inner = (classes.arguments(hint, cls) or (None,))[0]
            with self._source.block(header):
                value = "" if payload is None else self.boxed(payload, inner, address)
                self._source.line(f"{result} = {self._source.constant(cls.__name__, cls)}({value})")
        return result

    def _tuple(self, shape: Tuple, raws: Sequence[str], hint: Any) -> str:
        hints = classes.arguments(hint, tuple)
        if len(hints) != len(shape.items):
            hints = (None,) * len(shape.items)
        return f"({', '.join(self.values(shape.items, hints, raws[1]))},)"

    def _record(self, shape: Record, raws: Sequence[str], hint: Any) -> str:
        annotated = classes.named_class(hint, object)
        cls = annotated or self._named().class_of(shape)
        hints = classes.field_hints(annotated)
        names = [python_name(name) for name, _ in shape.fields]
        values = self.values(
            [field for _, field in shape.fields],
            [hints.get(name) for name in names],
            raws[1],
            skip=ENTRY - VAL + PAYLOAD,
        )
        fields = ", ".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
        return f"{self._source.constant('record', cls)}({fields})"

    def _variant(self, shape: Variant, raws: Sequence[str], hint: Any) -> str:
        size, name, address = raws
        cases = self._source.constant("cases", _Cases(shape, hint, self._named))
        return f"{cases}[MEMORY[{name}:{name} + {size}]](store, {address})"

    def _enum(self, shape: Enum, raws: Sequence[str], hint: Any) -> str:
        size, address = raws
        members = self._source.constant("members", _enum_members(shape, hint, self._named))
        return f"{members}[MEMORY[{address}:{address} + {size}]]"

    def _flags(self, shape: Flags, raws: Sequence[str], hint: Any) -> str:
        read = self._source.constant("flags", functools.partial(_flags, *_flag_members(shape, hint, self._named)))
        return f"{read}({', '.join(raws)})"

    def _own(self, shape: Own, raws: Sequence[str], _hint: Any) -> str:
        return self._handle(shape.resource, raws[0], "store.objects.pop({})")

    def _borrow(self, shape: Borrow, raws: Sequence[str], _hint: Any) -> str:
        return self._handle(shape.resource, raws[0], "store.objects[{}]")

    def _handle(self, resource: Resource, raw: str, find: str) -> str:
        if resource.host:
            return find.format(f"{self._source.constant('rep_of', rep_of)}(store, {raw})")
        adopted = self._source.constant("adopt", adopt)
        return f"{adopted}(store, {raw}, {self._source.constant('resource', resource)})"


class _Cases(dict[bytes, Callable[[Any, int], Any]]):
    """For each case of a variant, by its name, a function from store and payload address to the Python value.

    Each is made when its case first occurs: wasi:http's error-code has forty cases, of which a program meets three.
    """

    def __init__(self, shape: Variant, hint: Any, named: FindClasses) -> None:
        super().__init__()
        self._shape = shape
        self._hint = hint
        self._named = named

    def __missing__(self, name: bytes) -> Callable[[Any, int], Any]:
        case = name.decode()
        payload = dict(self._shape.cases)[case]
        annotated = classes.named_case(self._hint, case)
        cls = annotated or self._named().case_of(self._shape, case)
        hint = classes.field_hints(annotated).get("value")
        self[name] = _constant(cls()) if payload is None else self._reader(payload, cls, hint)
        return self[name]

    def _reader(self, payload: Shape, cls: type, hint: Any) -> Callable[[Any, int], Any]:
        source = Source("read(store, address)")
        value = Lift(source, self._named).boxed(payload, hint, "address")
        source.line(f"return {source.constant('case', cls)}({value})")
        read: Callable[[Any, int], Any] = source.compile(f"lift {payload}")
        return read


def _constant(value: Any) -> Callable[[Any, int], Any]:
    return lambda _store, _address: value


def _enum_members(shape: Enum, hint: Any, named: FindClasses) -> dict[bytes, Any]:
    """Enum members by WIT name: of the annotated class where it has all of them, else of the interface's class."""
    found = _members(shape, classes.named_class(hint, enum.Enum)) or _members(shape, named().class_of(shape))
    return {name.encode(): member for name, member in found.items()}


def _flag_members(shape: Flags, hint: Any, named: FindClasses) -> tuple[type, dict[bytes, int]]:
    """The Flag class, and the bits of its members by WIT name.

    It is the annotated class where that has all the names, else the interface's.
    """
    cls: Any = classes.named_class(hint, enum.Flag)
    if not (members := _members(shape, cls)):
        cls = named().class_of(shape)
        members = _members(shape, cls)
    return cls, {name.encode(): member.value for name, member in members.items()}


def _members(shape: Enum | Flags, cls: Any) -> dict[str, Any]:
    """Members of `cls` by WIT name; empty where it lacks one of the names."""
    found = {} if cls is None else {name: classes.find_member(cls, name) for name in shape.names}
    return {} if None in found.values() else found


def _flags(cls: type, bits: dict[bytes, int], size: int, address: int) -> Any:
    value = 0
    for entry in range(address, address + 2 * WORD.size * size, 2 * WORD.size):
        (length,), (name,) = WORD.unpack_from(VIEW, entry), WORD.unpack_from(VIEW, entry + WORD.size)
        value |= bits[MEMORY[name : name + length]]
    return cls(value)
