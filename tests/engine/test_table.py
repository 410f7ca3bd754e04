"""A binding table that goes over to other implementations between two calls of exports."""

from __future__ import annotations

import asyncio

import pytest

from tests.engine.guests import DRIVEN, HOST
from tests.engine.hosting import bound
from tests.waiting import eventually
from washnb.engine import Bindings, Injection, Instance, Interface, resource
from washnb.errors import GuestError

KEEPER = """(component
  (import "test:drive/host@1.0.0" (instance $host
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (result (own $thing))))
    (export "[method]thing.number" (func (param "self" (borrow $thing)) (result u32)))))
  (core func $new (canon lower (func $host "[constructor]thing")))
  (core func $number (canon lower (func $host "[method]thing.number")))
  (core module $module
    (import "host" "new" (func $new (result i32)))
    (import "host" "number" (func $number (param i32) (result i32)))
    (global $kept (mut i32) (i32.const 0))
    (func (export "make") (global.set $kept (call $new)))
    (func (export "ask") (result i32) (call $number (global.get $kept))))
  (core instance $guest (instantiate $module (with "host" (instance
    (export "new" (func $new)) (export "number" (func $number))))))
  (func (export "make") (canon lift (core func $guest "make")))
  (func (export "ask") (result u32) (canon lift (core func $guest "ask"))))"""


class Driven(Interface, wit=HOST):
    """Answers with a number; its first call waits until it may."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.calls = 0
        self.free = asyncio.Event()

    async def wait(self, n: int) -> int:
        self.calls += 1
        await self.free.wait()
        return self.number

    def maybe(self, n: int) -> int:
        return n


async def begun(bindings: Bindings, first: Driven, instance: Instance) -> asyncio.Task[int]:
    """A call of an export that makes two host calls, and is in the first."""
    task = asyncio.create_task(instance.call("often", 2))
    await eventually(lambda: first.calls)
    return task


async def test_calls_that_have_begun_finish_by_what_was_bound(shared_engine):
    """All of their host calls; the instance's next call goes by what is bound then. Waiting ends with the last one."""
    first, second = Driven(1), Driven(10)
    second.free.set()
    bindings = await bound(shared_engine, DRIVEN, first, on_fiber=False)
    async with await Instance.new(bindings.component, bindings) as instance:
        task = await begun(bindings, first, instance)
        bindings.renew()
        bindings.bind(HOST, second, provider="second")
        quiet = asyncio.create_task(bindings.quiet())
        async with await Instance.new(bindings.component, bindings) as other:
            assert await other.call("often", 2) == 20
        assert not quiet.done()
        first.free.set()
        assert await task == 2
        await quiet
        assert await instance.call("often", 2) == 20


async def test_what_is_taken_back_or_intercepted_meets_them_too(shared_engine):
    """At their next host call."""
    first = Driven(1)
    bindings = await bound(shared_engine, DRIVEN, first, on_fiber=False)
    for change, answer in (
        (lambda: bindings.intercept({(HOST, "wait"): lambda: Injection("", lambda target, arguments: 100)}), 101),
        (lambda: bindings.unbind(HOST, "it was revoked"), None),
    ):
        first.calls = 0
        first.free.clear()
        bindings.intercept({})
        async with await Instance.new(bindings.component, bindings) as instance:
            task = await begun(bindings, first, instance)
            bindings.renew()
            bindings.bind(HOST, Driven(10), provider="second")
            change()
            first.free.set()
            if answer is None:
                with pytest.raises(GuestError, match="it was revoked"):
                    await task
            else:
                assert await task == answer
        bindings.bind(HOST, first, provider="first")


async def test_a_table_goes_back(shared_engine):
    """What was bound before serves again, and is what is bound; what was taken back meanwhile stays so."""
    first, second = Driven(1), Driven(10)
    first.free.set()
    bindings = await bound(shared_engine, DRIVEN, first)
    before = bindings.table
    bindings.renew()
    bindings.bind(HOST, second, provider="second")
    bindings.revert(before)
    assert bindings.unserved() == ()
    async with await Instance.new(bindings.component, bindings) as instance:
        assert await instance.call("often", 2) == 2
        bindings.renew()
        bindings.unbind(HOST, "it was revoked")
        bindings.revert(before)
        with pytest.raises(GuestError, match="it was revoked"):
            await instance.call("often", 2)
    assert bindings.unserved() == (HOST,)


@pytest.mark.parametrize("on_fiber", [True, False])
async def test_an_open_resource_stays_valid(shared_engine, on_fiber):
    """It is the object that was given: its methods are its own, whoever serves the interface now."""

    def numbered(number: int) -> Interface:
        @resource("thing")
        class Thing:
            def number(self) -> int:
                return number

        return type("Things", (Interface,), {"Thing": Thing}, wit=HOST)()

    bindings = await bound(shared_engine, KEEPER, numbered(1), on_fiber=on_fiber)
    async with await Instance.new(bindings.component, bindings) as instance:
        await instance.call("make")
        bindings.renew()
        bindings.bind(HOST, numbered(2), provider="second", on_fiber=on_fiber)
        assert await instance.call("ask") == 1
        await instance.call("make")
        assert await instance.call("ask") == 2
