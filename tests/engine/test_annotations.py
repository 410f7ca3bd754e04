"""Annotations of an implementation, held against the types of WIT when it is bound."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterable, Mapping, MutableSequence, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, NewType, Protocol, TypedDict, TypeVar

import pytest

from tests.engine.guests import DRIVEN, HOST, THINGS
from tests.engine.hosting import bound
from washnb.engine import Err, Interface, Ok, Some, resource
from washnb.engine.abi.annotations import disagreement
from washnb.engine.abi.shapes import (
    Enum,
    Flags,
    List,
    Option,
    Own,
    Primitive,
    Record,
    Resource,
    Result,
    Shape,
    Tuple,
    Variant,
)
from washnb.errors import ConfigError

BOOL, TEXT, U32, F64 = (Primitive(name) for name in ("bool", "string", "u32", "f64"))
OCTETS, TEXTS, PAIR = List(Primitive("u8")), List(TEXT), Tuple((TEXT, U32))
POINT = Record((("x", U32), ("the-name", TEXT)))
ERROR = Variant((("no-such-store", None), ("other", TEXT)))
SHADE, MARKS = Enum(("dark", "very-light")), Flags(("read", "write"))
BUCKET = Own(Resource("test:all/host/bucket", "bucket", host=True))

PAINTED = f"""
(component
  (import "{HOST}" (instance
    (type $shade' (enum "dark" "very-light"))
    (export "shade" (type $shade (eq $shade')))
    (export "paint" (func (param "shade" $shade) (result (result $shade)))))))
"""

T = TypeVar("T")
Key = NewType("Key", str)


class Name(str):
    __slots__ = ()


@dataclass(frozen=True)
class Point:
    x: int
    the_name: str
    more: int = 0


@dataclass(frozen=True)
class Wordy:
    x: str
    the_name: str


@dataclass(frozen=True)
class Short:
    x: int


class PointDict(TypedDict):
    x: int
    the_name: str


class Pair(NamedTuple):
    name: str
    number: int


class AnyPoint(Protocol):
    x: int


class Abstract(ABC):
    @abstractmethod
    def x(self) -> int: ...


class Failure: ...


class NoSuchStore(Failure): ...


class Error_NoSuchStore: ...  # noqa: N801


@dataclass
class Error_Other:  # noqa: N801
    value: str


@dataclass
class Other:
    value: int


class Other_NoSuchStore:  # noqa: N801
    def __init__(self, value: str) -> None: ...


class Shade(enum.Enum):
    DARK = 0
    VERY_LIGHT = 1


class Night(enum.Enum):
    DARK = 0


class Marks(enum.Flag):
    READ = 1
    WRITE = 2


@resource("bucket")
class Bucket: ...


@resource("pail")
class Pail: ...


class Plain: ...


BOTH_WAYS: list[tuple[Shape, list[Any]]] = [
    (TEXT, [str, Name, Key, Annotated[str, "a key"], Any, object, T, str | int, Literal["a"], AnyPoint]),
    (BOOL, [bool]),
    (U32, [int, enum.IntEnum]),
    (F64, [float]),
    (OCTETS, [bytes, bytearray, memoryview, Sequence[int], Iterable, bytes | str]),
    (TEXTS, [list, list[str], Sequence[str], Iterable[str], MutableSequence[Name], tuple[str, ...], list[Any]]),
    (PAIR, [tuple, tuple[str, int], tuple[Any, ...], Pair, Sequence[Any], list]),
    (Option(TEXT), [str | None, Any, Name | None]),
    (Option(Option(U32)), [Some[int | None] | None, Some | None, Any]),
    (Result(TEXT, U32), [Ok[str] | Err[int], Ok | Err]),
    (Result(None, None), [Ok[None] | Err[None]]),
    (POINT, [Point, Any, dict, PointDict]),
    (ERROR, [Error_NoSuchStore | Error_Other, Failure]),
    (SHADE, [Shade]),
    (MARKS, [Marks]),
    (BUCKET, [Bucket, Plain, AnyPoint, Any]),
]
INCOMING: list[tuple[Shape, list[Any]]] = [(BOOL, [int]), (U32, [float]), (TEXT, [str | None])]
OUTGOING: list[tuple[Shape, list[Any]]] = [
    (F64, [int]),
    (OCTETS, [list[int], tuple[int, ...]]),
    (Option(TEXT), [str, None.__class__]),
    (Result(TEXT, U32), [Ok[str]]),
    (POINT, [Mapping[str, Any], dict[str, Any], AnyPoint, Plain]),
    (ERROR, [Error_NoSuchStore]),
    (SHADE, [str, Literal["dark"]]),
    (MARKS, [set[str], frozenset[str], list[str]]),
]


def pairs(*tables: list[tuple[Shape, list[Any]]]) -> list[Any]:
    """Each type with each of its annotations."""
    return [pytest.param(shape, hint, id=f"{shape}-{hint}") for table in tables for shape, row in table for hint in row]


@pytest.mark.parametrize(("shape", "hint"), pairs(BOTH_WAYS, INCOMING))
def test_parameters_that_agree(shape, hint):
    """What a guest sends fits the annotation, as far as that says anything."""
    assert disagreement(shape, hint, "a", incoming=True) is None


@pytest.mark.parametrize(("shape", "hint"), pairs(BOTH_WAYS, OUTGOING))
def test_results_that_agree(shape, hint):
    """Whatever washnb takes for a type may be annotated."""
    assert disagreement(shape, hint, "a", incoming=False) is None


NEITHER: list[tuple[Shape, list[Any]]] = [
    (TEXT, [bytes, int, list[str], Point, None.__class__]),
    (BOOL, [str]),
    (U32, [bool, str]),
    (F64, [str, bool]),
    (OCTETS, [str, list[str] | str, set, dict]),
    (TEXTS, [str, bytes, list[int], Sequence[bytes], set[str], dict[str, str]]),
    (PAIR, [tuple[str], tuple[str, str], str, dict]),
    (Option(TEXT), [int | None, bytes | None]),
    (Option(Option(U32)), [int | None, Some[str | None] | None]),
    (Result(TEXT, U32), [str, Ok[int] | Err[int], Ok[str] | Err[str]]),
    (POINT, [str, Short, Wordy, tuple[int, str]]),
    (ERROR, [str, Plain, Other, Other_NoSuchStore, Error_Other | Plain]),
    (SHADE, [Night, int, Marks]),
    (MARKS, [int, Shade, str]),
    (BUCKET, [str, int, Pail, dict]),
]


@pytest.mark.parametrize(
    ("shape", "hint"),
    pairs(
        NEITHER,
        [
            (F64, [int]),
            (OCTETS, [list[int]]),
            (Option(TEXT), [str, None.__class__]),
            (Result(TEXT, U32), [Ok[str]]),
            (POINT, [Mapping, dict[str, Any], AnyPoint, Abstract]),
            (ERROR, [Error_NoSuchStore]),
            (SHADE, [str]),
            (MARKS, [set[str]]),
        ],
    ),
)
def test_parameters_that_do_not_agree(shape, hint):
    """A guest would send what the annotation excludes."""
    assert disagreement(shape, hint, "a", incoming=True) is not None


@pytest.mark.parametrize(
    ("shape", "hint"), pairs(NEITHER, [(BOOL, [int]), (U32, [float]), (TEXT, [str | None]), (POINT, [Short])])
)
def test_results_that_do_not_agree(shape, hint):
    """What the annotation promises would be refused at the border."""
    assert disagreement(shape, hint, "a", incoming=False) is not None


def test_nothing_is_none():
    """A function without result returns None, or never."""
    assert disagreement(None, type(None), "a", incoming=False) is None
    assert disagreement(None, int | None, "a", incoming=False) is None
    assert disagreement(None, int, "a", incoming=False) is not None


async def refusal(engine, text: str, served: type[Interface]) -> str:
    """What is said of an implementation that does not fit."""
    with pytest.raises(ConfigError) as caught:
        await bound(engine, text, served(), on_fiber=False)
    assert caught.value.interface == HOST
    return str(caught.value)


async def test_a_parameter_is_named_with_both_types(shared_engine):
    """Function, parameter, what WIT has and what was found, and the annotation that fits; here out of a string."""

    class Driven(Interface, wit=HOST):
        def wait(self, n: str) -> int:
            return 0

        def maybe(self, n: int) -> int:
            return n

    assert await refusal(shared_engine, DRIVEN, Driven) == (
        f"{Driven.wait.__qualname__} does not fit {HOST}#wait: func(n: u32) -> u32\n"
        "parameter n is u32 in WIT, and annotated str\n"
        "  n: int"
    )


async def test_a_result_is_named_with_both_types(shared_engine):
    """The payload of a WIT result counts, and what is awaited."""

    class Driven(Interface, wit=HOST):
        def wait(self, n: int) -> Awaitable[int]: ...

        async def maybe(self, n: int) -> str: ...

    assert (await refusal(shared_engine, DRIVEN, Driven)).endswith(
        "its result is u32 in WIT, and annotated str\n  -> int"
    )


async def test_methods_of_resources_are_compared(shared_engine):
    """Constructors, methods and static functions; a resource of another name is none of this one."""

    @resource("thing")
    class Thing:
        def __init__(self, n: int) -> None: ...

        def number(self) -> int: ...

        @staticmethod
        def count() -> str: ...

    class Things(Interface, wit=HOST):
        def sum(self, a: Thing, b: Thing) -> int: ...

        def keep(self, a: Pail) -> None: ...

    Things.Thing = Thing
    assert "Thing.count does not fit" in await refusal(shared_engine, THINGS, Things)
    Thing.count = staticmethod(lambda: 1)
    said = await refusal(shared_engine, THINGS, Things)
    assert "parameter a is thing in WIT, and annotated Pail\n  a: Thing\n  %wash plugin new" in said
    Things.keep.__annotations__["a"] = "Unknown"
    await bound(shared_engine, THINGS, Things(), on_fiber=False)


async def test_types_are_called_by_their_names(shared_engine):
    """As in the class that `plugin new` writes: what they are stands once, however often they occur."""

    class Painted(Interface, wit=HOST):
        def paint(self, shade: str) -> int: ...

    assert await refusal(shared_engine, PAINTED, Painted) == (
        f"{Painted.paint.__qualname__} does not fit {HOST}#paint: func(shade: shade) -> result<shade>\n"
        "parameter shade is shade in WIT, and annotated str\n"
        "  enum shade { dark, very-light }\n"
        "  shade: Shade\n"
        f"  %wash plugin new {HOST}  # writes the classes of this interface"
    )


def test_the_place_inside_a_value_is_named():
    """Not the parameter only: the field, the item, the payload."""
    found = disagreement(List(POINT), list[Wordy], "points", incoming=True)
    assert str(found) == "points[].x is u32 in WIT, and annotated str"
    found = disagreement(ERROR, Other, "error", incoming=True)
    assert str(found) == "error.value is string in WIT, and annotated int"
