"""Writing a Python function line by line, with fresh names for locals and constants, and compiling it."""

from __future__ import annotations

import contextlib
import functools
import struct
import types
from collections.abc import Iterator
from typing import Any

from .layout import MEMORY, PAYLOAD, SCALARS, VAL, VIEW
from .shapes import Borrow, Option, Own, Primitive, Result, Shape, Variant

_ROOM = VAL - PAYLOAD
_DEEP = 12  # blocks inside each other, of which Python takes 20, and one list may need several


def payload_layout(shape: Shape) -> tuple[str, int]:
    """Return the struct code of a shape's payload, padded to the end of the union, and the number of its raw values.

    The payload of strings, lists, records, tuples, enums and flags is a size and an address.
    """
    if isinstance(shape, Primitive) and shape.name in SCALARS:
        code = SCALARS[shape.name]
        return f"{code}{_ROOM - struct.calcsize(code)}x", 1
    if isinstance(shape, Own | Borrow | Option):
        return f"Q{_ROOM - 8}x", 1
    if isinstance(shape, Result):
        return f"?7xQ{_ROOM - 16}x", 2
    if isinstance(shape, Variant):
        return "QQQ", 3
    return f"QQ{_ROOM - 16}x", 2


class Source:
    """A Python function under construction. Constants become its globals, under one name for the same object."""

    def __init__(self, signature: str) -> None:
        self._lines = [f"def {signature}:"]
        self._depth = 1
        self._names = 0
        self._by_value: dict[tuple[str, int], str] = {}
        # builtins that calls use most: Python looks among the globals first
        self.globals: dict[str, Any] = {"MEMORY": MEMORY, "VIEW": VIEW, "type": type, "int": int, "float": float}

    def line(self, text: str) -> None:
        """Add a statement at the present depth."""
        self._lines.append("    " * self._depth + text)

    @contextlib.contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Add `header`, and indent the statements that are added inside the `with` block."""
        self.line(header)
        self._depth += 1
        before = len(self._lines)
        yield
        if len(self._lines) == before:
            self.line("pass")
        self._depth -= 1

    @property
    def is_deep(self) -> bool:
        """Whether so many blocks are open that a list has to be read or packed in a function of its own."""
        return self._depth > _DEEP

    def name(self, hint: str) -> str:
        """Return a local name, beginning with `hint`, that is not in use."""
        self._names += 1
        return f"{hint}{self._names}"

    def local(self, hint: str, expression: str) -> str:
        """Return a local name for the value of `expression`, which is assigned to it unless it is a name already."""
        if expression.isidentifier():
            return expression
        name = self.name(hint)
        self.line(f"{name} = {expression}")
        return name

    def constant(self, hint: str, value: Any) -> str:
        """Return a global name for `value`, beginning with `hint` in capitals."""
        key = (hint, id(value))
        if key not in self._by_value:
            name = self._by_value[key] = self.name(hint.upper())
            self.globals[name] = value
        return self._by_value[key]

    @staticmethod
    def struct(layout: str) -> struct.Struct:
        """Return the one Struct of a layout."""
        return _structs.setdefault(layout, struct.Struct(f"<{layout}"))

    def unpacker(self, layout: str) -> str:
        """Return the name of a function that unpacks `layout` from a buffer at an offset."""
        return self.constant("unpack", self.struct(layout).unpack_from)

    def packer(self, layout: str) -> str:
        """Return the name of a function that packs values as `layout` into bytes."""
        return self.constant("pack", self.struct(layout).pack)

    def rows(self, layout: str) -> str:
        """Return the name of a function that unpacks `layout` repeatedly, to the end of a buffer."""
        return self.constant("rows", self.struct(layout).iter_unpack)

    def compile(self, origin: str) -> Any:
        """Compile the function and return it; `origin` stands in tracebacks for the file."""
        if any("keep" in line for line in self._lines[1:]) and "keep" not in self._lines[0]:
            self._lines.insert(1, "    keep = [].append")
        text = "\n".join(self._lines)
        scope = dict(self.globals)
        exec(_compiled(text, f"<washnb {origin}>"), scope)  # text of our own making
        return scope[self._lines[0].removeprefix("def ").partition("(")[0]]


_structs: dict[str, struct.Struct] = {}


@functools.lru_cache(maxsize=2048)
def _compiled(text: str, origin: str) -> types.CodeType:
    """Compile a text once: that is most of the work, and each new binding table has the same functions."""
    return compile(text, origin, "exec")
