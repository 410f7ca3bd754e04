"""What a place that keeps containers of objects must be able to do. It knows nothing of WIT."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from washnb.errors import BackendError

CHUNK = 64 * 1024
"""The most bytes in one chunk of an object that is read."""


class NoSuchContainer(BackendError):  # noqa: N818 - a case of wash-runtime's BlobBackendError
    """The container was never created, or is gone."""

    def __init__(self, container: str) -> None:
        """Say it in the words of wash-runtime, which guests may look for."""
        super().__init__(f"container '{container}' does not exist")


class ContainerAlreadyExists(BackendError):  # noqa: N818
    """There is such a container."""

    def __init__(self, container: str) -> None:
        """Say it in the words of wash-runtime."""
        super().__init__(f"container '{container}' already exists")


class NoSuchObject(BackendError):  # noqa: N818
    """The container holds no such object."""

    def __init__(self, container: str, name: str) -> None:
        """Say it in the words of wash-runtime, and where."""
        super().__init__(f"object '{name}' does not exist in container '{container}'")


@dataclass(frozen=True, slots=True)
class ContainerInfo:
    """A container. `created_at` is in seconds since 1970."""

    name: str
    created_at: int


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object. `created_at`, of its content, is in seconds since 1970, `size` in bytes."""

    name: str
    container: str
    created_at: int
    size: int


class ObjectReader:
    """An object, or a part of it, that is being read, as it was when the reading began.

    It gives chunks of up to 64 KiB, and is to be closed by whoever does not read to the end. `size` is the number of
    bytes of the part.
    """

    def __init__(
        self,
        info: ObjectInfo,
        size: int,
        chunks: AsyncGenerator[bytes, None],
        close: Callable[[], None] = lambda: None,
    ) -> None:
        """Read `chunks`, and call `close` at the end, also where nothing was read."""
        self.info = info
        self.size = size
        self._chunks = chunks
        self._close = close

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the chunks, once."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next chunk. Raises BackendError where the outside world fails."""
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            self._close()
            raise

    async def aclose(self) -> None:
        """Let go of the object."""
        await self._chunks.aclose()
        self._close()


class Backend(Protocol):
    """Containers of objects. Any text is a name, as far as the outside world can keep it.

    Every method that is given a container but `create`, `delete` and `exists` raises NoSuchContainer where it is not
    there; every method raises BackendError where the outside world fails. Views use the same methods as guests.
    """

    async def containers(self) -> Sequence[str]:
        """Return the names of all containers, sorted."""

    async def create(self, container: str) -> None:
        """Make an empty container. Raises ContainerAlreadyExists."""

    async def delete(self, container: str) -> None:
        """Forget the container and what is in it; one that is not there is no error."""

    async def exists(self, container: str) -> bool:
        """Return whether there is such a container."""

    async def info(self, container: str) -> ContainerInfo:
        """Return what is known of the container."""

    async def clear(self, container: str) -> None:
        """Forget every object of the container."""

    async def objects(self, container: str) -> Sequence[str]:
        """Return the names of all objects, sorted."""

    async def has(self, container: str, name: str) -> bool:
        """Return whether there is such an object."""

    async def object_info(self, container: str, name: str) -> ObjectInfo:
        """Return what is known of an object. Raises NoSuchObject."""

    async def read(self, container: str, name: str, start: int = 0, end: int | None = None) -> ObjectReader:
        """Begin to read an object from `start` up to, not including, `end`, as far as it has these bytes.

        Raises NoSuchObject. However large the object is, only a few chunks of it are in memory.
        """

    async def write(self, container: str, name: str, chunks: AsyncIterable[bytes]) -> None:
        """Keep an object in place of any that was there: visible, and whole, once `chunks` has come to its end.

        Where `chunks` raises, or this is cancelled, what was there stays, and nothing of the new one.
        """

    async def delete_objects(self, container: str, names: Sequence[str]) -> None:
        """Forget objects; one that is not there is no error."""

    async def copy(self, container: str, name: str, to_container: str, to_name: str) -> None:
        """Keep an object under another name, too, in place of any that was there. Raises NoSuchObject."""

    async def move(self, container: str, name: str, to_container: str, to_name: str) -> None:
        """Give an object another name, in place of any that has it: it has one of them at any time.

        Raises NoSuchObject.
        """


def span(size: int, start: int, end: int | None) -> tuple[int, int]:
    """Return the part of `size` bytes that begins at `start` and ends before `end`, as two offsets."""
    start = min(start, size)
    return start, size if end is None else max(start, min(end, size))


async def chunked(contents: bytes | bytearray, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
    """Yield bytes that are all there, or a part of them, chunk by chunk."""
    start, end = span(len(contents), start, end)
    with memoryview(contents) as view:
        for position in range(start, end, CHUNK):
            yield bytes(view[position : min(position + CHUNK, end)])
