"""Which Python values are taken for a WIT type, into which classes they are lifted, and what is said of misfits."""

from __future__ import annotations

import enum
import numbers
import traceback
import types
from collections import UserList
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

import pytest

from tests.engine.echo import HOST, echo_component
from tests.engine.hosting import started
from washnb.engine import Err, Interface, Ok, Some
from washnb.engine.abi.members import HOST_VALUE_LIMIT
from washnb.engine.abi.shapes import Enum, Flags, List, Option, Primitive, Record, Result, Shape, Tuple, Variant
from washnb.errors import MismatchError

U8, U32, STRING = Primitive("u8"), Primitive("u32"), Primitive("string")
POINT = Record((("x", Primitive("s32")), ("class", STRING)))
ERROR = Variant((("DNS-timeout", None), ("other", STRING), ("point", POINT)))
LEVEL = Enum(("trace", "very-low"))
ACCESS = Flags(("read", "write-all", "execute"))
NAMED = {LEVEL: "level", ACCESS: "access"}


@dataclass(frozen=True)
class Point:
    """A record's class with its fields in another order, and a default."""

    class_: str
    x: int
    label: str = "given"


class Error_DnsTimeout:  # noqa: N801 - the way cases are named
    """A case without payload."""


@dataclass
class Error_Other:  # noqa: N801
    """A case with a payload."""

    value: str


@dataclass
class Error_Point:  # noqa: N801
    """A case whose payload is a record with a class of its own."""

    value: Point


Error = Error_DnsTimeout | Error_Other | Error_Point


class Level(enum.Enum):
    """An enum in another order, with values of its own."""

    VERY_LOW = "v"
    TRACE = "t"


class Access(enum.Flag):
    """Flags in another order than WIT's."""

    EXECUTE = 1
    READ = 2
    WRITE_ALL = 4


def host_for(hint: Any, seen: list[Any]) -> Interface:
    """An echo whose parameter is annotated with `hint`, and that keeps what it is called with."""

    def echo0(_self: Any, a: Any) -> Any:
        seen.append(a)
        return a

    echo0.__annotations__["a"] = hint
    return type("Annotated", (Interface,), {"echo0": echo0}, wit=HOST)()


async def seen_by(engine, kind: Shape, hint: Any, value: Any) -> Any:
    """What a host function with this annotation receives for `value`."""
    seen: list[Any] = []
    async with await started(engine, echo_component(kind), host_for(hint, seen)) as instance:
        await instance.call("echo0", value)
    return seen[0]


@pytest.mark.parametrize("hint", [Point, "Point", "Point | None", Annotated[Point, "a note"]])
async def test_a_record_is_lifted_into_the_annotated_class(shared_engine, hint):
    """Fields are passed by name, so their order is the class's own affair; the annotation may be text or wrapped."""
    got = await seen_by(shared_engine, POINT, hint, {"x": 1, "class": "c"})
    assert got == Point("c", 1)


async def test_a_variant_is_lifted_into_the_annotated_case(shared_engine):
    """Each case has the class among the union's members that is named after it, down into payloads."""
    assert type(await seen_by(shared_engine, ERROR, Error, Error_DnsTimeout())) is Error_DnsTimeout
    assert await seen_by(shared_engine, ERROR, "Error", Error_Other("x")) == Error_Other("x")
    assert await seen_by(shared_engine, ERROR, Error, Error_Point({"x": 1, "class": "c"})) == Error_Point(Point("c", 1))
    unknown = await seen_by(shared_engine, ERROR, Error_DnsTimeout, Error_Other("x"))
    assert (type(unknown).__name__, unknown.value) == ("T1_Other", "x"), "a case that the annotation lacks is WIT's"


async def test_enums_and_flags_are_lifted_into_the_annotated_class(shared_engine):
    """Members are found by name, whatever their order and values."""
    assert await seen_by(shared_engine, LEVEL, Level, "very-low") is Level.VERY_LOW
    assert await seen_by(shared_engine, ACCESS, Access, {"read", "execute"}) == Access.READ | Access.EXECUTE
    assert await seen_by(shared_engine, ACCESS, Access, set()) == Access(0)


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        (List(POINT), list[Point]),
        (Option(POINT), Point | None),
        (Tuple((POINT, U8)), tuple[Point, int]),
        (Option(Option(POINT)), Some[Point | None] | None),
        (Option(Result(POINT, POINT)), Ok[Point] | Err[Point] | None),
    ],
    ids=str,
)
async def test_annotations_reach_into_other_types(shared_engine, kind, hint):
    """The classes that lists, options, tuples and results name are used for what is inside."""
    point = Point("c", 1)
    value = {List: [point], Tuple: (point, 1)}.get(type(kind), point)
    if isinstance(kind, Option):
        value = {Option: Some(point), Result: Ok(point)}.get(type(kind.some), point)
    got = await seen_by(shared_engine, kind, hint, value)
    assert got == value


async def test_an_annotation_that_says_nothing_is_passed_over(shared_engine):
    """A name that cannot be resolved, or a type that does not fit, leaves the generated class."""
    for hint in ("NoSuchName", Any, object(), int, "1 +"):
        got = await seen_by(shared_engine, LEVEL, hint, "trace")
        assert got.name == "TRACE"


FITS = [
    (Primitive("u32"), enum.IntEnum("Number", {"ONE": 1}).ONE, 1),
    (Primitive("f64"), 3, 3.0),
    (STRING, enum.StrEnum("Text", {"A": "a"}).A, "a"),
    (List(U8), bytearray(b"ab"), b"ab"),
    (List(U8), memoryview(b"abcd")[::2], b"ac"),
    (List(U8), [1, 2, 255], b"\1\2\xff"),
    (List(U32), (1, 2), [1, 2]),
    (List(U32), UserList([1, 2]), [1, 2]),
    (Tuple((U8, STRING)), [1, "x"], (1, "x")),
    (LEVEL, Level.VERY_LOW, "VERY_LOW"),
    (LEVEL, "very-low", "VERY_LOW"),
    (ACCESS, Access.WRITE_ALL | Access.EXECUTE, {"WRITE_ALL", "EXECUTE"}),
    (ACCESS, frozenset({"write-all"}), {"WRITE_ALL"}),
    (ACCESS, ["READ"], {"READ"}),
    (POINT, {"x": 1, "class_": "c"}, (1, "c")),
    (POINT, {"x": 1, "class": "c"}, (1, "c")),
    (POINT, types.MappingProxyType({"x": 1, "class": "c"}), (1, "c")),
    (POINT, types.SimpleNamespace(x=1, class_="c", more=2), (1, "c")),
]


def plain(value: Any) -> Any:
    """A lifted value without its generated class."""
    if isinstance(value, enum.Flag):
        return {member.name for member in value}
    if isinstance(value, enum.Enum):
        return value.name
    return tuple(vars(value).values()) if hasattr(value, "__dataclass_fields__") else value


@pytest.mark.parametrize(
    ("kind", "given", "expected"), FITS, ids=[f"{kind} of {type(given).__name__}" for kind, given, _ in FITS]
)
async def test_values_of_other_classes_that_fit_are_taken(shared_engine, kind, given, expected):
    """Lowering is duck-typed where nothing is ambiguous, on the way in and on the way out."""
    async with await started(shared_engine, echo_component(kind), host_for(None, [])) as instance:
        assert plain(await instance.call("echo0", given)) == expected


class Unprintable:
    """Raises where somebody wants to show it."""

    def __repr__(self) -> str:
        raise LookupError("no words")


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)
DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]

MISFITS = [
    (U8, 256, "a is u8, not 256: it must be between 0 and 255"),
    (Primitive("s8"), -129, "it must be between -128 and 127"),
    (Primitive("u64"), 2**64, "it must be between 0 and 18446744073709551615"),
    (U32, True, "a is u32, not True"),
    (U32, 1.0, "a is u32, not 1.0 (float)"),
    (U32, None, "a is u32, not None"),
    (Primitive("bool"), 1, "a is bool, not 1 (int)"),
    (Primitive("f32"), 1e300, "a is f32, not 1e+300: it is too large"),
    (U8, 10**5000, "a is u8, not an integer of 16610 bits: it must be between 0 and 255"),
    (Primitive("f32"), 10**100, "it is too large"),
    (Primitive("f64"), 10**400, "a is f64, not an integer of 1329 bits: it is too large"),
    (STRING, Unprintable(), "a is string, not <Unprintable instance at 0x"),
    (STRING, ENDLESS, "a is string, not [[[[[[[...]]]]]]] (list)"),
    (STRING, DEEP, "a is string, not [[[[[[[...]]]]]]] (list)"),
    (U8, b"x" * 1_000_000, "xxx..."),
    (Primitive("f64"), "1", "a is f64, not '1'"),
    (Primitive("f64"), False, "a is f64, not False"),
    (Primitive("char"), "ab", "a is char, not 'ab'"),
    (Primitive("char"), "\ud800", "a is char, not '\\ud800'"),
    (STRING, "\udfff", "which holds a lone surrogate"),
    (STRING, b"x", "a is string, not b'x'"),
    (List(U8), "text", "a is list<u8>, not 'text'"),
    (List(U8), 5, "a is list<u8>, not 5 (int)"),
    (List(U8), [1, 256], "a[1] is u8, not 256"),
    (List(STRING), "text", "a is list<string>, not 'text'"),
    (List(STRING), {"x"}, "a is list<string>, not {'x'} (set)"),
    (List(U32), b"ab", "a is list<u32>, not b'ab'"),
    (List(STRING), ["a", 1], "a[1] is string, not 1 (int)"),
    (Tuple((U8, STRING)), (1, "x", 2), "it must have 2 items"),
    (Tuple((U8, STRING)), (1, 2), "a[1] is string, not 2 (int)"),
    (Tuple((STRING, STRING)), "ab", "a is tuple<string, string>, not 'ab'"),
    (Option(Option(U8)), 3, "an option in an option is None or Some(value)"),
    (Option(Option(U8)), Some("x"), "a.value is u8, not 'x'"),
    (Option(STRING), 3, "a is string, not 3 (int)"),
    (Result(U8, STRING), 3, "a nested result is Ok(value) or Err(value)"),
    (Result(U8, STRING), Err(3), "a.value is string, not 3 (int)"),
    (Result(None, STRING), Ok(3), "a.value is nothing (WIT has no value there), not 3 (int)"),
    (POINT, {"x": 1}, "it has no field class_"),
    (POINT, types.SimpleNamespace(x="1", class_="c"), "a.x is s32, not '1'"),
    (ERROR, Point("", 1), None),
    (ERROR, 5, "an object of the class of a case is needed"),
    (ERROR, Error_Other(5), "a.value is string, not 5 (int)"),
    (LEVEL, "loud", "a is level, not 'loud'\n  enum level { trace, very-low }"),
    (LEVEL, 1, "a is level, not 1 (int)"),
    (ACCESS, {"fly"}, "a is access, not {'fly'} (set)"),
    (ACCESS, 3, "a is access, not 3 (int)\n  flags access { read, write-all, execute }"),
]


def spoken_alone(error: BaseException) -> bool:
    """Whether a traceback has no other exception before this one: those of the generated code say less."""
    text = "".join(traceback.format_exception(error))
    return "direct cause" not in text and "During handling" not in text


@pytest.mark.parametrize(
    ("kind", "value", "said"), MISFITS, ids=[f"{kind} of {type(value).__name__}" for kind, value, _ in MISFITS]
)
async def test_a_value_that_does_not_fit_is_named(shared_engine, kind, value, said):
    """The error names function, place, expected WIT type and what was found, and the instance lives on."""
    seen: list[Any] = []
    text = echo_component(kind, names=NAMED)
    async with await started(shared_engine, text, host_for(None, seen)) as instance:
        with pytest.raises(MismatchError) as caught:
            await instance.call("echo0", value)
        assert str(caught.value).startswith("echo0: a")
        assert said is None or said in str(caught.value)
        assert spoken_alone(caught.value)
        assert not seen
        assert "ready" in repr(instance)
        assert not instance._store.objects


async def test_a_class_in_the_place_of_its_object_is_called_so(shared_engine):
    """The commonest mistake with cases that have no payload."""
    text = echo_component(ERROR, names={ERROR: "error"})
    async with await started(shared_engine, text, host_for(None, [])) as instance:
        with pytest.raises(
            MismatchError, match="a is error, not the class Error_DnsTimeout: an object of it is needed"
        ):
            await instance.call("echo0", instance.component.export_surfaces[""].case_of(ERROR, "DNS-timeout"))


@pytest.mark.parametrize(
    ("value", "such"),
    [
        ("dns-timeout", "Error_DnsTimeout()"),
        ("too many", 'Error_Other("")'),
        (5, 'Error_DnsTimeout() or Error_Other("") or Error_Point(T0(x=0, class_=""))'),
    ],
)
async def test_what_is_no_case_of_a_variant_is_told_the_class_that_it_may_mean(shared_engine, value, such):
    """The case that a text names, those whose payload a value could be, or else the first few."""
    text = echo_component(ERROR, names={ERROR: "error"})
    async with await started(shared_engine, text, host_for(None, [])) as instance:
        with pytest.raises(MismatchError) as caught:
            await instance.call("echo0", value)
    assert caught.value.message.endswith(f": an object of the class of a case is needed, such as {such}")


@numbers.Integral.register
class Whole:
    """A number as NumPy has them: it says that it is one, and is no int."""

    def __int__(self) -> int:
        return 7

    def __float__(self) -> float:
        return 7.0


async def test_numbers_of_other_classes_are_numbers(shared_engine):
    """What is an integer, or any real number, to Python's `numbers`."""
    assert await seen_by(shared_engine, U8, None, Whole()) == 7
    assert await seen_by(shared_engine, Primitive("f64"), None, Whole()) == 7.0
    assert await seen_by(shared_engine, Primitive("f64"), None, Fraction(3, 4)) == 0.75
    with pytest.raises(MismatchError, match="a is u8, not Fraction"):
        await seen_by(shared_engine, U8, None, Fraction(3))


GOOD = {
    **{Primitive(name): 1 for name in ("u8", "s8", "u32", "u64", "f32", "f64")},
    List(U8): b"",
    List(STRING): [],
    List(U32): [],
    Tuple((U8, STRING)): (1, "x"),
    Tuple((STRING, STRING)): ("", ""),
    STRING: "",
    Primitive("char"): "x",
    Primitive("bool"): True,
    Option(Option(U8)): None,
    Option(STRING): None,
    POINT: Point("", 1),
    ERROR: Error_DnsTimeout(),
    LEVEL: "trace",
    ACCESS: set(),
}
WRONG_RESULTS = [each for each in MISFITS if each[0] in GOOD]


@pytest.mark.parametrize("on_fiber", [True, False])
async def test_a_result_that_does_not_fit_ends_the_guest(shared_engine, no_stores_left, on_fiber):
    """What a host function returns is held to the same rules; there is no way to go on from there."""
    kinds = list(GOOD)
    wrong: list[Any] = []
    methods = {f"echo{index}": lambda _self, _a: wrong[0] for index in range(len(kinds))}
    host = type("Wrong", (Interface,), methods, wit=HOST)()
    for kind, value, said in WRONG_RESULTS:
        wrong[:] = [value]
        instance = await started(shared_engine, echo_component(*kinds, names=NAMED), host, on_fiber=on_fiber)
        with pytest.raises(MismatchError) as caught:
            await instance.call(f"echo{kinds.index(kind)}", GOOD[kind])
        assert f"{HOST}#echo{kinds.index(kind)}: result" in str(caught.value)
        assert said is None or said.removeprefix("a").strip() in str(caught.value)
        assert spoken_alone(caught.value)
        assert "failed" in repr(instance)


class Endless(Sequence):
    """A sequence that breaks off nowhere."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index) -> int:
        return 1


@pytest.mark.parametrize("element", [U8, U32])
async def test_a_sequence_gives_as_many_items_as_it_says(shared_engine, element):
    """One that goes on for ever must not take all the memory."""
    async with await started(shared_engine, echo_component(List(element)), host_for(None, [])) as instance:
        assert list(await instance.call("echo0", Endless())) == [1, 1, 1]


async def test_the_wrong_number_of_arguments_is_said_with_the_signature(shared_engine):
    """Too few and too many."""
    async with await started(shared_engine, echo_component(U8), host_for(None, [])) as instance:
        for arguments in [(), (1, 2)]:
            with pytest.raises(MismatchError, match=r"echo0 takes 1 argument, not \d\n  echo0: func\(a: u8\) -> u8"):
                await instance.call("echo0", *arguments)


@pytest.mark.parametrize(("kind", "value"), [(List(U8), bytes(HOST_VALUE_LIMIT + 1)), (List(U32), range(1 << 24))])
async def test_a_value_over_our_own_limit_is_refused_before_it_costs_memory(shared_engine, kind, value):
    """Bytes and lists over the bound for one value are an error that names it."""
    async with await started(shared_engine, echo_component(kind), host_for(None, [])) as instance:
        with pytest.raises(MismatchError, match="washnb passes at most 8,388,608 in one list"):
            await instance.call("echo0", value)
