"""Messages to the workloads, from outside: what `publish` and `request` do on the host's loop."""

from __future__ import annotations

import asyncio
from collections import deque

from washnb.errors import ConfigError
from washnb.events import MessageHeard
from washnb.plugins import INBOX, BrokerMessage, Hearing, Messaging, lasting_subject, subject_matcher

from ..handles import News, Reply
from .deployments import Deployments
from .history import KEPT_MESSAGES
from .reading import plugin_of

__all__ = ["INBOX", "Listening", "lasting_subject", "messaging_of", "published", "requested", "subject_matcher"]


def messaging_of(deployments: Deployments) -> Messaging | None:
    """What carries the messages, None where nothing is attached that does."""
    return plugin_of(deployments, Messaging)


async def published(deployments: Deployments, subject: str, body: bytes) -> News:
    """Send a message, and say who took it, where the broker tells. Raises BackendError where it cannot be sent."""
    handlers = await _required(deployments).publish(subject, body)
    if handlers is None:
        return News(f"published to {subject}")
    return News(f"published to {subject}: {', '.join(handlers) or 'nobody'} took it")


async def requested(deployments: Deployments, subject: str, body: bytes, seconds: float | None) -> Reply:
    """Send a message and return the reply. Raises BackendError where none comes in time."""
    messaging = _required(deployments)
    told = {} if seconds is None else {"timeout": seconds}
    answer: BrokerMessage = await messaging.request(subject, body, **told)
    return Reply(answer.subject, answer.body)


def _required(deployments: Deployments) -> Messaging:
    messaging = messaging_of(deployments)
    if messaging is None:
        raise ConfigError("nothing is attached that carries messages", repair="%wash attach messaging")
    return messaging


class Listening:
    """What passes to a subject, whoever sends it, from `begin` to `end`: the last messages, oldest first."""

    def __init__(self, subject: str) -> None:
        """Listen to nothing yet."""
        self.subject = subject
        self.messages: deque[MessageHeard] = deque(maxlen=KEPT_MESSAGES)
        self._messaging: Messaging | None = None
        self._hearing: Hearing | None = None
        self._turn = asyncio.Lock()

    async def begin(self, deployments: Deployments) -> None:
        """Listen. Raises ConfigError where nothing is attached that carries messages, BackendError where that fails."""
        messaging = _required(deployments)
        async with self._turn:
            if messaging is not self._messaging:
                await self._end()
                self._hearing = await messaging.hear(self.subject, self.messages.append)
                self._messaging = messaging

    async def go_on(self, deployments: Deployments) -> None:
        """Listen to what carries the messages now, where another plugin has taken the place of the one before."""
        if self._messaging is not None and messaging_of(deployments) is not None:
            await self.begin(deployments)

    async def end(self) -> None:
        """Listen no more; what was heard stays."""
        async with self._turn:
            await self._end()

    async def _end(self) -> None:
        hearing, self._hearing, self._messaging = self._hearing, None, None
        if hearing is not None:
            await hearing.end()
