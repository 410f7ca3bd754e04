"""A plugin in place of another one while guests run: no call is lost, and nothing that is wanted is forgotten."""

from __future__ import annotations

import asyncio

import pytest

from tests.waiting import eventually
from washnb.errors import ConfigError
from washnb.plugins import HostPlugin, InMemoryKeyValue, Interface

from .guests import component, request, start


class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
    """Answers with a number, once somebody lets it."""

    def __init__(self, answer: int) -> None:
        self.answer = answer
        self.open = asyncio.Event()
        self.open.set()
        self.waiting = 0

    async def roll(self, sides: int) -> int:
        self.waiting += 1
        await self.open.wait()
        self.waiting -= 1
        return self.answer


class Dice(HostPlugin):
    """Remembers what became of it."""

    id = "dice"

    def __init__(self, answer: int) -> None:
        self.roll = Roll(answer)
        self.interfaces = (self.roll,)
        self.seen: list[str] = []

    async def on_workload_unbind(self, workload_id, interfaces):
        self.seen.append("unbind")

    async def stop(self):
        self.seen.append("stop")


async def test_calls_that_have_begun_finish_on_the_one_before(host):
    """Those that begin meanwhile go to the new one; the old one is parted from and stopped once it is not used."""
    old, new = Dice(1), Dice(2)
    await host.attach(old)
    await start(host, "dice")
    old.roll.open.clear()
    begun = asyncio.create_task(host.call("dice", "play", 6))
    await eventually(lambda: old.roll.waiting)
    swap = asyncio.create_task(host.attach(new, replace=True))
    await eventually(lambda: host.plugins["dice"] is new)
    await asyncio.sleep(0.01)
    assert await host.call("dice", "play", 6) == 2
    assert (old.seen, swap.done()) == ([], False)
    old.roll.open.set()
    assert await begun == 1
    await swap
    assert old.seen == ["unbind", "stop"]


async def test_a_call_that_lasts_does_not_hold_the_swap_up_for_ever(host, monkeypatch):
    """After some seconds the old plugin is stopped all the same."""
    monkeypatch.setattr("washnb.host.lifecycle.SWAP_GRACE", 0.02)
    old, new = Dice(1), Dice(2)
    await host.attach(old)
    await start(host, "dice")
    old.roll.open.clear()
    begun = asyncio.create_task(host.call("dice", "play", 6))
    await eventually(lambda: old.roll.waiting)
    await host.attach(new, replace=True)
    assert old.seen == ["unbind", "stop"]
    old.roll.open.set()
    assert await begun == 1


async def test_an_instance_that_is_kept_goes_over_at_its_next_call(host):
    """With the state that the guest has."""
    await host.attach(Dice(1))
    await start(host, "dice")
    async with await host.instantiate("dice") as instance:
        assert await instance.call("play", 6) == 1
        await host.attach(Dice(2), replace=True)
        assert await instance.call("play", 6) == 2


async def test_no_request_is_lost_under_load(host):
    """Ten callers and twenty swaps of a class that is edited each time: every call counts, once."""

    def edited(number: int) -> type[InMemoryKeyValue]:
        return type(
            "Counted", (InMemoryKeyValue,), {"version": number, "__module__": "cell", "__qualname__": "Counted"}
        )

    await host.attach(edited(0))
    await start(host, "keyvalue")
    done, counts = asyncio.Event(), []

    async def count() -> None:
        while not done.is_set():
            counts.append(await host.call("keyvalue", "increment", "b", "n", 1))
            await asyncio.sleep(0)  # nothing else in it waits

    callers = [asyncio.create_task(count()) for _ in range(10)]
    for number in range(1, 21):
        await host.attach(edited(number), replace=True)
        await asyncio.sleep(0)
    done.set()
    await asyncio.gather(*callers)
    assert len(counts) > 100
    assert sorted(counts) == list(range(1, len(counts) + 1))
    assert host.plugins["wasi-keyvalue"].version == 20


async def test_state_is_kept_where_the_plugin_says_so(host):
    """An edited class keeps what the one before kept; another class, or another object of the same, begins anew."""

    class Shop(InMemoryKeyValue):
        pass

    first = Shop
    await host.attach(first)
    await start(host, "keyvalue")
    await host.call("keyvalue", "set", "b", "k", b"v")

    class Shop(InMemoryKeyValue):
        pass

    await host.attach(Shop, replace=True)
    assert await host.call("keyvalue", "get", "b", "k") == b"v"
    await host.workload_stop("keyvalue")
    await start(host, "keyvalue")
    await host.call("keyvalue", "open", "b")
    assert await host.call("keyvalue", "get", "b", "k") is None  # it goes with its workload, as ever
    await host.call("keyvalue", "set", "b", "k", b"v")
    for other in (Shop(), InMemoryKeyValue()):
        await host.attach(other, replace=True)
        assert await host.call("keyvalue", "get", "b", "k") is None


async def test_own_plugins_say_what_they_keep(host):
    """`adopt` gets the one before, once the new one has started and before it serves."""
    heard: list[tuple[str, str]] = []

    class Counting(Dice):
        async def start(self):
            heard.append(("start", ""))

        def adopt(self, former):
            heard.append(("adopt", type(former).__name__))
            self.roll.answer = former.roll.answer + 1

        async def on_workload_bind(self, workload, interfaces):
            heard.append(("bind", workload.workload_name))

    await host.attach(Dice(6))
    await start(host, "dice")
    await host.attach(Counting(0), replace=True)
    assert await host.call("dice", "play", 6) == 7
    assert heard == [("start", ""), ("adopt", "Dice"), ("bind", "dice")]


async def test_one_that_fails_to_adopt_replaces_nothing(host):
    """The error names it."""

    class Broken(Dice):
        def adopt(self, former):
            raise LookupError("no such thing")

    await host.attach(Dice(1))
    await start(host, "dice")
    with pytest.raises(ConfigError, match="plugin 'dice' failed to adopt: LookupError: no such thing"):
        await host.attach(Broken(2), replace=True)
    assert await host.call("dice", "play", 6) == 1


async def test_a_swap_that_fails_harms_no_call(host):
    """Those that had begun before it, and those that begin while it is tried, and afterwards."""

    class Picky(Dice):
        async def on_workload_resolved(self, workload, component_id):
            await asyncio.sleep(0.01)
            raise ConfigError("not this one")

    old, new = Dice(1), Picky(2)
    await host.attach(old)
    await start(host, "dice")
    old.roll.open.clear()
    new.roll.open.clear()
    begun = asyncio.create_task(host.call("dice", "play", 6))
    await eventually(lambda: old.roll.waiting)
    swap = asyncio.create_task(host.attach(new, replace=True))
    await eventually(lambda: host.plugins["dice"] is new)
    meanwhile = asyncio.create_task(host.call("dice", "play", 6))
    with pytest.raises(ConfigError, match="not this one"):
        await swap
    new.roll.open.set()
    old.roll.open.set()
    assert await begun == 1
    assert await meanwhile in {1, 2}
    assert await host.call("dice", "play", 6) == 1
    assert old.seen == []


async def test_all_come_back_where_one_cannot_go_over(host):
    """With their state; what had gone over already comes back."""

    class Picky(InMemoryKeyValue):
        async def on_workload_bind(self, workload, interfaces):
            await super().on_workload_bind(workload, interfaces)

    first = Picky
    await host.attach(first)
    for name in ("good", "bad"):
        await host.workload_start(request(component("keyvalue"), name=name))
        await host.call(name, "set", "b", "k", name.encode())

    class Picky(InMemoryKeyValue):
        async def on_workload_bind(self, workload, interfaces):
            await super().on_workload_bind(workload, interfaces)
            if workload.workload_name == "bad":
                await asyncio.sleep(0.01)
                raise ConfigError("not this one")

    with pytest.raises(ConfigError, match="not this one"):
        await host.attach(Picky, replace=True)
    assert type(host.plugins["wasi-keyvalue"]) is first
    for name in ("good", "bad"):
        assert await host.call(name, "get", "b", "k") == name.encode()
