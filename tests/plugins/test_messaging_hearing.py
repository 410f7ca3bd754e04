"""Listening to what passes at a broker: nothing is taken from anybody, and it ends."""

from __future__ import annotations

import asyncio

import nats
import pytest

from tests.waiting import eventually
from washnb.errors import BackendError
from washnb.events import MessageHeard
from washnb.plugins import InMemoryMessaging, NatsMessaging, NatsServer

from .contracts.messaging import listening, receiver, told


@pytest.fixture(params=["memory", "nats"])
async def plugin(request, nats_account):
    """Give the plugin on each broker, started."""
    plugin = InMemoryMessaging() if request.param == "memory" else NatsMessaging(NatsServer(nats_account))
    await plugin.start()
    yield plugin
    await plugin.stop()


async def test_all_that_passes_is_heard(plugin):
    """Also what is handled; its handlers get all of it, and who sends is told of them only."""
    worker = await listening(plugin, receiver(subscriptions="orders.*"))
    events, heard = told(plugin, MessageHeard), []
    hearing = await plugin.hear("orders.>", heard.append)
    assert await plugin.publish("orders.a", b"1", "back") in (("worker/main",), None)
    assert await plugin.publish("orders.b.c", b"x" * 2000) in ((), None)
    await plugin.publish("elsewhere", b"3")
    await eventually(lambda: len(heard) == 2)
    assert events == heard
    assert [(each.subject, each.body, each.size, each.reply_to) for each in heard] == [
        ("orders.a", b"1", 1, "back"),
        ("orders.b.c", b"x" * 1024, 2000, None),
    ]
    await eventually(lambda: worker.bodies == [b"1"])
    await hearing.end()
    await hearing.end()
    await plugin.publish("orders.a", b"4")
    await eventually(lambda: len(worker.bodies) == 2)
    assert len(heard) == 2


async def test_a_group_loses_nothing_to_a_listener(plugin):
    """Nobody gets fewer messages."""
    workers = [receiver("worker", workload_id=str(number), subscriptions="load") for number in range(2)]
    await listening(plugin, *workers)
    heard = []
    await plugin.hear("load", heard.append)
    for number in range(50):
        await plugin.publish("load", b"%d" % number)
    await eventually(lambda: len(heard) == sum(len(each.received) for each in workers) == 50)


async def test_it_ends_with_the_plugin(plugin):
    """What comes later is not heard, on NATS neither while others use the connection."""
    heard = []
    await plugin.hear(">", heard.append)
    server = getattr(plugin, "server", None)
    if server is not None:
        await server.open()
    await plugin.stop()
    if server is None:
        await plugin.publish("x", b"")
    else:
        await server.client.publish("x", b"")
        await server.client.flush()
        await server.close()
    await asyncio.sleep(0.02)
    assert heard == []
    await plugin.start()


@pytest.mark.parametrize("subject", ["", "a b", ">.x", "a*"])
async def test_subjects_that_cannot_be(plugin, subject):
    """The error says why."""
    with pytest.raises(BackendError, match="is invalid"):
        await plugin.hear(subject, print)


async def test_others_are_heard_where_messages_are_not_taken(nats_account):
    """A server that washnb has not joined: to listen takes nothing. A request is heard, and waits for its time."""
    plugin, heard = NatsMessaging(NatsServer(nats_account, join=False, write=False)), []
    await plugin.start()
    await plugin.hear("orders.>", heard.append)
    other = await nats.connect(nats_account)
    await other.publish("orders.new", b"theirs")
    with pytest.raises(nats.errors.TimeoutError):
        await other.request("orders.ask", b"?", timeout=0.05)
    await eventually(lambda: len(heard) == 2)
    assert [each.body for each in heard] == [b"theirs", b"?"]
    await other.close()
    await plugin.stop()
