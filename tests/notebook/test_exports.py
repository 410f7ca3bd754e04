"""Exports as Python: signatures, keywords, types, and objects of resources that a guest defines."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.engine.echo import HOST, echo_component
from washnb.engine import Err, Interface, Ok
from washnb.engine.abi.shapes import Enum, Flags, List, Option, Primitive, Record, Result, Tuple, Variant
from washnb.errors import ConfigError, GuestError, MismatchError, TrapError, WorkloadNotFound

CARTS = Path(__file__).parent.parent / "components" / "carts.wat"


@pytest.fixture
def carts(session):
    """A workload that exports a resource, a record and a variant."""
    return session.load(CARTS)


def test_a_function_has_its_signature_and_wit_as_documentation(session):
    """What Shift-TAB shows; the long form has the same as the short one."""
    session.load("example:adder")
    for add in (session["adder"].add, session["adder"].exports["docs:adder/add"].add):
        assert str(inspect.signature(add)) == "(a: int, b: int) -> int"
        assert add.__doc__ == "add: func(a: u32, b: u32) -> u32"
        assert add.__name__ == "add"
        assert add(40, b=2) == 42


@pytest.mark.parametrize(
    ("arguments", "named", "said"),
    [
        ((1, "2"), {}, "b is u32, not '2'"),
        ((1,), {}, "takes 2 arguments, not 1"),
        ((1,), {"z": 2}, "missing a required argument: 'b'"),
    ],
)
def test_bad_arguments_are_refused_with_the_signature(session, arguments, named, said):
    """Before the guest runs: its instance goes on, and the last line is what the function takes."""
    adder = session.load("example:adder")
    with pytest.raises(MismatchError, match=said) as caught:
        adder.add(*arguments, **named)
    assert str(caught.value).splitlines()[-1] == "  add: func(a: u32, b: u32) -> u32"


def test_types_are_classes(carts):
    """Of a record and of the cases of a variant; beside them stands what plain Python has for it."""
    assert str(inspect.signature(carts.price)) == "(item: Item, from_: Discount) -> int"
    assert carts.price(carts.Item(count=3, cents=200), carts.Discount_Nothing()) == 600
    assert carts.price({"count": 3, "cents": 200}, from_=carts.Discount_Percent(50)) == 300
    assert set(dir(carts)) >= {"Cart", "Item", "Discount", "check_out", "price"}


POINT = Record((("x", Primitive("s32")), ("y", Primitive("s32"))))
FIGURE = Variant((("dot", POINT), ("none", None)))
DRAWING = Record((("at", POINT), ("from", Enum(("here", "far-away"))), ("style", Flags(("bold", "dashed")))))
KINDS = [DRAWING, List(POINT), Option(POINT), Result(POINT, FIGURE), Tuple((FIGURE, POINT))]
NAMES = {
    POINT: "point",
    FIGURE: "figure",
    DRAWING: "drawing",
    DRAWING.fields[1][1]: "place",
    DRAWING.fields[2][1]: "style",
}


class Echo(Interface, wit=HOST):
    """Gives back what comes, and keeps it; nothing is annotated."""

    def __init__(self) -> None:
        self.came = []

    def _answer(self, a):
        self.came.append(a)
        if isinstance(a, Err):
            raise a
        return a.value if isinstance(a, Ok) else a

    echo0 = echo1 = echo2 = echo3 = echo4 = _answer


def _half(name: str, other: str) -> str:
    """An interface that gives back points, and has a type of its own called `other`."""
    return f"""
  (component ${name}'
    (import "point" (type $point (eq $point')))
    (import "way" (type $way (eq $way')))
    (import "at" (func $at (param "a" $point) (result $point)))
    (import "go" (func $go (param "way" $way)))
    (type $other' (record (field "{other}" u8)))
    (import "other" (type $other (eq $other')))
    (import "see" (func $see (param "a" $other)))
    (export $point2 "point" (type $point'))
    (export $way2 "way" (type $way'))
    (export $other2 "other" (type $other'))
    (export "at" (func $at) (func (param "a" $point2) (result $point2)))
    (export "go" (func $go) (func (param "way" $way2)))
    (export "see" (func $see) (func (param "a" $other2))))"""


TWICE = f"""(component
  (core module $m
    (func (export "at") (param i32) (result i32) (local.get 0))
    (func (export "go") (param i32)))
  (core instance $i (instantiate $m))
  (type $point' (record (field "x" u32)))
  (type $way' (variant (case "up") (case "down")))
  {_half("first", "m")} {_half("second", "n")}
  (func $at (param "a" $point') (result $point') (canon lift (core func $i "at")))
  (func $go (param "way" $way') (canon lift (core func $i "go")))
  (type $m' (record (field "m" u8)))
  (type $n' (record (field "n" u8)))
  (func $see1 (param "a" $m') (canon lift (core func $i "go")))
  (func $see2 (param "a" $n') (canon lift (core func $i "go")))
  (instance $first (instantiate $first' (with "point" (type $point')) (with "way" (type $way'))
    (with "at" (func $at)) (with "go" (func $go)) (with "other" (type $m')) (with "see" (func $see1))))
  (instance $second (instantiate $second' (with "point" (type $point')) (with "way" (type $way'))
    (with "at" (func $at)) (with "go" (func $go)) (with "other" (type $n')) (with "see" (func $see2))))
  (export "docs:shop/first" (instance $first))
  (export "docs:shop/second" (instance $second)))"""


@pytest.fixture
def drawings(session):
    """A workload whose exports return what a plugin makes of what they get."""
    echo = Echo()
    session.attach(echo)
    return session.load(echo_component(*KINDS, names=NAMES).encode(), "drawings"), echo.came


def test_results_are_objects_of_the_classes_in_wit(drawings):
    """Records, nested ones, in lists, options, results and tuples; variants, enums and flags."""
    made, _ = drawings
    one = made.Point(1, 2)
    drawing = made.Drawing(made.Point(1, -2), made.Place.FAR_AWAY, made.Style.BOLD | made.Style.DASHED)
    assert made.echo0(drawing) == drawing
    assert made.echo0({"at": {"x": 1, "y": -2}, "from": "far-away", "style": ["bold", "dashed"]}) == drawing
    assert repr(made.echo0(drawing).at) == "Point(x=1, y=-2)"
    assert {"at", "from_", "style"} <= set(dir(made.echo0(drawing)))
    assert made.echo1([one, {"x": 3, "y": 4}]) == [one, made.Point(3, 4)]
    assert made.echo2(made.echo2(one)) == one
    assert made.echo3(Ok(one)) == one
    with pytest.raises(Err, match=r"Figure_Dot\(value=Point\(x=1, y=2\)\)") as caught:
        made.echo3(Err(made.Figure_Dot(one)))
    assert caught.value.value == made.Figure_Dot(one)
    assert made.echo4((made.Figure_None(), one)) == (made.Figure_None(), one)


def test_the_classes_stay_over_a_reload(drawings):
    """What was made before is equal to what comes after, as long as the component is the same."""
    made, _ = drawings
    before = made.echo2(made.Point(1, 2))
    made.reload()
    assert type(made.echo2(before)) is type(before) is made.Point


def test_a_type_that_several_interfaces_use_is_one_class(session):
    """Its name is unambiguous, and values of the one equal those of the other; functions have to be told apart."""
    shop = session.load(TWICE.encode(), "shop")
    first, second = shop.exports["docs:shop/first"], shop.exports["docs:shop/second"]
    assert shop.Point is first.Point is second.Point
    assert shop.Way_Up is second.Way_Up
    assert first.at(shop.Point(1)) == second.at({"x": 1}) == shop.Point(1)
    assert first.Other is not second.Other
    assert dir(shop).count("Point") == 1
    for name in ("Other", "at"):
        with pytest.raises(ConfigError, match=f"shop exports {name} in docs:shop/first and docs:shop/second"):
            getattr(shop, name)


def test_a_plugin_without_annotations_gets_the_classes_in_wit(drawings):
    """As its skeleton names them."""
    made, came = drawings
    made.echo0(made.Drawing(made.Point(1, -2), "here", ()))
    made.echo4((made.Figure_Dot(made.Point(1, 2)), made.Point(3, 4)))
    assert repr(came[0]) == "Drawing(at=Point(x=1, y=-2), from_=<Place.HERE: 0>, style=<Style: 0>)"
    assert repr(came[1]) == "(Figure_Dot(value=Point(x=1, y=2)), Point(x=3, y=4))"


def test_a_method_drop_is_called_and_drops_nothing(session, tmp_path):
    """As `drop_`: the object may stand for the resource of a host, whose `drop` is called when a handle ends."""
    (tmp_path / "carts.wat").write_text(CARTS.read_text().replace('"[method]cart.put"', '"[method]cart.drop"'))
    carts = session.load(tmp_path / "carts.wat")
    with carts.Cart(40) as cart:
        assert cart.drop_(2) == 42
        assert not hasattr(cart, "drop")
        assert carts.Cart.dropped() == 0
    assert carts.Cart.dropped() == 1


def test_a_resource_is_a_class_with_methods_and_statics(carts):
    """Its constructor is its call; its objects are what it takes and gives, and remember."""
    cart = carts.Cart(40)
    assert type(cart) is carts.Cart
    assert str(inspect.signature(carts.Cart)) == "(size: int)"
    assert "cart: func(size: u32) -> cart" in (inspect.getdoc(carts.Cart) or "")
    assert str(inspect.signature(cart.put)) == "(count: int) -> int"
    assert cart.put(1) == 41
    assert cart.put(count=1) == 42
    assert carts.Cart(1).put(1) == 2
    assert carts.Cart.made() == 2
    assert repr(cart) == "<cart of carts>"


@pytest.mark.parametrize("name", ["any", "enum", "interface", "some"])
def test_a_resource_may_be_called_like_something_of_python(session, name):
    """Its class has another name then, and is of the same use."""
    text = CARTS.read_text().replace('"cart"', f'"{name}"').replace("]cart", f"]{name}")
    made = session.load(text.encode(), "shop")
    cls = getattr(made, f"{name.capitalize()}2")
    with cls(1) as thing:
        assert thing.put(2) == 3
    assert cls.dropped() == 1
    with pytest.raises(GuestError, match=rf'wash\["shop"\].{cls.__name__}\(...\)'):
        thing.put(1)


def test_an_object_that_a_function_takes_is_gone(carts):
    """It says so, and what makes another one."""
    cart = carts.Cart(7)
    assert carts.check_out(cart) == 7
    assert repr(cart) == "<cart of carts, gone: a function has taken it>"
    with pytest.raises(
        GuestError, match=r'cart of carts is gone: a function has taken it\n  wash\["carts"\].Cart\(...\)'
    ):
        cart.put(1)


@pytest.mark.parametrize("end", ["reload", "unload"])
def test_an_object_ends_with_its_instance(session, carts, end):
    """After a reload or an unload it says so, as itself and as an argument."""
    cart = carts.Cart(7)
    getattr(session, end)("carts")
    with pytest.raises(GuestError, match="is gone: carts was loaded again, or unloaded"):
        cart.put(1)
    with pytest.raises(GuestError if end == "reload" else WorkloadNotFound):
        carts.check_out(cart)
    if end == "reload":
        assert carts.Cart.made() == 0


def test_an_object_ends_with_a_trap(carts):
    """The instance is another one then; a refused argument leaves it as it is."""
    cart = carts.Cart(7)
    with pytest.raises(MismatchError, match="count is u32"):
        cart.put(-1)
    assert cart.put(1) == 8
    with pytest.raises(TrapError):
        cart.boom()
    with pytest.raises(GuestError, match=r"its instance ended when .*\[method\]cart.boom ended in a trap"):
        cart.put(1)
    assert carts.Cart(1).put(1) == 2


def test_with_drops_an_object(carts):
    """Not before its end; whoever uses it then, or enters it again, hears why it is gone, and what makes another."""
    with carts.Cart(7) as cart:
        assert cart.put(1) == 8
        assert carts.Cart.dropped() == 0
    assert carts.Cart.dropped() == 1, "the destructor has run"
    assert repr(cart) == "<cart of carts, gone: its `with` block has ended>"
    for use in (lambda: cart.put(1), lambda: carts.check_out(cart), cart.__enter__):
        with pytest.raises(GuestError, match=r"its `with` block has ended\n  wash\[\"carts\"\].Cart\(...\)"):
            use()
    assert carts.Cart.made() == 1, "the instance goes on"
    with carts.Cart(7) as cart:
        carts.check_out(cart)
    assert "a function has taken it" in repr(cart)
    with pytest.raises(ZeroDivisionError), carts.Cart(7):
        _ = 1 / 0
    assert carts.Cart.dropped() == 2


def test_a_destructor_that_traps_ends_the_instance(carts):
    """As any call does; the next one has a fresh instance."""
    with pytest.raises(TrapError, match=r"docs:shop/carts@0.1.0#\[resource-drop\]cart"), carts.Cart(13):
        pass
    assert carts.Cart.made() == 0


def test_exports_of_an_instance_with_a_plain_name_are_found(session):
    """Tools export such instances for themselves."""
    text = CARTS.read_text().replace("docs:shop/carts@0.1.0", "exports")
    carts = session.load(text.encode(), "plain")
    assert carts.Cart(1).put(1) == 2
    assert carts.exports["exports"].price({"count": 3, "cents": 2}, carts.Discount_Nothing()) == 6
    assert "put: func(self: borrow<cart>" in repr(carts.exports)


def test_mistakes_with_objects_are_told_as_python_would(carts):
    """The object itself is no argument that one gives; a class is no object; completion has what is of use."""
    cart = carts.Cart(1)
    with pytest.raises(MismatchError, match=r"cart\.put takes 1 argument, not 0"):
        cart.put()
    with pytest.raises(MismatchError, match="an object of the guest's resource cart is needed, not the class Cart"):
        carts.check_out(carts.Cart)
    assert {"put", "boom", "made"} <= set(dir(cart))
    assert "wit_handle" not in dir(cart)


def test_what_a_tool_exports_for_itself_is_not_offered(session):
    """It is there by its whole name."""
    tool = session.load(
        b"""(component
          (core module $m (func (export "init") (result i32) (i32.const 7)))
          (core instance $i (instantiate $m))
          (func $init (result u32) (canon lift (core func $i "init")))
          (instance $exports (export "init" (func $init)))
          (export "exports" (instance $exports))
          (export "run" (func $init)))""",
        "tool",
    )
    assert "init" not in dir(tool)
    assert tool.exports["exports"].init() == tool.run() == 7


def test_the_lifetime_of_an_object_is_documented(carts):
    """With its class: until when it is of use."""
    assert "to the end of a `with` block" in inspect.getdoc(carts.Cart)


def test_a_resource_without_constructor_comes_out_of_functions(session):
    """The error names them."""
    carts = session.load(CARTS.read_text().replace("[constructor]cart", "fetch").encode(), "desk")
    with pytest.raises(MismatchError, match=r"Cart has no constructor in WIT\n  wash\[\"desk\"\].fetch\(...\)"):
        carts.Cart(1)
    assert carts.fetch(1).put(1) == 2


def test_an_object_of_another_workload_is_refused(session, carts):
    """Its instance is another one."""
    other = session.load(CARTS, "others")
    cart = carts.Cart(7)
    with pytest.raises(GuestError, match="belongs to another instance"):
        other.check_out(cart)
    assert carts.check_out(cart) == 7


@pytest.mark.parametrize(
    ("asked", "said"),
    [("carts", "say .*check_out"), ("carts.check-out", "say check_out$"), ("carts.nope", "say .*Cart")],
)
def test_the_name_of_an_interface_is_told_to_be_left_out(carts, asked, said):
    """People know it from other bindings: `carts.check_out` is `check_out` here."""
    with pytest.raises(
        ConfigError, match=f"exports nothing called {asked}\n  that is an interface; leave it out, and {said}"
    ):
        getattr(carts, asked)


def test_a_name_in_several_interfaces_is_not_guessed(session):
    """The lines that tell them apart are in the error, and a name that nobody exports gets the closest one."""
    carts = session.load(CARTS)
    with pytest.raises(AttributeError, match="did you mean check_out"):
        _ = carts.checkout
    with pytest.raises(KeyError, match="there is docs:shop"):
        _ = carts.exports["docs:shop/other"]
    with pytest.raises(ConfigError, match="exports nothing called nope"):
        session.load("example:adder").exports["docs:adder/add"].nope(1)


class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
    """Takes a moment, in which others call."""

    inside: Callable[[], object] | None = None

    async def roll(self, sides: int) -> int:
        await asyncio.sleep(0.01)
        if self.inside is not None:
            await asyncio.to_thread(self.inside)
        return sides


def test_calls_of_several_threads_go_one_after_the_other(session):
    """A workload has one instance for them."""
    session.attach(Roll)
    lucky = session.load("example:lucky")
    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(lambda _: lucky.play(), range(4))] == [6] * 4


@pytest.mark.parametrize("tracing", [True, False])
def test_a_call_within_a_call_is_refused(session, tracing):
    """It would wait for itself."""
    session.tracing = tracing
    roll = Roll()
    session.attach(roll)
    lucky = session.load("example:lucky")
    roll.inside = lucky.play
    with pytest.raises(GuestError, match="lucky is still busy with"):
        lucky.play()
    roll.inside = None
    assert lucky.play() == 6
