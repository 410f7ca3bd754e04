"""Resources: host objects behind handles, given and lent, and the handles of resources that a guest defines."""

from __future__ import annotations

import re

import pytest

from tests.engine.guests import COUNTER, HOST, THINGS
from tests.engine.hosting import bound, started
from washnb.engine import GuestResource, Instance, Interface, resource
from washnb.errors import GuestError, MismatchError


@resource("thing")
class Thing:
    """Knows its number, and whether it was dropped."""

    made: list[Thing] = []

    def __init__(self, n: int) -> None:
        self.n = n
        self.dropped = 0
        self.made.append(self)

    def number(self) -> int:
        return self.n

    @staticmethod
    def count() -> int:
        return len(Thing.made)

    def drop(self) -> None:
        self.dropped += 1


class Things(Interface, wit=HOST):
    """Makes things and works with them."""

    Thing = Thing

    def __init__(self) -> None:
        self.kept: list[Thing] = []

    def sum(self, a: Thing, b: Thing) -> int:
        return a.n + b.n

    def keep(self, a: Thing) -> None:
        self.kept.append(a)


@pytest.fixture(autouse=True)
def _nothing_made():
    Thing.made = []


@pytest.fixture(params=[True, False], ids=["on fiber", "off fiber"])
async def things(request, shared_engine, no_stores_left):
    """An instance of the guest of things, and what serves it."""
    host = Things()
    async with await started(shared_engine, THINGS, host, on_fiber=request.param) as instance:
        yield instance, host


async def test_constructor_method_static_and_drop(things):
    """A constructor makes an object, methods and statics are called by name, dropping the handle drops the object."""
    instance, _ = things
    assert await instance.call("use") == 8
    assert [thing.dropped for thing in Thing.made] == [1]
    assert not instance._store.objects


async def test_two_objects_are_lent_in_one_call(things):
    """What wasmtime 50.0 traps on in its default configuration."""
    instance, _ = things
    assert await instance.call("add") == 7


async def test_an_object_that_is_given_away_leaves_the_table(things):
    """The host owns it then: nothing drops it."""
    instance, host = things
    await instance.call("give")
    assert [thing.n for thing in host.kept] == [5]
    assert not instance._store.objects
    instance.close()
    assert host.kept[0].dropped == 0


async def test_closing_an_instance_drops_what_the_guest_left(things):
    """Newest first, each once, as a guest unwinds; closing again does nothing."""
    instance, _ = things
    for number in range(3):
        await instance.call("leave", number)
    order: list[int] = []
    for thing in Thing.made:
        thing.drop = lambda n=thing.n: order.append(n)
    instance.close()
    instance.close()
    assert order == [2, 1, 0]


async def test_an_object_can_be_lent_and_given_to_an_export(things):
    """A lent object leaves the table when the call is over and is not dropped; a given one comes back as itself."""
    instance, _ = things
    thing = Thing(9)
    assert await instance.call("ask", thing) == 9
    assert await instance.call("return", thing) is thing
    assert thing.dropped == 0
    assert not instance._store.objects


@pytest.mark.parametrize("on_fiber", [True, False])
@pytest.mark.parametrize("value", [None, 7, 7.0, "it", b"it", [7], (), {"n": 7}, {7}, True])
async def test_a_plain_value_is_no_object(shared_engine, on_fiber, value):
    """Neither as an argument, nor as a result: a return was forgotten, say, and a later call would fail."""
    host = Things()
    host.Thing = type("Thing", (Thing,), {"__new__": lambda cls, n: value})
    said = re.escape(repr(value))
    async with await started(shared_engine, THINGS, host, on_fiber=on_fiber) as instance:
        for export, kind in (("ask", "borrow<thing>"), ("return", "thing")):
            with pytest.raises(MismatchError, match=rf"{export}: thing is {kind}, not {said}.*\n  {export}: func"):
                await instance.call(export, value)
        with pytest.raises(MismatchError, match=rf"#\[constructor\]thing: result is thing, not {said}"):
            await instance.call("give")
        assert not instance._store.objects


MANY = """(component
  (import "test:drive/host@1.0.0" (instance $host
    (export "thing" (type $thing (sub resource)))
    (export "many" (func (result (list (own $thing)))))))
  (core module $memory (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
  (core instance $memory (instantiate $memory))
  (core func $many (canon lower (func $host "many")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core module $module
    (import "memory" "memory" (memory 1))
    (import "host" "many" (func $many (param i32)))
    (func (export "count") (result i32) (call $many (i32.const 8)) (i32.load (i32.const 12))))
  (core instance $guest (instantiate $module
    (with "memory" (instance $memory)) (with "host" (instance (export "many" (func $many))))))
  (func (export "count") (result u32) (canon lift (core func $guest "count"))))"""


async def test_a_plain_value_in_a_list_is_no_object(shared_engine):
    """The error names its place; an object of a class of one's own is none, also where that is derived from dict."""

    class Cart(dict):
        pass

    class Many(Interface, wit=HOST):
        def many(self) -> list:
            return self.things

    Many.Thing = Thing
    host = Many()
    instance = await started(shared_engine, MANY, host)
    host.things = [Thing(1), 2]
    with pytest.raises(GuestError, match=r'#many: result\[1\] is thing, not 2 \(int\)\n  @resource\("thing"\)'):
        await instance.call("count")
    instance = await started(shared_engine, MANY, host)
    host.things = [Thing(1), Cart()]
    async with instance:
        assert await instance.call("count") == 2


async def test_what_does_not_all_fit_is_not_given(things):
    """An argument that another one keeps from arriving stays its owner's, however often; the instance lives on."""
    instance, _ = things
    thing = Thing(9)
    for _ in range(3):
        with pytest.raises(MismatchError, match="n is u8, not 300"):
            await instance.call("take", thing, 300)
    assert not instance._store.objects
    assert thing.dropped == 0
    await instance.call("take", thing, 3)
    assert thing.dropped == 1


@pytest.mark.slow
async def test_what_does_not_fit_uses_no_handles_up(things):
    """There are 100,000 of them for a store, and each is given back."""
    instance, _ = things
    thing = Thing(9)
    for _ in range(100_001):
        with pytest.raises(MismatchError, match="n is u8, not 300"):
            await instance.call("take", thing, 300)
    await instance.call("take", thing, 3)


HOARD = """(component
  (import "test:drive/host@1.0.0" (instance $host
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (param "n" u32) (result (own $thing))))))
  (core func $new (canon lower (func $host "[constructor]thing")))
  (core module $module
    (import "host" "new" (func $new (param i32) (result i32)))
    (func (export "hoard") (loop $again (drop (call $new (i32.const 0))) (br $again))))
  (core instance $guest (instantiate $module (with "host" (instance (export "new" (func $new))))))
  (func (export "hoard") (canon lift (core func $guest "hoard"))))"""


async def test_a_guest_that_hoards_handles_is_ended(shared_engine, no_stores_left):
    """It may have 100,000, and the error says that it wanted more."""

    class Hoard(Interface, wit=HOST):
        def thing(self, n: int) -> object:
            return object()

    Hoard.Thing = lambda _self, n: object()
    instance = await started(shared_engine, HOARD, Hoard())
    with pytest.raises(GuestError, match="store handle limit exceeded"):
        await instance.call("hoard")


async def test_a_drop_that_raises_ends_the_guest(shared_engine):
    """Its exception is the cause, and says whose it was."""
    host = Things()
    async with await started(shared_engine, THINGS, host) as instance:
        Thing.drop, before = (lambda _self: 1 // 0), Thing.drop
        try:
            with pytest.raises(GuestError, match=r"Thing.drop raised ZeroDivisionError") as caught:
                await instance.call("use")
        finally:
            Thing.drop = before
        assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("kind", [ZeroDivisionError, SystemExit, GeneratorExit, BaseException])
async def test_a_drop_that_raises_while_closing_is_logged(shared_engine, caplog, kind):
    """The others are dropped all the same, whatever it is."""

    def fail() -> None:
        raise kind

    instance = await started(shared_engine, THINGS, Things())
    for number in range(2):
        await instance.call("leave", number)
    Thing.made[1].drop = fail
    instance.close()
    assert Thing.made[0].dropped == 1
    assert "Thing.drop() failed" in caplog.text


async def test_one_object_may_stand_behind_several_instances(shared_engine):
    """A table belongs to a store, an object does not."""
    bindings = await bound(shared_engine, THINGS, Things())
    thing = Thing(4)
    async with (
        await Instance.new(bindings.component, bindings) as one,
        await Instance.new(bindings.component, bindings) as two,
    ):
        assert await one.call("return", thing) is await two.call("return", thing)


ALIASED = """(component
  (import "test:drive/types@1.0.0" (instance $types
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (param "n" u32) (result (own $thing))))))
  (alias export $types "thing" (type $thing))
  (import "test:drive/host@1.0.0" (instance $host
    (alias outer 1 $thing (type $outer))
    (export "item" (type $item (eq $outer)))
    (export "number-of" (func (param "item" (borrow $item)) (result u32)))))
  (core func $new (canon lower (func $types "[constructor]thing")))
  (core func $number (canon lower (func $host "number-of")))
  (core module $module
    (import "host" "new" (func $new (param i32) (result i32)))
    (import "host" "number" (func $number (param i32) (result i32)))
    (func (export "use") (result i32) (call $number (call $new (i32.const 6)))))
  (core instance $guest (instantiate $module (with "host" (instance
    (export "new" (func $new)) (export "number" (func $number))))))
  (func (export "use") (result u32) (canon lift (core func $guest "use"))))"""


async def test_a_resource_is_the_same_under_an_alias_of_another_interface(shared_engine):
    """As headers are fields in wasi:http: an object made by one interface is known to the other."""
    types = type("Types", (Interface,), {"Thing": Thing}, wit="test:drive/types@1.0.0")()
    host = type("Host", (Interface,), {"number_of": lambda _self, item: item.n}, wit=HOST)()
    async with await started(shared_engine, ALIASED, types, host) as instance:
        assert await instance.call("use") == 6


VERSIONS = """(component
  (import "test:drive/host@1.0.0" (instance $old
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (param "n" u32) (result (own $thing))))))
  (import "test:drive/host@1.1.0" (instance $new
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (param "n" u32) (result (own $thing))))))
  (core func $old (canon lower (func $old "[constructor]thing")))
  (core func $new (canon lower (func $new "[constructor]thing")))
  (core module $module
    (import "host" "old" (func $old (param i32) (result i32)))
    (import "host" "new" (func $new (param i32) (result i32)))
    (func (export "use") (drop (call $old (i32.const 1))) (drop (call $new (i32.const 2)))))
  (core instance $guest (instantiate $module (with "host" (instance
    (export "old" (func $old)) (export "new" (func $new))))))
  (func (export "use") (canon lift (core func $guest "use"))))"""


async def test_two_versions_of_one_interface_are_served_by_one_class(shared_engine):
    """They are distinct types to the component, and one to the host."""
    bindings = await bound(shared_engine, VERSIONS)
    host = type("Host", (Interface,), {"Thing": Thing}, wit=HOST)()
    for name in bindings.component.imports:
        bindings.bind(name, host, provider="test")
    async with await Instance.new(bindings.component, bindings) as instance:
        await instance.call("use")
    assert sorted(thing.n for thing in Thing.made) == [1, 2]


async def test_a_guest_resource_is_an_argument_for_later_calls(shared_engine, no_stores_left):
    """Made by an exported constructor, used by a method, given up by a function that takes it."""
    async with await started(shared_engine, COUNTER) as instance:
        counter = await instance.call("test:count/api#[constructor]counter", 40)
        other = await instance.call("test:count/api@0.1.0#[constructor]counter", 0)
        assert isinstance(counter, GuestResource)
        assert await instance.call("[method]counter.inc", counter) == 41
        assert await instance.call("[method]counter.inc", counter) == 42
        assert await instance.call("[method]counter.inc", other) == 1
        assert repr(counter) == "<guest resource counter>"
        await instance.call("end", counter)
        assert await instance.call("dropped") == 1
        assert repr(counter) == "<guest resource counter (used up)>"
        with pytest.raises(MismatchError, match="was given away before"):
            await instance.call("[method]counter.inc", counter)
        assert await instance.call("[method]counter.inc", other) == 2


async def test_a_guest_resource_of_another_instance_or_of_no_guest_is_refused(shared_engine):
    """Handles mean nothing outside of their store."""
    bindings = await bound(shared_engine, COUNTER)
    async with (
        await Instance.new(bindings.component, bindings) as one,
        await Instance.new(bindings.component, bindings) as two,
    ):
        counter = await one.call("[constructor]counter", 1)
        with pytest.raises(MismatchError, match="belongs to another instance"):
            await two.call("[method]counter.inc", counter)
        with pytest.raises(MismatchError, match="an object of the guest's resource counter is needed, not 5"):
            await one.call("[method]counter.inc", 5)
        assert await one.call("[method]counter.inc", counter) == 2


async def test_a_guest_resource_is_used_up_only_by_a_call_that_takes_place(shared_engine, no_stores_left):
    """Where another argument does not fit, or it is given twice, it stays; what was used up is let go at once."""
    async with await started(shared_engine, COUNTER) as instance:
        one, two = [await instance.call("[constructor]counter", start) for start in (10, 20)]
        with pytest.raises(MismatchError, match="an object of the guest's resource counter is needed, not 5"):
            await instance.call("end-two", one, 5)
        with pytest.raises(MismatchError, match="was given away before"):
            await instance.call("end-two", one, one)
        assert await instance.call("[method]counter.inc", one) == 11
        await instance.call("end-two", one, two)
        assert await instance.call("dropped") == 2
        assert not instance._store.handles


async def test_a_guest_resource_comes_as_what_stands_for_it(shared_engine, no_stores_left):
    """Made of the handle, taken as an argument for it, and of no use once the handle is given up."""

    class Standing:
        def __init__(self, handle: GuestResource) -> None:
            self.wit_handle = handle

    async with await started(shared_engine, COUNTER) as instance:
        instance.represent(Standing)
        counter = await instance.call("[constructor]counter", 40)
        assert isinstance(counter, Standing)
        assert await instance.call("[method]counter.inc", counter) == 41
        counter.wit_handle.give_up()
        counter.wit_handle.give_up()
        assert not instance._store.handles
        with pytest.raises(
            MismatchError, match=r"counter.inc: .* was given away before\n  \[method\]counter.inc: func"
        ):
            await instance.call("[method]counter.inc", counter)
        assert instance.ended is None
    assert instance.ended == "it was closed"
    counter.wit_handle.give_up()
