"""The bodies of wasi:http that guests read and write, and their trailers.

A body that is complete is passed on as bytes; only one that is still being sent takes a task.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterable, Callable

from washnb.engine import Err, Ok, resource

from ..io import Error, InputStream, OutputStream, Pollable, StreamError_Closed, closed, failed
from ..streams import AsyncInputStream, BytesInputStream, Pipe, PipeOutputStream, SharedInputStream
from .error_code import ErrorCode, ErrorCode_HttpProtocolError, ErrorCode_InternalError
from .fields import Fields

_Source = BytesInputStream | AsyncInputStream


def http_error_code(error: Error) -> ErrorCode | None:
    """Return the error code of HTTP behind the error of a stream; None where there is none."""
    return error.cause if isinstance(error.cause, ErrorCode) else None


def _code_of(error: Error) -> ErrorCode:
    """The error code of HTTP behind the error of a stream; internal-error where there is none."""
    return http_error_code(error) or ErrorCode_InternalError(error.to_debug_string())


class _ReceivedStream(SharedInputStream):
    """The guest's stream of an incoming body. Dropping it drops no bytes: what is unread stays in the body."""

    def __init__(self, body: IncomingBody, source: _Source) -> None:
        super().__init__(source)
        self._body = body

    def drop(self) -> None:
        self._body.stream_dropped()


@resource("incoming-body")
class IncomingBody:
    """The body of a request or response that a guest receives."""

    __slots__ = ("_source", "_streaming", "_taken")

    def __init__(self, contents: bytes | AsyncIterable[bytes]) -> None:
        self._source: _Source = (
            BytesInputStream(contents) if isinstance(contents, bytes) else AsyncInputStream(contents)
        )
        self._taken = False
        self._streaming = False

    def stream(self) -> InputStream:
        """Return the stream of the contents. Raises Err from the second call on."""
        if self._taken:
            raise Err
        self._taken = self._streaming = True
        return _ReceivedStream(self, self._source)

    @staticmethod
    def finish(this: IncomingBody) -> FutureTrailers:
        """End the reading; return the future of the trailers. A guest whose stream is alive ends (ValueError)."""
        this._require_no_stream("finished")
        return FutureTrailers(this._source)

    def stream_dropped(self) -> None:
        """Note that the guest has dropped the stream."""
        self._streaming = False

    def drop(self) -> None:
        """Let go of the contents. A guest whose stream is alive ends (ValueError)."""
        self._source.drop()
        self._require_no_stream("dropped")

    def _require_no_stream(self, what: str) -> None:
        if self._streaming:
            raise ValueError(f"the guest {what} an incoming-body while the stream of its contents is alive")


@resource("future-trailers")
class FutureTrailers:
    """The trailers of a body, known once the body has ended: what the guest has left unread is read and dropped.

    There never are any: aiohttp does not pass on trailers.
    """

    __slots__ = ("_outcome", "_source", "_taken")

    def __init__(self, source: _Source) -> None:
        self._source = source
        self._outcome: Ok[None] | Err[ErrorCode] | None = None
        self._taken = False

    def subscribe(self) -> Pollable:
        """Return a pollable that is ready when `get` has an answer."""
        return Pollable(self._at_end, self._source.changed)

    def get(self) -> Ok[Ok[None] | Err[ErrorCode]] | Err[None] | None:
        """Return None until the body has ended; then, once, no trailers or the body's error; then Err."""
        if not self._at_end() or self._outcome is None:
            return None
        if self._taken:
            return Err(None)
        self._taken = True
        return Ok(self._outcome)

    def drop(self) -> None:
        """Let go of the contents."""
        self._source.drop()

    def _at_end(self) -> bool:
        while self._outcome is None:
            try:
                if not self._source.read(1 << 16):
                    return False
            except Err as error:
                ended_well = isinstance(error.value, StreamError_Closed)
                self._outcome = Ok(None) if ended_well else Err(_code_of(error.value.value))
        return True


class _SentStream(PipeOutputStream):
    """The stream that a guest writes an outgoing body to; it holds the guest to the Content-Length."""

    def __init__(self, body: OutgoingBody, pipe: Pipe) -> None:
        super().__init__(pipe, on_drop=body.stream_dropped)
        self._body = body

    def _room(self) -> int:
        self._body.check()
        return super()._room()

    def _accept(self, contents: bytes) -> None:
        self._body.count(len(contents))
        super()._accept(contents)


class SentChunks:
    """An async iterator of what a guest writes into an outgoing body, for the host to send.

    It raises Err with an error code where the guest drops the body unfinished. After `aclose` or `abandon` the guest
    finds its stream closed.
    """

    __slots__ = ("_pipe",)

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def __aiter__(self) -> SentChunks:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._pipe.take()
        except Err as error:
            raise Err(_code_of(error.value.value)) from None
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Stop reading: `abandon`, under the name that it has for async iterators."""
        self.abandon()

    def abandon(self) -> None:
        """Stop reading; needs no running loop."""
        self._pipe.abandon()


@resource("outgoing-body")
class OutgoingBody:
    """The body of a request or response that a guest makes.

    `length` is the Content-Length in bytes, None without one; `size_error` makes the error code for another number of
    bytes, of the number that was written.
    """

    __slots__ = ("_finished", "_length", "_pipe", "_size_error", "_streaming", "_taken", "_written")

    def __init__(self, length: int | None, size_error: Callable[[int | None], ErrorCode]) -> None:
        self._pipe = Pipe()
        self._length = length
        self._size_error = size_error
        self._written = 0
        self._taken = False
        self._streaming = False
        self._finished = False

    def write(self) -> OutputStream:
        """Return the stream for the contents. Raises Err from the second call on."""
        if self._taken:
            raise Err
        self._taken = self._streaming = True
        return _SentStream(self, self._pipe)

    @staticmethod
    def finish(this: OutgoingBody, trailers: Fields | None) -> None:  # noqa: ARG004 - aiohttp cannot send trailers
        """End the body in good order. Trailers are taken, and not sent.

        Raises Err with the size error where the number of bytes is not the Content-Length; the body then fails for the
        receiver, as one that was dropped. A guest whose stream is alive ends (ValueError).
        """
        this._require_no_stream("finished")
        this._end()

    def complete(self) -> None:
        """Finish a body that the guest has neither finished nor dropped, with what was written.

        As wasmtime does when the guest has returned: componentize-js relies on it for a handler that has thrown.
        """
        if not self._pipe.ended:
            with contextlib.suppress(Err):
                self._end()

    def drop(self) -> None:
        """Let a body that was not finished fail for the receiver. A guest whose stream is alive ends (ValueError)."""
        if not self._finished:
            self._give_up()
        self._require_no_stream("dropped")

    def contents(self) -> bytes | SentChunks:
        """Return what is to be sent: bytes where the guest has finished, else an iterator of chunks as they come."""
        if not self._finished:
            return SentChunks(self._pipe)
        return self._pipe.pull(self._written) if self._written else b""

    def check(self) -> None:
        """Raise Err(closed) where more than the Content-Length was written: that write has raised the size error."""
        if self._length is not None and self._written > self._length:
            raise closed()

    def count(self, length: int) -> None:
        """Count bytes that are about to be sent.

        Raises Err where they exceed the Content-Length: last-operation-failed, with the size error behind it.
        """
        self._written += length
        if self._length is not None and self._written > self._length:
            raise failed(Error("more was written than Content-Length announces", self._size_error(self._written)))

    def stream_dropped(self) -> None:
        """Note that the guest has dropped the stream."""
        self._streaming = False

    def _require_no_stream(self, what: str) -> None:
        if self._streaming:
            raise ValueError(f"the guest {what} an outgoing-body while the stream of its contents is alive")

    def _end(self) -> None:
        if self._length is not None and self._written != self._length:
            self._give_up()
            raise Err(self._size_error(self._written))
        self._finished = True
        self._pipe.close()

    def _give_up(self) -> None:
        self._pipe.fail(Error("the guest gave the body up", ErrorCode_HttpProtocolError()))
