"""WIT types as forms: what a page needs to ask for a value of a type, and to write it as a Python expression."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from washnb.engine import Surface, names, shapes

Form = dict[str, Any]
"""A form as JSON: the kind of its field, the forms inside it, and the Python text around their values."""


def form_of(shape: shapes.Shape, surface: Surface) -> Form:
    """The form of a type. A resource, which only Python code can make, is a field for an expression."""
    match shape:
        case shapes.Primitive(name):
            return _scalar(name)
        case shapes.List(shapes.Primitive("u8")):
            return {"kind": "bytes"}
        case shapes.List(element):
            return {"kind": "list", "of": form_of(element, surface)}
        case shapes.Tuple(items):
            return _fields("(", ((str(number), "", item) for number, item in enumerate(items)), ",)", surface)
        case shapes.Record(fields):
            named = ((name, f"{names.python_name(name)}=", field) for name, field in fields)
            return _fields(f"{surface.annotation(shape)}(", named, ")", surface)
        case shapes.Flags(members):
            cls = surface.annotation(shape)
            flags = [[name, f"{cls}.{names.member_name(name)}"] for name in members]
            return {"kind": "flags", "flags": flags, "none": f"{cls}(0)"}
        case shapes.Own() | shapes.Borrow():
            return {"kind": "expression", "text": surface.examples(shape)[0]}
    return {"kind": "choice", "cases": [*_cases(shape, surface)]}


def _scalar(name: str) -> Form:
    kinds = {"bool": "switch", "string": "text", "char": "char", "f32": "real", "f64": "real"}
    if name in kinds:
        return {"kind": kinds[name]}
    bits = int(name[1:])
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if name[0] == "s" else (0, (1 << bits) - 1)
    return {"kind": "whole", "low": str(low), "high": str(high)}  # as text: JavaScript's numbers have 53 bits


def _fields(before: str, fields: Iterable[tuple[str, str, shapes.Shape]], after: str, surface: Surface) -> Form:
    parts = [{"name": name, "before": key, "of": form_of(field, surface)} for name, key, field in fields]
    return {"kind": "fields", "before": before, "fields": parts, "after": after}


def _cases(shape: shapes.Shape, surface: Surface) -> Iterable[Form]:
    match shape:
        case shapes.Option(some):
            yield _case("none", "None", "", None, surface)
            around = ("Some(", ")") if isinstance(some, shapes.Option) else ("", "")
            yield _case("some", *around, some, surface)
        case shapes.Result(ok, err):
            yield _case("ok", "Ok(", ")", ok, surface)
            yield _case("err", "Err(", ")", err, surface)
        case shapes.Enum(members):
            for name in members:
                yield _case(name, f"{surface.annotation(shape)}.{names.member_name(name)}", "", None, surface)
        case shapes.Variant(cases):
            for name, payload in cases:
                yield _case(name, f"{surface.case_of(shape, name).__name__}(", ")", payload, surface)


def _case(name: str, before: str, after: str, payload: shapes.Shape | None, surface: Surface) -> Form:
    of = None if payload is None else form_of(payload, surface)
    return {"name": name, "before": before, "of": of, "after": after}
