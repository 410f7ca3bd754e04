"""Workloads: their states, in wash-runtime's words, and the order in which plugins hear of them."""

from __future__ import annotations

import asyncio

import pytest

from washnb.errors import ConfigError, NotAComponentError, UnsatisfiedImportError, WorkloadFailed, WorkloadNotFound
from washnb.events import WorkloadChanged
from washnb.host import HostBuilder
from washnb.plugins import InMemoryKeyValue
from washnb.types import Component, Workload, WorkloadStartRequest, WorkloadState
from washnb.wit import WitInterface

from .guests import ATOMICS, STORE, Buckets, Counting, Recording, component, refused, request, start


async def test_a_workload_starts_and_stops(host):
    """The responses and the status say what wash-runtime's do."""
    started = await host.workload_start(request(component("hello")))
    assert (started.state, started.message) == (WorkloadState.RUNNING, "Workload started successfully")
    status = await host.workload_status("hello")
    assert (status.state, status.message) == (WorkloadState.RUNNING, "Workload is Running")
    stopped = await host.workload_stop("hello")
    assert (stopped.state, stopped.message) == (WorkloadState.STOPPING, "Workload stopped successfully")
    assert (await host.workload_status("hello")).state is WorkloadState.NOT_FOUND


async def test_unknown_workloads_are_not_found(host):
    """Status and stop of an id that nobody started are answers, not exceptions."""
    assert (await host.workload_status("x")).message == "Workload not found: x"
    stopped = await host.workload_stop("x")
    assert (stopped.state, stopped.message) == (WorkloadState.NOT_FOUND, "Workload not found")


async def test_an_id_that_is_taken_is_refused(host):
    """A second start under one id fails and leaves the first one running."""
    await start(host, "hello")
    response = await refused(host, request(component("adder"), workload_id="hello"))
    assert response.message == "Workload ID [hello] already exists (Running)"
    assert (await host.send("GET", "/")).status == 200


async def test_a_failed_start_keeps_its_id_until_stop(host):
    """The message of a start that failed is the cause chain, the status remembers it, and stop frees the id."""
    bad = WorkloadStartRequest("bad", Workload("tests", "bad", components=(Component("bad", b"nonsense"),)))
    response = await refused(host, bad)
    assert isinstance(response.error, NotAComponentError)
    status = await host.workload_status("bad")
    assert (status.state, status.error) == (WorkloadState.ERROR, response.error)
    assert status.message == f"Error: {response.message}"
    assert "already exists (Error)" in (await refused(host, bad)).message
    with pytest.raises(WorkloadFailed, match="does not run"):
        await host.call("bad", "add")
    await host.workload_stop("bad")
    assert len(host.workloads()) == 0


async def test_an_empty_workload_runs(host):
    """A workload without components is none the worse for it."""
    response = await host.workload_start(WorkloadStartRequest("empty", Workload("example", "my-workload")))
    assert response.state is WorkloadState.RUNNING


async def test_two_components_of_one_name_are_refused(host):
    """Components are told apart by their names."""
    response = await refused(host, request(component("hello"), component("adder", "hello")))
    assert "2 components named 'hello'" in response.message


async def test_changes_of_state_are_events(host):
    """Each state that a workload goes through is told."""
    states = []
    host.events().subscribe(lambda e: states.append((e.name, e.state)) if isinstance(e, WorkloadChanged) else None)
    await start(host, "hello")
    await host.workload_stop("hello")
    assert states == [
        ("hello", WorkloadState.STARTING),
        ("hello", WorkloadState.RUNNING),
        ("hello", WorkloadState.STOPPING),
    ]


async def test_unserved_imports_stop_the_start_with_one_message(host):
    """The error names every import that nobody serves, per component, what is attached, and what would serve it."""
    response = await refused(host, request(component("counter"), component("dice"), component("hello"), name="shop"))
    error = response.error
    assert isinstance(error, UnsatisfiedImportError)
    assert error.missing == {"counter": (STORE, ATOMICS), "dice": ("workshop:dice/roll@0.1.0",)}
    assert error.message.splitlines()[0] == "workload 'shop' cannot start, because nobody serves 3 of its imports"
    assert f"component 'counter' imports {STORE}, {ATOMICS}" in error.message
    assert "attached: nothing" in error.message
    assert "%wash attach keyvalue" in error.repair
    assert any("HostBuilder().with_plugin(InMemoryKeyValue())" in line for line in error.repair)


async def test_declared_interfaces_that_nobody_has_are_refused_in_the_references_words(host):
    """A host interface that no plugin covers is named as wash-runtime names it."""
    response = await refused(host, request(component("counter"), interfaces=(WitInterface.parse(STORE),)))
    assert response.message == (
        f"workload component counter requested interfaces that are not available on this host: {{{STORE}}}"
    )


async def test_an_import_that_was_not_declared_is_denied(host):
    """With host interfaces declared, an attached plugin serves only these, and the repair says how to declare."""
    await host.attach(InMemoryKeyValue())
    response = await refused(host, request(component("counter"), interfaces=(WitInterface.parse(STORE),)))
    assert isinstance(response.error, UnsatisfiedImportError)
    assert response.error.missing == {"counter": (ATOMICS,)}
    assert any("host_interfaces" in line for line in response.error.repair)


async def test_http_must_be_declared_where_anything_is(host):
    """A workload that declares host interfaces without incoming-handler gets no requests."""
    await host.workload_start(request(component("hello"), interfaces=(WitInterface.parse(STORE),)))
    assert (await host.send("GET", "/")).status == 404


async def test_the_first_exporter_of_http_answers(host, caplog):
    """Of several components that export wasi:http the first of the manifest serves, with a word about the others."""
    await host.workload_start(request(component("adder"), component("hello"), component("trap"), name="three"))
    assert (await host.send("GET", "/")).status == 200
    assert "component trap exports wasi:http too and is ignored" in caplog.text


async def test_the_router_falls_back(host):
    """When the workload that was loaded last stops, the one before it answers again."""
    await start(host, "hello", "http_behaviours")
    assert (await host.send("GET", "/")).text == "ok\n"
    await host.workload_stop("http_behaviours")
    assert (await host.send("GET", "/")).text == "Hello from a component!\n"


async def test_stopping_a_start_ends_it(host):
    """A workload that is stopped while it starts says so, and its plugins are unbound."""
    journal: list[str] = []
    plugin = Recording(journal, interfaces=(Buckets, Counting))
    entered = asyncio.Event()

    async def slowly(workload, interfaces):
        entered.set()
        await asyncio.sleep(30)

    plugin.on_workload_bind = slowly
    await host.attach(plugin)
    starting = asyncio.create_task(host.workload_start(request(component("counter"))))
    await entered.wait()
    await host.workload_stop("counter")
    response = await starting
    assert (response.state, response.message) == (WorkloadState.STOPPING, "Workload was stopped while starting")
    assert journal == ["recording start", "recording unbind counter"]
    assert host.workloads() == ()


async def test_stopping_at_any_moment_of_a_start_leaves_nothing(host):
    """Whatever a start has come to when the stop comes: it says so, nothing runs, and the id is free."""
    for turns in range(12):
        starting = asyncio.create_task(host.workload_start(request(component("adder"))))
        for _ in range(turns):
            await asyncio.sleep(0.0005 if turns > 6 else 0)
        await host.workload_stop("adder")
        assert (await starting).state in {WorkloadState.STOPPING, WorkloadState.RUNNING}
        await host.workload_stop("adder")
        assert host.workloads() == ()
        assert (await host.send("GET", "/")).status == 404


async def test_two_stops_at_once_are_one(host):
    """The second one finds nothing to stop."""
    await start(host, "hello")
    first, second = await asyncio.gather(host.workload_stop("hello"), host.workload_stop("hello"))
    assert (first.state, second.state) == (WorkloadState.STOPPING, WorkloadState.NOT_FOUND)


async def test_a_host_that_stops_ends_what_starts(engine):
    """A start that is under way when its host stops says that it was stopped."""
    host = await HostBuilder().with_engine(engine).build().start()
    starting = asyncio.create_task(host.workload_start(request(component("hello"))))
    await asyncio.sleep(0)
    await host.stop()
    assert (await starting).message == "Workload was stopped while starting"


async def test_cancelling_a_start_leaves_nothing(host):
    """A caller that goes away during a start takes the workload along."""
    starting = asyncio.create_task(host.workload_start(request(component("hello"))))
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert host.workloads() == ()


async def test_plugins_hear_of_a_workload_in_order(engine):
    """Start once per host; then by id: bind, each item; then resolved for each; unbind once, in reverse; stop."""
    journal: list[str] = []
    first, second = Recording(journal, "a", (Counting,)), Recording(journal, "b", (Buckets,))
    host = HostBuilder().with_engine(engine).with_plugin(second).with_plugin(first).build()
    async with host:
        await host.workload_start(request(component("counter", "one"), component("counter", "two"), name="twins"))
        assert journal == [
            "a start",
            "b start",
            "a bind twins",
            "a item one",
            "a item two",
            "b bind twins",
            "b item one",
            "b item two",
            "a resolved one",
            "a resolved two",
            "b resolved one",
            "b resolved two",
        ]
        del journal[:]
        await host.workload_stop("twins")
        assert journal == ["b unbind twins", "a unbind twins"]
        del journal[:]
    assert journal == ["a stop", "b stop"]


@pytest.mark.parametrize("step", ["bind", "item", "resolved"])
async def test_a_failed_bind_is_unbound_once(engine, step):
    """Whichever step fails, each plugin that was begun with is unbound once, and the workload says who failed."""
    journal: list[str] = []
    first = Recording(journal, "a", (Counting,))
    second = Recording(journal, "b", (Buckets,), breaks={step: RuntimeError("out of luck")})
    async with HostBuilder().with_engine(engine).with_plugin(first).with_plugin(second).build() as host:
        response = await refused(host, request(component("counter")))
        assert isinstance(response.error, WorkloadFailed)
        assert response.message.startswith("plugin 'b' failed in its ")
        assert "out of luck" in response.message
        assert [entry for entry in journal if "unbind" in entry] == ["b unbind counter", "a unbind counter"]


async def test_a_wash_error_of_a_plugin_fails_the_workload_as_it_is(engine):
    """What a plugin says in a WashError is what the workload's start says."""
    failure = ConfigError("the bucket list is empty", repair="give it buckets")
    plugin = Recording([], interfaces=(Buckets, Counting), breaks={"bind": failure})
    async with HostBuilder().with_engine(engine).with_plugin(plugin).build() as host:
        assert (await refused(host, request(component("counter")))).error is failure


async def test_a_plugin_that_links_nothing_is_found_out(engine):
    """A plugin that was granted an import and did not link it leaves the import unserved."""

    class Forgetful(Recording):
        async def on_workload_item_bind(self, item, interfaces):
            """Forget to link."""

    plugin = Forgetful([], interfaces=(Buckets, Counting))
    async with HostBuilder().with_engine(engine).with_plugin(plugin).build() as host:
        response = await refused(host, request(component("counter")))
        assert isinstance(response.error, UnsatisfiedImportError)
        assert plugin.journal[-1] == "recording unbind counter"


async def test_an_error_while_unbinding_stops_nobody(engine, caplog):
    """What a plugin raises while it unbinds is logged; the workload stops all the same."""
    plugin = Recording([], interfaces=(Buckets, Counting), breaks={"unbind": RuntimeError("oops")})
    async with HostBuilder().with_engine(engine).with_plugin(plugin).build() as host:
        await start(host, "counter")
        assert (await host.workload_stop("counter")).message == "Workload stopped successfully"
    assert "oops" in caplog.text


async def test_the_config_of_a_declared_interface_reaches_the_plugin(host):
    """An entry of host_interfaces arrives with its config, in bind and in item bind."""
    seen = []

    class Curious(Recording):
        async def on_workload_bind(self, workload, interfaces):
            seen.append((workload.namespace, workload.workload_name, [dict(entry.config) for entry in interfaces]))

    await host.attach(Curious([], interfaces=(Buckets, Counting)))
    entry = WitInterface.parse("wasi:keyvalue/store,atomics@0.2.0-draft", config={"backend": "memory"})
    response = await host.workload_start(request(component("counter"), interfaces=(entry,)))
    assert response.state is WorkloadState.RUNNING, response.message
    assert seen == [("tests", "counter", [{"backend": "memory"}])]


async def test_a_reload_keeps_state_and_swaps_the_code(host):
    """A reload under the same id replaces the code; what plugins keep for the id stays, until stop."""
    await host.attach(InMemoryKeyValue())
    await start(host, "counter")
    assert [(await host.send("GET", "/")).text for _ in range(2)] == ["1", "2"]
    response = await host.workload_reload(request(component("counter")))
    assert response.state is WorkloadState.RUNNING
    assert (await host.send("GET", "/")).text == "3"
    await host.workload_stop("counter")
    await start(host, "counter")
    assert (await host.send("GET", "/")).text == "1"


async def test_a_reload_that_fails_leaves_the_old_one(host):
    """The version that runs goes on where the new one cannot start."""
    await start(host, "hello")
    response = await host.workload_reload(request(component("counter"), workload_id="hello"))
    assert isinstance(response.error, UnsatisfiedImportError)
    assert (await host.send("GET", "/")).text == "Hello from a component!\n"
    assert (await host.workload_status("hello")).state is WorkloadState.RUNNING


async def test_a_reload_lets_requests_in_flight_end(host):
    """A request that is in the old version is answered by it."""
    await start(host, "http_behaviours")
    waiting = asyncio.create_task(host.send("GET", "/w"))
    await asyncio.sleep(0.05)
    await host.workload_reload(request(component("hello"), workload_id="http_behaviours"))
    assert (await waiting).text == "ok\nok\n"
    assert (await host.send("GET", "/")).text == "Hello from a component!\n"


async def test_a_reload_of_nothing_is_a_start(host):
    """An id that failed, or that nobody knows, is started."""
    await refused(host, request(component("counter"), workload_id="x"))
    assert (await host.workload_reload(request(component("hello"), workload_id="x"))).state is WorkloadState.RUNNING
    assert (await host.workload_reload(request(component("hello"), workload_id="y"))).state is WorkloadState.RUNNING


async def test_workloads_lists_what_is_there(host):
    """The list has every id with its name, state, components and plugins, in the order of the starts."""
    await host.attach(InMemoryKeyValue())
    await start(host, "counter", "hello")
    await refused(host, request(component("dice"), name="broken"))
    assert [(w.name, w.state.value, w.components, w.plugins) for w in host.workloads()] == [
        ("counter", "Running", ("counter",), ("wasi-keyvalue",)),
        ("hello", "Running", ("hello",), ()),
        ("broken", "Error", ("dice",), ()),
    ]


async def test_names_are_looked_up_where_they_are_unambiguous(host):
    """A workload is found by id or by name; a name that two share is refused."""
    await host.workload_start(request(component("adder"), name="sum", workload_id="1"))
    assert await host.call("sum", "add", 1, 2) == 3
    await host.workload_start(request(component("adder"), name="sum", workload_id="2"))
    assert await host.call("2", "add", 1, 2) == 3
    with pytest.raises(ConfigError, match="2 workloads are named 'sum'"):
        await host.call("sum", "add", 1, 2)
    with pytest.raises(WorkloadNotFound):
        await host.call("nobody", "add")
