"""Messages in the memory of the host: one broker for all its workloads, by the rules of NATS.

wash-runtime has one for each workload there, without groups. Here a workload behaves as on a server.
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
"""Who takes the answer to a request."""


@dataclass(frozen=True, eq=False, slots=True)
class InMemorySubscription:
    """Somebody who subscribes to a subject. `kept_in` are all of them."""

    matches: Callable[[str], bool]
    group: str | None
    name: str
    take: Take
    kept_in: list[InMemorySubscription]

    async def end(self) -> None:
        """Take no more messages."""
        self.kept_in.remove(self)


class InMemoryBroker:
    """Subscriptions, and the requests that wait for an answer. The members of a group take turns."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._subscriptions: list[InMemorySubscription] = []
        self._requests: dict[str, asyncio.Future[BrokerMessage]] = {}
        self._turns: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)

    async def publish(self, message: BrokerMessage) -> tuple[str, ...]:
        """Offer a message to whoever subscribes to its subject."""
        return self._offer(message)

    async def request(self, subject: str, body: bytes, seconds: float) -> BrokerMessage:
        """Offer a message and wait for the first one to the inbox that it names."""
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
        """Offer messages to `take`."""
        subscription = InMemorySubscription(matcher(subject), group, name, take, self._subscriptions)
        self._subscriptions.append(subscription)
        return subscription

    def _offer(self, message: BrokerMessage) -> tuple[str, ...]:
        """Offer a message to everybody who belongs to no group, and to one of each group; the names of the takers."""
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
    """Say what NATS says to a request that nobody subscribes to."""
    return BackendError(
        f"no responders available for request to {subject!r}",
        repair=f"%wash load HANDLER.wasm --config subscriptions={subject}  # with a component that exports the handler",
    )


def timed_out(subject: str, seconds: float) -> BackendError:
    """Say in wash-runtime's words that a request had no answer."""
    return BackendError(
        f"request timed out after {seconds * 1000:.0f}ms: nobody has answered to {subject!r}",
        repair="a handler answers by publishing to the reply-to of its message",
    )


class InMemoryMessaging(Messaging):
    """wasmcloud:messaging in memory, one broker for the host."""

    location = "memory"
    backend_kind = "memory"

    def __init__(self) -> None:
        """Begin without subscriptions."""
        self._broker = InMemoryBroker()

    @property
    def broker(self) -> InMemoryBroker:
        """What carries the messages."""
        return self._broker

    async def listen(self, handler: Handler) -> None:
        """Let a handler have its messages; one without subscriptions has all of them, as in wash-runtime's memory."""
        await handler.listen(self._broker, handler.settings.subscriptions or (">",))
