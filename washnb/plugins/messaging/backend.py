"""What a broker of messages must be able to do. It knows nothing of WIT."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BrokerMessage:
    """A message: where it goes, what it says, and where an answer is expected, if one is."""

    subject: str
    body: bytes
    reply_to: str | None = None


Take = Callable[[BrokerMessage], bool]
"""Offers a message to a subscriber, and says whether it takes it. Does not wait."""


class Subscription(Protocol):
    """What `Broker.subscribe` has begun."""

    async def end(self) -> None:
        """Take no more messages; those that the broker has sent already are still offered. Does not raise."""


class Broker(Protocol):
    """Brings messages to whoever subscribes to their subjects, by the rules of NATS: at most once, kept nowhere.

    The subjects are valid: see `flaw`. Every method raises BackendError where the outside world fails.
    """

    async def publish(self, message: BrokerMessage) -> tuple[str, ...] | None:
        """Send a message. Return the names of those who took it, None where the broker does not tell."""

    async def request(self, subject: str, body: bytes, seconds: float) -> BrokerMessage:
        """Send a message and wait for the first answer to it.

        Raises BackendError also where nobody takes the message, and where no answer comes in time.
        """

    async def subscribe(self, subject: str, group: str | None, name: str, take: Take) -> Subscription:
        """Offer messages to `take`; of the members of one `group` a message goes to one. Returns once that holds.

        `subject` may have the wildcards `*` and `>`; `name` is what `publish` returns.
        """
