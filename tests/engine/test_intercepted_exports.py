"""Calls of exports that somebody has a say in before the guest."""

from __future__ import annotations

import asyncio

import pytest

from tests.engine.guests import DRIVEN, HOST
from tests.engine.hosting import bound
from washnb.engine import INJECTOR, Err, Injection, Instance, Interface
from washnb.errors import GuestCancelled, GuestError, GuestTimeout, MismatchError, TrapError

WAIT = ("", "wait")
MAYBE = ("", "maybe")


class Driven(Interface, wit=HOST):
    """Serves the guest."""

    def wait(self, n: int) -> int:
        return n + 1

    def maybe(self, n: int) -> int:
        return n + 1


class Observer:
    """Writes down what it hears of each call: what began, and how it ended."""

    hold = None

    def __init__(self) -> None:
        self.heard: list[object] = []

    def called(self, callee, arguments, injected):
        self.heard.append((callee.interface, callee.function.name, arguments, callee.provider, injected))

    def returned(self, token, result):
        self.heard.append(result)

    def failed(self, token, error):
        self.heard.append(error)

    def passed(self, token):
        self.heard.append("passed")


def always(serve):
    """Do `serve` at each call."""
    return lambda: Injection("a mark", serve)


def refuse(target, arguments):
    """Answer with an error."""
    raise Err(7)


def trap(target, arguments):
    """End as a guest that traps."""
    raise TrapError("it trapped")


async def later(target, arguments):
    """Let the guest answer, but not at once."""
    await asyncio.sleep(0.01)
    return target(*arguments)


async def never(target, arguments):
    """Wait for ever."""
    await asyncio.Event().wait()


@pytest.fixture
async def bindings(shared_engine):
    """A guest that answers what it is asked and one more."""
    return await bound(shared_engine, DRIVEN, Driven())


async def test_a_call_is_answered_in_place_of_the_guest(bindings):
    """With a value or an error, after which the instance lives on; copies of the table are met as well."""
    twin = bindings.copy()
    bindings.intercept_exports({WAIT: always(lambda target, arguments: arguments[0] + 10), MAYBE: always(refuse)})
    for table in (bindings, twin, bindings.copy()):
        async with await Instance.new(table.component, table) as instance:
            assert await instance.call("wait", 3) == 13
            with pytest.raises(Err) as caught:
                await instance.call("maybe", 3)
            assert caught.value.value == 7
            assert await instance.call("five") == 5
    bindings.intercept_exports({})
    async with await Instance.new(twin.component, twin) as instance:
        assert await instance.call("wait", 3) == 4


async def test_what_is_left_to_the_guest_it_does(bindings):
    """After what was injected; arguments that do not fit are found then."""
    bindings.intercept_exports({WAIT: always(later)})
    async with await Instance.new(bindings.component, bindings) as instance:
        assert await instance.call("wait", 3) == 4
        with pytest.raises(MismatchError):
            await instance.call("wait", "three")
        calling = asyncio.create_task(instance.call("wait", 4))
        await asyncio.sleep(0)
        with pytest.raises(GuestError, match="still busy with wait"):
            await instance.call("wait", 5)
        assert await calling == 5


async def test_an_exception_ends_the_instance(bindings):
    """As a trap of the guest would, or as what a host function raises."""
    for serve, kind in ((trap, TrapError), (lambda target, arguments: 1 / 0, GuestError)):
        bindings.intercept_exports({WAIT: always(serve)})
        async with await Instance.new(bindings.component, bindings) as instance:
            with pytest.raises(kind) as caught:
                await instance.call("wait", 3)
            assert type(caught.value) is kind
            assert isinstance(caught.value.__cause__, ZeroDivisionError) == (kind is GuestError)
            with pytest.raises(GuestError, match="takes no more calls: wait failed"):
                await instance.call("wait", 3)


async def test_it_ends_like_a_guest_that_takes_too_long(bindings):
    """By its time, by whoever cancels it, and by whoever closes the instance."""
    bindings.intercept_exports({WAIT: always(never)})
    async with await Instance.new(bindings.component, bindings) as instance:
        with pytest.raises(GuestTimeout):
            await instance.call("wait", 3, timeout=0.01)
        assert instance.ended == "wait was cancelled"
    for end, kind in ((asyncio.Task.cancel, asyncio.CancelledError), (None, GuestCancelled)):
        async with await Instance.new(bindings.component, bindings) as instance:
            calling = asyncio.create_task(instance.call("wait", 3))
            await asyncio.sleep(0)
            if end is None:
                instance.close()
            else:
                end(calling)
            with pytest.raises(kind):
                await calling
            assert instance.ended is not None


async def test_an_observer_hears_of_it(bindings):
    """Of what was injected, and how that ended; then of the calls that the guest makes."""
    observer = Observer()
    bindings.intercept_exports({WAIT: always(later), MAYBE: always(refuse), ("", "five"): lambda: None})
    async with await Instance.new(bindings.component, bindings, observer=observer) as instance:
        await instance.call("wait", 3)
        with pytest.raises(Err):
            await instance.call("maybe", 4)
        await instance.call("five")
        bindings.intercept_exports({WAIT: always(lambda target, arguments: 9)})
        await instance.call("wait", 5)
        bindings.intercept_exports({WAIT: always(trap)})
        with pytest.raises(TrapError):
            await instance.call("wait", 6)
    *heard, trapped = observer.heard
    assert isinstance(trapped, TrapError)
    assert isinstance(heard.pop(5), Err)
    assert heard == [
        ("", "wait", (3,), INJECTOR, "a mark"),
        "passed",
        (HOST, "wait", (3,), "test", ""),
        4,
        ("", "maybe", (4,), INJECTOR, "a mark"),
        ("", "wait", (5,), INJECTOR, "a mark"),
        9,
        ("", "wait", (6,), INJECTOR, "a mark"),
    ]
