"""From Python's values to wasmtime's: generating the code that packs a value of one shape.

A value is packed from its leaves up: each string, list or record becomes a bytes object, and the value around it packs
the address. wasmtime allocates nothing for it, so that a value which does not fit leaves nothing behind. wasmtime reads
the finished tree in place (arguments of an export), or copies it in one native call (the result of an import).

The code checks what the struct module does not. Every exception from it means that the value does not fit: `check.find`
then finds out where.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..interface import Err, Ok, Some
from . import members
from .handles import give, hand_back, lend, type_id
from .layout import BYTES, KIND, PAYLOAD, SCALARS
from .names import python_name
from .shapes import Borrow, Enum, Flags, List, Option, Own, Primitive, Record, Resource, Result, Shape, Tuple, Variant
from .source import Source, payload_layout

# names that any generated function may use
_TOOLS: dict[str, Any] = {
    "encode": str.encode,
    "integer": members.integer,
    "number": members.number,
    "code_point": members.code_point,
    "spread": members.spread,
    "items_of": members.items_of,
    "fields_of": members.fields_of,
    "Some": Some,
    "Ok": Ok,
    "Err": Err,
}


def kind_of(shape: Shape) -> bytes:
    """Return the kind byte of values of a shape."""
    if isinstance(shape, Own | Borrow):
        return KIND["resource"]
    return KIND[shape.name if isinstance(shape, Primitive) else type(shape).__name__.lower()]


def val_layout(shape: Shape) -> str:
    """Return the struct code of a whole value: its kind, then its payload."""
    return f"1s{PAYLOAD - 1}x{payload_layout(shape)[0]}"


class Lower:
    """Adds code that packs values to `source`, a function with the locals `store` and `keep`.

    `keep` is called with each bytes object that another one points to, and has to keep it until wasmtime has read it.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        source.globals.update(_TOOLS)

    def payload(self, shape: Shape, value: str) -> list[str]:
        """Return expressions for the raw values that make up the payload of `value`, a local name."""
        write: Callable[..., list[str]] = getattr(self, f"_{type(shape).__name__.lower()}")
        return write(shape, value)

    def packed(self, shapes: Sequence[Shape], values: Sequence[str]) -> str:
        """Return an expression for bytes with the values, local names, packed side by side."""
        parts = [part for shape, value in zip(shapes, values, strict=True) for part in self._whole(shape, value)]
        pack = self._source.packer("".join(map(val_layout, shapes)))
        return f"{pack}({', '.join(parts)})"

    def _whole(self, shape: Shape, value: str) -> list[str]:
        return [repr(kind_of(shape)), *self.payload(shape, value)]

    def _kept(self, hint: str, packed: str) -> str:
        """Add code that assigns packed bytes to a local and keeps them; return the local's name."""
        name = self._source.name(hint)
        self._source.line(f"{name} = {packed}")
        self._source.line(f"keep({name})")
        return name

    def _primitive(self, shape: Primitive, value: str) -> list[str]:
        if shape.name == "string":
            text = self._kept("text", f"encode({value})")
            return [f"len({text})", f"id({text}) + {BYTES}"]
        if shape.name == "char":
            return [f"code_point({value})"]
        if shape.name == "bool":
            with self._source.block(f"if {value} is not True and {value} is not False:"):
                self._source.line("raise TypeError")
        else:
            wanted, convert = ("float", "number") if SCALARS[shape.name] in "fd" else ("int", "integer")
            with self._source.block(f"if type({value}) is not {wanted}:"):
                self._source.line(f"{value} = {convert}({value})")
        return [value]

    def _list(self, shape: List, value: str) -> list[str]:
        if shape.element == Primitive("u8"):
            size, buffer = self._source.name("size"), self._source.name("buffer")
            self._source.line(f"{size}, {buffer} = spread({value}, keep)")
            return [size, buffer]
        if self._source.is_deep:
            return self._apart(shape, value)
        rows, item = self._source.name("rows"), self._source.name("item")
        self._source.line(f"{rows} = []")
        with self._source.block(f"for {item} in items_of({value}):"):
            self._source.line(f"{rows}.append({self.packed([shape.element], [item])})")
        block = self._kept("block", f"b''.join({rows})")
        return [f"len({rows})", f"id({block}) + {BYTES}"]

    def _apart(self, shape: List, value: str) -> list[str]:
        """Pack a list in a function of its own: Python takes only 20 blocks inside each other."""
        inner = Source("pack(store, value, keep)")
        inner.line(f"return {', '.join(Lower(inner).payload(shape, 'value'))}")
        size, block = self._source.name("size"), self._source.name("block")
        pack = self._source.constant("pack_list", inner.compile(f"lower {shape}"))
        self._source.line(f"{size}, {block} = {pack}(store, {value}, keep)")
        return [size, block]

    def _option(self, shape: Option, value: str) -> list[str]:
        address = self._source.name("address")
        with self._source.block(f"if {value} is None:"):
            self._source.line(f"{address} = 0")
        with self._source.block("else:"):
            inner = value
            if isinstance(shape.some, Option):
                inner = self._source.name("some")
                with self._source.block(f"if type({value}) is not Some:"):
                    self._source.line("raise TypeError")
                self._source.line(f"{inner} = {value}.value")
            self._box(shape.some, inner, address)
        return [address]

    def _box(self, shape: Shape, value: str, address: str) -> None:
        box = self._kept("box", self.packed([shape], [value]))
        self._source.line(f"{address} = id({box}) + {BYTES}")

    def _result(self, shape: Result, value: str) -> list[str]:
        is_ok, address, inner = (self._source.name(hint) for hint in ("is_ok", "address", "inner"))
        self._source.line(f"{inner} = {value}.value")
        self._source.line(f"{is_ok} = isinstance({value}, Ok)")
        for header, payload in ((f"if {is_ok}:", shape.ok), (f"elif isinstance({value}, Err):", shape.err)):
            with self._source.block(header):
                self.payload_of(payload, inner, address)
        with self._source.block("else:"):
            self._source.line("raise TypeError")
        return [is_ok, address]

    def payload_of(self, payload: Shape | None, value: str, address: str) -> None:
        """Add code that packs the payload of a result's case, and assigns its address to the local `address`.

        Of a case without a payload `value` has to be None, and the address is 0.
        """
        if payload is not None:
            self._box(payload, value, address)
            return
        with self._source.block(f"if {value} is not None:"):
            self._source.line("raise TypeError")
        self._source.line(f"{address} = 0")

    def _tuple(self, shape: Tuple, value: str) -> list[str]:
        names = [self._source.name("item") for _ in shape.items]
        self._source.line(f"{', '.join(names)}, = {value} if type({value}) is tuple else items_of({value})")
        block = self._kept("block", self.packed(shape.items, names))
        return [str(len(names)), f"id({block}) + {BYTES}"]

    def _record(self, shape: Record, value: str) -> list[str]:
        attributes = [python_name(name) for name, _ in shape.fields]
        fields = [self._source.name("field") for _ in shape.fields]
        by_name = f"{', '.join(fields)}, = fields_of({value}, {attributes!r})"
        with self._source.block(f"if type({value}) is dict:"):  # a field `items` must not find the method of that name
            self._source.line(by_name)
        with self._source.block("else:"):
            with self._source.block("try:"):
                for field, attribute in zip(fields, attributes, strict=True):
                    self._source.line(f"{field} = {value}.{attribute}")
            with self._source.block("except AttributeError:"):
                self._source.line(by_name)
        parts = []
        for field, (wit, kind) in zip(fields, shape.fields, strict=True):
            name = self._source.constant("name", wit.encode())
            parts += [str(len(wit.encode())), f"id({name}) + {BYTES}", *self._whole(kind, field)]
        pack = self._source.packer("".join(f"QQ{val_layout(kind)}" for _, kind in shape.fields))
        block = self._kept("block", f"{pack}({', '.join(parts)})")
        return [str(len(fields)), f"id({block}) + {BYTES}"]

    def _variant(self, shape: Variant, value: str) -> list[str]:
        cases = self._source.constant("cases", members.Cases(shape, lowerer))
        size, name, lower, address = (self._source.name(hint) for hint in ("size", "name", "lower", "address"))
        self._source.line(f"{size}, {name}, {lower} = {cases}[type({value})]")
        with self._source.block(f"if {lower} is None:"):
            self._source.line(f"{address} = 0")
        with self._source.block("else:"):
            box = self._kept("box", f"{lower}(store, {value}.value, keep)")
            self._source.line(f"{address} = id({box}) + {BYTES}")
        return [size, name, address]

    def _enum(self, shape: Enum, value: str) -> list[str]:
        names = self._source.constant("names", members.EnumNames(shape))
        size, name = self._source.name("size"), self._source.name("name")
        self._source.line(f"{size}, {name} = {names}[getattr({value}, '_name_', {value})]")
        return [size, name]

    def _flags(self, shape: Flags, value: str) -> list[str]:
        flags = self._source.constant("flags", members.FlagNames(shape))
        size, buffer = self._source.name("size"), self._source.name("buffer")
        self._source.line(f"{size}, {buffer} = {flags}.pack({value}, keep)")
        return [size, buffer]

    def _own(self, shape: Own, value: str) -> list[str]:
        return [self._handle(shape.resource, value, "give", give)]

    def _borrow(self, shape: Borrow, value: str) -> list[str]:
        return [self._handle(shape.resource, value, "lend", lend)]

    def _handle(self, resource: Resource, value: str, hint: str, enter: Callable[..., None]) -> str:
        """Add code that makes a handle, for the store to free later; return the local with the handle's address."""
        handle = self._source.name("handle")
        if resource.host:
            function, word = self._source.constant(hint, enter), self._source.unpacker("Q")
            self._source.line(f"{function}(store, {value}, {type_id(resource.key)}, store.scratch)")
            self._source.line(f"{handle}, = {word}(VIEW, store.scratch)")
        else:
            function, constant = (self._source.constant("back", hand_back), self._source.constant("resource", resource))
            self._source.line(f"{handle} = {function}(store, {value}, {constant}, owned={enter is give})")
        self._source.line(f"store.boxes.append({handle})")
        return handle


def lowerer(shape: Shape) -> Callable[[Any, Any, Callable[[bytes], None]], bytes]:
    """Generate a function `(store, value, keep)` that packs one value of a shape into bytes."""
    source = Source("lower(store, value, keep)")
    source.line(f"return {Lower(source).packed([shape], ['value'])}")
    lower: Callable[[Any, Any, Callable[[bytes], None]], bytes] = source.compile(f"lower {shape}")
    return lower
