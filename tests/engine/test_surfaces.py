"""Surfaces: an interface as Python classes, whose signatures read like code and whose values the guest takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.hosting import bound
from washnb.engine import Instance, Some, find_mismatch, read_source, reflection, surface
from washnb.engine.abi.shapes import (
    Enum,
    Flags,
    Function,
    InterfaceType,
    List,
    Option,
    Primitive,
    Record,
    Result,
    Tuple,
    Variant,
)
from washnb.engine.surfaces import Surfaces

CARTS = (Path(__file__).parent.parent / "components" / "carts.wat").read_text()


async def test_a_surface_has_names_signatures_and_documentation(shared_engine):
    """Types have their names of WIT, a union its own, and nothing is in quotes."""
    component = (await bound(shared_engine, CARTS)).component
    ((name, exported),) = component.exports.items()
    made = surface(exported, component.named_types(name))
    assert list(made.types) == ["Item", "Discount_Nothing", "Discount_Percent", "Discount", "Cart"]
    assert str(made.signature(made.served.price)) == "(self, item: Item, from_: Discount) -> int"
    assert made.served.price.__doc__ == "price: func(item: item, from: discount) -> u32"
    assert str(made.signature(made.served.Cart.put)) == "(self, count: int) -> int"
    assert made.served.Cart.wit_resource == "cart"
    assert made.names["Some"] is Some


async def test_types_are_read_once(monkeypatch, shared_engine):
    """However many interfaces somebody asks about."""
    walks = []

    class Walk(reflection._Walk):
        def exports(self, *what):
            walks.append(self)
            return super().exports(*what)

    code = read_source("example:greeter").data + b"\x00\x01\x00"  # an empty section: nobody has compiled this
    component = await shared_engine.compile(code)
    assert component.imports
    monkeypatch.setattr(reflection, "_Walk", Walk)
    assert all(component.import_surfaces[name].types is not None for name in component.imports)
    assert all(component.named_types(name) for name in component.exports)
    assert len(walks) == 1


async def test_classes_of_a_surface_are_values_for_the_guest(shared_engine):
    """A record, and each case of a variant."""
    bindings = await bound(shared_engine, CARTS)
    ((name, exported),) = bindings.component.exports.items()
    types = surface(exported, bindings.component.named_types(name)).types
    item = types["Item"](3, cents=200)
    async with await Instance.new(bindings.component, bindings) as instance:
        assert await instance.call("price", item, types["Discount_Nothing"]()) == 600
        assert await instance.call("price", item, types["Discount_Percent"](50)) == 300


@pytest.mark.parametrize("name", ["", "test:some/where@1.0.0"])
def test_what_has_no_names_in_wit_is_called_after_its_place(name):
    """Functions at the root, and types that are written where they are used."""
    text = Primitive("string")
    choice = Variant((("one", None), ("two", text)))
    function = Function("pick", (("from", Option(choice)),), Result(None, text))
    made = surface(InterfaceType(name, {"pick": function}, {}))
    assert str(made.signature(made.served.pick)) == "(self, from_: From | None) -> None"
    assert made.names["From_Two"]("x").value == "x"


@pytest.mark.parametrize("count", [1, 2])
def test_types_are_shared(count):
    """An interface takes the classes of another one for the same types, a variant of a single case among them."""
    choice = Variant(tuple((name, None) for name in ("one", "two")[:count]))
    function = Function("pick", (("from", choice),), None)
    interfaces = {name: InterfaceType(name, {"pick": function}, {}) for name in ("test:some/here", "test:some/there")}
    surfaces = Surfaces(interfaces, lambda _: {"choice": choice}, {})
    here, there = (surfaces[name] for name in interfaces)
    assert here.case_of(choice, "one") is there.case_of(choice, "one")
    assert here.types["Choice"] is there.types["Choice"]


def test_every_type_has_expressions_for_its_values():
    """One for each case; each is a value of the type, made of the names of the surface."""
    for shape, expected in (
        (Primitive("bool"), ["True", "False"]),
        (Primitive("u8"), ["0"]),
        (List(Primitive("u8")), ['b""']),
        (List(Primitive("string")), ["[]", '[""]']),
        (Option(Option(Primitive("f32"))), ["None", "Some(None)", "Some(0.0)"]),
        (Tuple((Primitive("char"),)), ['("?",)']),
        (Result(None, Primitive("u32")), ["Ok(None)", "Err(0)"]),
        (Variant((("one", None), ("two", Primitive("string")))), ["A_One()", 'A_Two("")']),
        (Record((("from", Primitive("u8")),)), ["A(from_=0)"]),
        (Enum(("a-b", "c")), ["A.A_B", "A.C"]),
        (Flags(("a",)), ["A(0)", "A.A"]),
    ):
        function = Function("take", (("a", shape),), None)
        made = surface(InterfaceType("test:some/where", {"take": function}, {}))
        assert made.examples(shape) == expected
        for text in expected:
            assert find_mismatch(shape, eval(text, made.names), "value") is None
