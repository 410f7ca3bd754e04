"""The values of wasi:blobstore: `incoming-value`, which a guest reads, and `outgoing-value`, which it writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from weakref import WeakSet

from washnb.engine import Err, resource
from washnb.wasi import (
    AsyncInputStream,
    Error,
    InputStream,
    OutputStream,
    Pipe,
    PipeOutputStream,
    StreamError_LastOperationFailed,
)

from ..base import told_to_guest
from .backend import Backend, ObjectReader
from .spool import Spool

SYNC_LIMIT = 8 * 1024 * 1024
"""Bytes that incoming-value-consume-sync returns at most: the engine copies a list byte by byte, which takes time."""

STOP_SECONDS = 2.0
"""How long a plugin that stops waits for the removal of what guests have written and given up."""

_storing: WeakSet[asyncio.Task[None]] = WeakSet()


async def given_up() -> None:
    """Wait until what guests wrote to values that they dropped unfinished is removed, so that a backend can close."""
    loop = asyncio.get_running_loop()
    if leaving := [storing for storing in _storing if storing.cancelling() and storing.get_loop() is loop]:
        await asyncio.wait(leaving, timeout=STOP_SECONDS)


@resource("incoming-value")
class IncomingValue:
    """The resource `incoming-value`: an object, or a part of it, that a guest reads, as it was at `get-data`."""

    def __init__(self, reader: ObjectReader) -> None:
        """Keep the reader of the object."""
        self._reader = reader
        self._stream = AsyncInputStream(reader)

    @staticmethod
    async def incoming_value_consume_sync(incoming_value: IncomingValue) -> bytes:
        """Return all bytes of the value. Raises Err where they are more than 8 MiB: these can be read as a stream."""
        reader = incoming_value._reader
        try:
            if reader.size > SYNC_LIMIT:
                raise Err(
                    f"{reader.size} bytes are more than a guest can take at once ({SYNC_LIMIT}): "
                    "use incoming-value-consume-async"
                )
            with told_to_guest(str):
                return b"".join([chunk async for chunk in reader])
        finally:
            await reader.aclose()

    @staticmethod
    def incoming_value_consume_async(incoming_value: IncomingValue) -> InputStream:
        """Return a stream of the value's bytes, which reads the object as fast as the guest reads the stream."""
        return incoming_value._stream

    def size(self) -> int:
        """Return the number of bytes of the value."""
        return self._reader.size

    def drop(self) -> None:
        """End the reading of the object."""
        self._stream.drop()

    def __repr__(self) -> str:
        """Name object and size: what a trace shows of the handle."""
        return f"{self._reader.size} bytes of object {self._reader.info.name!r}"


class _Body(PipeOutputStream):
    """The stream that a guest writes an outgoing value to. Dropping it does not end the value: `finish` does."""

    def __init__(self, value: OutgoingValue, pipe: Pipe) -> None:
        super().__init__(pipe, on_drop=lambda: None)
        self._value = value

    def _room(self) -> int:
        self._value.check()
        return super()._room()

    def _accept(self, contents: bytes) -> None:
        super()._accept(contents)
        self._value.written()


@dataclass(frozen=True, slots=True)
class _Destination:
    backend: Backend
    container: str
    name: str


@resource("outgoing-value")
class OutgoingValue:
    """The resource `outgoing-value`: an object that a guest writes. `finish` stores it; dropped before, it is lost.

    A guest may write before `write-data` says which object it is. What it writes until then waits in the pipe, and in a
    temporary file where that is full; from then on everything flows to the backend.
    """

    def __init__(self) -> None:
        """Begin empty, without a destination."""
        self._pipe = Pipe()
        self._taken = False
        self._destination: _Destination | None = None
        self._storing: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    @staticmethod
    def new_outgoing_value() -> OutgoingValue:
        """Return a new, empty value."""
        return OutgoingValue()

    def outgoing_value_write_body(self) -> OutputStream:
        """Return the stream to which the guest writes the value. Raises Err where it was returned before."""
        if self._taken:
            raise Err
        self._taken = True
        return _Body(self, self._pipe)

    @staticmethod
    async def finish(this: OutgoingValue) -> None:
        """End the value, and wait until its object is stored.

        Raises Err where that fails, or where `write-data` has chosen no object.
        """
        if this._destination is None or this._storing is None:
            this.drop()
            raise Err("outgoing value not associated with a container")
        this._pipe.close()
        with told_to_guest(str):
            await this._storing

    def send(self, backend: Backend, container: str, name: str) -> None:
        """Store what the guest writes as the object `name`. Raises Err where an object was chosen before."""
        if self._destination is not None:
            raise Err(f"the outgoing value goes to object '{self._destination.name}' already")
        self._destination = _Destination(backend, container, name)
        self._begin()

    def written(self) -> None:
        """Begin to empty a full pipe, also before the destination is known. The stream calls this after each write."""
        if not self._pipe.room:
            self._begin()

    def check(self) -> None:
        """Raise the failure that ended the storing, for the guest's next write; once."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise Err(StreamError_LastOperationFailed(Error.of(failure)))

    def drop(self) -> None:
        """Remove what the guest has written, unless the value is finished."""
        self._pipe.abandon()
        if self._storing is not None:
            self._storing.cancel()

    def _begin(self) -> None:
        if self._storing is None:
            self._storing = asyncio.get_running_loop().create_task(self._store())
            self._storing.add_done_callback(self._stored)
            _storing.add(self._storing)

    async def _store(self) -> None:
        with Spool() as early:
            while self._destination is None:
                await early.add(await self._pipe.take())
            there = self._destination
            async with aclosing(self._contents(early)) as contents:
                await there.backend.write(there.container, there.name, contents)

    async def _contents(self, early: Spool) -> AsyncGenerator[bytes, None]:
        async for chunk in early:
            yield chunk
        async for chunk in self._pipe:
            yield chunk

    def _stored(self, storing: asyncio.Task[None]) -> None:
        _storing.discard(storing)
        if not storing.cancelled() and isinstance(failure := storing.exception(), Exception):
            self._failure = failure
            self._pipe.abandon()
