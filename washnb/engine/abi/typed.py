"""Bringing Python values into the normal form, in which callers of an export get them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from ..interface import Err, Ok, Some
from .classes import Classes, find_member, names_case
from .names import python_name
from .shapes import Enum, Flags, List, Option, Primitive, Record, Result, Shape, Tuple, Variant


def typed(value: Any, shape: Shape | None, classes: Classes) -> Any:
    """Return `value` as a call of an export would: records and cases as dataclasses, enums and flags as members.

    `value` may be anything that fits `shape`; `classes` are those of the interface.
    """
    match shape:
        case Record(fields):
            made = (typed(_field(value, name), inner, classes) for name, inner in fields)
            return classes.class_of(shape)(*made)
        case Variant(cases):
            name, payload = next(each for each in cases if names_case(type(value), each[0]))
            cls = classes.case_of(shape, name)
            return cls() if payload is None else cls(typed(value.value, payload, classes))
        case Enum():
            return _member(classes.class_of(shape), value)
        case Flags():
            cls = classes.class_of(shape)
            return cls(sum({_member(cls, each).value for each in value}))
        case List(element):
            return bytes(value) if element == Primitive("u8") else [typed(each, element, classes) for each in value]
        case Tuple(items):
            return tuple(typed(each, item, classes) for each, item in zip(value, items, strict=True))
        case Option(Option() as some) if value is not None:
            return Some(typed(value.value, some, classes))
        case Option(some) if value is not None:
            return typed(value, some, classes)
        case Result(ok, err):
            kind, inner = (Err, err) if isinstance(value, Err) else (Ok, ok)
            return kind(typed(value.value if isinstance(value, Ok | Err) else value, inner, classes))
    return value


def _field(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value[name] if name in value else value[python_name(name)]
    return getattr(value, python_name(name))


def _member(cls: Any, value: Any) -> Any:
    return find_member(cls, value.name if isinstance(value, enum.Enum) else value)
