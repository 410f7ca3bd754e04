"""The capability messaging: wasmcloud:messaging."""

from .backend import Broker, BrokerMessage, Subscription
from .in_memory import InMemoryBroker, InMemoryMessaging
from .interface import Consumer, Messaging, Types

__all__ = [
    "Broker",
    "BrokerMessage",
    "Consumer",
    "InMemoryBroker",
    "InMemoryMessaging",
    "Messaging",
    "Subscription",
    "Types",
]
