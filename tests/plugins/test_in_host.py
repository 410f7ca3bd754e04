"""Plugins in a whole host: what a reload keeps and a stop drops, and what goes wrong at load and at attach."""

from __future__ import annotations

import pytest

from washnb.engine import read_source
from washnb.errors import ConfigError, GuestError, WorkloadNotFound
from washnb.host import HostBuilder
from washnb.plugins import DynamicConfig, InMemoryKeyValue, Interface, TracingLogger
from washnb.types import Component, LocalResources, Workload, WorkloadStartRequest, WorkloadState

from .guests import COMPONENTS


class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
    def roll(self, sides: int) -> int:
        return sides


@pytest.fixture
async def host(engine):
    """Run a host without plugins."""
    async with HostBuilder().with_engine(engine).build() as host:
        yield host


def request(source: str, *, name: str = "guest", resources: LocalResources | None = None) -> WorkloadStartRequest:
    """Ask for a workload of one component, a shipped example or a guest of the tests, under its name as id."""
    given = source if source.startswith("example:") else COMPONENTS / f"{source}.wat"
    component = Component("main", read_source(given).data, local_resources=resources or LocalResources())
    return WorkloadStartRequest(name, Workload("default", name, components=(component,)))


async def test_an_edit_of_a_view_reaches_the_guest(host):
    """The shipped counter counts on from what was written into its bucket by hand."""
    plugin = InMemoryKeyValue()
    await host.attach(plugin)
    await host.workload_start(request("example:counter"))
    assert [(await host.send("GET", "/")).text.strip() for _ in range(2)] == ["1", "2"]
    backend = plugin.backend("guest")
    (bucket,) = await backend.buckets()
    assert await backend.get(bucket, "hits") == (2).to_bytes(8, "little")
    await backend.set(bucket, "hits", b"41")
    assert (await host.send("GET", "/")).text.strip() == "42"


async def test_reload_keeps_and_stop_drops(host):
    """What a guest has stored outlives a reload, a failed one too, and goes when the workload is stopped."""
    plugin = InMemoryKeyValue()
    await host.attach(plugin)
    await host.workload_start(request("keyvalue"))
    assert await host.call("guest", "increment", "b", "n", 1) == 1
    await host.workload_reload(request("keyvalue"))
    assert await host.call("guest", "increment", "b", "n", 1) == 2
    assert (await host.workload_reload(request("dice"))).state is WorkloadState.ERROR
    assert await host.call("guest", "increment", "b", "n", 1) == 3
    await host.workload_stop("guest")
    with pytest.raises(WorkloadNotFound):
        plugin.backend("guest")
    await host.workload_start(request("keyvalue"))
    assert await host.call("guest", "increment", "b", "n", 1) == 1


async def test_config_and_logs_of_a_workload(host):
    """Config reaches the guest, its lines reach the log and the events of the host."""
    logger, told = TracingLogger(), []
    for plugin in (DynamicConfig(), logger):
        await host.attach(plugin)
    host.events().subscribe(told.append)
    await host.workload_start(request("config_logging", resources=LocalResources(config={"greeting": "hello"})))
    assert await host.call("guest", "get", "greeting") == "hello"
    await host.call("guest", "log", "warn", "", "low on ink")
    (line,) = logger.backend("guest", "main").lines()
    assert (line.workload, line.level, line.message) == ("guest", "warn", "low on ink")
    assert line in told


async def test_an_interface_of_ones_own(host):
    """An Interface class is attached as it is and serves a guest that asks for it."""
    await host.attach(Roll)
    await host.workload_start(request("dice"))
    assert await host.call("guest", "play", 6) == 6


async def test_attaching_twice(host):
    """The second plugin of an id is refused, with the line that makes room for it; the first one stays."""
    await host.attach(Roll)
    with pytest.raises(ConfigError, match="Duplicate plugin ID 'roll'") as raised:
        await host.attach(Roll())
    assert 'detach("roll")' in str(raised.value)
    assert tuple(host.plugins) == ("roll",)


@pytest.mark.parametrize("attribute", ["rol", "ROLL"])
async def test_a_function_with_the_wrong_name_fails_the_load(host, attribute):
    """The workload does not start, and the error names class, import and WIT signature."""
    await host.attach(type("Misnamed", (Interface,), {attribute: lambda self, sides: sides}, wit=Roll.wit))
    response = await host.workload_start(request("dice"))
    assert response.state is WorkloadState.ERROR
    assert isinstance(response.error, ConfigError)
    assert "Misnamed has nothing that serves workshop:dice/roll@0.1.0#roll: func(sides: u32) -> u32" in response.message


async def test_the_wrong_number_of_parameters_fails_the_load(host):
    """The workload does not start, and the error shows both signatures."""

    class Many(Interface, wit=Roll.wit):
        def roll(self, sides: int, times: int) -> int:
            return sides * times

    await host.attach(Many)
    response = await host.workload_start(request("dice"))
    assert isinstance(response.error, ConfigError)
    assert "Many.roll(sides: 'int', times: 'int')" in response.message
    assert "roll: func(sides: u32) -> u32" in response.message


async def test_a_method_that_raises_ends_the_call_only(host):
    """The caller gets the exception as the cause; the workload and the plugin go on."""

    class Moody(Interface, wit=Roll.wit):
        def roll(self, sides: int) -> int:
            return 6 // (sides - 6)

    await host.attach(Moody)
    await host.workload_start(request("dice"))
    with pytest.raises(GuestError, match="ZeroDivisionError") as raised:
        await host.call("guest", "play", 6)
    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    assert await host.call("guest", "play", 7) == 6


async def test_nobody_serves_it(host):
    """Without the plugin the workload does not start, and the message has the line that attaches it."""
    response = await host.workload_start(request("keyvalue"))
    assert response.state is WorkloadState.ERROR
    assert "%wash attach keyvalue" in response.error.repair
