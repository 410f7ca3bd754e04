"""The hosts that are ready made: in memory, and on NATS."""

from __future__ import annotations

import json
import socket
import time
from urllib.request import urlopen

import pytest

from tests.waiting import eventually
from washnb.errors import BackendError
from washnb.plugins import catalog
from washnb.presets import dev_host, nats_host
from washnb.types import WorkloadState

from .host.guests import component, request, start

EVERYTHING = sorted(entry.plugin_id for entry in catalog.CATALOG)


async def test_dev_host_serves_the_whole_catalog_in_memory(engine):
    """Every capability, and nothing outside of the process."""
    async with dev_host(engine) as host:
        assert sorted(host.plugins) == EVERYTHING
        assert {plugin.location for plugin in host.plugins.values()} == {"memory"}


async def test_two_hosts_on_nats_share_a_counter(nats_server, engine):
    """A guest of one host counts on where that of the other was."""
    async with nats_host(nats_server.url, engine) as one, nats_host(nats_server.url, engine) as two:
        await start(one, "counter")
        await start(two, "counter")
        counts = [int((await host.send("GET", "/")).text) for host in (one, two, one, two)]
    assert counts == list(range(counts[0], counts[0] + 4))


async def test_all_capabilities_share_one_connection(nats_servers, engine):
    """The server has one client for the whole host, and none when it has stopped."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = await nats_servers("-m", str(port))

    def clients() -> int:
        with urlopen(f"http://127.0.0.1:{port}/connz") as answer:
            return json.load(answer)["num_connections"]

    async with nats_host(server.url, engine) as host:
        assert sorted(host.plugins) == EVERYTHING
        assert {plugin.location for plugin in host.plugins.values()} == {server.url}
        assert (await start(host, "counter")) == ["counter"]
        assert clients() == 1
    await eventually(lambda: not clients())


async def test_a_host_whose_server_is_down_does_not_start(nats_servers, engine):
    """The error names the server at once, and the host can be started later."""
    server = await nats_servers()
    await server.stop()
    host = nats_host(server.url, engine)
    begun = time.perf_counter()
    with pytest.raises(BackendError, match=server.url):
        await host.start()
    assert time.perf_counter() - begun < 5
    assert not host.running
    await server.restart()
    async with nats_host(server.url, engine) as host:
        assert (await host.workload_start(request(component("counter")))).state is WorkloadState.RUNNING


async def test_options_reach_the_server(nats_servers, engine):
    """A token lets the host in, and is not seen."""
    server = await nats_servers("--auth", "hidden")
    with pytest.raises(BackendError, match="refuses the connection"):
        await nats_host(server.url, engine).start()
    async with nats_host(server.url, engine, token="hidden") as host:
        assert "hidden" not in f"{host!r} {list(host.plugins.values())}"
        assert not any("hidden" in plugin.location for plugin in host.plugins.values())
