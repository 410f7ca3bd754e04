"""Random WIT types, and random Python values of a type, for property tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from washnb.engine import Err, Ok, Some
from washnb.engine.abi.classes import Classes
from washnb.engine.abi.shapes import Enum, Flags, List, Option, Primitive, Record, Result, Shape, Tuple, Variant

NAMES = ("a", "b-c", "from", "items", "x1", "DNS-timeout", "class", "value", "keys", "not-found2")
_INTEGERS = ("s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64")
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def _names(most: int = 5) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(NAMES), min_size=1, max_size=most, unique=True).map(tuple)


def shapes() -> st.SearchStrategy[Shape]:
    """Types of every kind but resources, nested."""
    flags = st.integers(1, 32).map(lambda count: Flags(tuple(f"f{index}" for index in range(count))))
    leaves = st.one_of(
        st.sampled_from([*_INTEGERS, "bool", "f32", "f64", "char", "string"]).map(Primitive),
        st.just(List(Primitive("u8"))),
        _names().map(Enum),
        flags,
    )
    return st.recursive(leaves, _larger, max_leaves=6)


def _larger(inner: st.SearchStrategy[Shape]) -> st.SearchStrategy[Shape]:
    maybe = st.none() | inner
    return st.one_of(
        inner.map(List),
        inner.map(Option),
        st.builds(Result, maybe, maybe),
        st.lists(inner, min_size=1, max_size=4).map(lambda items: Tuple(tuple(items))),
        _names().flatmap(lambda names: st.tuples(*[st.tuples(st.just(name), inner) for name in names])).map(Record),
        _names().flatmap(lambda names: st.tuples(*[st.tuples(st.just(name), maybe) for name in names])).map(Variant),
    )


def values(shape: Shape | None, classes: Classes) -> st.SearchStrategy[Any]:
    """Values of a type, in these classes."""
    if shape is None:
        return st.none()
    return _MAKERS[type(shape)](shape, classes)


def _primitive(shape: Primitive, _classes: Classes) -> st.SearchStrategy[Any]:
    if shape.name in _INTEGERS:
        bits = int(shape.name[1:])
        return (
            st.integers(-(1 << bits - 1), (1 << bits - 1) - 1) if shape.name[0] == "s" else st.integers(0, 2**bits - 1)
        )
    return {
        "bool": st.booleans(),
        "f32": st.floats(width=32, allow_nan=False),
        "f64": st.floats(allow_nan=False),
        "char": st.characters(exclude_categories=["Cs"]),
        "string": _TEXT,
    }[shape.name]


def _list(shape: List, classes: Classes) -> st.SearchStrategy[Any]:
    if shape.element == Primitive("u8"):
        return st.binary(max_size=40)
    return st.lists(values(shape.element, classes), max_size=5)


def _option(shape: Option, classes: Classes) -> st.SearchStrategy[Any]:
    some = values(shape.some, classes)
    return st.none() | (some.map(Some) if isinstance(shape.some, Option) else some)


def _variant(shape: Variant, classes: Classes) -> st.SearchStrategy[Any]:
    made = []
    for name, payload in shape.cases:
        cls = classes.case_of(shape, name)
        made.append(st.just(cls()) if payload is None else values(payload, classes).map(cls))
    return st.one_of(made)


def _flags(shape: Flags, classes: Classes) -> st.SearchStrategy[Any]:
    return st.integers(0, (1 << len(shape.names)) - 1).map(classes.class_of(shape))


_MAKERS: dict[type, Any] = {
    Primitive: _primitive,
    List: _list,
    Option: _option,
    Result: lambda shape, classes: values(shape.ok, classes).map(Ok) | values(shape.err, classes).map(Err),
    Tuple: lambda shape, classes: st.tuples(*(values(item, classes) for item in shape.items)),
    Record: lambda shape, classes: st.tuples(*(values(field, classes) for _, field in shape.fields)).map(
        lambda fields: classes.class_of(shape)(*fields)
    ),
    Variant: _variant,
    Enum: lambda shape, classes: st.sampled_from(list(classes.class_of(shape))),
    Flags: _flags,
}
