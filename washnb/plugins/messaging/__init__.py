"""The capability messaging: wasmcloud:messaging."""

from .backend import Broker, BrokerMessage, Subscription
from .hearing import Hearing
from .in_memory import InMemoryBroker, InMemoryMessaging
from .interface import Consumer, Messaging, Types
from .nats import NatsBroker, NatsMessaging
from .subjects import INBOX
from .subjects import lasting as lasting_subject
from .subjects import matcher as subject_matcher

__all__ = [
    "INBOX",
    "Broker",
    "BrokerMessage",
    "Consumer",
    "Hearing",
    "InMemoryBroker",
    "InMemoryMessaging",
    "Messaging",
    "NatsBroker",
    "NatsMessaging",
    "Subscription",
    "Types",
    "lasting_subject",
    "subject_matcher",
]
