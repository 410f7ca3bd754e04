"""The protocol of blobstore backends: containers of objects, in memory, in files, on NATS. No WIT is seen here."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from washnb.errors import BackendError

CHUNK = 64 * 1024
"""Bytes in a chunk that an `ObjectReader` gives; the last chunk may have fewer."""


class NoSuchContainer(BackendError):  # noqa: N818 - a case of wash-runtime's BlobBackendError
    """A container does not exist: nobody has created it, or it was deleted."""

    def __init__(self, container: str) -> None:
        """Name the container, in the words of wash-runtime, which guests may look for."""
        super().__init__(f"container '{container}' does not exist")


class ContainerAlreadyExists(BackendError):  # noqa: N818
    """A container that is to be created exists already."""

    def __init__(self, container: str) -> None:
        """Name the container, in the words of wash-runtime, which guests may look for."""
        super().__init__(f"container '{container}' already exists")


class NoSuchObject(BackendError):  # noqa: N818
    """An object does not exist in its container."""

    def __init__(self, container: str, name: str) -> None:
        """Name the object, in the words of wash-runtime, which guests may look for, and its container."""
        super().__init__(f"object '{name}' does not exist in container '{container}'")


@dataclass(frozen=True, slots=True)
class ContainerInfo:
    """The metadata of a container. `created_at` is in seconds since 1970."""

    name: str
    created_at: int


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """The metadata of an object: `size` in bytes, and `created_at`, when it was written, in seconds since 1970."""

    name: str
    container: str
    created_at: int
    size: int


class ObjectReader:
    """An asynchronous iterator over the content of an object, or over a part of it, as it was when reading began.

    It gives chunks of up to 64 KiB. A caller who does not read to the end calls `aclose`. `info` is about the whole
    object; `size` is the number of bytes to be read.
    """

    def __init__(
        self,
        info: ObjectInfo,
        size: int,
        chunks: AsyncGenerator[bytes, None],
        close: Callable[[], None] = lambda: None,
    ) -> None:
        """Give `chunks`, and call `close` at the end or with `aclose`, also where nothing was read."""
        self.info = info
        self.size = size
        self._chunks = chunks
        self._close = close

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return the reader itself: the chunks can be read once."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next chunk. Raises BackendError where a disk or a server fails."""
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            self._close()
            raise

    async def aclose(self) -> None:
        """End the reading, and release the file or whatever it reads from."""
        await self._chunks.aclose()
        self._close()


class Backend(Protocol):
    """Containers of objects. Guests use them through `Container`, views directly.

    Names are any text, but on NATS, which has rules for them. Every method with a container but `create`, `delete` and
    `exists` raises NoSuchContainer where the container does not exist; every method raises BackendError where a disk or
    a server fails.
    """

    async def containers(self) -> Sequence[str]:
        """Return the names of all containers, sorted."""

    async def create(self, container: str) -> None:
        """Make an empty container. Raises ContainerAlreadyExists where there is one of that name."""

    async def delete(self, container: str) -> None:
        """Delete a container with all its objects; a container that does not exist is no error."""

    async def exists(self, container: str) -> bool:
        """Return whether the container exists."""

    async def info(self, container: str) -> ContainerInfo:
        """Return the metadata of the container."""

    async def clear(self, container: str) -> None:
        """Delete all objects of the container."""

    async def objects(self, container: str) -> Sequence[str]:
        """Return the names of all objects of the container, sorted."""

    async def has(self, container: str, name: str) -> bool:
        """Return whether the container has an object of that name."""

    async def object_info(self, container: str, name: str) -> ObjectInfo:
        """Return the metadata of an object. Raises NoSuchObject."""

    async def read(self, container: str, name: str, start: int = 0, end: int | None = None) -> ObjectReader:
        """Begin to read the bytes of an object from offset `start` up to, not including, offset `end`.

        An offset behind the last byte counts as its end. Raises NoSuchObject. Of an object in a file or on NATS only a
        few chunks are in memory, however large it is.
        """

    async def write(self, container: str, name: str, chunks: AsyncIterable[bytes]) -> None:
        """Write an object, in place of any of that name. It is there, and whole, once `chunks` has come to its end.

        Where `chunks` raises, or the call is cancelled, the former object stays, and nothing of the new one.
        """

    async def delete_objects(self, container: str, names: Sequence[str]) -> None:
        """Delete objects; a name without object is no error."""

    async def copy(self, container: str, name: str, to_container: str, to_name: str) -> None:
        """Copy an object to another name, in place of any object there. Raises NoSuchObject."""

    async def move(self, container: str, name: str, to_container: str, to_name: str) -> None:
        """Give an object another name, in place of any object there. At any time it has one of the two names, or both.

        Raises NoSuchObject.
        """


def span(size: int, start: int, end: int | None) -> tuple[int, int]:
    """Return the offsets `start` and `end` of a part of `size` bytes, cut to those that exist; no `end` is `size`."""
    start = min(start, size)
    return start, size if end is None else max(start, min(end, size))


async def chunked(contents: bytes | bytearray, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
    """Yield `contents`, or the bytes of it from `start` up to `end`, in chunks of up to 64 KiB."""
    start, end = span(len(contents), start, end)
    with memoryview(contents) as view:
        for position in range(start, end, CHUNK):
            yield bytes(view[position : min(position + CHUNK, end)])
