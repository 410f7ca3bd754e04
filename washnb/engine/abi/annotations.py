"""How a WIT type is annotated in Python, and whether the annotation in an implementation agrees with the type.

Only a certain contradiction is a disagreement: a missing annotation, `Any`, and a form that is not known here agree
with every type.
"""

from __future__ import annotations

import enum
import inspect
import types
import typing
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..interface import Err, Ok, Some
from .classes import field_hints, find_member, names_case
from .names import python_name
from .shapes import VALUES, Borrow, Enum, Flags, List, Option, Own, Primitive, Record, Result, Shape, Tuple, Variant

Named = Record | Variant | Enum | Flags | Own | Borrow
"""The types of WIT that have a Python class each."""

_SCALARS: dict[str, type] = {"bool": bool, "f32": float, "f64": float, "char": str, "string": str}
_OCTETS = List(Primitive("u8"))


def normal_form(shape: Shape | None, class_of: Callable[[Named], str]) -> str:
    """Write the annotation for the values of a type that guests send; `class_of` names the classes in it."""

    def of(*inner: Shape | None) -> str:
        return ", ".join(normal_form(each, class_of) for each in inner)

    if shape is None:
        return "None"
    if isinstance(shape, Primitive):
        return _natural(shape).__name__
    if isinstance(shape, List):
        return "bytes" if shape == _OCTETS else f"list[{of(shape.element)}]"
    if isinstance(shape, Tuple):
        return f"tuple[{of(*shape.items)}]"
    if isinstance(shape, Option):
        return f"Some[{of(shape.some)}] | None" if isinstance(shape.some, Option) else f"{of(shape.some)} | None"
    if isinstance(shape, Result):
        return f"Ok[{of(shape.ok)}] | Err[{of(shape.err)}]"
    return class_of(shape)


def has_class(shape: Shape | None) -> bool:
    """Whether the annotation of a type names a class of its interface."""
    return "?" in normal_form(shape, lambda _: "?")


@dataclass(frozen=True)
class Disagreement:
    """The innermost type that an annotation contradicts: its `place` (`point.x`), its `shape`, and the annotation."""

    place: str
    shape: Shape | None
    hint: Any

    def __str__(self) -> str:
        return self.said(str)

    def said(self, wit: Callable[[Shape], str]) -> str:
        """Say in a sentence what contradicts what; `wit` writes the type."""
        expected = "nothing" if self.shape is None else wit(self.shape)
        return f"{self.place} is {expected} in WIT, and annotated {_shown(self.hint)}"


def disagreement(shape: Shape | None, hint: Any, place: str, *, incoming: bool) -> Disagreement | None:
    """Return the first place where the annotation `hint` contradicts the type `shape`, None where it does not.

    `place` names the value, such as `parameter key`. `incoming` values come from the guest, and always in the classes
    of `normal_form`; a value that Python returns may have any class that can be packed as the type.
    """
    return next(_Comparison(incoming).whole(shape, hint, place), None)


def returned(hint: Any) -> Any:
    """Return T where a function's return annotation is an awaitable of T, else the annotation itself."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    is_awaitable = isinstance(origin, type) and issubclass(origin, typing.Awaitable | Coroutine)
    return arguments[-1] if is_awaitable and arguments else hint


def _natural(shape: Primitive) -> type:
    return _SCALARS.get(shape.name, int)


def _shown(hint: Any) -> str:
    if hint is type(None):
        return "None"
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint).replace("typing.", "")


def _members(hint: Any) -> list[Any] | None:
    """The alternatives of an annotation, NoneType among them; None where it allows every value."""
    while True:
        if typing.get_origin(hint) is typing.Annotated:
            hint = typing.get_args(hint)[0]
        elif hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        elif hasattr(hint, "__value__"):  # an alias of the `type` statement
            hint = hint.__value__
        else:
            break
    if hint is None or hint in (Any, object) or isinstance(hint, typing.TypeVar | str):
        return None
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return [hint]
    inner = [_members(each) for each in typing.get_args(hint)]
    return None if None in inner else [each for members in inner for each in members or ()]


class _Comparison:
    """Compares annotations with types; each method yields the first place where they disagree, or nothing."""

    def __init__(self, incoming: bool) -> None:
        self._incoming = incoming

    def whole(self, shape: Shape | None, hint: Any, place: str) -> Iterator[Disagreement]:
        """Compare a type, and everything in it, with `hint`."""
        members = _members(hint)
        if members is None:
            return
        some = [each for each in members if each is not type(None)]
        if shape is None:
            if some == members and not any(each in (typing.NoReturn, typing.Never) for each in some):
                yield Disagreement(place, shape, hint)
            return
        if isinstance(shape, Option):
            yield from self._option(shape, hint, some, place, has_none=len(some) < len(members))
        elif some == members or (self._incoming and some):
            yield from self._one_of(shape, hint, some, place)
        else:
            yield Disagreement(place, shape, hint)

    def _option(
        self, shape: Option, hint: Any, some: list[Any], place: str, *, has_none: bool
    ) -> Iterator[Disagreement]:
        if self._incoming and not (has_none and some):
            yield Disagreement(place, shape, hint)
        elif not isinstance(shape.some, Option):
            yield from self._one_of(shape.some, hint, some, place) if some else ()
        else:
            for each in some:
                if not _is_a(each, Some):
                    yield Disagreement(place, shape, hint)
                for inner in typing.get_args(each):
                    yield from self.whole(shape.some, inner, f"{place}.value")

    def _one_of(self, shape: Shape, hint: Any, members: list[Any], place: str) -> Iterator[Disagreement]:
        """Compare a type with the alternatives of an annotation: one that agrees is enough.

        Of variants and results each must agree, because an alternative stands for a case, and a guest may send any.
        """
        if isinstance(shape, Variant):
            yield from self._variant(shape, hint, members, place)
        elif isinstance(shape, Result):
            yield from self._result(shape, hint, members, place)
        else:
            found = [next(self._single(shape, each, place), None) for each in members]
            if None not in found:
                yield found[0] if len(found) == 1 and found[0] else Disagreement(place, shape, hint)

    def _single(self, shape: Shape, hint: Any, place: str) -> Iterator[Disagreement]:
        cls = typing.get_origin(hint) or hint
        if not isinstance(cls, type):  # a Literal, say, or a form that this code does not know
            return
        if isinstance(shape, Primitive):
            agrees = self._scalar(_natural(shape), cls)
        elif isinstance(shape, List | Tuple):
            yield from self._sequence(shape, hint, cls, place)
            return
        elif isinstance(shape, Record):
            yield from self._record(shape, hint, cls, place)
            return
        elif isinstance(shape, Enum | Flags):
            agrees = self._named(shape, cls)
        else:
            assert isinstance(shape, Own | Borrow)
            agrees = not issubclass(cls, (*VALUES, dict)) and _mark_of(cls) in (None, shape.resource.name)
        if not agrees:
            yield Disagreement(place, shape, hint)

    def _scalar(self, natural: type, cls: type) -> bool:
        if natural is int and cls is bool:
            return False
        if {natural, cls} == {int, float}:
            return (natural is int) == self._incoming
        if natural is bool and cls is int:
            return self._incoming
        return _is_a(cls, natural) or _is_a(natural, cls)

    def _sequence(self, shape: List | Tuple, hint: Any, cls: type, place: str) -> Iterator[Disagreement]:
        arguments = typing.get_args(hint)
        fixed = cls is tuple and arguments[1:] != (...,)
        if shape == _OCTETS:
            agrees = _is_a(bytes, cls) or issubclass(cls, bytes | bytearray | memoryview)
            agrees = agrees or (not self._incoming and issubclass(cls, list | tuple))
        else:
            natural = list if isinstance(shape, List) else tuple
            agrees = _is_a(natural, cls) or (issubclass(cls, Sequence) and not issubclass(cls, str | bytes | bytearray))
        if isinstance(shape, Tuple) and fixed and arguments:
            agrees = agrees and len(arguments) == len(shape.items)
        if not agrees:
            yield Disagreement(place, shape, hint)
        elif isinstance(shape, Tuple) and fixed:
            for index, (item, inner) in enumerate(zip(shape.items, arguments, strict=False)):
                yield from self.whole(item, inner, f"{place}[{index}]")
        elif isinstance(shape, List) and arguments and not fixed:
            yield from self.whole(shape.element, arguments[0], f"{place}[]")

    def _record(self, shape: Record, hint: Any, cls: type, place: str) -> Iterator[Disagreement]:
        fields = {python_name(name): inner for name, inner in shape.fields}
        if self._incoming:
            agrees = not issubclass(cls, VALUES) and cls is hint and _takes(cls, fields)
        else:
            agrees = _is_a(cls, Mapping) or (not issubclass(cls, VALUES) and _has(cls, fields))
        if not agrees:
            yield Disagreement(place, shape, hint)
            return
        hints = field_hints(cls)
        for name, inner in fields.items():
            yield from self.whole(inner, hints.get(name), f"{place}.{name}")

    def _variant(self, shape: Variant, hint: Any, members: list[Any], place: str) -> Iterator[Disagreement]:
        """Compare a variant with the classes of an annotation: each is that of a case, or a base of such classes.

        For what a guest sends the classes have to cover all cases.
        """
        left = {name for name, _ in shape.cases} if self._incoming else set()
        for member in members:
            cls = typing.get_origin(member) or member
            if not isinstance(cls, type):
                left.clear()
                continue
            case = next((each for each in shape.cases if names_case(cls, each[0])), None)
            left = left - {case[0]} if case else set()
            if case is None:
                if not self._base_of_cases(shape, cls):
                    yield Disagreement(place, shape, hint)
            elif not _takes(cls, ["value"] if case[1] else [], by_name=False):
                yield Disagreement(place, shape, hint)
            elif case[1] is not None:
                yield from self.whole(case[1], field_hints(cls).get("value"), f"{place}.value")
        if left:
            yield Disagreement(place, shape, hint)

    def _base_of_cases(self, shape: Variant, cls: type) -> bool:
        below = () if issubclass(cls, (*VALUES, dict)) else _heirs(cls)
        return any(names_case(each, name) for each in below for name, _ in shape.cases)

    def _result(self, shape: Result, hint: Any, members: list[Any], place: str) -> Iterator[Disagreement]:
        for member in members:
            cls = typing.get_origin(member) or member
            if cls not in (Ok, Err):
                yield Disagreement(place, shape, hint)
            for inner in typing.get_args(member):
                yield from self.whole(shape.ok if cls is Ok else shape.err, inner, f"{place}.value")
        if self._incoming and not {Ok, Err} <= {typing.get_origin(each) or each for each in members}:
            yield Disagreement(place, shape, hint)

    def _named(self, shape: Enum | Flags, cls: type) -> bool:
        """Whether `cls` is an Enum or Flag with all the names of the type.

        Python may also return an enum as text and flags as a collection of texts; guests' values never come so.
        """
        kind = enum.Enum if isinstance(shape, Enum) else enum.Flag
        if issubclass(cls, kind):
            return all(find_member(cls, name) is not None for name in shape.names)
        texts = str if isinstance(shape, Enum) else set | frozenset | list | tuple
        return not self._incoming and issubclass(cls, texts)


def _is_a(cls: Any, kind: Any) -> bool:
    """`issubclass`, but True where Python cannot answer, as for a protocol with data members."""
    try:
        return issubclass(typing.get_origin(cls) or cls, kind)
    except TypeError:
        return True


def _mark_of(cls: type) -> str | None:
    return getattr(cls, "wit_resource", None)


def _heirs(cls: type) -> Iterator[type]:
    """All subclasses of a class, theirs included."""
    below: list[type] = type.__subclasses__(cls)
    for each in below:
        yield each
        yield from _heirs(each)


def _takes(cls: type, names: Any, *, by_name: bool = True) -> bool:
    """Whether `cls` can be called with these arguments; True where its signature is not known to Python."""
    if inspect.isabstract(cls) or getattr(cls, "_is_protocol", False):
        return False
    try:
        signature = inspect.signature(cls)
    except (TypeError, ValueError):
        return True
    try:
        signature.bind(**dict.fromkeys(names)) if by_name else signature.bind(*names)
    except TypeError:
        return False
    return True


def _has(cls: type, names: Mapping[str, object]) -> bool:
    """Whether objects of `cls` have the attributes. Only a dataclass tells; any other class may have them."""
    fields = getattr(cls, "__dataclass_fields__", None)
    return fields is None or all(name in fields or hasattr(cls, name) for name in names)
