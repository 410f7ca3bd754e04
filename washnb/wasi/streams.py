"""Streams for guests: over bytes, over a pipe to or from host code, and over an async iterator of the host's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable

from .io import READ_LIMIT, Error, InputStream, OutputStream, Pollable, Signal, closed, failed, wait_any

PIPE_CAPACITY = 256 * 1024
"""How many bytes a pipe holds before its writer has to wait."""


class BytesInputStream(InputStream):
    """Reads from a bytes object."""

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
    """One of several handles to the same stream; dropping one leaves the stream open for the others."""

    def __init__(self, source: InputStream) -> None:
        super().__init__()
        self._source = source
        self.changed = source.changed

    def _readable(self) -> bool:
        return self._source._readable()  # noqa: SLF001 - a stream, too

    def _pull(self, most: int) -> bytes:
        return self._source._pull(most)  # noqa: SLF001


class Pipe:
    """A bounded buffer of bytes between a writer and a reader, each of which is a guest's stream or host code.

    It ends in one of three ways: after `close` the reader gets what is left, then the end; after `fail` it gets what is
    left, then the error; after `abandon`, by the reader, what is left is dropped, and writers find the stream closed.
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
        """Whether no bytes will be added: the pipe was closed, failed or abandoned."""
        return self._closed

    @property
    def abandoned(self) -> bool:
        """Whether the reader has abandoned the pipe."""
        return self._abandoned

    @property
    def readable(self) -> bool:
        """Whether `pull` would return bytes, or raise."""
        return self._closed or bool(self._buffer)

    @property
    def room(self) -> int:
        """How many bytes a writer may add now; 0 when the pipe is full or has ended."""
        return 0 if self._closed else max(0, self._capacity - len(self._buffer))

    def push(self, contents: bytes) -> None:
        """Add bytes, without a check: the writer has to respect `room`."""
        self._buffer += contents
        self.changed.notify()

    def pull(self, most: int) -> bytes:
        """Take up to `most` bytes, b"" where none are there yet. Raises Err at the end: a failure once, then closed."""
        if not self._buffer and self._closed:
            failure, self._failure = self._failure, None
            raise closed() if failure is None else failed(failure)
        contents = bytes(memoryview(self._buffer)[:most])
        if contents:
            del self._buffer[: len(contents)]
            self.changed.notify()
        return contents

    def close(self) -> None:
        """End the pipe in good order, as its writer. Has no effect on a pipe that has ended."""
        self._closed = True
        self.changed.notify()

    def fail(self, error: Error) -> None:
        """End the pipe with an error, as its writer. Has no effect on a pipe that has ended."""
        if not self._closed:
            self._failure = error
        self.close()

    def abandon(self) -> None:
        """End the pipe as its reader: drop what is left, and let writers find it closed."""
        self._abandoned = True
        self._buffer.clear()
        self.close()

    async def put(self, contents: bytes) -> bool:
        """Wait for room, then add all of `contents`, even over the capacity.

        Returns False, and adds nothing, where the pipe has ended.
        """
        await wait_any((Pollable(lambda: self._closed or self.room > 0, self.changed),))
        if self._closed:
            return False
        self.push(contents)
        return True

    async def take(self) -> bytes:
        """Wait for bytes and take all that are there; b"" is the end. Raises Err where the pipe has failed."""
        await wait_any((Pollable(lambda: self.readable, self.changed),))
        if not self._buffer and self._failure is None:
            return b""
        return self.pull(len(self._buffer))

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the bytes, in chunks as they come."""
        return self

    async def __anext__(self) -> bytes:
        """Wait for bytes and take all that are there. Raises Err where the pipe has failed."""
        if contents := await self.take():
            return contents
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop reading: `abandon`, under the name that it has for async iterators."""
        self.abandon()


class PipeInputStream(InputStream):
    """A stream that a guest reads from a pipe.

    When the guest drops it the pipe is abandoned, or `on_drop` is called in place of that.
    """

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
        """Abandon the pipe, or call `on_drop`."""
        self._on_drop()


class PipeOutputStream(OutputStream):
    """A stream that a guest writes into a pipe.

    When the guest drops it the pipe is closed, or `on_drop` is called in place of that. A flush is done at once, since
    the host has what is in the pipe: a guest may fill a pipe and flush before anybody reads.
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
        """Close the pipe, or call `on_drop`."""
        self._on_drop()


class AsyncInputStream(PipeInputStream):
    """A stream that a guest reads from an async iterable of the host's.

    The iterable is not asked before the guest wants to read, and then runs ahead of the guest by at most `capacity`
    bytes and one chunk. It runs in a task, which ends with the iterable or when the guest drops the stream, and calls
    its `aclose`, where it has one. An exception from it becomes last-operation-failed for the guest.
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
        except Exception as error:  # noqa: BLE001 - the guest is to see whatever the source raises
            self._pipe.fail(Error.of(error))

    def drop(self) -> None:
        """Abandon the pipe, and end the iterable."""
        super().drop()
        self._start()  # an iterable that was never read has to be closed, too
        if self._running and self._task is not None:
            self._task.cancel()
