"""Generating the code that writes the result of a host call where wasmtime expects it.

wasmtime frees the result afterwards, so all memory behind it has to be wasmtime's.
"""

from __future__ import annotations

import struct

from washnb.errors import MismatchError

from . import layout
from .check import mismatch_error
from .handles import give, type_id
from .layout import PAYLOAD
from .lift import FindClasses
from .lower import Lower, kind_of, val_layout
from .shapes import Borrow, Function, List, Option, Own, Primitive, Record, Result, Shape, Tuple, Variant
from .source import Source

MISFITS = (TypeError, ValueError, AttributeError, KeyError, OverflowError, struct.error)
"""The exceptions that generated packing code raises for a value that does not fit."""


def write_result(source: Source, function: Function, label: str, named: FindClasses, *, is_ok: bool = True) -> None:
    """Add code that writes the local `value` to the address in the local `results`, as the result of `function`.

    Where the function returns a WIT result, `value` is the payload of its ok or its error case, as `is_ok` says. The
    code raises MismatchError for a value that does not fit; `label` is the function's name there.
    """
    result = function.result
    shape = result
    with source.block("try:"):
        if isinstance(result, Result):
            shape = result.ok if is_ok else result.err
            _Place(source).case(is_ok, shape)
        else:
            _Place(source).whole(result)
    with source.block(f"except {source.constant('mismatch', MismatchError)}:"):
        source.line("raise")
    with source.block(f"except {source.constant('misfits', MISFITS)} as error:"):
        explain = source.constant("explain", mismatch_error)
        what = f"{label!r}, 'result', {source.constant('shape', shape)}, value"
        source.line(f"raise {explain}({what}, classes={source.constant('named', named)}(), error=error)")


class _Place:
    """Adds code that writes the local `value` to the address in the local `results`.

    A string, bytes or a handle is made in wasmtime's memory by one native call. A larger value is packed into a tree of
    bytes objects, which one native call copies.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lower = Lower(source)

    def whole(self, shape: Shape | None) -> None:
        """Add code that writes `value` as a result of the type `shape`; None for a function without one."""
        if shape is None:
            with self._source.block("if value is not None:"):
                self._source.line("raise TypeError")
        elif isinstance(shape, Option) and _is_direct(shape.some):
            with self._source.block("if value is None:"):
                self._pack(shape, "results", "0")
            with self._source.block("else:"):
                self._pack(shape, "results", self._box(shape.some))
        elif _is_direct(shape):
            self._direct(shape, "results")
        else:
            self._clone(shape, self._lower.packed([shape], ["value"]))

    def case(self, is_ok: bool, payload: Shape | None) -> None:
        """Add code that writes a WIT result, with `value` as the payload of its ok or error case."""
        result = Result(None, None)
        if payload is not None and _is_direct(payload):
            self._pack(result, "results", str(is_ok), self._box(payload))
            return
        address = self._source.name("address")
        self._lower.payload_of(payload, "value", address)
        if payload is None:
            self._pack(result, "results", str(is_ok), address)
        else:
            pack = self._source.packer(val_layout(result))
            self._clone(payload, f"{pack}({kind_of(result)!r}, {is_ok}, {address})")

    def _clone(self, shape: Shape, packed: str) -> None:
        self._source.line(f"{self._source.constant('clone', layout.val_clone)}({packed}, results)")
        if _holds_handles(shape):
            self._source.line("store.free_boxes()")

    def _box(self, shape: Shape) -> str:
        self._direct(shape, "store.scratch")
        return f"{self._source.constant('val_new', layout.val_new)}(store.scratch)"

    def _direct(self, shape: Shape, address: str) -> None:
        if isinstance(shape, Own) and shape.resource.host:
            kind = type_id(shape.resource.key)
            self._source.line(f"{self._source.constant('give', give)}(store, value, {kind}, {address} + {PAYLOAD})")
        elif shape == Primitive("string"):
            self._source.line("text = encode(value)")
            new = self._source.constant("byte_vec_new", layout.byte_vec_new)
            self._source.line(f"{new}({address} + {PAYLOAD}, len(text), text)")
        elif shape == List(Primitive("u8")):
            size, block = self._lower.payload(shape, "value")
            new = self._source.constant("vallist_new", layout.vallist_new)
            self._source.line(f"{new}({address} + {PAYLOAD}, {size}, {block})")
        else:
            self._pack(shape, address, *self._lower.payload(shape, "value"))
            return
        self._source.line(f"MEMORY[{address}] = {kind_of(shape)!r}")

    def _pack(self, shape: Shape, address: str, *parts: str) -> None:
        pack = self._source.constant("pack_into", self._source.struct(val_layout(shape)).pack_into)
        self._source.line(f"{pack}(VIEW, {address}, {kind_of(shape)!r}, {', '.join(parts)})")


def _is_direct(shape: Shape) -> bool:
    """Whether a value of this type can be written with at most one native call, without packing a tree."""
    if isinstance(shape, Own):
        return shape.resource.host
    return isinstance(shape, Primitive) or shape == List(Primitive("u8"))


def _holds_handles(shape: Shape | None) -> bool:
    """Whether a value of this type may contain a handle."""
    if isinstance(shape, Own | Borrow):
        return True
    inner: tuple[Shape | None, ...] = ()
    if isinstance(shape, List):
        inner = (shape.element,)
    elif isinstance(shape, Option):
        inner = (shape.some,)
    elif isinstance(shape, Result):
        inner = (shape.ok, shape.err)
    elif isinstance(shape, Tuple):
        inner = shape.items
    elif isinstance(shape, Record):
        inner = tuple(field for _, field in shape.fields)
    elif isinstance(shape, Variant):
        inner = tuple(payload for _, payload in shape.cases)
    return any(map(_holds_handles, inner))
