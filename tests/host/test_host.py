"""The host itself: how it is built, started and stopped, and what is attached to it."""

from __future__ import annotations

import asyncio
import time

import pytest

from washnb.engine import Engine
from washnb.errors import ConfigError, GuestError, WorkloadFailed
from washnb.events import LogLine, PluginChanged
from washnb.host import DevRouter, HostApi, HostBuilder, HttpServer
from washnb.host.steps import PLUGIN_STOP_SECONDS
from washnb.plugins import DynamicConfig, InMemoryKeyValue
from washnb.presets import dev_host

from .guests import Buckets, Counting, Recording, component, refused, request, start


def test_two_plugins_of_one_id_are_refused():
    """The builder says it in the reference's words."""
    builder = HostBuilder().with_plugin(DynamicConfig(False))
    with pytest.raises(ConfigError) as caught:
        builder.with_plugin(DynamicConfig)
    assert caught.value.message == "Duplicate plugin ID 'wasi-config' - plugin IDs must be unique"


async def test_the_builder_names_the_host(engine):
    """Hostname, friendly name and labels reach the heartbeat; without them the host has names of its own."""
    builder = HostBuilder().with_engine(engine).with_hostname("lab").with_friendly_name("bench").with_label("a", "b")
    async with builder.build() as host:
        beat = await host.heartbeat()
        assert (beat.id, beat.hostname, beat.friendly_name, beat.labels) == (host.id, "lab", "bench", {"a": "b"})
    other = HostBuilder().with_engine(engine).build()
    assert other.friendly_name
    assert other.id != host.id
    with pytest.raises(ConfigError, match="friendly name"):
        HostBuilder().with_friendly_name("")


async def test_the_heartbeat_counts(host):
    """Components of running workloads, workloads in any state, the port, and what the plugins serve."""
    plugin = InMemoryKeyValue()
    await host.attach(plugin)
    await start(host, "counter", "hello")
    await refused(host, request(component("dice")))
    beat = await host.heartbeat()
    assert (beat.component_count, beat.workload_count, beat.http_port) == (2, 3, host.http.port)
    assert beat.imports == plugin.world().imports
    assert beat.started_at is not None
    assert beat.os_arch


async def test_a_host_is_its_api(host):
    """`Host` has what `HostApi` asks for."""
    api: HostApi = host
    assert all(hasattr(api, name) for name in HostApi.__dict__ if not name.startswith("_"))


async def test_a_host_that_does_not_run_says_so(engine):
    """What needs a running host is refused before start and after stop, with the line that starts one."""
    host = HostBuilder().with_engine(engine).build()
    for _ in range(2):
        with pytest.raises(ConfigError, match="does not run") as caught:
            await host.send("GET", "/")
        assert caught.value.repair == ("host = await host.start()",)
        with pytest.raises(ConfigError):
            await host.workload_start(request(component("hello")))
        await host.start()
        await host.stop()
    await host.stop()


async def test_a_host_starts_once(host):
    """A second start of a running host is refused; `async with` takes a started one as it is."""
    with pytest.raises(ConfigError, match="runs already"):
        await host.start()
    assert await host.__aenter__() is host


async def test_a_forgotten_host_warns(engine):
    """A host that is collected while it runs is a ResourceWarning."""
    hosts = [await HostBuilder().with_engine(engine).build().start()]
    with pytest.warns(ResourceWarning, match="was never stopped"):
        hosts.clear()


async def test_a_plugin_that_cannot_start_stops_the_others(engine):
    """Where one start fails, those that were begun are stopped, the port is free, and the error names the plugin."""
    journal: list[str] = []
    http = await HttpServer.new(DevRouter(), "127.0.0.1:0")
    address = http.addr
    builder = HostBuilder().with_engine(engine).with_http_handler(http)
    for name, breaks in (("a", {}), ("b", {"start": OSError("no disk")}), ("c", {})):
        builder.with_plugin(Recording(journal, name, breaks=breaks))
    with pytest.raises(ConfigError, match="plugin 'b' failed to start: OSError: no disk"):
        await builder.build().start()
    assert journal == ["a start", "b start", "a stop", "b stop"]
    again = await HttpServer.new(DevRouter(), address)
    await again.stop()


async def test_stop_is_bounded(engine, monkeypatch, caplog):
    """A plugin that does not stop is left behind after its time, with a word; the others stop."""
    assert PLUGIN_STOP_SECONDS == 6  # shortened here
    monkeypatch.setattr("washnb.host.steps.PLUGIN_STOP_SECONDS", 0.1)
    journal: list[str] = []
    stuck = Recording(journal, "a")

    async def never():
        await asyncio.sleep(60)

    stuck.stop = never
    begun = time.perf_counter()
    async with HostBuilder().with_engine(engine).with_plugin(stuck).with_plugin(Recording(journal, "b")).build():
        pass
    assert time.perf_counter() - begun < 1
    assert journal[-1] == "b stop"
    assert "plugin a failed to stop" in caplog.text


@pytest.mark.parametrize("kind", [SystemExit, GeneratorExit, BaseException])
async def test_no_step_of_a_plugin_ends_the_host(host, kind, caplog):
    """What is no Exception fails that step, like any other error: it would end the loop, or go past every handler."""

    class Odd(Recording):
        def adopt(self, former):
            self._note("adopt")

    def odd(*steps: str) -> Odd:
        return Odd([], "odd", (Buckets, Counting), {step: kind("now") for step in steps})

    said = f"RuntimeError: it raised {kind.__name__}: now"
    with pytest.raises(ConfigError, match=f"plugin 'odd' failed to start: {said}"):
        await host.attach(odd("start"))
    for step in ("bind", "resolved"):
        await host.attach(odd(step), replace=True)
        with pytest.raises(WorkloadFailed, match=f"plugin 'odd' failed in its {step} step: {said}"):
            raise (await refused(host, request(component("counter"), workload_id=step))).error
    await host.attach(odd("unbind"), replace=True)
    await start(host, "counter")
    with pytest.raises(ConfigError, match=f"plugin 'odd' failed to adopt: {said}"):
        await host.attach(odd("adopt", "stop"), replace=True)
    await host.workload_stop("counter")
    await host.detach("odd")
    assert "plugin odd failed to unbind" in caplog.text
    assert "plugin odd failed to stop" in caplog.text


async def test_a_plugin_that_awaits_what_it_has_cancelled(engine, caplog):
    """The usual way to end a task raises CancelledError: it fails that step, and neither host nor caller."""
    journal: list[str] = []

    async def awaiting_what_is_cancelled():
        work = asyncio.create_task(asyncio.sleep(60))
        work.cancel()
        await work

    careless, exiting, late = (Recording(journal, name) for name in ("a", "b", "c"))
    careless.stop = awaiting_what_is_cancelled
    exiting.breaks = {"stop": SystemExit(1)}
    late.on_workload_bind = lambda *_: awaiting_what_is_cancelled()
    builder = HostBuilder().with_engine(engine).with_plugin(careless).with_plugin(exiting)
    async with builder.build() as host:
        late.start = awaiting_what_is_cancelled
        with pytest.raises(ConfigError, match="plugin 'c' failed to start: RuntimeError: it awaited what is cancelled"):
            await host.attach(late)
        del late.start
        late.interfaces = (Buckets, Counting)
        await host.attach(late)
        with pytest.raises(WorkloadFailed, match="plugin 'c' failed in its bind step: RuntimeError"):
            raise (await refused(host, request(component("counter")))).error
    assert journal[-2:] == ["b stop", "c stop"]
    assert "plugin a failed to stop" in caplog.text
    assert "plugin b failed to stop" in caplog.text


async def test_stop_ends_what_is_in_flight(engine):
    """Calls are ended before the plugins stop, and workloads are not unbound, as in the reference."""
    journal: list[str] = []
    plugin = Recording(journal, interfaces=(Buckets, Counting))
    async with HostBuilder().with_engine(engine).with_plugin(plugin).build() as host:
        await start(host, "counter", "sleeper")
        waiting = asyncio.create_task(host.send("GET", "/"))
        await asyncio.sleep(0.1)
    assert (await waiting).status == 503
    assert journal[-1] == "recording stop"
    assert not any("unbind" in entry for entry in journal)


async def test_a_host_closes_its_own_engine_only(engine):
    """An engine that was handed in stays open; one that the builder made goes with the host."""
    async with HostBuilder().with_engine(engine).build() as host:
        await start(host, "adder")
    assert await engine.compile(component("adder").bytes) is not None
    async with HostBuilder().build() as host:
        assert host.engine is not engine
        await start(host, "adder")
    with pytest.raises(ConfigError):
        await host.engine.compile(component("adder").bytes)


async def test_without_an_http_handler_outgoing_requests_end_the_guest(engine):
    """A host without HTTP has no client either: the guest traps with wash-runtime's words."""
    async with HostBuilder().with_engine(engine).build() as host:
        await start(host, "proxy", allowed_hosts=("*",))
        response = await host.send("GET", "/http://127.0.0.1:1/")
        assert response.status == 500
        assert "http client not available" in response.error.message


async def test_without_allowed_hosts_every_outgoing_request_is_denied(host):
    """The default of allowed_hosts denies everything, with the error-code HTTP-request-denied."""
    await start(host, "proxy")
    response = await host.send("GET", "/http://127.0.0.1:1/")
    assert (response.status, response.text) == (502, "HTTP-request-denied\n")


async def test_a_denied_request_is_among_the_log_lines(host):
    """The guest learns no more than the error-code; who watches the component learns which host, and what allows it."""
    lines = []
    host.events().subscribe(lambda event: lines.append(event) if isinstance(event, LogLine) else None)
    await start(host, "proxy", allowed_hosts=("example.com",))
    await host.send("GET", "/http://127.0.0.1:1/")
    assert [(line.component, line.stream, line.level) for line in lines] == [("proxy", "host", "warn")]
    assert lines[0].message == (
        "outgoing request to host '127.0.0.1' is not allowed by allowed_hosts policy; --allow-host 127.0.0.1 allows it"
    )


async def test_a_bad_entry_of_allowed_hosts_fails_the_start(host):
    """Allowed hosts are read when the workload starts."""
    await refused(host, request(component("proxy", allowed_hosts=("*foo",))))


async def test_attach_serves_workloads_that_start_afterwards(host):
    """A plugin can come while the host runs, and is told of as an event."""
    changes = []
    host.events().subscribe(lambda e: changes.append((e.plugin, e.action)) if isinstance(e, PluginChanged) else None)
    await refused(host, request(component("counter"), workload_id="denied"))
    await host.attach(InMemoryKeyValue())
    await start(host, "counter")
    assert (await host.send("GET", "/")).text == "1"
    assert changes == [("wasi-keyvalue", "attach")]
    assert list(host.plugins) == ["wasi-keyvalue"]
    with pytest.raises(ConfigError, match="Duplicate plugin ID 'wasi-keyvalue'"):
        await host.attach(InMemoryKeyValue)


async def test_detach_revokes_at_once_and_attach_restores(host):
    """A plugin in use can go: the next call gets access-denied; when one comes back, the guest runs on."""
    journal: list[str] = []
    await host.attach(Recording(journal, "kv", (Buckets, Counting)))
    await start(host, "counter")
    assert (await host.send("GET", "/")).text == "1"
    await host.detach("kv")
    assert journal[-2:] == ["kv unbind counter", "kv stop"]
    denied = await host.send("GET", "/")
    assert (denied.status, denied.text) == (500, "access denied\n")
    await host.attach(InMemoryKeyValue())
    assert (await host.send("GET", "/")).text == "1"


async def test_detach_of_what_is_not_attached_names_what_is(host):
    """An unknown id is answered with the known ones."""
    await host.attach(DynamicConfig(False))
    with pytest.raises(ConfigError) as caught:
        await host.detach("wasi-keyvalue")
    assert caught.value.repair == ("attached: wasi-config",)


async def test_a_plugin_that_cannot_be_attached_is_not(host):
    """A plugin whose start fails is not among the plugins."""
    with pytest.raises(ConfigError, match="failed to start"):
        await host.attach(Recording([], breaks={"start": OSError("no")}))
    assert not host.plugins


async def test_an_interface_alone_is_a_plugin(engine):
    """An interface class or object can be attached without a plugin around it."""
    async with HostBuilder().with_engine(engine).with_plugin(Buckets).with_plugin(Counting()).build() as host:
        assert sorted(host.plugins) == ["buckets", "counting"]
        await start(host, "counter")
        assert [(await host.send("GET", "/")).text for _ in range(2)] == ["1", "2"]


async def test_who_would_serve_a_component_can_be_asked(host):
    """Each import of a component with its server, or None."""
    await host.attach(InMemoryKeyValue())
    compiled = await host.engine.compile(component("counter").bytes)
    served = host.intersect_interfaces(compiled)
    assert served["wasi:keyvalue/store@0.2.0-draft"] == "wasi-keyvalue"
    assert served["wasi:http/types@0.2.0"] == "wasi"
    compiled = await host.engine.compile(component("dice").bytes)
    assert set(host.intersect_interfaces(compiled).values()) == {None}


async def test_exports_are_called_by_as_much_of_their_name_as_is_needed(host):
    """An export has a full name and short ones; what does not exist is answered with what does."""
    await start(host, "adder")
    for export in ("add", "docs:adder/add#add", "docs:adder/add@0.1.0#add"):
        assert await host.call("adder", export, 2, 3) == 5
    with pytest.raises(ConfigError) as caught:
        await host.call("adder", "sub", 2, 3)
    assert caught.value.repair == ("it exports docs:adder/add@0.1.0#add",)


async def test_an_exception_of_a_plugin_ends_the_guest_not_the_host(host):
    """What a plugin raises is the cause of a GuestError, for `call` and for `send`."""

    class Broken(Buckets):
        def open(self, identifier: str) -> object:
            raise LookupError(identifier)

    await host.attach(Recording([], interfaces=(Broken, Counting)))
    await start(host, "counter")
    response = await host.send("GET", "/")
    assert response.status == 500
    assert isinstance(response.error, GuestError)
    assert isinstance(response.error.__cause__, LookupError)


async def test_an_instance_can_be_kept(host):
    """`instantiate` gives an instance for several calls; it goes with its workload at the latest."""
    await start(host, "adder")
    instance = await host.instantiate("adder")
    assert [await instance.call("add", n, 1) for n in range(3)] == [1, 2, 3]
    with pytest.raises(ConfigError, match="has no component 'x'"):
        await host.instantiate("adder", "x")
    await host.workload_stop("adder")
    with pytest.raises(GuestError):
        await instance.call("add", 1, 2)


async def test_dev_host_has_everything_and_no_port():
    """The preset serves the whole catalog and answers without a socket."""
    async with dev_host() as host:
        await start(host, "counter", "greeter")
        assert host.http.port == 0
        with pytest.raises(ConfigError, match="has no port"):
            _ = host.http.addr
        assert (await host.send("GET", "/Ada")).text.startswith("Hello")


async def test_dev_host_can_begin_with_nothing(engine):
    """Without its plugins every import has to be granted."""
    async with dev_host(engine, plugins=False) as host:
        assert not host.plugins
        await refused(host, request(component("counter")))
    assert isinstance(engine, Engine)
