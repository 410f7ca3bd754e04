"""Requests and responses as a guest sees them, and as the host hands them in and takes them out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from washnb.engine import Err, Ok
from washnb.types import Request
from washnb.wasi import StreamError_Closed, incoming_request, streamed
from washnb.wasi.http import uri
from washnb.wasi.http.bodies import OutgoingBody, SentChunks
from washnb.wasi.http.error_code import (
    ErrorCode_HttpProtocolError,
    ErrorCode_HttpResponseBodySize,
    ErrorCode_InternalError,
    ErrorCode_LoopDetected,
)
from washnb.wasi.http.fields import Fields, HeaderError_Immutable
from washnb.wasi.http.incoming import ClientResponse, FutureIncomingResponse, IncomingResponse
from washnb.wasi.http.outgoing import OutgoingRequest, OutgoingResponse, RequestOptions, ResponseOutparam
from washnb.wasi.http.types import HttpTypes
from washnb.wasi.io import Error

from ..asking import error_of, settle


class TestIncomingRequest:
    def test_parts(self) -> None:
        """A guest reads what the host was handed."""
        headers = (("Host", b"example.com:1"), ("Accept", b"*/*"))
        request = incoming_request(Request("PATCH", "/a?b", headers, b"body"))
        assert request.method() == uri.Method_Patch()
        assert request.path_with_query() == "/a?b"
        assert request.scheme() == uri.Scheme_Http()
        assert request.authority() == "example.com:1"
        assert request.headers().entries() == [("accept", b"*/*")]
        assert request.consume().stream().read(10) == b"body"

    def test_authority_of_the_target_comes_first(self) -> None:
        """The target's authority counts more than the Host header; without either there is none."""
        headers = (("host", b"header"),)
        assert incoming_request(Request("GET", "/", headers, authority="target")).authority() == "target"
        assert incoming_request(Request("GET", "/")).authority() is None

    def test_headers_cannot_change(self) -> None:
        """The headers of a request are immutable, and the same each time."""
        request = incoming_request(Request("GET", "/", (("a", b"b"),)))
        assert error_of(request.headers().delete, "a") == HeaderError_Immutable()
        assert request.headers().entries() == [("a", b"b")]

    def test_body_is_had_once(self) -> None:
        """The second consume is an error."""
        request = incoming_request(Request("GET", "/"))
        request.consume()
        assert error_of(request.consume) is None


class TestOutgoingRequest:
    def test_defaults(self) -> None:
        """A new request is a GET to nowhere."""
        request = OutgoingRequest(Fields())
        parts = (request.method(), request.path_with_query(), request.scheme(), request.authority())
        assert parts == (uri.Method_Get(), None, None, None)

    def test_setters_keep_what_is_of_the_syntax(self) -> None:
        """What was set is what is read."""
        request = OutgoingRequest(Fields())
        request.set_method(uri.Method_Other("PURGE"))
        request.set_path_with_query("/a?b")
        request.set_scheme(uri.Scheme_Other("ws"))
        request.set_authority("[::]:443")
        parts = (request.method(), request.path_with_query(), request.scheme(), request.authority())
        assert parts == (uri.Method_Other("PURGE"), "/a?b", uri.Scheme_Other("ws"), "[::]:443")
        request.set_path_with_query(None)
        request.set_scheme(None)
        request.set_authority(None)
        assert (request.path_with_query(), request.scheme(), request.authority()) == (None, None, None)

    def test_setters_refuse_the_rest(self) -> None:
        """What is not of the syntax is refused, and nothing changes."""
        request = OutgoingRequest(Fields())
        assert error_of(request.set_method, uri.Method_Other("invalid method")) is None
        assert error_of(request.set_path_with_query, "/bad\npath") is None
        assert error_of(request.set_scheme, uri.Scheme_Other("bad\nscheme")) is None
        assert error_of(request.set_authority, "bad-\nhost") is None
        parts = (request.method(), request.path_with_query(), request.scheme(), request.authority())
        assert parts == (uri.Method_Get(), None, None, None)

    def test_headers_freeze(self) -> None:
        """The headers that a request was made of cannot change any more."""
        headers = Fields.from_list([("a", b"b")])
        request = OutgoingRequest(headers)
        assert error_of(request.headers().append, "a", b"c") == HeaderError_Immutable()
        assert request.headers().entries() == [("a", b"b")]

    def test_body_is_had_once(self) -> None:
        """The second body is an error."""
        request = OutgoingRequest(Fields())
        request.body()
        assert error_of(request.body) is None


@pytest.mark.parametrize("which", ["connect_timeout", "first_byte_timeout", "between_bytes_timeout"])
def test_request_options(which: str) -> None:
    """Each of the three times is unset at first, and can be set and unset."""
    options = RequestOptions()
    assert getattr(options, which)() is None
    for value in (5, 0, None):
        getattr(options, f"set_{which}")(value)
        assert getattr(options, which)() == value


class TestOutgoingResponse:
    @pytest.mark.parametrize("status", [100, 200, 404, 599, 999])
    def test_status(self, status: int) -> None:
        """Any status of three digits may be set; 200 is the first."""
        response = OutgoingResponse(Fields())
        assert response.status_code() == 200
        response.set_status_code(status)
        assert response.status_code() == status

    @pytest.mark.parametrize("status", [0, 99, 1000, 65535])
    def test_no_status(self, status: int) -> None:
        """Other numbers are refused."""
        response = OutgoingResponse(Fields())
        assert error_of(response.set_status_code, status) is None
        assert response.status_code() == 200

    def test_without_body(self) -> None:
        """A guest that never asks for the body sends an empty one."""
        sent = streamed(OutgoingResponse(Fields.from_list([("X-A", b"1")])))
        assert (sent.status, sent.headers, sent.body) == (200, (("x-a", b"1"),), b"")

    def test_finished_body(self) -> None:
        """A body that is finished goes out as bytes, even where it was finished after the response was set."""
        response = OutgoingResponse(Fields())
        body = response.body()
        assert error_of(response.body) is None
        stream = body.write()
        stream.write(b"hello")
        stream.drop()
        OutgoingBody.finish(body, None)
        assert streamed(response).body == b"hello"

    def test_content_length_binds_the_body(self) -> None:
        """The announced length is the one that the body is held to."""
        body = OutgoingResponse(Fields.from_list([("Content-Length", b"5")])).body()
        assert error_of(OutgoingBody.finish, body, None) == ErrorCode_HttpResponseBodySize(0)

    async def test_flowing_body(self) -> None:
        """A body that is not finished flows."""
        response = OutgoingResponse(Fields())
        response.body().write().write(b"a")
        chunks = streamed(response).body
        assert isinstance(chunks, SentChunks)
        assert await anext(chunks) == b"a"


class TestResponseOutparam:
    async def test_response(self) -> None:
        """What the guest sets is there at once, and through a future that was asked for before or after."""
        outparam, response = ResponseOutparam(), OutgoingResponse(Fields())
        before = outparam.response
        assert (outparam.answer, before.done()) == (None, False)
        ResponseOutparam.set(outparam, Ok(response))
        outparam.drop()
        assert outparam.answer is response
        assert await before is response
        late = ResponseOutparam()
        ResponseOutparam.set(late, Ok(response))
        assert await late.response is response

    async def test_error(self) -> None:
        """An error code is an answer too."""
        outparam = ResponseOutparam()
        ResponseOutparam.set(outparam, Err(ErrorCode_LoopDetected()))
        assert await outparam.response == outparam.answer == Err(ErrorCode_LoopDetected())

    async def test_nothing(self) -> None:
        """Dropped unset, the future says so."""
        outparam = ResponseOutparam()
        future = outparam.response
        outparam.drop()
        assert (await future, outparam.answer) == (None, None)

    @pytest.mark.parametrize(
        ("status", "code"),
        [
            (99, ErrorCode_HttpProtocolError()),
            (200, ErrorCode_HttpProtocolError()),
            (103, ErrorCode_InternalError("informational responses are not supported")),
        ],
    )
    def test_informational(self, status: int, code: object) -> None:
        """Informational responses are refused in the words of WIT."""
        assert error_of(ResponseOutparam().send_informational, status, Fields()) == code


class Closing:
    """Counts how often a response was closed."""

    def __init__(self) -> None:
        self.times = 0

    def response(self, body: bytes | AsyncIterator[bytes] = b"body") -> ClientResponse:
        """A response that is counted."""
        return ClientResponse(404, (("X-A", b"1"), ("Connection", b"close")), body, self)

    def __call__(self) -> None:
        self.times += 1


class TestIncomingResponse:
    async def test_parts(self) -> None:
        """Status, headers without those of the host, and the body, once."""
        closing = Closing()
        response = IncomingResponse(closing.response())
        assert (response.status(), response.headers().entries()) == (404, [("x-a", b"1")])
        assert error_of(response.headers().set, "x-a", []) == HeaderError_Immutable()
        body = response.consume()
        assert error_of(response.consume) is None
        response.drop()
        assert closing.times == 0
        stream = body.stream()
        assert stream.read(10) == b"body"
        assert error_of(stream.read, 10) == StreamError_Closed()

    def test_dropped_unread(self) -> None:
        """A response that nobody consumes gives its connection back."""
        closing = Closing()
        IncomingResponse(closing.response()).drop()
        assert closing.times == 1


class TestFutureIncomingResponse:
    async def test_response(self) -> None:
        """Nothing at first; once ready the response, once; then an error."""
        gate = asyncio.Event()

        async def sending() -> ClientResponse:
            await gate.wait()
            return ClientResponse(200, (), b"")

        future = FutureIncomingResponse(sending())
        pollable = future.subscribe()
        await asyncio.sleep(0)
        assert (pollable.ready(), future.get()) == (False, None)
        gate.set()
        await settle(pollable.block())
        answer = future.get()
        assert answer.value.value.status() == 200
        assert future.get() == Err(None)
        future.drop()

    async def test_error(self) -> None:
        """A request that fails resolves to its error code."""

        async def sending() -> ClientResponse:
            raise Err(ErrorCode_LoopDetected())

        future = FutureIncomingResponse(sending())
        await settle(future.subscribe().block())
        assert future.get() == Ok(Err(ErrorCode_LoopDetected()))

    async def test_defect_of_the_host(self) -> None:
        """An exception that is no error code ends the guest that asks."""

        async def sending() -> ClientResponse:
            raise LookupError("a defect")

        future = FutureIncomingResponse(sending())
        await settle(future.subscribe().block())
        with pytest.raises(LookupError, match="a defect"):
            future.get()

    @pytest.mark.parametrize("turns", [0, 1])
    async def test_dropped_early(self, turns: int) -> None:
        """Dropped before the answer is there, the request is cancelled, begun or not."""
        ended = asyncio.Event()

        async def sending() -> ClientResponse:
            try:
                await asyncio.sleep(10)
            finally:
                ended.set()
            return ClientResponse(200, (), b"")

        future = FutureIncomingResponse(sending())
        for _ in range(turns):
            await asyncio.sleep(0)
        future.drop()
        await asyncio.sleep(0.01)
        assert ended.is_set() == bool(turns)
        future.drop()

    async def test_dropped_with_its_response(self) -> None:
        """A response that came and was never asked for is closed."""
        closing = Closing()

        async def sending() -> ClientResponse:
            return closing.response()

        future = FutureIncomingResponse(sending())
        await settle(future.subscribe().block())
        future.drop()
        assert closing.times == 1


def test_error_codes_of_streams() -> None:
    """http-error-code finds the code in the error of a stream, where there is one."""
    types = HttpTypes()
    assert types.http_error_code(Error("x", ErrorCode_LoopDetected())) == ErrorCode_LoopDetected()
    assert types.http_error_code(Error("x")) is None
