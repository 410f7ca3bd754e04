"""The writing of Python functions: lines, names for values and for constants, and one compilation at the end."""

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
_DEEP = 12  # blocks in each other, of which Python takes 20


def payload_layout(shape: Shape) -> tuple[str, int]:
    """The struct code of a shape's payload, padded to the end of the union, and how many raw values it yields.

    Strings, lists, records, tuples, enums and flags are a size and an address.
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
    """A function under construction. Constants become its globals; equal ones share a name."""

    def __init__(self, signature: str) -> None:
        self._lines = [f"def {signature}:"]
        self._depth = 1
        self._names = 0
        self._by_value: dict[tuple[str, int], str] = {}
        # the builtins that calls ask most are found sooner among the globals
        self.globals: dict[str, Any] = {"MEMORY": MEMORY, "VIEW": VIEW, "type": type, "int": int, "float": float}

    def line(self, text: str) -> None:
        """Add a statement at the present depth."""
        self._lines.append("    " * self._depth + text)

    @contextlib.contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Indent what is added inside under `header`."""
        self.line(header)
        self._depth += 1
        before = len(self._lines)
        yield
        if len(self._lines) == before:
            self.line("pass")
        self._depth -= 1

    @property
    def is_deep(self) -> bool:
        """Whether what comes next is to be a function of its own."""
        return self._depth > _DEEP

    def name(self, hint: str) -> str:
        """A local name that nobody else uses."""
        self._names += 1
        return f"{hint}{self._names}"

    def local(self, hint: str, expression: str) -> str:
        """A local name for an expression: the expression itself where it is a name already."""
        if expression.isidentifier():
            return expression
        name = self.name(hint)
        self.line(f"{name} = {expression}")
        return name

    def constant(self, hint: str, value: Any) -> str:
        """A global name for `value`; the same object gets the same name."""
        key = (hint, id(value))
        if key not in self._by_value:
            name = self._by_value[key] = self.name(hint.upper())
            self.globals[name] = value
        return self._by_value[key]

    @staticmethod
    def struct(layout: str) -> struct.Struct:
        """A struct of this layout; one for each layout, so that its bound methods can be shared."""
        return _structs.setdefault(layout, struct.Struct(f"<{layout}"))

    def unpacker(self, layout: str) -> str:
        """The name of a function that unpacks `layout` from a buffer and an offset."""
        return self.constant("unpack", self.struct(layout).unpack_from)

    def packer(self, layout: str) -> str:
        """The name of a function that packs values as `layout` into bytes."""
        return self.constant("pack", self.struct(layout).pack)

    def rows(self, layout: str) -> str:
        """The name of a function that unpacks `layout` again and again, to the end of a buffer."""
        return self.constant("rows", self.struct(layout).iter_unpack)

    def compile(self, origin: str) -> Any:
        """The function. `origin` names it in tracebacks."""
        if any("keep" in line for line in self._lines[1:]) and "keep" not in self._lines[0]:
            self._lines.insert(1, "    keep = [].append")
        text = "\n".join(self._lines)
        scope = dict(self.globals)
        exec(_compiled(text, f"<washnb {origin}>"), scope)  # text of our own making
        return scope[self._lines[0].removeprefix("def ").partition("(")[0]]


_structs: dict[str, struct.Struct] = {}


@functools.lru_cache(maxsize=2048)
def _compiled(text: str, origin: str) -> types.CodeType:
    """Compiling is most of the work, and each new binding table asks for the same text again."""
    return compile(text, origin, "exec")
