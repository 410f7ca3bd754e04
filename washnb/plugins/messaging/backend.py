"""The protocol of message brokers, in memory or on NATS. No WIT is seen here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BrokerMessage:
    """A message: its subject, its body, and `reply_to`, the subject to which an answer is to be sent, if one is."""

    subject: str
    body: bytes
    reply_to: str | None = None


Take = Callable[[BrokerMessage], bool]
"""A subscriber's function: gets a message, returns at once whether it takes the message."""


class Subscription(Protocol):
    """A subscription, as `Broker.subscribe` returns it."""

    async def end(self) -> None:
        """End the subscription; messages that the broker has sent before are still offered. Does not raise."""


class Broker(Protocol):
    """Brings each message to the subscribers of its subject, by the rules of NATS: at most once, and kept nowhere.

    Callers check the subjects before, with `flaw`. Every method raises BackendError where a server fails.
    """

    async def publish(self, message: BrokerMessage) -> tuple[str, ...] | None:
        """Send a message. Return the names of those that took it, None where the broker does not know them."""

    async def request(self, subject: str, body: bytes, seconds: float) -> BrokerMessage:
        """Send a message and return the first answer to it.

        Raises BackendError where nobody takes the message, and where no answer comes within `seconds`.
        """

    async def subscribe(self, subject: str, group: str | None, name: str, take: Take) -> Subscription:
        """Offer each message to `subject` to `take`, and return once the broker does so.

        `subject` may have the wildcards `*` and `>`. A message goes to one subscriber of each `group`, and to every
        subscriber without group. `name` is that of the subscriber in what `publish` returns.
        """
