"""The values of wasi:blobstore: an object on its way to a guest, and one on its way from it."""

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
"""The most bytes that incoming-value-consume-sync hands over: the engine copies a list byte by byte."""


STOP_SECONDS = 2.0

_storing: WeakSet[asyncio.Task[None]] = WeakSet()


async def given_up() -> None:
    """Wait until what was written of values that were given up is gone, so that a backend may close."""
    loop = asyncio.get_running_loop()
    if leaving := [storing for storing in _storing if storing.cancelling() and storing.get_loop() is loop]:
        await asyncio.wait(leaving, timeout=STOP_SECONDS)


@resource("incoming-value")
class IncomingValue:
    """An object, or a part of it, for a guest to read: the bytes that it had when the guest asked for them."""

    def __init__(self, reader: ObjectReader) -> None:
        """Read from `reader`."""
        self._reader = reader
        self._stream = AsyncInputStream(reader)

    @staticmethod
    async def incoming_value_consume_sync(incoming_value: IncomingValue) -> bytes:
        """Return all of it. Raises Err above 8 MiB: that much is read as a stream."""
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
        """Return it as a stream, which reads as the guest does."""
        return incoming_value._stream

    def size(self) -> int:
        """Return the number of bytes."""
        return self._reader.size

    def drop(self) -> None:
        """Let go of the object."""
        self._stream.drop()

    def __repr__(self) -> str:
        """What a trace shows of a handle."""
        return f"{self._reader.size} bytes of object {self._reader.info.name!r}"


class _Body(PipeOutputStream):
    """The guest's stream into an outgoing value; the end of the value is `finish`, not the end of this."""

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
    """An object that a guest makes. It is kept at `finish`, whole; one that is dropped before is not kept at all.

    WIT leaves open what comes first, the contents or where they go. What fits into the pipe waits there, more of it in
    a temporary file; once the destination is known, everything flows through.
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
        """Make a value."""
        return OutgoingValue()

    def outgoing_value_write_body(self) -> OutputStream:
        """Return the stream for the contents; once. Raises Err afterwards."""
        if self._taken:
            raise Err
        self._taken = True
        return _Body(self, self._pipe)

    @staticmethod
    async def finish(this: OutgoingValue) -> None:
        """Wait until the object is kept. Raises Err where it cannot be, or was never given a destination."""
        if this._destination is None or this._storing is None:
            this.drop()
            raise Err("outgoing value not associated with a container")
        this._pipe.close()
        with told_to_guest(str):
            await this._storing

    def send(self, backend: Backend, container: str, name: str) -> None:
        """Let the contents go to an object. Raises Err where they go to one already."""
        if self._destination is not None:
            raise Err(f"the outgoing value goes to object '{self._destination.name}' already")
        self._destination = _Destination(backend, container, name)
        self._begin()

    def written(self) -> None:
        """Hear that the guest has written: a full pipe is emptied even where its destination is not known."""
        if not self._pipe.room:
            self._begin()

    def check(self) -> None:
        """Raise, once, the failure that ended the storing."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise Err(StreamError_LastOperationFailed(Error.of(failure)))

    def drop(self) -> None:
        """Give the value up, unless it was finished: what was written of it is forgotten."""
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
