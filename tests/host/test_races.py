"""Plugins and workloads that come and go at the same moment: whatever is begun is ended, once."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator

import pytest

from tests.waiting import eventually
from washnb.errors import ConfigError, GuestError, WorkloadError
from washnb.plugins import HostPlugin, Interface
from washnb.types import Request, WorkloadState

from .guests import component, refused, request, start


class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
    """Rolls what is asked for."""

    async def roll(self, sides: int) -> int:
        """Take a turn of the loop for it."""
        await asyncio.sleep(0)
        return sides


class Dice(HostPlugin):
    """Counts who uses it. Each step takes some turns of the loop; `held` makes one wait until it is set."""

    id = "dice"
    interfaces = (Roll,)

    def __init__(self) -> None:
        """Begin with nobody."""
        self.bound = 0
        self.running = 0
        self.binding = asyncio.Event()
        self.held = asyncio.Event()
        self.held.set()

    async def start(self):
        """Count."""
        self.running += 1
        await self.held.wait()

    async def on_workload_bind(self, workload, interfaces):
        """Count."""
        self.bound += 1
        self.binding.set()
        await asyncio.sleep(0)
        await self.held.wait()

    async def on_workload_unbind(self, workload_id, interfaces):
        """Count."""
        await asyncio.sleep(0)
        self.bound -= 1

    async def stop(self):
        """Count."""
        self.running -= 1


async def turns(count: int) -> None:
    """Let the others go on."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_workload_may_stop_while_a_plugin_comes_back_to_it(host):
    """The attach waits for the stop or the stop for the attach; the plugin keeps no workload that is gone."""
    await host.attach(Dice())
    for count in range(12):
        await start(host, "dice")
        await host.detach("dice")
        dice = Dice()
        coming = asyncio.create_task(host.attach(dice))
        await turns(count)
        await host.workload_stop("dice")
        await coming
        assert dice.bound == 0


async def test_a_plugin_that_goes_while_a_workload_is_bound_to_it_is_let_go(host):
    """The start goes on without it, and the guest is told when it calls."""
    dice = Dice()
    await host.attach(dice)
    dice.held.clear()
    starting = asyncio.create_task(host.workload_start(request(component("dice"))))
    await dice.binding.wait()
    await host.detach("dice")
    dice.held.set()
    assert (await starting).state is WorkloadState.RUNNING
    assert (dice.bound, dice.running) == (0, 0)
    with pytest.raises(GuestError, match="revoked: plugin 'dice' was detached"):
        await host.call("dice", "play", 6)
    await host.attach(Dice())
    assert await host.call("dice", "play", 6) == 6


async def test_of_two_plugins_with_one_id_one_is_attached(host):
    """The slower one is stopped again."""
    one, two = Dice(), Dice()
    outcomes = await asyncio.gather(host.attach(one), host.attach(two), return_exceptions=True)
    assert [type(each) for each in outcomes] == [type(None), ConfigError]
    assert (one.running, two.running) == (1, 0)
    outcomes = await asyncio.gather(host.detach("dice"), host.detach("dice"), return_exceptions=True)
    assert [type(each) for each in outcomes] == [type(None), ConfigError]
    assert one.running == 0


async def test_a_plugin_that_starts_while_the_host_stops_is_stopped(host):
    """The attach fails, because the host does not run any more."""
    dice = Dice()
    dice.held.clear()
    coming = asyncio.create_task(host.attach(dice))
    await turns(3)
    await host.stop()
    dice.held.set()
    with pytest.raises(ConfigError, match="the host does not run"):
        await coming
    assert dice.running == 0


async def test_a_plugin_that_is_detached_while_another_one_replaces_it_is_stopped_once(host):
    """The other one is attached all the same."""
    one, two = Dice(), Dice()
    await host.attach(one)
    two.held.clear()
    coming = asyncio.create_task(host.attach(two, replace=True))
    await turns(3)
    await host.detach("dice")
    two.held.set()
    await coming
    assert (one.running, two.running, host.plugins["dice"]) == (0, 1, two)


async def test_a_plugin_that_is_leaving_is_not_attached_again(host):
    """It would be stopped as soon as it has started; when it is gone, it can come back."""
    dice = Dice()
    await host.attach(dice)
    await host.workload_start(request(component("dice")))
    leaving = asyncio.create_task(host.detach("dice"))
    await turns(2)
    with pytest.raises(ConfigError, match="plugin 'dice' is being detached"):
        await host.attach(dice)
    await leaving
    assert dice.running == 0
    await host.attach(dice)
    assert (dice.running, await host.call("dice", "play", 6)) == (1, 6)


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("count", range(12))
async def test_a_plugin_that_is_leaving_while_the_host_stops_is_stopped(host, count, replace):
    """At whatever moment, once; so is the one that comes in its place."""
    one, two = Dice(), Dice()
    await host.attach(one)
    await host.workload_start(request(component("dice")))
    leaving = asyncio.create_task(host.attach(two, replace=True) if replace else host.detach("dice"))
    await turns(count)
    await host.stop()
    await asyncio.gather(leaving, return_exceptions=True)
    assert (one.running, two.running) == (0, 0)


@pytest.mark.parametrize("count", range(0, 40, 2))
async def test_a_start_that_is_cancelled_leaves_nothing_bound(host, count):
    """At whatever moment: the id is free, and nobody is bound to the plugin."""
    dice = Dice()
    await host.attach(dice)
    await start(host, "dice")
    await host.workload_stop("dice")  # it is compiled by now, so that the turns count
    starting = asyncio.create_task(host.workload_start(request(component("dice"))))
    await turns(count)
    if starting.cancel():
        await asyncio.wait([starting])
    if starting.cancelled():
        assert (dice.bound, host.workloads()) == (0, ())
    else:
        assert dice.bound == 1


async def begun() -> AsyncIterator[bytes]:
    """A body that does not end."""
    yield b"begun"
    await asyncio.Event().wait()


async def test_a_reload_that_is_cancelled_parts_from_the_old_version(host):
    """The new one runs by then. Calls into the old one have no more time."""
    dice = Dice()
    await host.attach(dice)
    await start(host, "dice", "http_behaviours")
    unfinished = Request("POST", "/i", body=begun())
    held = asyncio.create_task(host._dispatcher.send(unfinished, to="http_behaviours", seconds=None))
    await eventually(lambda: any(summary.in_flight for summary in host.workloads()))
    for name in ("dice", "http_behaviours"):
        reloading = asyncio.create_task(host.workload_reload(request(component(name))))
        await asyncio.sleep(0.1)
        reloading.cancel()
        await asyncio.wait([reloading])
    with pytest.raises(WorkloadError, match="was loaded again"):
        await held
    assert dice.bound == 1
    assert await host.call("dice", "play", 6) == 6


@pytest.mark.parametrize("count", range(16))
async def test_a_stop_that_is_cancelled_has_parted_from_every_plugin(host, count):
    """At whatever moment: a plugin is not left in the midst of its unbind."""
    dice = Dice()
    await host.attach(dice)
    await start(host, "dice")
    stopping = asyncio.create_task(host.workload_stop("dice"))
    await turns(count)
    stopping.cancel()
    await asyncio.wait([stopping])
    assert dice.bound == len(host.workloads())


@pytest.mark.parametrize("count", range(0, 30, 3))
async def test_of_a_stop_and_a_reload_the_stop_wins(host, count):
    """Nothing runs behind the back of the registry, whoever comes first."""
    dice = Dice()
    await host.attach(dice)
    await start(host, "dice")
    reloading = asyncio.create_task(host.workload_reload(request(component("dice"))))
    await turns(count)
    stopping = asyncio.create_task(host.workload_stop("dice"))
    again = asyncio.create_task(host.workload_reload(request(component("dice"))))
    await asyncio.wait([reloading, stopping, again])
    assert dice.bound == len(host.workloads())
    await host.workload_stop("dice")
    assert dice.bound == 0


async def test_a_plugin_that_breaks_in_an_unforeseen_place_fails_the_start(host):
    """What it raises is in the response; the id is as after any failed start."""

    class Broken(Dice):
        def world(self):
            """Raise where the host asks what the plugin serves."""
            raise ZeroDivisionError("no dice")

    await host.attach(Broken())
    response = await refused(host, request(component("dice")))
    assert response.message == "workload 'dice' cannot start: ZeroDivisionError: no dice"
    assert (await host.workload_status("dice")).state is WorkloadState.ERROR
    await host.workload_stop("dice")


async def test_an_instance_that_its_owner_closed_is_let_go(host):
    """The workload does not keep it until its own end."""
    await start(host, "adder")
    instance = await host.instantiate("adder")
    seen = weakref.ref(instance)
    instance.close()
    del instance
    gc.collect()
    assert seen() is None
