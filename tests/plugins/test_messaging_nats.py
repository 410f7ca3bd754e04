"""Messages on a real NATS server: the contracts, what other clients see, and faults."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time

import nats
import nats.errors
import pytest

from tests.waiting import eventually
from washnb.engine import Err
from washnb.errors import AccessDenied, BackendError
from washnb.events import LogLine, MessageHandled
from washnb.plugins import BrokerMessage, NatsMessaging, NatsServer
from washnb.plugins.messaging import Consumer
from washnb.plugins.messaging.subjects import default_group, flaw, matcher
from washnb.plugins.nats import heard

from .bound import Item, bind
from .contracts.messaging import DeliveryContract, LifeContract, listening, receiver, told

TOKENS = ("a", "b", "*", ">", "", "é", "_INBOX", "$X")


@pytest.fixture
async def plugin(nats_server):
    """Give the plugin as a host has it, and let go of it."""
    plugin = NatsMessaging(NatsServer(nats_server.url))
    await plugin.start()
    yield plugin
    await plugin.stop()


@pytest.fixture
async def client(nats_server):
    """Give a client that is not ours."""
    client = await nats.connect(nats_server.url)
    yield client
    await client.close()


class TestNatsDelivery(DeliveryContract):
    async def test_other_clients_take_part(self, plugin, client):
        """Subjects and bodies are those on the wire, without prefix and headers; requests are those of core NATS."""
        worker = receiver(subscriptions="ask.>")
        worker.behave = worker.answer
        await listening(plugin, worker)
        answer = await client.request("ask.me", b"hello", timeout=2)
        assert (answer.data, answer.headers) == (b"hello", None)
        spy = await client.subscribe("out.>")
        await heard(client)
        await plugin.publish("out.x", b"\0\xff", "back")
        message = await spy.next_msg()
        assert (message.subject, message.data, message.reply, message.headers) == ("out.x", b"\0\xff", "back", None)

    async def test_hosts_of_wash_runtime_share_the_load(self, plugin, client):
        """Who subscribes in the group that the reference names takes part of the messages."""
        worker = await listening(plugin, receiver(subscriptions="in"))
        theirs = await client.subscribe("in", queue=default_group("default", "worker", "main"))
        await heard(client)
        for _ in range(40):
            await plugin.publish("in", b"")
        await client.flush()
        await eventually(lambda: len(worker.received) + theirs.pending_msgs == 40)
        assert worker.received
        assert theirs.pending_msgs


class TestNatsLife(LifeContract):
    async def test_who_subscribes_to_nothing_gets_nothing(self, plugin):
        """As in the reference; the log says why the handler is silent, and what would change that."""
        lines = told(plugin, LogLine)
        worker = await listening(plugin, receiver())
        await plugin.publish("any", b"")
        assert [(line.level, line.component) for line in lines] == [("warn", "main")]
        assert "subscriptions=" in lines[0].message
        assert not worker.received

    async def test_a_server_that_is_not_joined(self, nats_server):
        """It is given messages, and none are taken from others; the log says so."""
        plugin = NatsMessaging(NatsServer(nats_server.url, join=False))
        lines = told(plugin, LogLine)
        await plugin.start()
        worker = await listening(plugin, receiver(subscriptions="in"))
        await plugin.publish("in", b"")
        with pytest.raises(BackendError, match="no responders"):
            await plugin.request("in", b"")
        await plugin.stop()
        assert f"%wash attach messaging={nats_server.url} --join" in lines[0].message
        assert not worker.received

    async def test_a_server_that_is_only_read(self, nats_server):
        """Messages come, and none are sent; guests get the error, which names the remedy."""
        plugin = NatsMessaging(NatsServer(nats_server.url, write=False))
        await plugin.start()
        consumer = (await listening(plugin, receiver(subscriptions="in"))).linked[Consumer.wit]
        with pytest.raises(Err, match=r"publish to 'out': NATS server .* read only"):
            await consumer.publish(BrokerMessage("out", b""))
        with pytest.raises(Err, match=r"request to 'out': NATS server .* read only"):
            await consumer.request("out", b"", 100)
        with pytest.raises(AccessDenied, match="--write"):
            await plugin.publish("out", b"")
        await plugin.stop()


class TestFaults:
    async def test_the_server_is_down_when_the_plugin_starts(self, nats_servers):
        """The error names it and the line that starts one; a host stops the plugin then, and may start it again."""
        server = await nats_servers()
        await server.stop()
        plugin = NatsMessaging(NatsServer(server.url))
        with pytest.raises(BackendError, match=f"no NATS server answers at {server.url}") as raised:
            await plugin.start()
        assert "%wash nats start" in str(raised.value)
        await plugin.stop()
        await server.start(server.store)
        await plugin.start()
        await plugin.publish("in", b"")
        await plugin.stop()
        with pytest.raises(BackendError, match="is not connected"):
            await plugin.publish("in", b"")

    async def test_the_server_goes_and_comes_back(self, nats_servers, monkeypatch):
        """Meanwhile calls fail in time; then the next one works, and handlers still have their messages."""
        monkeypatch.setattr("washnb.plugins.nats.server.PATIENCE", 0.2)
        server = await nats_servers()
        plugin = NatsMessaging(NatsServer(server.url))
        await plugin.start()
        worker = receiver(subscriptions="in,ask")
        worker.behave = lambda message: worker.answer(message) if message.reply_to else asyncio.sleep(0)
        consumer = (await listening(plugin, worker)).linked[Consumer.wit]
        await server.kill()
        begun = time.perf_counter()
        for call in (consumer.publish(BrokerMessage("in", b"lost")), consumer.request("ask", b"lost", 60_000)):
            with pytest.raises(Err, match=f"NATS server {server.url} is away"):
                await call
        assert time.perf_counter() - begun < 2
        await server.start(server.store)
        await consumer.publish(BrokerMessage("in", b"back"))
        assert (await consumer.request("ask", b"again", 2000)).body == b"again"
        await eventually(lambda: worker.bodies == [b"back", b"again"])
        await plugin.stop()

    @pytest.mark.slow
    async def test_the_server_is_killed_in_the_midst_of_a_request(self, nats_servers):
        """The guest has its answer, an error that names the server, when its time is over."""
        server = await nats_servers()
        plugin = NatsMessaging(NatsServer(server.url))
        await plugin.start()
        worker = receiver(subscriptions="ask")
        worker.behave = lambda message: asyncio.sleep(60)
        consumer = (await listening(plugin, worker)).linked[Consumer.wit]
        asking = asyncio.create_task(consumer.request("ask", b"", 500))
        await eventually(lambda: worker.received)
        await server.kill()
        with pytest.raises(Err, match=f"request to 'ask': NATS server {server.url} is away"):
            await asking
        await plugin.stop()

    @pytest.mark.slow
    @pytest.mark.parametrize("stands_still", [False, True], ids=["away", "stands still"])
    async def test_a_workload_that_leaves_without_the_server(self, nats_servers, monkeypatch, stands_still):
        """It is not subscribed again when the server returns."""
        monkeypatch.setattr("washnb.plugins.messaging.nats.PATIENCE", 0.2)
        server = await nats_servers()
        plugin = NatsMessaging(NatsServer(server.url))
        await plugin.start()
        gone, stays = receiver("gone", subscriptions="in"), receiver("stays", subscriptions="in")
        await listening(plugin, gone, stays)
        if stands_still:
            os.kill(server.pid, signal.SIGSTOP)
        else:
            await server.kill()
        gone.bound = False
        await plugin.on_workload_unbind("gone", ())
        if stands_still:
            await server.kill()
        await server.start(server.store)
        await plugin.publish("other", b"")
        monkeypatch.undo()
        await plugin.publish("in", b"")
        await eventually(lambda: stays.received)
        assert not gone.received
        await plugin.stop()

    async def test_a_body_that_is_too_long(self, plugin):
        """A guest gets the error, which names the limit, and goes on."""
        consumer = (await bind(plugin, Item())).linked[Consumer.wit]
        for call in (
            consumer.publish(BrokerMessage("out", b"x" * 1_048_577)),
            consumer.request("out", b"x" * 1_048_577, 100),
        ):
            with pytest.raises(Err, match="'out': more than the 1048576 bytes"):
                await call
        await consumer.publish(BrokerMessage("out", b""))

    async def test_what_the_server_does_not_permit(self, nats_servers, tmp_path):
        """A guest gets an error where it may not publish or ask; a workload that may not subscribe does not start."""
        config = tmp_path / "nats.conf"
        config.write_text(
            "authorization { users = [ { user: u, password: p, permissions: {"
            ' publish: { deny: ["no.>"] }, subscribe: { deny: ["no.>"] } } } ] }'
        )
        server = await nats_servers("-c", str(config))
        plugin = NatsMessaging(NatsServer(server.url, user="u", password="p"))
        await plugin.start()
        consumer = (await listening(plugin, receiver(subscriptions="yes"))).linked[Consumer.wit]
        for call in (consumer.publish(BrokerMessage("no.way", b"")), consumer.request("no.way", b"", 200)):
            with pytest.raises(Err, match=r"'no.way': NATS server .* does not permit it: permissions violation"):
                await call
        with pytest.raises(AccessDenied, match=r"subscribe to 'no.way'"):
            await listening(plugin, receiver("other", subscriptions="no.way"))
        await asyncio.gather(*(consumer.publish(BrokerMessage(f"yes.{number}", b"")) for number in range(20)))
        handled = told(plugin, MessageHandled)
        await consumer.publish(BrokerMessage("yes", b""))
        await eventually(lambda: handled)
        await plugin.stop()


def some_subject(choose: random.Random, tokens: tuple[str, ...] = TOKENS) -> str:
    """Make a subject, good or bad, of a few tokens."""
    return ".".join(choose.choice(tokens) for _ in range(choose.randint(1, 4)))


async def test_subjects_match_as_the_server_says(client):
    """500 subscriptions and as many messages, at random: the server's verdict on each pair is ours."""
    choose = random.Random(20)
    patterns = [pattern for _ in range(500) if flaw(pattern := some_subject(choose), wildcards=True) is None]
    subjects = [subject for _ in range(500) if flaw(subject := some_subject(choose, (*TOKENS, "a*", ">b"))) is None]
    assert len(set(patterns)) > 100
    assert len(set(subjects)) > 50
    subscriptions = {pattern: await client.subscribe(pattern) for pattern in dict.fromkeys(patterns)}
    for subject in dict.fromkeys(subjects):
        await client.publish(subject)
    await heard(client)
    for pattern, subscription in subscriptions.items():
        came = {(await subscription.next_msg()).subject for _ in range(subscription.pending_msgs)}
        assert came == set(filter(matcher(pattern), subjects)), pattern


async def test_what_is_no_subject_is_none_for_the_server(nats_server):
    """Whatever `flaw` finds in a subject to subscribe to, the server refuses, but for its length."""
    choose = random.Random(21)
    flawed = {subject for _ in range(300) if flaw(subject := some_subject(choose), wildcards=True) and subject}
    reader, writer = await asyncio.open_connection("127.0.0.1", int(nats_server.url.rpartition(":")[2]))
    await reader.readline()
    writer.write(b'CONNECT {"verbose": true}\r\n')
    assert await reader.readline() == b"+OK\r\n"
    for number, subject in enumerate(sorted(flawed)[:40]):
        writer.write(f"SUB {subject} {number}\r\n".encode())
        assert await reader.readline() == b"-ERR 'Invalid Subject'\r\n", subject
    writer.close()
    await writer.wait_closed()
