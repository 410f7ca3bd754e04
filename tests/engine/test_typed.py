"""Values in the classes of an interface, made of anything that fits."""

from __future__ import annotations

import pytest

from washnb.engine import Err, Ok, Some, find_mismatch, surface, typed
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

NUMBER, BYTE = Primitive("u32"), Primitive("u8")
COLOR = Enum(("red", "light-green"))
MARKS = Flags(("new", "on-sale"))
ITEM = Record((("unit-price", NUMBER), ("color", COLOR)))
OFFER = Variant((("nothing", None), ("item", ITEM)))
FUNCTION = Function("look", (("marks", MARKS),), Result(OFFER, COLOR))
MADE = surface(
    InterfaceType("docs:shop/stock", {"look": FUNCTION}, {}),
    {"color": COLOR, "marks": MARKS, "item": ITEM, "offer": OFFER},
)
Color, Marks, Item, Nothing, Offered = (
    MADE.types[name] for name in ("Color", "Marks", "Item", "Offer_Nothing", "Offer_Item")
)


class Item2:
    """Something with the fields of an item."""

    unit_price = 3
    color = "light-green"


@pytest.mark.parametrize(
    ("given", "shape", "made"),
    [
        (3, NUMBER, 3),
        ("LightGreen", COLOR, Color.LIGHT_GREEN),
        (Color.RED, COLOR, Color.RED),
        (["new", "on_sale"], MARKS, Marks.NEW | Marks.ON_SALE),
        ((), MARKS, Marks(0)),
        ({"unit-price": 3, "color": "red"}, ITEM, Item(3, Color.RED)),
        ({"unit_price": 3, "color": "red"}, ITEM, Item(3, Color.RED)),
        (Item2(), ITEM, Item(3, Color.LIGHT_GREEN)),
        (type("Nothing", (), {})(), OFFER, Nothing()),
        (type("Item", (), {"value": Item2()})(), OFFER, Offered(Item(3, Color.LIGHT_GREEN))),
        (bytearray(b"ab"), List(BYTE), b"ab"),
        ([97, 98], List(BYTE), b"ab"),
        (("red",), List(COLOR), [Color.RED]),
        (["red", 3], Tuple((COLOR, NUMBER)), (Color.RED, 3)),
        (None, Option(COLOR), None),
        ("red", Option(COLOR), Color.RED),
        (Some(None), Option(Option(COLOR)), Some(None)),
        (Some("red"), Option(Option(COLOR)), Some(Color.RED)),
        (Ok("red"), Result(COLOR, None), Ok(Color.RED)),
        (Err("red"), Result(None, COLOR), Err(Color.RED)),
        (None, None, None),
    ],
)
def test_each_kind_gets_its_class(given, shape, made):
    """Whatever it was made of, so long as it fits."""
    assert find_mismatch(shape, given, "value") is None
    assert typed(given, shape, MADE) == made
    assert type(typed(given, shape, MADE)) is type(made)
