"""The capability blobstore: wasi:blobstore."""

from .backend import (
    Backend,
    ContainerAlreadyExists,
    ContainerInfo,
    NoSuchContainer,
    NoSuchObject,
    ObjectInfo,
    ObjectReader,
    chunked,
)
from .files import FilesystemBlobstore
from .in_memory import InMemoryBlobstore
from .interface import (
    Blobstore,
    BlobstoreInterface,
    Container,
    ContainerInterface,
    ObjectId,
    StreamObjectNames,
    Types,
)
from .nats import NatsBlobstore
from .values import IncomingValue, OutgoingValue

__all__ = [
    "Backend",
    "Blobstore",
    "BlobstoreInterface",
    "Container",
    "ContainerAlreadyExists",
    "ContainerInfo",
    "ContainerInterface",
    "FilesystemBlobstore",
    "InMemoryBlobstore",
    "IncomingValue",
    "NatsBlobstore",
    "NoSuchContainer",
    "NoSuchObject",
    "ObjectId",
    "ObjectInfo",
    "ObjectReader",
    "OutgoingValue",
    "StreamObjectNames",
    "Types",
    "chunked",
]
