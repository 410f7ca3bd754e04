"""The capability messaging: wasmcloud:messaging."""

from .backend import Broker, BrokerMessage, Subscription
from .hearing import Hearing
from .in_memory import InMemoryBroker, InMemoryMessaging
from .interface import Consumer, Messaging, Types
from .nats import NatsBroker, NatsMessaging
from .subjects import matcher as subject_matcher

__all__ = [
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
    "subject_matcher",
]
