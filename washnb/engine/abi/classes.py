"""The Python classes of records, variants, enums and flags: those that annotations name, or those of the interface."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Iterable
from typing import Any

from .names import class_name, folded
from .shapes import Enum, Flags, Function, Record, Shape, Variant

C = typing.TypeVar("C")


class Classes(typing.Protocol):
    """The types of an interface: what values become where no annotation says it, and how WIT writes them."""

    def class_of(self, shape: Record | Enum | Flags) -> Any:
        """A dataclass, an Enum or a Flag."""

    def case_of(self, variant: Variant, case: str) -> Any:
        """A dataclass, with `value` where the case has a payload."""

    def wit(self, subject: Shape | Function) -> str:
        """A type or a function in WIT, with the names of types."""

    def definition(self, shape: Shape) -> str:
        """What a type is in WIT, with its name."""

    def annotation(self, shape: Shape | None) -> str:
        """How a type is annotated."""

    def examples(self, shape: Shape | None) -> list[str]:
        """Expressions that have a value of a type: of a variant, one for each case."""


@functools.cache
def case_class(variant: Variant, case: str) -> type:
    """A frozen dataclass for one case of a variant that is on its way into a guest, whatever its interface calls it."""
    payload = dict(variant.cases)[case]
    fields = [] if payload is None else [("value", Any)]
    return dataclasses.make_dataclass(class_name(case), fields, frozen=True)


def alternatives(hint: Any) -> tuple[Any, ...]:
    """The classes that an annotation allows: the members of a union, or the annotation itself; None says nothing."""
    while typing.get_origin(hint) is typing.Annotated:
        hint = typing.get_args(hint)[0]
    if isinstance(hint, typing.TypeVar) or hint is Any:
        return ()
    if hasattr(hint, "__value__"):  # an alias of the `type` statement
        return alternatives(hint.__value__)
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return tuple(each for member in typing.get_args(hint) for each in alternatives(member))
    return () if hint is None or hint is type(None) else (hint,)


def named_class(hint: Any, kind: type[C]) -> type[C] | None:
    """The class that an annotation names: the only one that is a `kind`."""
    found = [each for each in alternatives(hint) if isinstance(each, type) and issubclass(each, kind)]
    return found[0] if len(found) == 1 else None


def named_case(hint: Any, case: str) -> type | None:
    """The class among the members of an annotated union that stands for `case`."""
    for each in alternatives(hint):
        if isinstance(each, type) and names_case(each, case):
            return each
    return None


def names_case(cls: type, case: str) -> bool:
    """Whether a class is called `CaseName`, or ends in `_CaseName`."""
    wanted = folded(case)
    return folded(cls.__name__) == wanted or folded(cls.__name__.rpartition("_")[2]) == wanted


def find_member(cls: Iterable[Any], wit: str) -> Any:
    """The member of an enum or flags class with this WIT name, None where it has none."""
    wanted = folded(wit)
    return next((member for member in cls if folded(member.name) == wanted), None)


def arguments(hint: Any, *origins: type) -> tuple[Any, ...]:
    """The type arguments of an annotation such as `list[T]`, of the first alternative with one of these origins."""
    for each in alternatives(hint):
        if typing.get_origin(each) in origins:
            return typing.get_args(each)
    return ()


def field_hints(cls: type | None) -> dict[str, Any]:
    """The annotations of a dataclass' fields, as far as they can be resolved."""
    if cls is None:
        return {}
    try:
        return typing.get_type_hints(cls)
    except (NameError, TypeError, AttributeError):
        return {}
