"""Python classes for records, variants, enums and flags: those of an annotation, or else those of the interface."""

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
    """The types of an interface: the Python classes of values that no annotation names, and the types' names in WIT.

    `surfaces.Surface` is the one implementation.
    """

    def class_of(self, shape: Record | Enum | Flags) -> Any:
        """Return the dataclass of a record, the Enum of an enum, or the Flag of flags."""

    def case_of(self, variant: Variant, case: str) -> Any:
        """Return the dataclass of a case; it has the field `value` where the case has a payload."""

    def wit(self, subject: Shape | Function) -> str:
        """Write a type or a function in WIT, with names for the declared types in it."""

    def definition(self, shape: Shape) -> str:
        """Write the definition of a type in WIT, with its name."""

    def annotation(self, shape: Shape | None) -> str:
        """Write the Python annotation for values of a type."""

    def examples(self, shape: Shape | None) -> list[str]:
        """Return Python expressions with values of a type: one for each of its cases, or one where it has no cases."""


@functools.cache
def case_class(variant: Variant, case: str) -> type:
    """Return a frozen dataclass that packs as one case of a variant, for values that have no class of an interface."""
    payload = dict(variant.cases)[case]
    fields = [] if payload is None else [("value", Any)]
    return dataclasses.make_dataclass(class_name(case), fields, frozen=True)


def alternatives(hint: Any) -> tuple[Any, ...]:
    """Return the classes that an annotation allows: the members of a union without None, or the annotation itself.

    Empty where the annotation allows every value.
    """
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
    """Return the class in an annotation that is a subclass of `kind`; None where there is none, or several."""
    found = [each for each in alternatives(hint) if isinstance(each, type) and issubclass(each, kind)]
    return found[0] if len(found) == 1 else None


def named_case(hint: Any, case: str) -> type | None:
    """Return the class in an annotation that stands for `case` of a variant; None where there is none."""
    for each in alternatives(hint):
        if isinstance(each, type) and names_case(each, case):
            return each
    return None


def names_case(cls: type, case: str) -> bool:
    """Whether a class stands for a case of a variant: it is called `CaseName`, or ends in `_CaseName`."""
    wanted = folded(case)
    return folded(cls.__name__) == wanted or folded(cls.__name__.rpartition("_")[2]) == wanted


def find_member(cls: Iterable[Any], wit: str) -> Any:
    """Return the member of an Enum or Flag class with this name in WIT, None where there is none."""
    wanted = folded(wit)
    return next((member for member in cls if folded(member.name) == wanted), None)


def arguments(hint: Any, *origins: type) -> tuple[Any, ...]:
    """Return the type arguments of the first alternative of an annotation with one of these origins.

    Of `list[str] | None` and the origin `list` that is `(str,)`; empty where no alternative has such an origin.
    """
    for each in alternatives(hint):
        if typing.get_origin(each) in origins:
            return typing.get_args(each)
    return ()


def field_hints(cls: type | None) -> dict[str, Any]:
    """Return the annotations of a dataclass by field; none where one of them cannot be resolved."""
    if cls is None:
        return {}
    try:
        return typing.get_type_hints(cls)
    except (NameError, TypeError, AttributeError):
        return {}
