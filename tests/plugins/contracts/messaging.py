"""What every messaging plugin must do, whatever its broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.waiting import eventually
from washnb.engine import Err
from washnb.errors import BackendError, ConfigError, GuestError
from washnb.events import LogLine, MessageHandled, MessageSent
from washnb.plugins import BrokerMessage, Messaging
from washnb.plugins.messaging import Consumer
from washnb.plugins.messaging.handling import HANDLE_MESSAGE
from washnb.types import LocalResources
from washnb.wit import WitInterface

from ..bound import Item, bind

HANDLER = (WitInterface.parse("wasmcloud:messaging/handler@0.2.0"),)


@dataclass
class Receiver(Item):
    """A component that handles messages in Python: it keeps them, then does what `behave` does."""

    bound: bool = True
    received: list[BrokerMessage] = field(default_factory=list)
    behave: Callable[[BrokerMessage], Awaitable[Any]] | None = None

    async def deliver(self, export: str, *arguments: Any, request: int | None = None, wait: float = 0.0) -> Any:
        """Handle a message."""
        assert export == HANDLE_MESSAGE
        assert request
        self.received.append(*arguments)
        if self.behave is not None:
            await self.behave(*arguments)

    async def answer(self, message: BrokerMessage) -> None:
        """Send the body back."""
        await self.linked[Consumer.wit].publish(BrokerMessage(message.reply_to, message.body))

    @property
    def bodies(self) -> list[bytes]:
        """What it received, by the bodies."""
        return [message.body for message in self.received]


def receiver(name: str = "worker", *, workload_id: str = "", **config: str) -> Receiver:
    """Make one; its workload has the same name."""
    return Receiver(workload_id or name, name, local_resources=LocalResources(config=config))


async def listening(plugin: Messaging, *receivers: Receiver) -> Receiver:
    """Bind each one as a workload of its own; the first of them."""
    for each in receivers:
        await bind(plugin, each, interfaces=HANDLER)
    return receivers[0]


def told(plugin: Messaging, kind: type) -> list[Any]:
    """A list that grows with the events of a kind."""
    events: list[Any] = []
    plugin.events.subscribe(lambda event: events.append(event) if isinstance(event, kind) else None)
    return events


class DeliveryContract:
    """Who gets which message. There is a fixture `plugin`, a Messaging that has been started."""

    async def test_a_subscription_has_its_messages_and_no_others(self, plugin):
        """`*` is one token, `>` at the end one or more; every subject of the list counts, blanks around them do not."""
        worker = await listening(plugin, receiver(subscriptions=" orders.*.new ,audit.>,, exact"))
        heard = ["orders.eu.new", "audit.a", "audit.a.b", "exact"]
        for subject in ("orders.new", "orders.eu.old", "orders.eu.new.x", "audit", *heard, "Exact"):
            await plugin.publish(subject, subject.encode())
        await eventually(lambda: len(worker.received) == len(heard))
        assert [message.subject for message in worker.received] == heard

    @pytest.mark.parametrize("body", [b"", b"\0\xff" * 1000, b"x" * 900_000], ids=["empty", "binary", "long"])
    async def test_a_message_arrives_as_it_was_sent(self, plugin, body):
        """Subject, body and reply-to go through unchanged."""
        worker = await listening(plugin, receiver(subscriptions="in"))
        sent = BrokerMessage("in", body, "somewhere.else")
        await plugin.publish(sent.subject, sent.body, sent.reply_to)
        await eventually(lambda: worker.received)
        assert worker.received == [sent]

    async def test_components_of_the_same_name_share(self, plugin):
        """Copies of a component get each message once, and both get some; another component gets all of them."""
        copies = [receiver("copy", workload_id=each, subscriptions="in") for each in ("one", "two")]
        other = receiver("other", subscriptions="in")
        await listening(plugin, *copies, other)
        for number in range(40):
            await plugin.publish("in", b"%d" % number)
        await eventually(lambda: len(other.received) == 40)
        await eventually(lambda: sum(len(each.received) for each in copies) >= 40)
        assert sorted(copies[0].bodies + copies[1].bodies) == sorted(other.bodies)
        assert all(each.received for each in copies)

    async def test_a_consumer_group_of_ones_own(self, plugin):
        """Components that name the same group share; in the group `broadcast` nobody does."""
        grouped = [receiver(name, subscriptions="in", consumer_group="workers") for name in ("a", "b")]
        single = [receiver(name, subscriptions="in", consumer_group="broadcast") for name in ("c", "d")]
        await listening(plugin, *grouped, *single)
        for _ in range(10):
            await plugin.publish("in", b"")
        await eventually(lambda: [len(each.received) for each in single] == [10, 10])
        await eventually(lambda: sum(len(each.received) for each in grouped) == 10)

    async def test_the_config_of_the_component_goes_before_that_of_the_entry(self, plugin):
        """`host_interfaces` may hold the subscriptions for all; a component's own win."""
        entry = WitInterface.parse("wasmcloud:messaging/handler@0.2.0", config={"subscriptions": "shared"})
        own, other = receiver("own", subscriptions="mine"), receiver("other")
        for each in (own, other):
            await bind(plugin, each, interfaces=(entry,))
        for subject in ("shared", "mine"):
            await plugin.publish(subject, subject.encode())
        await eventually(lambda: own.received and other.received)
        assert (own.bodies, other.bodies) == ([b"mine"], [b"shared"])

    async def test_a_request_has_the_first_answer(self, plugin):
        """A handler answers by publishing to reply-to; a guest and somebody outside ask alike."""
        worker = receiver(subscriptions="ask.*")
        worker.behave = worker.answer
        await listening(plugin, worker)
        asker = await bind(plugin, Item("asker", "asker"))
        assert (await plugin.request("ask.me", b"hello")).body == b"hello"
        answer = await asker.linked[Consumer.wit].request("ask.me", b"guest", 1000)
        assert (answer.body, answer.reply_to) == (b"guest", None)
        assert answer.subject == worker.received[1].reply_to
        assert answer.subject.startswith("_INBOX.")

    async def test_many_requests_at_once(self, plugin):
        """Answers find those who asked."""
        worker = receiver(subscriptions="ask")
        worker.behave = worker.answer
        await listening(plugin, worker)
        answers = await asyncio.gather(*(plugin.request("ask", b"%d" % number) for number in range(100)))
        assert [answer.body for answer in answers] == [b"%d" % number for number in range(100)]

    async def test_a_request_that_nobody_takes(self, plugin):
        """It fails at once, in NATS's words, with the line that starts somebody who would."""
        begun = time.perf_counter()
        with pytest.raises(BackendError, match=r"no responders available for request to 'nobody\.home'") as raised:
            await plugin.request("nobody.home", b"", timeout=20)
        assert time.perf_counter() - begun < 1
        assert "subscriptions=nobody.home" in str(raised.value)

    async def test_a_request_that_nobody_answers(self, plugin):
        """It fails when its time is over; a guest gets the words of wash-runtime."""
        await listening(plugin, receiver(subscriptions="ask"))
        asker = await bind(plugin, Item("asker", "asker"))
        with pytest.raises(Err, match="request timed out after 50ms"):
            await asker.linked[Consumer.wit].request("ask", b"", 50)
        with pytest.raises(BackendError, match="timed out"):
            await plugin.request("ask", b"", timeout=0.05)

    @pytest.mark.parametrize(
        "subject", ["", "a b", "a..b", ".a", "a.", "a.*", ">", "a\r\nPUB b 0", "x" * 1025, "\ud800"]
    )
    async def test_subjects_that_cannot_be(self, plugin, subject):
        """Nothing is sent to them, or with them as reply-to; a guest gets the error, and goes on."""
        worker = await listening(plugin, receiver(subscriptions="good"))
        consumer = worker.linked[Consumer.wit]
        for sending in (
            consumer.publish(BrokerMessage(subject, b"")),
            consumer.publish(BrokerMessage("good", b"", subject)),
            consumer.request(subject, b"", 100),
        ):
            with pytest.raises(Err, match="is invalid: "):
                await sending
        with pytest.raises(BackendError, match="is invalid: "):
            await plugin.publish(subject, b"")
        await consumer.publish(BrokerMessage("good", b""))
        await eventually(lambda: worker.received)
        assert worker.bodies == [b""]

    async def test_the_servers_own_subjects_are_not_for_guests(self, plugin):
        """Who may send messages has not been granted the buckets that hear under $KV, nor an answer there."""
        consumer = (await bind(plugin)).linked[Consumer.wit]
        for send in (
            consumer.publish(BrokerMessage("$KV.bucket.key", b"x", None)),
            consumer.publish(BrokerMessage("orders", b"x", "$JS.API.STREAM.DELETE.KV_bucket")),
            consumer.request("$JS.API.INFO", b"", 100),
        ):
            with pytest.raises(Err, match="the server's own"):
                await send

    @pytest.mark.parametrize(
        ("key", "value", "message"),
        [
            ("subscriptions", "a.>.b", "subscription 'a.>.b' is invalid: its > is not at the end"),
            ("subscriptions", "a.b*", "a \\* or > stands for a whole token"),
            ("subscriptions", "a..b", "nothing before, between or after its dots"),
            ("consumer_group", "two groups", "consumer_group 'two groups' cannot be"),
            ("consumer_group", "", "consumer_group '' cannot be"),
            ("consumer_group", "\0", r"consumer_group '\\x00' cannot be"),
            ("consumer_group", "g" * 1025, "consumer_group 'ggg.* cannot be: .* 1,024 bytes at most"),
            ("max_in_flight", "many", "max_in_flight 'many' is no number"),
            ("admission_wait", "soon", "admission_wait 'soon' is no time"),
        ],
    )
    async def test_config_that_cannot_be(self, plugin, key, value, message):
        """The workload does not start; the error names it, the value, and one that would do."""
        with pytest.raises(ConfigError, match=message) as raised:
            await listening(plugin, receiver(**{"subscriptions": "a", key: value}))
        assert (raised.value.workload, raised.value.component) == ("worker", "main")
        assert f"{key}=" in raised.value.repair[0]


class LifeContract:
    """What becomes of messages, and what is told of them. There is a fixture `plugin`, as above."""

    async def test_every_message_is_told(self, plugin):
        """Who sent it, who handled it under which number, how long it is; long bodies by their beginning."""
        sent, handled = told(plugin, MessageSent), told(plugin, MessageHandled)
        worker = await listening(plugin, receiver(subscriptions="in"))
        await worker.linked[Consumer.wit].publish(BrokerMessage("in", b"x" * 5000, "back"))
        await plugin.publish("in", b"two")
        await eventually(lambda: len(handled) == 2)
        assert [(each.workload, each.component, each.kind, each.size) for each in sent] == [
            ("worker", "main", "publish", 5000),
            ("", "", "publish", 3),
        ]
        first, second = handled
        assert (first.subject, first.body, first.size, first.reply_to) == ("in", b"x" * 1024, 5000, "back")
        assert (first.workload, first.component, first.error) == ("worker", "main", None)
        assert second.request > first.request > 0
        assert 0 <= first.duration < 1
        assert abs(first.time - time.time()) < 5

    @pytest.mark.parametrize(
        ("failure", "error"),
        [
            (Err("I am full"), "handle-message returned the error 'I am full'"),
            (GuestError("worker: it trapped"), "worker: it trapped"),
            (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
        ],
    )
    async def test_a_handler_that_fails(self, plugin, failure, error):
        """The error is in the event and in the log of its component, and the next message is handled."""
        handled, lines = told(plugin, MessageHandled), told(plugin, LogLine)
        worker = receiver(subscriptions="in")

        async def fail(message: BrokerMessage) -> None:
            if message.body == b"bad":
                raise failure

        worker.behave = fail
        await listening(plugin, worker)
        for body in (b"bad", b"good"):
            await plugin.publish("in", body)
        await eventually(lambda: len(handled) == 2)
        assert [event.error for event in handled] == [error, None]
        assert [(line.component, line.stream, line.level, line.message) for line in lines] == [
            ("main", "host", "error", f"message to in: {error}")
        ]

    async def test_no_more_messages_after_the_unbind(self, plugin):
        """A workload that is stopped takes nothing more; what it is at ends, and that is told."""
        handled = told(plugin, MessageHandled)
        worker = receiver(subscriptions="in", max_in_flight="1")
        worker.behave = lambda message: asyncio.sleep(60)
        await listening(plugin, worker)
        for body in (b"begun", b"waits"):
            await plugin.publish("in", body)
        await eventually(lambda: worker.received)
        await asyncio.sleep(0.05)
        worker.bound = False
        await plugin.on_workload_unbind("worker", HANDLER)
        assert {event.body for event in handled} == {b"begun", b"waits"}
        assert all("stopped" in event.error for event in handled)
        await plugin.publish("in", b"late")
        with pytest.raises(BackendError, match="no responders"):
            await plugin.request("in", b"late")
        assert worker.bodies == [b"begun"]

    async def test_a_reload_loses_nothing(self, plugin):
        """While one version takes the place of the other, each message is handled once, by either."""
        handled = told(plugin, MessageHandled)
        old = await listening(plugin, receiver(subscriptions="in", max_in_flight="1"))
        new = receiver(subscriptions="in")

        async def send() -> None:
            for number in range(300):
                await plugin.publish("in", b"%d" % number)
                await asyncio.sleep(0)

        sending = asyncio.create_task(send())
        await eventually(lambda: len(old.received) > 20)
        await listening(plugin, new)
        old.bound = False
        await plugin.on_workload_unbind("worker", HANDLER)
        after = len(old.received)
        await sending
        await eventually(lambda: len(handled) == 300)
        assert not [event.error for event in handled if event.error]
        assert sorted(map(int, old.bodies + new.bodies)) == list(range(300))
        assert new.received
        assert len(old.received) <= after + 40  # what it had taken, no more

    async def test_a_reload_repeats_nothing(self, plugin):
        """While both versions are there, a message for everybody is handled by the new one."""
        old, new = [receiver(subscriptions="in", consumer_group="broadcast") for _ in range(2)]
        await listening(plugin, old, new)
        for number in range(10):
            await plugin.publish("in", b"%d" % number)
        await eventually(lambda: len(new.received) == 10)
        assert not old.received

    @pytest.mark.parametrize("group", ["workers", "broadcast"])
    async def test_a_reload_that_fails_changes_nothing(self, plugin, group):
        """Where the new version is parted from again, the old one goes on."""
        old, new = [receiver(subscriptions="in", consumer_group=group) for _ in range(2)]
        await listening(plugin, old, new)
        new.bound = False
        await plugin.on_workload_unbind("worker", HANDLER)
        for _ in range(4):
            await plugin.publish("in", b"")
        await eventually(lambda: len(old.received) == 4)
        assert not new.received

    async def test_so_many_at_once(self, plugin):
        """`max_in_flight` bounds how many a component handles at once; the others wait for their turn."""
        worker = receiver(subscriptions="in", max_in_flight="2")
        busy, most = 0, 0

        async def work(message: BrokerMessage) -> None:
            nonlocal busy, most
            busy += 1
            most = max(most, busy)
            await asyncio.sleep(0.005)
            busy -= 1

        worker.behave = work
        await listening(plugin, worker)
        for _ in range(20):
            await plugin.publish("in", b"")
        await eventually(lambda: len(worker.received) == 20)
        assert most == 2

    async def test_what_waits_too_long_is_shed(self, plugin):
        """A message that gets no place within `admission_wait` is gone, and event and log say so."""
        handled, lines = told(plugin, MessageHandled), told(plugin, LogLine)
        worker = receiver(subscriptions="in", max_in_flight="1", admission_wait="50ms")
        worker.behave = lambda message: eventually(lambda: handled)
        await listening(plugin, worker)
        for body in (b"one", b"two"):
            await plugin.publish("in", body)
        await eventually(lambda: len(handled) == 2)
        shed, done = handled
        assert (shed.body, done.body, done.error) == (b"two", b"one", None)
        assert shed.error == "shed: none of its 1 places was free within 0.05 s"
        assert shed.error in lines[0].message

    async def test_stop_ends_everything(self, plugin):
        """The plugin's end is the end of what is being handled, also where no workload was unbound."""
        handled = told(plugin, MessageHandled)
        worker = receiver(subscriptions="in")
        worker.behave = lambda message: asyncio.sleep(60)
        await listening(plugin, worker)
        await plugin.publish("in", b"")
        await eventually(lambda: worker.received)
        await plugin.stop()
        assert [event.error for event in handled] == [
            "the workload was stopped, or lost its messages, before it was done"
        ]
        await plugin.start()
