"""Skeletons: Python classes written from WIT, which run, fit the import, and serve it at once."""

from __future__ import annotations

import contextlib
import functools
import itertools
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.echo import HOST as ECHO
from tests.engine.echo import echo_component
from tests.engine.guests import DRIVEN, HOST, THINGS
from tests.engine.hosting import started
from tests.engine.values import NAMES, shapes
from washnb.engine import Function, Interface, InterfaceType, Skeleton, example_names, skeleton, surface
from washnb.engine.abi.names import class_name
from washnb.engine.abi.shapes import (
    Borrow,
    Enum,
    Flags,
    List,
    Option,
    Own,
    Primitive,
    Record,
    Resource,
    Result,
    Variant,
)
from washnb.engine.targets import find_targets
from washnb.errors import GuestError

COMPONENTS = sorted((Path(__file__).parent.parent / "components").glob("*.wat"))
_numbers = itertools.count()


@contextlib.contextmanager
def module_of(text: str | Skeleton) -> Iterator[Mapping[str, Any]]:
    """Run a skeleton as a cell is run: its names are those of a module."""
    text = text if isinstance(text, str) else text.text
    module = types.ModuleType(f"skeleton{next(_numbers)}")
    sys.modules[module.__name__] = module
    try:
        exec(compile(text, "<skeleton>", "exec", dont_inherit=True), vars(module))
        yield vars(module)
    finally:
        del sys.modules[module.__name__]


def served_by(module: Mapping[str, Any]) -> type[Interface]:
    """The one class of a skeleton that serves the interface."""
    found = [
        each
        for each in module.values()
        if isinstance(each, type) and issubclass(each, Interface) and each is not Interface
    ]
    assert len(found) == 1
    return found[0]


def check(interface: InterfaceType, declared: Mapping[str, Any]) -> None:
    """Write a skeleton, run it, and hold every function to the import; every annotation must be understood."""
    with module_of(skeleton(interface, declared)) as module:
        served = served_by(module)()
        named = functools.partial(surface, interface, declared)
        for function, _, annotated in find_targets(interface.name, interface.functions, served, named):
            known = [hint is not None for hint in annotated()]
            assert all(known[1:] if function.name.startswith("[method]") else known), function


def interface_of(*functions: Function, resources: tuple[Resource, ...] = ()) -> InterfaceType:
    """An interface that has these functions."""
    named = {function.name: function for function in functions}
    return InterfaceType("test:all/host@1.0.0", named, {each.name: each for each in resources})


SOURCES = [*(f"example:{name}" for name in example_names()), *COMPONENTS]


@pytest.mark.parametrize("source", SOURCES, ids=lambda each: Path(each).name)
async def test_every_import_of_our_components(shared_engine, source):
    """What examples and guests import is written, runs, and fits."""
    component = await shared_engine.compile(source)
    for name, interface in component.imports.items():
        if name:
            check(interface, component.named_types(name))


@settings(deadline=None, max_examples=60)
@given(st.lists(shapes(), min_size=1, max_size=3), st.none() | shapes(), st.booleans())
def test_random_types(params, result, has_error):
    """Types of every kind, with names that Python or the skeleton itself uses."""
    answer = Result(result, Enum(("none", "some"))) if has_error else result
    names = ("self", "list", "from")
    function = Function("list", tuple(zip(names, params, strict=False)), answer)
    declared = {name: shape for name, shape in zip(NAMES, params, strict=False) if isinstance(shape, Record | Variant)}
    check(interface_of(function, Function("str", function.params, answer)), declared)


def test_names_that_are_taken():
    """A type, a resource and an interface of the same name, and names of Python and of washnb, stay apart."""
    own = [Resource(f"test:all/host/{name}", name, host=True) for name in ("host", "interface", "none", "a-b")]
    elsewhere = Resource("other:all/types/bucket", "bucket", host=True)
    record = Record((("err", Own(own[1])), ("class", Enum(("true",)))))
    functions = [
        Function("[constructor]none", (("self", Own(own[0])),), Own(own[2])),
        Function("[static]none.str", (("self", List(Primitive("string"))),), Primitive("string")),
        Function("wit", (("wit", Primitive("u8")),), None),  # what an interface says of itself
        Function("[method]none.bytes", (("self", Borrow(own[2])), ("b", Borrow(elsewhere))), List(Primitive("u8"))),
        Function("some", (("record", record), ("flags", Flags(("a",)))), Option(Option(Own(own[3])))),
    ]
    interface = interface_of(*functions, resources=(*own, elsewhere))
    check(interface, {"err": record, "flag": Flags(("a",)), "ok": Enum(("true",))})
    with module_of(skeleton(interface)) as module:
        assert served_by(module).__name__ == "HostInterface"
        assert module["Bucket"] is Any


def test_text():
    """The text reads as a person would write it, types of WIT under their own names."""
    error = Variant((("gone", None), ("other", Primitive("string"))))
    bucket = Resource("test:all/host/bucket", "bucket", host=True)
    interface = interface_of(
        Function("[method]bucket.get", (("self", Borrow(bucket)), ("key", Primitive("string"))), Result(None, error)),
        Function("open", (("id", Enum(("one", "two-three"))),), Result(Own(bucket), error)),
        resources=(bucket,),
    )
    assert skeleton(interface, {"error": error}) == ("Host", TEXT)


def test_imports_are_grouped():
    """One line for each module, as a formatter would leave it."""
    function = Function("f", (("a", Enum(("one",))), ("b", Flags(("two",)))), None)
    assert skeleton(interface_of(function)).text.startswith(
        "from enum import Enum, Flag\n\nfrom washnb import Interface\n"
    )


TEXT = '''from dataclasses import dataclass
from enum import Enum

from washnb import Err, Interface, resource


@dataclass(frozen=True)
class Error_Gone:
    """variant error: gone"""


@dataclass(frozen=True)
class Error_Other:
    """variant error: other"""

    value: str


Error = Error_Gone | Error_Other


class Id(Enum):
    """enum"""

    ONE = 0
    TWO_THREE = 1


@resource("bucket")
class Bucket:
    """resource bucket"""

    def get(self, key: str) -> None:
        """bucket.get: func(self: borrow<bucket>, key: string) -> result<_, error>"""
        raise NotImplementedError("Bucket.get is not written yet")


class Host(Interface, wit="test:all/host@1.0.0"):
    """interface test:all/host@1.0.0"""

    Bucket = Bucket

    def open(self, id: Id) -> Bucket:
        """open: func(id: enum { one, two-three }) -> result<bucket, error>"""
        raise NotImplementedError("Host.open is not written yet")
'''


async def test_a_skeleton_says_which_method_is_not_written(shared_engine):
    """A guest that calls it ends, and the error leads to the method."""
    component = await shared_engine.compile(DRIVEN.encode())
    with module_of(skeleton(component.imports[HOST])) as module:
        async with await started(shared_engine, DRIVEN, served_by(module)()) as guest:
            with pytest.raises(GuestError, match=r"Host\.wait is not written yet"):
                await guest.call("wait", 1)


async def test_methods_are_filled_in(shared_engine):
    """Resources of the skeleton are made and used by a guest."""
    component = await shared_engine.compile(THINGS.encode())
    text = skeleton(component.imports[HOST], component.named_types(HOST)).text
    for method, body in (
        ("Thing.__init__", "self.n = n"),
        ("Thing.number", "return self.n"),
        ("Thing.count", "return 1"),
    ):
        text = text.replace(f'raise NotImplementedError("{method} is not written yet")', body)
    with module_of(text) as module:
        async with await started(shared_engine, THINGS, served_by(module)()) as guest:
            assert await guest.call("use") == 8


async def test_values_come_in_the_classes_of_the_skeleton(shared_engine):
    """Records, cases, enums and flags are objects of its classes, however deep, and go back as such."""
    shade = Enum(("dark", "light"))
    colour = Variant((("none", None), ("named", Primitive("string")), ("shaded", shade)))
    point = Record((("from", colour), ("marks", List(Flags(("x", "y"))))))
    component = await shared_engine.compile(echo_component(point).encode())
    declared = component.named_types(ECHO)
    assert {shade, colour, point, Flags(("x", "y"))} == set(declared.values())
    text = skeleton(component.imports[ECHO], declared).text
    with module_of(
        text.replace('raise NotImplementedError("Host.echo0 is not written yet")', "seen.append(a); return a")
    ) as module:
        seen = vars(sys.modules[served_by(module).__module__])["seen"] = []
        names = {shape: class_name(name) for name, shape in declared.items()}
        async with await started(shared_engine, echo_component(point), served_by(module)()) as guest:
            value = {"from": type("Shaded", (), {"value": "light"})(), "marks": [{"x"}]}
            await guest.call("echo0", value)
    (came,) = seen
    assert type(came) is module[names[point]]
    assert type(came.from_) is module[f"{names[colour]}_Shaded"]
    assert came.from_.value is module[names[shade]].LIGHT
    assert came.marks == [module[names[Flags(("x", "y"))]].X]
