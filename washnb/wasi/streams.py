"""The streams that the other WASI packages build on: bytes, pipes, and what feeds a pipe from the host's side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable

from .io import READ_LIMIT, Error, InputStream, OutputStream, Pollable, Signal, closed, failed, wait_any

PIPE_CAPACITY = 256 * 1024
"""How many bytes a pipe holds before its writer has to wait."""


class BytesInputStream(InputStream):
    """Reads bytes that are all there."""

    def __init__(self, contents: bytes) -> None:
        super().__init__()
        self._contents = contents
        self._position = 0

    def _readable(self) -> bool:
        return True

    def _pull(self, most: int) -> bytes:
        if self._position >= len(self._contents):
            raise closed()
        start, self._position = self._position, self._position + most
        return self._contents[start : self._position]

    def drop(self) -> None:
        """Let go of the bytes."""
        self._contents = b""


class SharedInputStream(InputStream):
    """One of several handles to the same source; dropping it leaves the source open for the others."""

    def __init__(self, source: InputStream) -> None:
        super().__init__()
        self._source = source
        self.changed = source.changed

    def _readable(self) -> bool:
        return self._source._readable()  # noqa: SLF001 - the same protocol, one object further

    def _pull(self, most: int) -> bytes:
        return self._source._pull(most)  # noqa: SLF001


class Pipe:
    """A bounded buffer between a writer and a reader, either of which may be a guest's stream or host code.

    It ends in one of three ways: `close` (the reader gets what is left, then the end), `fail` (the reader gets what is
    left, then the error), `abandon` (the reader has gone: what is left is dropped and writers find the stream closed).
    """

    def __init__(self, capacity: int = PIPE_CAPACITY) -> None:
        self.changed = Signal()
        self._capacity = capacity
        self._buffer = bytearray()
        self._closed = False
        self._abandoned = False
        self._failure: Error | None = None

    @property
    def ended(self) -> bool:
        """Whether the writer has come to an end, good or bad: nothing will be added."""
        return self._closed

    @property
    def abandoned(self) -> bool:
        """Whether the reader has gone."""
        return self._abandoned

    @property
    def readable(self) -> bool:
        """Whether `pull` would return bytes, or raise."""
        return self._closed or bool(self._buffer)

    @property
    def room(self) -> int:
        """How many bytes a writer may add now; 0 when full or at its end."""
        return 0 if self._closed else max(0, self._capacity - len(self._buffer))

    def push(self, contents: bytes) -> None:
        """Add bytes. A writer that respects `room` keeps the pipe within its capacity."""
        self._buffer += contents
        self.changed.notify()

    def pull(self, most: int) -> bytes:
        """Take up to `most` bytes, none if none are there. Raises Err at the end: the failure once, then closed."""
        if not self._buffer and self._closed:
            failure, self._failure = self._failure, None
            raise closed() if failure is None else failed(failure)
        contents = bytes(memoryview(self._buffer)[:most])
        if contents:
            del self._buffer[: len(contents)]
            self.changed.notify()
        return contents

    def close(self) -> None:
        """End the writer's side in good order; has no effect on a pipe that has ended."""
        self._closed = True
        self.changed.notify()

    def fail(self, error: Error) -> None:
        """End the writer's side with an error; has no effect on a pipe that has ended."""
        if not self._closed:
            self._failure = error
        self.close()

    def abandon(self) -> None:
        """End the reader's side."""
        self._abandoned = True
        self._buffer.clear()
        self.close()

    async def put(self, contents: bytes) -> bool:
        """Wait for room, then add all of `contents`; False if the pipe has ended and nothing was added."""
        await wait_any((Pollable(lambda: self._closed or self.room > 0, self.changed),))
        if self._closed:
            return False
        self.push(contents)
        return True

    async def take(self) -> bytes:
        """Wait for bytes and take all that are there; none at the end. Raises Err with the failure."""
        await wait_any((Pollable(lambda: self.readable, self.changed),))
        if not self._buffer and self._failure is None:
            return b""
        return self.pull(len(self._buffer))

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the bytes as they come."""
        return self

    async def __anext__(self) -> bytes:
        """Wait for bytes and take all that are there. Raises Err with the failure."""
        if contents := await self.take():
            return contents
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop reading: the same as `abandon`, under the name that async iterators have for it."""
        self.abandon()


class PipeInputStream(InputStream):
    """The guest's end of a pipe that the host, or another stream, writes to. Dropping it abandons the pipe."""

    def __init__(self, pipe: Pipe, *, on_drop: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.changed = pipe.changed
        self._pipe = pipe
        self._on_drop = pipe.abandon if on_drop is None else on_drop

    def _readable(self) -> bool:
        return self._pipe.readable

    def _pull(self, most: int) -> bytes:
        return self._pipe.pull(most)

    def drop(self) -> None:
        """Tell the other end."""
        self._on_drop()


class PipeOutputStream(OutputStream):
    """The guest's end of a pipe that the host, or another stream, reads from. Dropping it closes the pipe.

    A flush is done at once: what is in the pipe is with the host. So a guest may fill a pipe that nobody reads yet.
    """

    def __init__(self, pipe: Pipe, *, on_drop: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.changed = pipe.changed
        self._pipe = pipe
        self._on_drop = pipe.close if on_drop is None else on_drop

    def _room(self) -> int:
        if self._pipe.ended:
            raise closed()
        return self._pipe.room

    def _accept(self, contents: bytes) -> None:
        self._pipe.push(contents)

    def drop(self) -> None:
        """Tell the other end."""
        self._on_drop()


class AsyncInputStream(PipeInputStream):
    """Reads from an async iterator, at most `capacity` bytes and one chunk ahead of the guest.

    The iterator is first asked when the guest wants to read. It runs in a task that ends with the iterator or with the
    stream, and closes it (`aclose`, where it has one). An exception of it is the guest's last-operation-failed.
    """

    def __init__(self, source: AsyncIterable[bytes], *, capacity: int = READ_LIMIT) -> None:
        super().__init__(Pipe(capacity))
        self._source = source
        self._task: asyncio.Task[None] | None = None
        self._running = False

    def _readable(self) -> bool:
        self._start()
        return super()._readable()

    def _pull(self, most: int) -> bytes:
        self._start()
        return super()._pull(most)

    def _start(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        self._running = True
        try:
            iterator = aiter(self._source)
            try:
                while not self._pipe.ended:
                    await self._pipe.put(await anext(iterator))
            finally:
                if (aclose := getattr(iterator, "aclose", None)) is not None:
                    await aclose()
        except StopAsyncIteration:
            self._pipe.close()
        except Exception as error:  # noqa: BLE001 - whatever the source raises is for the guest to see
            self._pipe.fail(Error.of(error))

    def drop(self) -> None:
        """End the iterator."""
        super().drop()
        self._start()  # a source that nobody has read is closed all the same
        if self._running and self._task is not None:
            self._task.cancel()
