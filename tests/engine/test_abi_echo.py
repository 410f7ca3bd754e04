"""Marshalling both ways: random values of random types through a guest that hands them to the host and back."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.echo import HOST, echo_component
from tests.engine.hosting import started
from tests.engine.values import NAMES, shapes, values
from washnb.engine import Err, Instance, Interface, Ok, Some, case_class
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

THING = Resource("test:echo/host/thing", "thing", host=True)


def answer(_self: Any, a: Any) -> Any:
    """Give back what came."""
    return a


def answer_result(_self: Any, a: Any) -> Any:
    """Give back a result as functions do: the value, or the error raised."""
    if isinstance(a, Err):
        raise a
    return a.value


def later(method: Any) -> Any:
    """The same from a coroutine."""

    async def answer_later(self: Any, a: Any) -> Any:
        await asyncio.sleep(0)
        return method(self, a)

    return answer_later


def echoing(*kinds: Shape, as_coroutine: bool = False) -> Interface:
    """An implementation of the echoes of these types."""
    methods = [answer_result if isinstance(kind, Result) else answer for kind in kinds]
    methods = list(map(later, methods)) if as_coroutine else methods
    names = {f"echo{index}": method for index, method in enumerate(methods)}
    return type("Echo", (Interface,), names, wit=HOST)()


async def through(instance: Instance, kind: Shape, index: int, value: Any) -> Any:
    """A value's way through echo number `index`, with a result in the form of a value again."""
    try:
        result = await instance.call(f"echo{index}", value)
    except Err as error:
        return error
    return Ok(result) if isinstance(kind, Result) else result


# compiling a guest for each example is the price of this test, so that there are few, and each has several types
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data(), kinds=st.lists(shapes(), min_size=1, max_size=6))
async def test_random_values_of_random_types_come_back_equal(shared_engine, data, kinds):
    """Whatever the type and the way to serve it, what goes in through an export and out through an import is the same.

    The ways are on a fiber, off it, and by a coroutine.
    """
    text = echo_component(*kinds)
    for on_fiber, as_coroutine in ((True, False), (False, False), (True, True)):
        host = echoing(*kinds, as_coroutine=as_coroutine)
        async with await started(shared_engine, text, host, on_fiber=on_fiber) as instance:
            classes = instance.component.export_surfaces[""]
            for index, kind in enumerate(kinds):
                value = data.draw(values(kind, classes), label=str(kind))
                assert await through(instance, kind, index, value) == value


EXAMPLES = [
    (Primitive("u64"), [0, 2**64 - 1]),
    (Primitive("s64"), [-(2**63), 2**63 - 1]),
    (Primitive("f32"), [-0.0, math.inf, -math.inf, 2.0**-149]),
    (Primitive("f64"), [5e-324, 1.7976931348623157e308]),
    (Primitive("char"), ["\0", "\ud7ff", "\ue000", "\U0010ffff"]),
    (Primitive("string"), ["", "\0", "grüße", "\U0001f600" * 1000, "x" * 300_000]),
    (List(Primitive("u8")), [b"", bytes(range(256)), b"x" * 65_536]),
    (List(Primitive("bool")), [[], [True, False]]),
    (List(Primitive("s16")), [[], [-32768, 32767]]),
    (List(Primitive("f32")), [[0.5, -0.25]]),
    (List(List(Primitive("u8"))), [[b"", b"a", b"bc"]]),
    (List(Tuple((Primitive("string"), List(Primitive("u8"))))), [[("a", b"1"), ("", b"")], []]),
    (Option(Option(Primitive("u8"))), [None, Some(None), Some(7)]),
    (Option(Option(Option(Primitive("u8")))), [None, Some(None), Some(Some(None)), Some(Some(7))]),
    (Result(None, None), [Ok(), Err()]),
    (Result(Result(Primitive("string"), None), Primitive("u8")), [Ok(Ok("x")), Ok(Err()), Err(3)]),
    (Option(Result(None, Primitive("string"))), [None, Ok(), Err("no")]),
    (Tuple(tuple(map(Primitive, ("u8", "s8", "u16", "f64", "bool", "char")))), [(1, -1, 2, 0.5, True, "z")]),
    (Tuple((Primitive("string"),) * 9), [tuple("abcdefghi")]),  # eighteen core values: goes through memory
    (Enum(tuple(f"e{number}" for number in range(300))), []),  # a discriminant of two bytes
]


@pytest.mark.parametrize(("kind", "examples"), EXAMPLES, ids=[str(kind)[:40] for kind, _ in EXAMPLES])
async def test_values_at_the_edges_come_back_equal(shared_engine, kind, examples):
    """The extreme values of every kind survive."""
    async with await started(shared_engine, echo_component(kind), echoing(kind)) as instance:
        if isinstance(kind, Enum):
            members = list(instance.component.export_surfaces[""].class_of(kind))
            examples = [members[0], members[-1]]
        for value in examples:
            result = await through(instance, kind, 0, value)
            assert result == value
            assert type(result) is type(value)


async def test_not_a_number_stays_not_a_number(shared_engine):
    """NaN has no equal, so it is asked what it is."""
    kinds = Primitive("f32"), Primitive("f64")
    async with await started(shared_engine, echo_component(*kinds), echoing(*kinds)) as instance:
        assert math.isnan(await instance.call("echo0", math.nan))
        assert math.isnan(await instance.call("echo1", math.nan))


async def test_lists_in_lists_come_back_however_deep(shared_engine):
    """Python takes only so many loops in each other."""
    shape: Shape = Record((("n", Primitive("u8")),))
    value: Any = {"n": 7}
    for _ in range(45):
        shape, value = List(shape), [value, value] if isinstance(value, dict) else [value]
    echo = type("Echo", (Interface,), {"echo0": answer}, wit=HOST)()
    async with await started(shared_engine, echo_component(shape), echo) as guest:
        assert str(await guest.call("echo0", value)).count("n=7") == 2


async def test_values_come_back_in_the_classes_of_the_interface(shared_engine):
    """Without annotations a record is a dataclass, a variant one class per case, an enum an Enum, flags a Flag."""
    point = Record((("x", Primitive("s32")), ("from", Primitive("string"))))
    error = Variant((("DNS-timeout", None), ("other", Primitive("string"))))
    kinds = [point, error, Enum(("not-found", "x")), Flags(("read", "write-all"))]
    text = echo_component(*kinds, names=dict(zip(kinds, ("point", "error", "status", "rights"), strict=True)))
    async with await started(shared_engine, text, echoing(*kinds)) as instance:
        types = instance.component.export_surfaces[""].types
        record = await instance.call("echo0", {"x": 1, "from": "here"})
        assert (record.x, record.from_, repr(record)) == (1, "here", "Point(x=1, from_='here')")
        case = await instance.call("echo1", case_class(error, "other")("why"))
        assert (case, repr(case)) == (types["Error_Other"]("why"), "Error_Other(value='why')")
        assert await instance.call("echo1", case_class(error, "DNS-timeout")()) == types["Error_DnsTimeout"]()
        assert await instance.call("echo2", "not-found") is types["Status"].NOT_FOUND
        assert [flag.name for flag in await instance.call("echo3", {"write-all", "read"})] == ["READ", "WRITE_ALL"]


async def test_an_owned_resource_keeps_its_identity(shared_engine):
    """An object that goes into the guest as an own handle comes out as the same object, alone and inside values."""
    kinds = [Own(THING), List(Own(THING)), Option(Own(THING)), Result(Own(THING), Own(THING))]
    first, second = object(), object()
    async with await started(shared_engine, echo_component(*kinds), echoing(*kinds)) as instance:
        assert await instance.call("echo0", first) is first
        assert await instance.call("echo1", [first, second]) == [first, second]
        assert await instance.call("echo2", first) is first
        assert await instance.call("echo2", None) is None
        assert await instance.call("echo3", Ok(first)) is first
        with pytest.raises(Err) as caught:
            await instance.call("echo3", Err(second))
        assert caught.value.value is second
        assert not instance._store.objects, "every handle was taken out of the table again"


def test_the_names_include_awkward_ones():
    """The random types are made with names that are keywords, attributes of dict, and upper-case."""
    assert {"from", "class", "items", "keys", "DNS-timeout"} <= set(NAMES)
