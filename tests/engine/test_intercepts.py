"""Calls that somebody has a say in before the one who serves them."""

from __future__ import annotations

import asyncio

import pytest

from tests.engine.guests import DRIVEN, HOST
from tests.engine.hosting import bound
from washnb.engine import Err, Injection, Instance, Interface

WAIT = (HOST, "wait")
MAYBE = (HOST, "maybe")


class Driven(Interface, wit=HOST):
    """Serves the guest."""

    def wait(self, n: int) -> int:
        return n + 1

    async def maybe(self, n: int) -> int:
        await asyncio.sleep(0)
        return n + 1


class Observer:
    """Writes down what it hears of each call: its name, and what was injected."""

    hold = None

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def called(self, callee, arguments, injected):
        self.heard.append((callee.function.name, injected))

    def returned(self, token, result):
        pass

    def failed(self, token, error):
        pass


def ten_more(target, arguments):
    """Answer with ten more than the argument."""
    return arguments[0] + 10


async def seven_later(target, arguments):
    """Fail, but not at once."""
    await asyncio.sleep(0)
    raise Err(7)


def always(serve):
    """Do `serve` in place of each call."""
    return lambda: Injection("a mark", serve)


@pytest.mark.parametrize("observed", [True, False])
@pytest.mark.parametrize("on_fiber", [True, False])
async def test_a_call_is_answered_in_place_of_its_target(shared_engine, on_fiber, observed):
    """From the next call on, also of instances that run, until it is taken back; the target serves what it leaves."""
    observer = Observer() if observed else None
    bindings = await bound(shared_engine, DRIVEN, Driven(), on_fiber=on_fiber)
    async with await Instance.new(bindings.component, bindings, observer=observer) as instance:
        assert await instance.call("wait", 3) == 4
        bindings.intercept({WAIT: always(ten_more), MAYBE: always(seven_later)})
        assert await instance.call("wait", 3) == 13
        with pytest.raises(Err) as caught:
            await instance.call("maybe", 3)
        assert caught.value.value == 7
        bindings.intercept({WAIT: lambda: None})
        assert await instance.call("wait", 3) == 4
        assert await instance.call("maybe", 3) == 4
    if observer:
        assert observer.heard == [
            ("wait", ""),
            ("wait", "a mark"),
            ("maybe", "a mark"),
            ("wait", ""),
            ("maybe", ""),
        ]


async def test_a_table_without_intercepts_is_as_it_was(shared_engine):
    """Once all are taken back a call takes the way that it took before."""
    bindings = await bound(shared_engine, DRIVEN, Driven())
    async with await Instance.new(bindings.component, bindings) as instance:
        assert await instance.call("wait", 1) == 2
        before = list(bindings.table.handlers)
        bindings.intercept({WAIT: always(ten_more)})
        assert bindings.table.handlers != before
        bindings.intercept({})
        assert await instance.call("wait", 1) == 2
        assert [each.__code__ for each in bindings.table.handlers] == [each.__code__ for each in before]


async def test_who_serves_may_change_beneath(shared_engine):
    """What comes later, or is taken back, is intercepted as well."""
    bindings = await bound(shared_engine, DRIVEN, Driven())
    bindings.intercept({WAIT: always(lambda target, arguments: target(*arguments) * 2)})
    async with await Instance.new(bindings.component, bindings) as instance:
        assert await instance.call("wait", 1) == 4

        class Other(Driven):
            def wait(self, n: int) -> int:
                return n + 100

        bindings.bind(HOST, Other(), provider="other")
        assert await instance.call("wait", 1) == 202


async def test_copies_of_a_table_are_intercepted_too(shared_engine):
    """Those made before, and those made after."""
    bindings = await bound(shared_engine, DRIVEN, Driven())
    before = bindings.copy()
    bindings.intercept({WAIT: always(ten_more)})
    for table in (before, bindings.copy()):
        async with await Instance.new(table.component, table) as instance:
            assert await instance.call("wait", 1) == 11
    bindings.intercept({})
    async with await Instance.new(before.component, before) as instance:
        assert await instance.call("wait", 1) == 2
