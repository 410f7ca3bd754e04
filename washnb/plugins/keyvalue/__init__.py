"""The capability key-value: wasi:keyvalue."""

from . import draft2
from .backend import Backend, KeyResponse, NoSuchBucket, Snapshot
from .files import FilesystemKeyValue
from .in_memory import InMemoryKeyValue
from .interface import Atomics, Batch, Bucket, Error_AccessDenied, Error_NoSuchStore, Error_Other, Store
from .nats import NatsKeyValue
from .plugin import KeyValue

__all__ = [
    "Atomics",
    "Backend",
    "Batch",
    "Bucket",
    "Error_AccessDenied",
    "Error_NoSuchStore",
    "Error_Other",
    "FilesystemKeyValue",
    "InMemoryKeyValue",
    "KeyResponse",
    "KeyValue",
    "NatsKeyValue",
    "NoSuchBucket",
    "Snapshot",
    "Store",
    "draft2",
]
