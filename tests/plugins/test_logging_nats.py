"""Logging on NATS: the contract, the records as they travel, many hosts together, and a server that is away."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager

import nats
import pytest

from tests.waiting import eventually
from washnb.errors import BackendError
from washnb.events import LogLine
from washnb.host import HostBuilder
from washnb.plugins import DynamicConfig, NatsLogger, NatsServer
from washnb.plugins.logging import Level, Logging
from washnb.plugins.logging import nats as logging_nats
from washnb.plugins.logging.records import Record
from washnb.plugins.nats import heard as nats_server_has_it

from .bound import Item, bind
from .contracts.logging import LoggingContract
from .test_in_host import request


@asynccontextmanager
async def started(url: str, host_id: str, **options):
    """Run the plugin as a host of this id does, and give it with what it tells."""
    plugin = NatsLogger(NatsServer(url, **options))
    plugin.host_id = host_id
    told: list[LogLine] = []
    plugin.events.subscribe(told.append)
    await plugin.start()
    try:
        yield plugin, told
    finally:
        await plugin.stop()


@asynccontextmanager
async def listening(url: str, subject: str = "washnb.logs.>"):
    """Hear what is published."""
    client = await nats.connect(url)
    heard: list = []

    async def hear(message) -> None:
        heard.append(message)

    await client.subscribe(subject, cb=hear)
    await nats_server_has_it(client)
    yield heard
    await client.close()


class TestNatsLogger(LoggingContract):
    @pytest.fixture
    async def plugin(self, nats_server):
        """Give the plugin as it is attached."""
        async with started(nats_server.url, "contract") as (plugin, _):
            yield plugin


async def test_a_record_is_a_json_object_on_a_subject_of_its_component(nats_server):
    """Host, number, time, namespace, workload, component, level, context, message; no token can break the subject."""
    item = Item(workload_name="my.work load", component="ünit>", namespace="")
    async with listening(nats_server.url) as heard, started(nats_server.url, "writer") as (plugin, _):
        await bind(plugin, item)
        item.linked[Logging.wit].log(Level.WARN, "disk", 'low "on"\nspace')
        await eventually(lambda: heard)
    (message,) = heard
    assert message.subject == "washnb.logs.-.my-work-load.-nit-"
    record = json.loads(message.data)
    line = Record.decode(message.data).line
    assert abs(record.pop("time") - time.time()) < 10
    assert record.pop("number") > 0
    assert record == {
        "host": "writer",
        "namespace": "",
        "workload": "my.work load",
        "component": "ünit>",
        "level": "warn",
        "context": "disk",
        "message": 'low "on"\nspace',
    }
    assert (line.message, line.host) == ('low "on"\nspace', "writer")


def test_names_that_would_break_the_connection():
    """Long names are cut in the subject, and what is no text in a record is replaced: it is the connection of all."""
    long = LogLine("w" * 5000, "\ud800", "log", "info", "", "text", 0.0)
    record = Record("host", 1, "n" * 5000, long)
    assert len(record.subject) < 1000
    assert Record.decode(record.encode(100_000)).line.component == "?"


async def test_many_hosts_are_read_together(nats_server, engine):
    """Two hosts show the lines of both, in order, each once, and say of which host the other's are."""
    servers = [NatsServer(nats_server.url) for _ in range(2)]
    hosts = [HostBuilder().with_engine(engine).with_plugin(NatsLogger(server)).build() for server in servers]
    told: list[list[LogLine]] = [[], []]
    for host, lines in zip(hosts, told, strict=True):
        await host.attach(DynamicConfig())
        host.events().subscribe(lambda e, lines=lines: lines.append(e) if isinstance(e, LogLine) else None)
        await host.start()
    for number, host in enumerate(hosts):
        await host.workload_start(request("config_logging"))
        for text in ("one", "two"):
            await host.call("guest", "log", "info", "", f"{text} of {number}")
    await eventually(lambda: all(len(lines) == 4 for lines in told))
    await asyncio.sleep(0.05)  # what came twice would be here by now
    for number, lines in enumerate(told):
        for other, host in enumerate(hosts):
            theirs = [line for line in lines if line.message.endswith(str(other))]
            assert [line.message for line in theirs] == [f"one of {other}", f"two of {other}"]
            assert {line.host for line in theirs} == {"" if other == number else host.id}
    for host in hosts:
        await host.stop()


async def test_a_plugin_that_is_stopped_hears_nothing_more(nats_server):
    """Also where other plugins go on to use the connection, on which it would be told everything once more."""
    shared = NatsServer(nats_server.url)
    await shared.open()
    subscribed = len(shared.client._subs)
    plugin, told = NatsLogger(shared), []
    plugin.host_id = "stopped"
    plugin.events.subscribe(told.append)
    for _ in range(2):
        await plugin.start()
        await plugin.stop()
    async with started(nats_server.url, "writer") as (writer, _):
        item = await bind(writer)
        item.linked[Logging.wit].log(Level.INFO, "", "unheard")
    await shared.client.flush()
    assert (told, len(shared.client._subs)) == ([], subscribed)
    await shared.close()


async def test_what_is_no_record_is_passed_over(nats_server):
    """Whatever somebody else publishes there, the plugin goes on; an unknown level is info."""
    good = json.loads(Record("other", 7, "ns", LogLine("w", "c", "log", "warn", "", "text", 1.0)).encode(1000))
    bad = [b"", b"\xff", b"7", b"[]", b"{}", b"[" * 100_000, json.dumps({**good, "number": "7"}).encode()]
    bad += [json.dumps({**good, "message": None}).encode(), json.dumps({**good, "host": {}}).encode()]
    bad += [json.dumps({**good, "time": when}).encode() for when in (float("nan"), float("inf"), 1e300, -1, "now")]
    async with started(nats_server.url, "reader") as (_, told):
        client = await nats.connect(nats_server.url)
        for data in (*bad, json.dumps({**good, "level": "shout"}).encode()):
            await client.publish("washnb.logs.a.b.c", data)
        await client.flush()
        await eventually(lambda: told)
        await client.close()
    assert [(line.level, line.message, line.host) for line in told] == [("info", "text", "other")]


async def test_a_line_larger_than_a_message_is_cut(nats_servers, tmp_path):
    """What a server does not take whole, it gets the beginning of; what is kept here is whole."""
    config = tmp_path / "small.conf"
    config.write_text("max_payload: 4096")
    server = await nats_servers("-c", str(config))
    async with listening(server.url) as heard, started(server.url, "writer") as (plugin, _):
        item = await bind(plugin)
        item.linked[Logging.wit].log(Level.INFO, "\0" * 5000, "\x01" * 1_000_000)
        await eventually(lambda: heard)
        assert len(plugin.backend("id-1", "main").lines()[0].message) == 1_000_000
    assert len(heard[0].data) <= 4096
    assert json.loads(heard[0].data)["message"].startswith("\x01" * 10)


@pytest.mark.slow
async def test_no_guest_waits_for_a_server_that_is_away(nats_servers, caplog):
    """Lines are kept, the user is told once, and what waited is sent when the server is back: each once, in order."""
    server = await nats_servers()
    async with started(server.url, "writer") as (plugin, told):
        item = await bind(plugin)
        log = item.linked[Logging.wit].log
        log(Level.INFO, "", "before")
        await eventually(plugin._outbox._empty.is_set)
        await server.kill()
        begun = time.monotonic()
        for number in range(1000):
            log(Level.INFO, "", str(number))
        assert time.monotonic() - begun < 1
        await eventually(lambda: [line for line in told if line.stream == "host"])
        (complaint,) = [line for line in told if line.stream == "host"]
        assert "log records are kept on this host only: publish log records: NATS server" in complaint.message
        assert server.url in complaint.message
        assert len(plugin.backend("id-1", "main").lines()) == 1000
        await server.restart()
        async with listening(server.url) as heard:
            await eventually(lambda: len({json.loads(message.data)["number"] for message in heard}) == 1000)
        await eventually(lambda: len([line for line in told if line.stream == "host"]) == 2)
    assert told[-1].message == f"log records reach NATS server {server.url} again"
    assert caplog.messages[0] == f"wasi-logging: {complaint.message}"


async def test_what_waits_is_bounded(nats_servers, monkeypatch):
    """Without a server the oldest records go, and how many went is said when it is back."""
    monkeypatch.setattr(logging_nats, "WAITING_CHARACTERS", 5_000)
    server = await nats_servers()
    async with started(server.url, "writer") as (plugin, told):
        item = await bind(plugin)
        await server.kill()
        for _ in range(200):
            item.linked[Logging.wit].log(Level.INFO, "", "x" * 100)
            await asyncio.sleep(0)
        assert plugin._outbox._characters <= 5_000
        await server.restart()
        await eventually(lambda: told[-1].stream == "host" and "did not reach" in told[-1].message)
    assert int(told[-1].message.partition(" ")[0]) > 150


async def test_a_server_that_is_full(nats_servers, tmp_path):
    """Records travel to whoever listens, also where a stream that somebody keeps them in takes no more."""
    config = tmp_path / "server.conf"
    config.write_text("jetstream { max_file_store: 1KB }")
    server = await nats_servers("-c", str(config))
    async with listening(server.url) as heard, started(server.url, "writer") as (plugin, told):
        await plugin.server.jetstream.add_stream(name="LOGS", subjects=["washnb.logs.>"], discard="new")
        item = await bind(plugin)
        for number in range(8):
            item.linked[Logging.wit].log(Level.INFO, "", f"{number}".rjust(300))
        await eventually(lambda: len(heard) == 8)
        assert (await plugin.server.jetstream.stream_info("LOGS")).state.messages < 8
    assert [line.message.strip() for line in told] == [*"01234567"]


async def test_a_server_that_is_only_read_is_not_published_to(nats_server):
    """Without `--write` nothing of this host arrives there; what others write is seen."""
    async with (
        listening(nats_server.url) as heard,
        started(nats_server.url, "reader", write=False) as (plugin, told),
        started(nats_server.url, "writer") as (other, _),
    ):
        mine, theirs = await bind(plugin), await bind(other)
        mine.linked[Logging.wit].log(Level.INFO, "", "mine")
        theirs.linked[Logging.wit].log(Level.INFO, "", "theirs")
        await eventually(lambda: len(told) == 2)
        assert [(line.message, line.host) for line in told] == [("mine", ""), ("theirs", "writer")]
        assert [json.loads(message.data)["message"] for message in heard] == ["theirs"]


@pytest.mark.parametrize("denied", ["publish", "subscribe"])
async def test_what_the_server_does_not_permit_is_told(nats_servers, tmp_path, denied, caplog):
    """The lines are kept here all the same, and the user is told once which permission is missing."""
    config = tmp_path / "closed.conf"
    config.write_text(
        f'authorization {{ default_permissions = {{ {denied} = {{ deny = "washnb.logs.>" }} }}\n'
        "  users = [ { user: u, password: p } ] }"
    )
    server = await nats_servers("-c", str(config))
    async with started(server.url, "writer", user="u", password="p") as (plugin, told):
        item = await bind(plugin)
        for number in range(3):
            item.linked[Logging.wit].log(Level.INFO, "", str(number))
            await eventually(plugin._outbox._empty.is_set)
        lines = [line for line in caplog.messages if "does not permit it" in line]
    assert len(lines) == 1
    assert len([line for line in told if line.stream == "log"]) == 3


async def test_a_server_that_is_down_at_attach_is_named(nats_servers):
    """The attach fails with the server and the remedy, and leaves no task."""
    server = await nats_servers()
    await server.stop()
    with pytest.raises(BackendError, match=server.url) as caught:
        await NatsLogger(NatsServer(server.url)).start()
    assert any("nats-server" in line for line in caught.value.repair)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_stop_sends_what_waits(nats_server):
    """The last words of a guest arrive."""
    async with listening(nats_server.url, "washnb.logs.default.last.>") as heard:
        async with started(nats_server.url, "writer") as (plugin, _):
            item = await bind(plugin, Item(workload_name="last"))
            for number in range(500):
                item.linked[Logging.wit].log(Level.INFO, "", str(number))
        await eventually(lambda: len(heard) == 500)
