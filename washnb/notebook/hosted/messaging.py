"""Messages to the workloads, from outside: what `publish` and `request` do on the host's loop."""

from __future__ import annotations

from washnb.errors import ConfigError
from washnb.plugins import BrokerMessage, Messaging, subject_matcher

from ..handles import News, Reply
from .deployments import Deployments
from .reading import plugin_of

__all__ = ["messaging_of", "published", "requested", "subject_matcher"]


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
