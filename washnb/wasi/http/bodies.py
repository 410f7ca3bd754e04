"""The bodies of wasi:http, both ways: what the guest reads, what it writes, and the trailers after either.

A body that is complete when the host looks is plain bytes all the way; only one that still flows costs a task.
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
    """What HTTP calls `error`; None where it has nothing to do with HTTP."""
    return error.cause if isinstance(error.cause, ErrorCode) else None


def _code_of(error: Error) -> ErrorCode:
    return http_error_code(error) or ErrorCode_InternalError(error.to_debug_string())


class _ReceivedStream(SharedInputStream):
    """The guest's handle to the contents of an incoming body; what is unread when it is dropped stays with the body."""

    def __init__(self, body: IncomingBody, source: _Source) -> None:
        super().__init__(source)
        self._body = body

    def drop(self) -> None:
        self._body.stream_dropped()


@resource("incoming-body")
class IncomingBody:
    """The body of a request or response that was received."""

    __slots__ = ("_source", "_streaming", "_taken")

    def __init__(self, contents: bytes | AsyncIterable[bytes]) -> None:
        self._source: _Source = (
            BytesInputStream(contents) if isinstance(contents, bytes) else AsyncInputStream(contents)
        )
        self._taken = False
        self._streaming = False

    def stream(self) -> InputStream:
        """The contents; once. Raises Err afterwards."""
        if self._taken:
            raise Err
        self._taken = self._streaming = True
        return _ReceivedStream(self, self._source)

    @staticmethod
    def finish(this: IncomingBody) -> FutureTrailers:
        """End the reading, and wait for the trailers. Ends the guest (ValueError) while its stream is alive."""
        this._require_no_stream("finished")
        return FutureTrailers(this._source)

    def stream_dropped(self) -> None:
        """The guest has let go of the stream."""
        self._streaming = False

    def drop(self) -> None:
        """Give back the source. Ends the guest (ValueError) while its stream is alive."""
        self._source.drop()
        self._require_no_stream("dropped")

    def _require_no_stream(self, what: str) -> None:
        if self._streaming:
            raise ValueError(f"the guest {what} an incoming-body while the stream of its contents is alive")


@resource("future-trailers")
class FutureTrailers:
    """The trailers of a body, which are there once the body is at its end: what is unread of it is read and dropped.

    aiohttp keeps trailers to itself, so a good end always means that there were none.
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
        """None while the body flows; then, once, the trailers or the error of the body; then the error of asking."""
        if not self._at_end() or self._outcome is None:
            return None
        if self._taken:
            return Err(None)
        self._taken = True
        return Ok(self._outcome)

    def drop(self) -> None:
        """Give back the source."""
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
    """The guest's handle to write the contents of an outgoing body."""

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
    """What a guest writes into an outgoing body, chunk by chunk, for the host to send.

    Raises Err with an error code where the guest gives the body up. `aclose` says that nobody reads on: the guest then
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
        """Stop reading; see `abandon`."""
        self.abandon()

    def abandon(self) -> None:
        """Stop reading, without a loop to wait on."""
        self._pipe.abandon()


@resource("outgoing-body")
class OutgoingBody:
    """The body of a request or response that a guest makes.

    `length` is what its Content-Length announces; `size_error` is the case that tells that another number of bytes was
    written.
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
        """The stream for the contents; once. Raises Err afterwards."""
        if self._taken:
            raise Err
        self._taken = self._streaming = True
        return _SentStream(self, self._pipe)

    @staticmethod
    def finish(this: OutgoingBody, trailers: Fields | None) -> None:  # noqa: ARG004 - aiohttp cannot send trailers
        """End the body in good order.

        Trailers are accepted and not sent. Raises Err with the size error where the number of bytes is not the one that
        was announced; then the body counts as given up. Ends the guest (ValueError) while its stream is alive.
        """
        this._require_no_stream("finished")
        this._end()

    def complete(self) -> None:
        """Take what was written for all of it, where the guest has neither finished nor dropped the body.

        wasmtime does so when the guest has returned; componentize-js counts on it for a handler that threw.
        """
        if not self._pipe.ended:
            with contextlib.suppress(Err):
                self._end()

    def drop(self) -> None:
        """Give the body up, where it was not finished. Ends the guest (ValueError) while its stream is alive."""
        if not self._finished:
            self._give_up()
        self._require_no_stream("dropped")

    def contents(self) -> bytes | SentChunks:
        """What is to be sent: all of it where the guest has finished, else the chunks as they come."""
        if not self._finished:
            return SentChunks(self._pipe)
        return self._pipe.pull(self._written) if self._written else b""

    def check(self) -> None:
        """Raise the size error, where too much was written already."""
        if self._length is not None and self._written > self._length:
            raise closed()

    def count(self, length: int) -> None:
        """Count bytes before they go out. Raises Err, with the size error inside, for more than was announced."""
        self._written += length
        if self._length is not None and self._written > self._length:
            raise failed(Error("more was written than Content-Length announces", self._size_error(self._written)))

    def stream_dropped(self) -> None:
        """The guest has let go of the stream."""
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
