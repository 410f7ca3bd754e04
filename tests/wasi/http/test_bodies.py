"""Bodies: read once, written once, ended once, with every way to end them badly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from washnb.engine import Err, Ok
from washnb.wasi import Error, StreamError_Closed
from washnb.wasi.http.bodies import FutureTrailers, IncomingBody, OutgoingBody, SentChunks, http_error_code
from washnb.wasi.http.error_code import (
    ErrorCode_ConnectionReadTimeout,
    ErrorCode_HttpProtocolError,
    ErrorCode_HttpRequestBodySize,
    ErrorCode_HttpResponseBodySize,
    ErrorCode_InternalError,
)
from washnb.wasi.http.fields import Fields

from ..asking import error_of, settle


class Source:
    """A stream of pieces, each after a turn of the loop; an exception among them is raised."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = list(pieces)
        self.closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        if not self.pieces:
            raise StopAsyncIteration
        piece = self.pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece

    async def aclose(self) -> None:
        self.closed = True


async def read_all(body: IncomingBody) -> bytes:
    """What a guest reads of a body, to its end."""
    stream, received = body.stream(), b""
    try:
        while True:
            received += await settle(stream.blocking_read(1000))
    except Err as error:
        if error.value != StreamError_Closed():
            raise
    stream.drop()
    return received


async def trailers_of(body: IncomingBody) -> object:
    """What the future of trailers has, once it is ready; the future is asked again, and dropped."""
    future = IncomingBody.finish(body)
    await settle(future.subscribe().block())
    answer = future.get()
    assert future.get() == Err(None)
    future.drop()
    return answer


class TestIncoming:
    @pytest.mark.parametrize("contents", [b"", b"hello", Source(), Source(b"he", b"llo")])
    async def test_whole_and_flowing_bodies_read_alike(self, contents: bytes | Source) -> None:
        """A body of bytes and a stream of them are the same to the guest, trailers included."""
        expected = contents if isinstance(contents, bytes) else b"".join(contents.pieces)
        body = IncomingBody(contents)
        assert await read_all(body) == expected
        assert await trailers_of(body) == Ok(Ok(None))

    def test_stream_is_had_once(self) -> None:
        """The second stream of a body is an error, also after the first was dropped."""
        body = IncomingBody(b"x")
        stream = body.stream()
        assert error_of(body.stream) is None
        stream.drop()
        assert error_of(body.stream) is None

    def test_finish_with_a_live_stream_ends_the_guest(self) -> None:
        """A guest may not read on while it waits for trailers."""
        body = IncomingBody(b"x")
        stream = body.stream()
        with pytest.raises(ValueError, match="stream of its contents is alive"):
            IncomingBody.finish(body)
        stream.drop()
        assert isinstance(IncomingBody.finish(body), FutureTrailers)

    async def test_drop_with_a_live_stream_ends_the_guest(self) -> None:
        """The stream is a child of the body and has to go first; the source is given back all the same."""
        source = Source(b"a")
        body = IncomingBody(source)
        stream = body.stream()
        with pytest.raises(ValueError, match="dropped an incoming-body while the stream"):
            body.drop()
        await asyncio.sleep(0.01)
        assert source.closed
        assert error_of(stream.read, 1) == StreamError_Closed()

    @pytest.mark.parametrize("read_first", [False, True])
    async def test_trailers_wait_for_the_end_of_an_unread_body(self, read_first: bool) -> None:
        """What the guest leaves unread is read and dropped before the trailers are there."""
        source = Source(b"a" * 100_000, b"b" * 100_000, b"c")
        body = IncomingBody(source)
        if read_first:
            stream = body.stream()
            assert await settle(stream.blocking_read(10)) == b"a" * 10
            stream.drop()
        future = IncomingBody.finish(body)
        pollable = future.subscribe()
        assert (pollable.ready(), future.get()) == (False, None)
        await settle(pollable.block())
        assert future.get() == Ok(Ok(None))
        assert (source.pieces, source.closed) == ([], True)

    async def test_failure_reaches_the_reader_as_an_error_code(self) -> None:
        """The stream fails with an error that http-error-code understands, once; then it is closed."""
        body = IncomingBody(Source(b"a", Err(ErrorCode_ConnectionReadTimeout())))
        stream = body.stream()
        assert await settle(stream.blocking_read(10)) == b"a"
        await settle(stream.subscribe().block())
        assert http_error_code(error_of(stream.read, 10).value) == ErrorCode_ConnectionReadTimeout()
        assert error_of(stream.read, 10) == StreamError_Closed()

    @pytest.mark.parametrize(
        ("failure", "code"),
        [
            (Err(ErrorCode_ConnectionReadTimeout()), ErrorCode_ConnectionReadTimeout()),
            (OSError("odd"), ErrorCode_InternalError("OSError: odd")),
        ],
    )
    async def test_failure_of_an_unread_body_is_the_answer_for_trailers(self, failure: Exception, code: object) -> None:
        """Who does not read the body is told with the trailers that it broke off."""
        assert await trailers_of(IncomingBody(Source(b"a", failure))) == Ok(Err(code))

    @pytest.mark.parametrize("begun", [False, True])
    async def test_dropped_body_closes_its_source(self, begun: bool) -> None:
        """A body that nobody wants any more gives its connection back."""
        source = Source(b"a", b"b")
        body = IncomingBody(source)
        if begun:
            stream = body.stream()
            assert await settle(stream.blocking_read(1)) == b"a"
            stream.drop()
        body.drop()
        await asyncio.sleep(0.01)
        assert source.closed

    def test_errors_of_other_origin_have_no_code(self) -> None:
        """An error of a stream that has nothing to do with HTTP has no error code."""
        assert http_error_code(Error("disk full", OSError())) is None


def an_outgoing(length: int | None = None) -> OutgoingBody:
    """A request's body."""
    return OutgoingBody(length, ErrorCode_HttpRequestBodySize)


class TestOutgoing:
    def test_finished_body_is_bytes(self) -> None:
        """What the guest has finished is there as a whole."""
        body = an_outgoing()
        stream = body.write()
        stream.write(b"hel")
        stream.blocking_write_and_flush(b"lo")
        stream.drop()
        OutgoingBody.finish(body, None)
        assert body.contents() == b"hello"

    def test_body_without_contents(self) -> None:
        """A body may be finished with nothing written, and without its stream."""
        body = an_outgoing()
        OutgoingBody.finish(body, Fields())
        assert body.contents() == b""

    def test_stream_is_had_once(self) -> None:
        """The second stream of a body is an error."""
        body = an_outgoing()
        body.write()
        assert error_of(body.write) is None

    def test_finish_with_a_live_stream_ends_the_guest(self) -> None:
        """A guest may not write on after it has finished."""
        body = an_outgoing()
        stream = body.write()
        with pytest.raises(ValueError, match="stream of its contents is alive"):
            OutgoingBody.finish(body, None)
        stream.drop()
        OutgoingBody.finish(body, None)

    async def test_drop_with_a_live_stream_ends_the_guest(self) -> None:
        """The stream is a child of the body and has to go first; whoever reads the body learns of its end."""
        body = an_outgoing()
        body.write()
        chunks = body.contents()
        with pytest.raises(ValueError, match="dropped an outgoing-body while the stream"):
            body.drop()
        with pytest.raises(Err):
            await anext(chunks)

    async def test_flowing_body(self) -> None:
        """What is written after the host has looked comes in chunks, and ends where the guest finishes."""
        body = an_outgoing()
        stream = body.write()
        stream.write(b"a")
        chunks = body.contents()
        assert isinstance(chunks, SentChunks)
        assert await anext(chunks) == b"a"
        waiting = asyncio.ensure_future(anext(chunks))
        await asyncio.sleep(0)
        stream.write(b"b")
        assert await waiting == b"b"
        stream.drop()
        OutgoingBody.finish(body, None)
        with pytest.raises(StopAsyncIteration):
            await anext(chunks)

    async def test_backpressure(self) -> None:
        """A guest that writes faster than the host sends finds no room, until the host has taken something."""
        body = an_outgoing()
        stream = body.write()
        while permit := stream.check_write():
            stream.write(bytes(permit))
        pollable = stream.subscribe()
        assert not pollable.ready()
        await anext(body.contents())
        assert pollable.ready()

    async def test_reader_that_goes_away_closes_the_stream(self) -> None:
        """When nobody reads on, the guest's stream is closed, and finishing is no error."""
        body = an_outgoing()
        stream = body.write()
        chunks = body.contents()
        await chunks.aclose()
        assert error_of(stream.check_write) == StreamError_Closed()
        stream.drop()
        OutgoingBody.finish(body, None)

    async def test_dropped_body_is_given_up(self) -> None:
        """A body that was not finished ends with HTTP-protocol-error, after what was written."""
        body = an_outgoing()
        stream = body.write()
        stream.write(b"half")
        chunks = body.contents()
        stream.drop()
        body.drop()
        assert await anext(chunks) == b"half"
        with pytest.raises(Err) as caught:
            await anext(chunks)
        assert caught.value.value == ErrorCode_HttpProtocolError()

    async def test_dropped_after_finish_is_no_harm(self) -> None:
        """The end of the instance drops what was finished too."""
        body = an_outgoing()
        OutgoingBody.finish(body, None)
        body.drop()
        assert body.contents() == b""


class TestLeftOpen:
    def test_what_was_written_counts(self) -> None:
        """What a guest wrote before it returned is its body, though it has finished nothing and dropped nothing."""
        body = an_outgoing()
        body.write().write(b"all of it")
        body.complete()
        assert body.contents() == b"all of it"

    async def test_dropped_body_stays_given_up(self) -> None:
        """A body that the guest has dropped is not mended."""
        body = an_outgoing()
        body.drop()
        body.complete()
        with pytest.raises(Err):
            await anext(body.contents())

    async def test_too_little(self) -> None:
        """A body with fewer bytes than announced is given up: no client may take it for complete."""
        body = an_outgoing(11)
        body.write().write(b"msg")
        body.complete()
        chunks = body.contents()
        assert await anext(chunks) == b"msg"
        with pytest.raises(Err):
            await anext(chunks)


class TestContentLength:
    def test_exact(self) -> None:
        """As many bytes as announced are fine."""
        body = an_outgoing(3)
        stream = body.write()
        stream.write(b"abc")
        stream.drop()
        OutgoingBody.finish(body, None)
        assert body.contents() == b"abc"

    @pytest.mark.parametrize("case", [ErrorCode_HttpRequestBodySize, ErrorCode_HttpResponseBodySize])
    async def test_too_little(self, case: type) -> None:
        """Too few bytes fail the finish with their number, and give the body up."""
        body = OutgoingBody(11, case)
        stream = body.write()
        stream.write(b"msg")
        stream.drop()
        assert error_of(OutgoingBody.finish, body, None) == case(3)
        chunks = body.contents()
        assert await anext(chunks) == b"msg"
        with pytest.raises(Err):
            await anext(chunks)

    async def test_too_much(self) -> None:
        """Too many bytes fail the write that brings them, close the stream, fail the finish, and are not sent."""
        body = an_outgoing(11)
        stream = body.write()
        failed = error_of(stream.blocking_write_and_flush, b"more than 11 bytes")
        assert http_error_code(failed.value) == ErrorCode_HttpRequestBodySize(18)
        assert error_of(stream.check_write) == StreamError_Closed()
        stream.drop()
        assert error_of(OutgoingBody.finish, body, None) == ErrorCode_HttpRequestBodySize(18)
        with pytest.raises(Err):
            await anext(body.contents())
