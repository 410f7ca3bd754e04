"""Messages as a trigger: the way of one into a guest, with the bounds, the trace and the end of any other call."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import pytest

from tests.waiting import eventually
from washnb.engine import Err
from washnb.events import HostCall, LogLine, MessageHandled, MessageSent, RequestHandled
from washnb.host import HostBuilder
from washnb.plugins import InMemoryMessaging, NatsMessaging, NatsServer
from washnb.types import WorkloadState
from washnb.wit import WitInterface

from .guests import component, request, start

HANDLER = WitInterface.parse("wasmcloud:messaging/handler@0.2.0", config={"subscriptions": "orders.*"})


@pytest.fixture
async def broker(host):
    """Attach messaging in memory to the host."""
    plugin = InMemoryMessaging()
    await host.attach(plugin)
    return plugin


def told(host, kind: type) -> list:
    """A list that grows with the events of a kind."""
    events: list = []
    host.events().subscribe(lambda event: events.append(event) if isinstance(event, kind) else None)
    return events


async def test_a_request_becomes_a_message(host, broker):
    """A guest publishes what it was asked over HTTP, another one handles it; both are told, under their numbers."""
    host.tracing = True
    kinds = (RequestHandled, MessageSent, MessageHandled, HostCall)
    requests, sent, handled, calls = [told(host, kind) for kind in kinds]
    await start(host, "messaging_gateway")
    await host.workload_start(request(component("messaging", config={"subscriptions": "orders.*"})))
    response = await host.send("GET", "/orders.new", to="messaging_gateway")
    assert (response.status, response.text) == (202, "hello")
    await eventually(lambda: handled)
    (message,) = handled
    assert (message.workload, message.subject, message.body, message.error) == (
        "messaging",
        "orders.new",
        b"hello",
        None,
    )
    assert (sent[0].workload, sent[0].handlers) == ("messaging_gateway", ("messaging",))
    assert [call.request for call in calls if call.function == "publish"] == [requests[0].request]
    assert message.request != requests[0].request
    answer = await broker.request("orders.ask", b"hi")
    await eventually(lambda: len(handled) == 2)
    assert answer.body == b"hi"
    assert [(call.workload, call.function) for call in calls if call.request == handled[1].request] == [
        ("messaging", "publish")
    ]
    failed = await host.send("GET", "/a..b", to="messaging_gateway")
    assert (failed.status, failed.text.partition(":")[0]) == (500, "subject 'a..b' is invalid")


async def test_workloads_ask_each_other(host, broker):
    """A guest's request is answered by the guest of another workload; one that nobody takes is its error."""
    for name, config in (("asker", {"subscriptions": "none"}), ("clerk", {"subscriptions": "ask.*"})):
        await host.workload_start(request(component("messaging", name, config=config)))
    answer = await host.call("asker", "request", "ask.me", b"how much?", 1000)
    assert answer.body == b"how much?"
    with pytest.raises(Err, match="no responders"):
        await host.call("asker", "request", "other", b"", 1000)


@pytest.mark.parametrize("interfaces", [(), (HANDLER,)], ids=["inferred", "listed"])
async def test_a_component_that_only_handles(host, broker, interfaces):
    """It imports no function, and still the plugin serves it, with host_interfaces and without."""
    handled = told(host, MessageHandled)
    response = await host.workload_start(request(component("messaging_handler"), interfaces=interfaces))
    assert response.state is WorkloadState.RUNNING, response.message
    assert host.workloads()[0].plugins == (broker.id,)
    await broker.publish("orders.new", b"")
    await eventually(lambda: handled)


async def test_who_does_not_list_the_handler_gets_no_messages(host, broker):
    """What `host_interfaces` leaves out is not bound."""
    other = WitInterface.parse("wasmcloud:messaging/types@0.2.0")
    await host.workload_start(request(component("messaging_handler"), interfaces=(other,)))
    sent = told(host, MessageSent)
    await broker.publish("orders.new", b"")
    assert sent[0].handlers == ()


async def test_a_handler_that_nobody_calls_is_told(host):
    """Where no plugin brings it messages: a line in its log, with the one that attaches or grants it."""
    lines = told(host, LogLine)
    await start(host, "messaging_handler")
    text = "exports wasmcloud:messaging/handler@0.2.0, which nobody calls: %wash attach messaging"
    assert [(line.workload, line.stream, line.level, line.message) for line in lines] == [
        ("messaging_handler", "host", "warn", text)
    ]
    assert host.uncalled("messaging_handler") == (text,)
    await host.attach(InMemoryMessaging(), to="somebody")
    assert host.uncalled("messaging_handler") == (f"{text} --to messaging_handler",)
    await host.attach(host.plugins["wasmcloud-messaging"])
    assert host.uncalled("messaging_handler") == ()
    await start(host, "hello")
    assert host.uncalled("hello") == ()
    assert len(lines) == 1


async def test_who_says_what_it_wants_is_told_nothing(host):
    """A handler that `host_interfaces` leaves out is not meant to be called."""
    lines = told(host, LogLine)
    other = WitInterface.parse("wasi:cli/environment@0.2.0")
    response = await host.workload_start(request(component("messaging_handler"), interfaces=(other,)))
    assert response.state is WorkloadState.RUNNING, response.message
    assert lines == []


async def test_a_plugin_comes_and_goes(host):
    """A handler that runs has its messages from the plugin's attach to its detach, from its replacement too."""
    await start(host, "messaging_handler")
    first, second = InMemoryMessaging(), InMemoryMessaging()
    sent = told(host, MessageSent)
    await host.attach(first)
    await first.publish("one", b"")
    await host.attach(second, replace=True)
    await first.publish("two", b"")
    await second.publish("three", b"")
    await host.detach(second.id)
    await second.publish("four", b"")
    assert [(event.subject, event.handlers) for event in sent] == [
        ("one", ("messaging_handler",)),
        ("two", ()),
        ("three", ("messaging_handler",)),
        ("four", ()),
    ]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"e", "handle-message returned the error 'I am full'"),
        (b"t", "messaging_handler: wasmcloud:messaging/handler@0.2.0#handle-message ended: wasm `unreachable` instr"),
        (b"l", "workload 'messaging_handler' did not finish a call within 0.2 s"),
    ],
)
async def test_a_guest_that_fails(host, broker, monkeypatch, body, error):
    """Its error, its trap and its lateness are in the event; the next message has a fresh instance."""
    monkeypatch.setattr("washnb.host.dispatch.REQUEST_SECONDS", 0.2)
    handled = told(host, MessageHandled)
    await start(host, "messaging_handler")
    for each in (body, b"good"):
        await broker.publish("in", each)
    await eventually(lambda: len(handled) == 2)
    assert sorted(event.error or "" for event in handled)[1].startswith(error)
    assert [event.error for event in handled if event.body == b"good"] == [None]


async def test_stopping_in_the_midst(host, broker):
    """`workload_stop` ends what is being handled and what waits, in a bounded time, and each is told."""
    handled = told(host, MessageHandled)
    await start(host, "messaging_handler", config={"max_in_flight": "3"})
    for _ in range(5):
        await broker.publish("in", b"l")
    await eventually(lambda: host.workloads()[0].in_flight == 3)
    begun = time.perf_counter()
    await host.workload_stop("messaging_handler")
    assert time.perf_counter() - begun < 2
    assert len(handled) == 5
    assert all("stopped" in event.error for event in handled)


async def test_a_reload_takes_over(host, broker):
    """The next message goes to the new version, with its config; the old one's subjects are gone."""
    handled, sent = told(host, MessageHandled), told(host, MessageSent)
    for source, subject in (("messaging_handler", "old"), ("messaging", "new")):
        version = component(source, "main", config={"subscriptions": f"in,{subject}"})
        response = await host.workload_reload(request(version, name="w"))
        assert response.state is WorkloadState.RUNNING
        await broker.publish("in", b"e")
    for subject in ("old", "new"):
        await broker.publish(subject, b"e")
    await eventually(lambda: len(handled) == 3)
    assert [event.error is None for event in handled] == [False, True, True]
    assert [event.handlers for event in sent] == [("w/main",), ("w/main",), (), ("w/main",)]


@pytest.mark.slow
async def test_a_thousand_messages_while_reloading(host, broker):
    """Each one is handled once, and none fails, however often the workload is loaded again meanwhile."""
    handled = told(host, MessageHandled)
    version = request(component("messaging", config={"subscriptions": "in"}))
    await host.workload_start(version)

    async def send() -> None:
        for number in range(1000):
            await broker.publish("in", b"%d" % number)
            await asyncio.sleep(0.0005)

    sending = asyncio.create_task(send())
    reloads = 0
    while not sending.done():
        assert (await host.workload_reload(version)).state is WorkloadState.RUNNING
        reloads += 1
    await sending
    await eventually(lambda: len(handled) == 1000)
    assert reloads >= 2
    assert {int(event.body) for event in handled} == set(range(1000))
    assert [event.error for event in handled if event.error] == []


async def test_the_host_stops_in_the_midst(engine):
    """Nothing of a message is left, and what was not done is told."""
    broker = InMemoryMessaging()
    async with HostBuilder().with_engine(engine).with_plugin(broker).build() as host:
        handled = told(host, MessageHandled)
        await start(host, "messaging_handler", config={"max_in_flight": "2"})
        for _ in range(4):
            await broker.publish("in", b"l")
        await eventually(lambda: host.workloads()[0].in_flight == 2)
    assert len(handled) == 4
    assert all(event.error for event in handled)


OTHER_HOST = """
import asyncio, sys
from washnb.events import MessageHandled
from washnb.host import HostBuilder
from washnb.plugins import NatsMessaging, NatsServer
from tests.host.guests import component, request

async def main():
    count = 0
    def see(event):
        nonlocal count
        count += isinstance(event, MessageHandled) and event.error is None
    async with HostBuilder().with_plugin(NatsMessaging(NatsServer(sys.argv[1]))).build() as host:
        host.events().subscribe(see)
        response = await host.workload_start(request(component("messaging_handler", config={"subscriptions": "load"})))
        print(response.state.value, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    print(count)

asyncio.run(main())
"""


@pytest.mark.slow
async def test_two_hosts_share_the_load(engine, nats_server):
    """The same workload on two hosts, in two processes, handles each message once, and both have work to do."""
    other = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        OTHER_HOST,
        nats_server.url,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parent.parent.parent,
    )
    broker = NatsMessaging(NatsServer(nats_server.url))
    async with HostBuilder().with_engine(engine).with_plugin(broker).build() as host:
        handled = told(host, MessageHandled)
        await start(host, "messaging_handler", config={"subscriptions": "load"})
        assert await other.stdout.readline() == b"Running\n"
        for _ in range(200):
            await broker.publish("load", b"")
        await asyncio.sleep(1)
        output, _ = await other.communicate(b"\n")
        await eventually(lambda: len(handled) + int(output) == 200)
    assert min(len(handled), int(output)) > 20
