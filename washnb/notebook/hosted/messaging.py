"""Messages from the person to the workloads: `publish` and `request`, on the host's loop."""

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
    """The attached plugin that carries messages; None where there is none."""
    return plugin_of(deployments, Messaging)


async def published(deployments: Deployments, subject: str, body: bytes) -> News:
    """Send a message, and say who took it, where the broker tells. Raises BackendError where it cannot be sent."""
    handlers = await _required(deployments).publish(subject, body)
    if handlers is None:
        return News(f"published to {subject}")
    return News(f"published to {subject}: {', '.join(handlers) or 'nobody'} took it")


async def requested(deployments: Deployments, subject: str, body: bytes, seconds: float | None) -> Reply:
    """Send a message and return its reply. Raises BackendError where no reply comes within `seconds`."""
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
    """A listener to a subject, from `begin` to `end`. It keeps the last messages, whoever sent them, oldest first."""

    def __init__(self, subject: str) -> None:
        """Prepare to listen to `subject`; `begin` begins."""
        self.subject = subject
        self.messages: deque[MessageHeard] = deque(maxlen=KEPT_MESSAGES)
        self._messaging: Messaging | None = None
        self._hearing: Hearing | None = None
        self._turn = asyncio.Lock()

    async def begin(self, deployments: Deployments) -> None:
        """Begin to listen. Raises ConfigError where no plugin carries messages, BackendError where its broker fails."""
        messaging = _required(deployments)
        async with self._turn:
            if messaging is not self._messaging:
                await self._end()
                self._hearing = await messaging.hear(self.subject, self.messages.append)
                self._messaging = messaging

    async def go_on(self, deployments: Deployments) -> None:
        """Listen at the plugin that carries messages now, where another one has taken the place of the former."""
        if self._messaging is not None and messaging_of(deployments) is not None:
            await self.begin(deployments)

    async def end(self) -> None:
        """Stop listening, and keep the messages that were heard."""
        async with self._turn:
            await self._end()

    async def _end(self) -> None:
        hearing, self._hearing, self._messaging = self._hearing, None, None
        if hearing is not None:
            await hearing.end()
