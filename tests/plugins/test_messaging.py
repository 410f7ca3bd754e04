"""Messages in memory: the contracts, and what is their own; subjects, groups and settings."""

from __future__ import annotations

import pytest

from tests.waiting import eventually
from washnb.events import MessageHandled, MessageSent
from washnb.plugins import InMemoryMessaging
from washnb.plugins.messaging import handling
from washnb.plugins.messaging.settings import HandlerSettings, handler_settings
from washnb.plugins.messaging.subjects import default_group, flaw, fnv1a_64, matcher

from .contracts.messaging import HANDLER, DeliveryContract, LifeContract, listening, receiver, told


@pytest.fixture
async def plugin():
    """Give the plugin as a host has it, and let go of it."""
    plugin = InMemoryMessaging()
    await plugin.start()
    yield plugin
    await plugin.stop()


class TestInMemoryDelivery(DeliveryContract):
    async def test_who_subscribes_to_nothing_has_everything(self, plugin):
        """As in the reference's memory; but answers to the requests of others are for them."""
        worker, other = receiver(), receiver("other", subscriptions="ask")
        other.behave = other.answer
        await listening(plugin, worker, other)
        await plugin.publish("any.thing", b"")
        await plugin.request("ask", b"")
        assert [message.subject for message in worker.received] == ["any.thing", "ask"]

    async def test_who_subscribes_to_everything_has_the_answers_too(self, plugin):
        """The inbox of a request is a subject as any other, on NATS as well."""
        spy, other = receiver(subscriptions=">"), receiver("other", subscriptions="ask")
        other.behave = other.answer
        await listening(plugin, spy, other)
        await plugin.request("ask", b"hi")
        await eventually(lambda: spy.bodies == [b"hi", b"hi"])

    async def test_members_of_a_group_take_turns(self, plugin):
        """One after the other, also where messages to another group come in between."""
        pairs = [[receiver(name, workload_id=f"{name}{each}", subscriptions=name) for each in "12"] for name in "ab"]
        await listening(plugin, *pairs[0], *pairs[1])
        for _ in range(3):
            await plugin.publish("a", b"")
            await plugin.publish("b", b"")
        await eventually(lambda: sum(len(each.received) for pair in pairs for each in pair) == 6)
        assert [len(pairs[0][0].received), len(pairs[1][0].received)] in ([2, 2], [1, 2], [2, 1])


class TestInMemoryLife(LifeContract):
    async def test_a_message_that_nobody_takes_is_seen(self, plugin):
        """The event of the sending names who took it: nobody. A request's answer is taken by who asked."""
        sent = told(plugin, MessageSent)
        worker = receiver(subscriptions="ask")
        worker.behave = worker.answer
        await listening(plugin, worker)
        assert await plugin.publish("no.body", b"") == ()
        await plugin.request("ask", b"")
        await plugin.publish("ask", b"", "gone")
        await eventually(lambda: len(sent) == 5)
        assert [(event.subject.partition(".")[0], event.handlers) for event in sent] == [
            ("no", ()),
            ("_INBOX", ("the requester",)),
            ("ask", None),
            ("ask", ("worker/main",)),
            ("gone", ()),
        ]

    @pytest.mark.parametrize(("limit", "value"), [("INBOX_LIMIT", 3), ("INBOX_BYTES", 30)])
    async def test_a_full_inbox(self, plugin, monkeypatch, limit, value):
        """What does not fit is told, and goes to another member of the group where there is one."""
        monkeypatch.setattr(handling, limit, value)
        handled, sent = told(plugin, MessageHandled), told(plugin, MessageSent)
        worker = await listening(plugin, receiver(subscriptions="in"))
        for _ in range(4):
            await plugin.broker.publish(message := handling.BrokerMessage("in", b"0123456789"))
        assert [event.error for event in handled] == ["message queue full: 3 messages wait for worker/main"]
        second = await listening(plugin, receiver(workload_id="second", subscriptions="in"))
        await plugin.publish(message.subject, message.body)
        await eventually(lambda: len(worker.received) == 3)
        assert second.received == [message]
        assert sent[0].handlers == ("worker/main",)


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("a", ["a"], ["b", "a.b", "A", "aa"]),
        ("a.*", ["a.b", "a.*x"], ["a", "a.b.c"]),
        ("*.b", ["a.b"], ["b", "a.a.b"]),
        ("a.>", ["a.b", "a.b.c"], ["a", "b.a"]),
        (">", ["a", "a.b"], []),
        ("*.>", ["a.b", "a.b.c"], ["a"]),
        ("a.[b]+", ["a.[b]+"], ["a.b"]),
    ],
)
def test_subjects_match(pattern, matching, other):
    """A wildcard is a whole token; every other character stands for itself."""
    matches = matcher(pattern)
    assert flaw(pattern, wildcards=True) is None
    assert all(map(matches, matching))
    assert not any(map(matches, other))


@pytest.mark.parametrize(
    ("data", "digest"), [(b"", 0xCBF29CE484222325), (b"a", 0xAF63DC4C8601EC8C), (b"foobar", 0x85944171F73967E8)]
)
def test_the_hash_is_fnv_1a(data, digest):
    """These are the published values."""
    assert fnv1a_64(data) == digest


def test_groups_are_named_as_in_the_reference():
    """wasmcloud, the three names, a hash of them; at most 128 characters, of which the hash is the end."""
    assert default_group("orders", "processor", "worker") == "wasmcloud.orders.processor.worker.6e62186180ab9c0e"
    strange = default_group("name space", "a.*", "é>")
    assert strange.startswith("wasmcloud.name-space.a--.--.")
    long = default_group("ns", "w" * 300, "c")
    assert len(long) == 128
    assert long.startswith("wasmcloud.ns.www")
    assert long[-17:] == f".{fnv1a_64(b'ns' + bytes(1) + b'w' * 300 + bytes(1) + b'c'):016x}"


@pytest.mark.parametrize(
    ("config", "in_flight", "wait"),
    [
        ({}, 32, 30.0),
        ({"max_in_flight": "", "admission_wait": " "}, 32, 30.0),
        ({"max_in_flight": "0", "admission_wait": "0"}, 32, 0.0),
        ({"max_in_flight": " 8 ", "admission_wait": "45"}, 8, 45.0),
        ({"max_in_flight": "1000", "admission_wait": "2h"}, 32, 600.0),
        ({"admission_wait": "500ms"}, 32, 0.5),
        ({"admission_wait": "1m30s"}, 32, 90.0),
        ({"admission_wait": "1m 30s"}, 32, 90.0),
    ],
)
def test_bounds_are_those_of_the_reference(config, in_flight, wait):
    """32 at once and 30 seconds, unless config says less; more than the limits is the limits."""
    settings = handler_settings(receiver(**config), HANDLER)
    assert settings == HandlerSettings((), default_group("default", "worker", "main"), in_flight, wait)
