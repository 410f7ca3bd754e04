"""The capability key-value: wasi:keyvalue."""

from .backend import Backend, KeyResponse, NoSuchBucket
from .in_memory import InMemoryKeyValue
from .interface import Atomics, Batch, Bucket, Error_AccessDenied, Error_NoSuchStore, Error_Other, KeyValue, Store

__all__ = [
    "Atomics",
    "Backend",
    "Batch",
    "Bucket",
    "Error_AccessDenied",
    "Error_NoSuchStore",
    "Error_Other",
    "InMemoryKeyValue",
    "KeyResponse",
    "KeyValue",
    "NoSuchBucket",
    "Store",
]
