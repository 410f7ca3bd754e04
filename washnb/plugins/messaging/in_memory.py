"""Messages in memory: one broker for all workloads of the host, by the rules of NATS.

wash-runtime has a broker for each workload in memory, without groups. In washnb a workload sees the same messages as on
a NATS server.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from washnb.engine import GuestTime
from washnb.errors import BackendError

from .backend import BrokerMessage, Take
from .handling import Handler
from .interface import Messaging
from .subjects import INBOX, matcher

REQUESTER = "the requester"
"""The name of the taker of an answer to a request, in what `publish` returns."""


@dataclass(frozen=True, eq=False, slots=True)
class InMemorySubscription:
    """One subscription; `kept_in` is the broker's list of all."""

    matches: Callable[[str], bool]
    group: str | None
    name: str
    take: Take
    kept_in: list[InMemorySubscription]

    async def end(self) -> None:
        """End the subscription."""
        self.kept_in.remove(self)


class InMemoryBroker:
    """A broker in this process: subscriptions, and requests that wait for an answer. Members of a group take turns."""

    def __init__(self) -> None:
        """Begin without subscriptions."""
        self._subscriptions: list[InMemorySubscription] = []
        self._requests: dict[str, asyncio.Future[BrokerMessage]] = {}
        self._turns: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)

    async def publish(self, message: BrokerMessage) -> tuple[str, ...]:
        """Offer a message to the subscribers of its subject, and return the names of those that took it."""
        return self._offer(message)

    async def request(self, subject: str, body: bytes, seconds: float) -> BrokerMessage:
        """Send a message with a fresh inbox as its reply-to, and return the first message to that inbox.

        Raises BackendError where nobody takes the message, and where no answer comes within `seconds`.
        """
        inbox = f"{INBOX}{secrets.token_hex(11)}"
        answer: asyncio.Future[BrokerMessage] = asyncio.get_running_loop().create_future()
        self._requests[inbox] = answer
        try:
            if not self._offer(BrokerMessage(subject, body, inbox)):
                raise no_responders(subject)
            async with GuestTime.here().limit(seconds):
                return await answer
        except TimeoutError:
            raise timed_out(subject, seconds) from None
        finally:
            del self._requests[inbox]

    async def subscribe(self, subject: str, group: str | None, name: str, take: Take) -> InMemorySubscription:
        """Offer each message to `subject` to `take`."""
        subscription = InMemorySubscription(matcher(subject), group, name, take, self._subscriptions)
        self._subscriptions.append(subscription)
        return subscription

    def _offer(self, message: BrokerMessage) -> tuple[str, ...]:
        """Offer a message to each subscriber without group and to one of each group; return the names of the takers."""
        takers = []
        groups: dict[str, list[InMemorySubscription]] = {}
        answer = self._requests.get(message.subject)
        if answer is not None and not answer.done():
            answer.set_result(message)
            takers.append(REQUESTER)
        for each in self._subscriptions:
            if not each.matches(message.subject):
                continue
            if each.group is not None:
                groups.setdefault(each.group, []).append(each)
            elif each.take(message):
                takers.append(each.name)
        for group, members in groups.items():
            first = next(self._turns[group]) % len(members)
            takers += itertools.islice(
                (each.name for each in members[first:] + members[:first] if each.take(message)), 1
            )
        return tuple(takers)


def no_responders(subject: str) -> BackendError:
    """Return the error for a request to which nobody subscribes, with the words of NATS."""
    return BackendError(
        f"no responders available for request to {subject!r}",
        repair=f"%wash load HANDLER.wasm --config subscriptions={subject}  # with a component that exports the handler",
    )


def timed_out(subject: str, seconds: float) -> BackendError:
    """Return the error for a request without an answer in time, with the words of wash-runtime."""
    return BackendError(
        f"request timed out after {seconds * 1000:.0f}ms: nobody has answered to {subject!r}",
        repair="a handler answers by publishing to the reply-to of its message",
    )


class InMemoryMessaging(Messaging):
    """wasmcloud:messaging in memory. All workloads of the host share one broker."""

    location = "memory"
    backend_kind = "memory"

    def __init__(self) -> None:
        """Make the broker."""
        self._broker = InMemoryBroker()

    @property
    def broker(self) -> InMemoryBroker:
        """The broker that carries the messages."""
        return self._broker

    async def listen(self, handler: Handler) -> None:
        """Subscribe a handler to its subjects; to all, where its config names none, as in wash-runtime in memory."""
        await handler.listen(self._broker, handler.settings.subscriptions or (">",))
