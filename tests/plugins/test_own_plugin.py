"""A plugin of the user's own, for a WIT interface that washnb has never seen, and what can be wrong with it."""

from __future__ import annotations

import asyncio

import pytest

from washnb.engine import Err
from washnb.errors import ConfigError, GuestError
from washnb.plugins import HostPlugin, Interface, as_plugin

from .guests import bound_guest, instance_of

CELL = """
from washnb.plugins import HostPlugin, Interface


class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
    def roll(self, sides: int) -> int:
        return sides - 1


class Dice(HostPlugin):
    id = "dice"
    interfaces = (Roll,)
"""


def run_cell(source: str) -> dict:
    """Run source as a notebook does, without the future statements of this file, and return its namespace."""
    cell = {"__name__": "__main__", "dropped": []}
    exec(compile(source, "<cell>", "exec", dont_inherit=True), cell)
    return cell


@pytest.mark.parametrize("attached", ["Roll", "Roll()", "Dice", "Dice()"])
async def test_a_cell_is_enough(engine, attached):
    """Ten lines in a cell serve the interface; plugin or interface, class or object, can be attached."""
    cell = run_cell(CELL)
    item = await bound_guest(engine, "dice", as_plugin(eval(attached, cell)))
    async with await instance_of(item) as guest:
        assert await guest.call("play", 6) == 5


async def test_a_method_that_waits(engine):
    """An async method suspends its guest only: another one is served meanwhile."""
    released = asyncio.Event()

    class Slow(Interface, wit="workshop:dice/roll@0.1.0"):
        async def roll(self, sides: int) -> int:
            if sides == 6:
                await released.wait()
            else:
                released.set()
            return sides

    item = await bound_guest(engine, "dice", as_plugin(Slow()))
    async with await instance_of(item) as one, await instance_of(item) as two:
        assert await asyncio.gather(one.call("play", 6), two.call("play", 20)) == [6, 20]


async def test_a_method_that_raises(engine):
    """The guest ends, and the caller learns which call it was and what was raised, down to the line."""

    class Broken(Interface, wit="workshop:dice/roll@0.1.0"):
        def roll(self, sides: int) -> int:
            return sides // 0

    item = await bound_guest(engine, "dice", as_plugin(Broken))
    async with await instance_of(item) as guest:
        with pytest.raises(GuestError, match="workshop:dice/roll") as raised:
            await guest.call("play", 6)
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


async def test_a_result_that_does_not_fit(engine):
    """What does not fit the WIT type is named with that type."""

    class Wordy(Interface, wit="workshop:dice/roll@0.1.0"):
        def roll(self, sides: int) -> int:
            return "six"

    item = await bound_guest(engine, "dice", as_plugin(Wordy))
    async with await instance_of(item) as guest:
        with pytest.raises(GuestError, match="u32") as raised:
            await guest.call("play", 6)
    assert "'six'" in str(raised.value)


async def test_err_where_the_function_has_no_error(engine):
    """`raise Err` in a function without a WIT error ends the guest, like any other exception."""

    class Refusing(Interface, wit="workshop:dice/roll@0.1.0"):
        def roll(self, sides: int) -> int:
            raise Err("no dice")

    item = await bound_guest(engine, "dice", as_plugin(Refusing))
    async with await instance_of(item) as guest:
        with pytest.raises(GuestError, match="workshop:dice/roll"):
            await guest.call("play", 6)


async def test_a_function_with_the_wrong_name(engine):
    """A missing function fails the binding: the message has its WIT signature."""

    class Rol(Interface, wit="workshop:dice/roll@0.1.0"):
        def rol(self, sides: int) -> int:
            return sides

    with pytest.raises(ConfigError, match="roll") as raised:
        await bound_guest(engine, "dice", as_plugin(Rol))
    assert "roll: func(sides: u32) -> u32" in str(raised.value)
    assert "Rol" in str(raised.value)


async def test_a_function_with_the_wrong_parameters(engine):
    """A wrong number of parameters fails the binding: the message has the WIT signature and the Python one."""

    class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
        def roll(self, sides: int, times: int) -> int:
            return sides * times

    with pytest.raises(ConfigError, match="roll") as raised:
        await bound_guest(engine, "dice", as_plugin(Roll))
    assert "roll: func(sides: u32) -> u32" in str(raised.value)
    assert "times" in str(raised.value)


async def test_another_version_is_not_taken(engine):
    """An interface of an incompatible version does not serve the import."""

    class Roll(Interface, wit="workshop:dice/roll@0.2.0"):
        def roll(self, sides: int) -> int:
            return sides

    item = await bound_guest(engine, "dice", as_plugin(Roll))
    assert item.bindings.unserved() == ("workshop:dice/roll@0.1.0",)


async def test_a_new_plugin_takes_over_a_running_guest(engine):
    """Linking again takes effect at the next call, in the instance that runs."""

    class One(Interface, wit="workshop:dice/roll@0.1.0"):
        def roll(self, sides: int) -> int:
            return 1

    class All(HostPlugin):
        id = "all"
        interfaces = (type("Highest", (One,), {"roll": lambda self, sides: sides}),)

    item = await bound_guest(engine, "dice", as_plugin(One))
    async with await instance_of(item) as guest:
        assert await guest.call("play", 6) == 1
        await All().on_workload_item_bind(item, ())
        assert await guest.call("play", 6) == 6


HEAD = """
from washnb.plugins import Err, HostPlugin, Interface, resource
"""

BUCKET = """
@resource("bucket")
class Bucket:
    async def get(self, key: str) -> bytes | None:
        return {"answer": b"42"}.get(key)

    def drop(self) -> None:
        dropped.append(self)
"""

STORE = """
class Error_AccessDenied: ...


class Store(Interface, wit="wasi:keyvalue/store@0.2.0-draft"):
    async def open(self, identifier: str) -> Bucket:
        if identifier == "secret":
            raise Err(Error_AccessDenied())
        return Bucket()


class Constants(HostPlugin):
    id = "constants"
    interfaces = (Store,)
"""


@pytest.mark.parametrize(
    "source",
    [HEAD + BUCKET + STORE, "from __future__ import annotations\n" + HEAD + STORE + BUCKET],
    ids=["the resource first", "the interface first"],
)
async def test_a_cell_with_a_resource(engine, source):
    """A resource is a class: a handle in the guest is an object of it, whose `drop` is called with the handle."""
    cell = run_cell(source)
    item = await bound_guest(engine, "keyvalue_reader", as_plugin(cell["Constants"]))
    async with await instance_of(item) as guest:
        assert await guest.call("read", "any", "answer") == b"42"
        assert await guest.call("read", "any", "question") is None
        assert len(cell["dropped"]) == 2
        with pytest.raises(Err) as raised:
            await guest.call("read", "secret", "answer")
        assert type(raised.value.value).__name__.endswith("AccessDenied")


async def test_a_resource_that_lacks_a_method(engine):
    """A method that the import has and the resource's class has not fails the binding."""
    cell = run_cell((HEAD + BUCKET + STORE).replace("async def get", "async def fetch"))
    with pytest.raises(ConfigError, match=r"\[method\]bucket.get: func"):
        await bound_guest(engine, "keyvalue_reader", as_plugin(cell["Constants"]))
