"""What each failure of an outgoing request is called, against servers on loopback that fail in every way."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web

from washnb.engine import Err
from washnb.host.egress import Egress, code_of
from washnb.wasi import ClientRequest, Error, Pipe, SentChunks
from washnb.wasi import error_code as codes

from .loopback import a_request, answering, exchange, http_server, raw_server, trusting, whole


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    """A client that trusts the certificate of the tests."""
    client = trusting()
    yield client
    await client.close()


async def failure(egress: Egress, request: ClientRequest) -> object:
    """The error code that an exchange ends with, in its head or in its body."""
    with pytest.raises(Err) as caught:
        await whole(await exchange(egress, request))
    return caught.value.value


async def test_connection_refused(egress: Egress) -> None:
    """Nobody listens: connection-refused."""
    async with raw_server(answering()) as port:
        pass
    assert await failure(egress, a_request(port)) == codes.ErrorCode_ConnectionRefused()


async def test_unknown_name(egress: Egress) -> None:
    """A name that does not resolve: DNS-error."""
    code = await failure(egress, a_request(80, host="nowhere.invalid"))
    assert code == codes.ErrorCode_DnsError(codes.DnsErrorPayload("address not available", 0))


async def test_connect_timeout() -> None:
    """A pool without a free connection counts as connecting: connection-timeout."""
    egress = Egress()
    async with raw_server(answering(then=2)) as port:
        egress._open_session().connector._limit = 1
        first = asyncio.ensure_future(exchange(egress, a_request(port)))
        await asyncio.sleep(0.05)
        assert await failure(egress, a_request(port, connect_timeout=0)) == codes.ErrorCode_ConnectionTimeout()
        first.cancel()
        await asyncio.wait([first])
    await egress.close()


async def test_first_byte_timeout(egress: Egress) -> None:
    """A server that says nothing in time: connection-read-timeout."""
    async with raw_server(answering(then=2)) as port:
        request = a_request(port, first_byte_timeout=0.05)
        assert await failure(egress, request) == codes.ErrorCode_ConnectionReadTimeout()


async def test_between_bytes_timeout(egress: Egress) -> None:
    """A server that stops in the middle: connection-read-timeout, whatever the first byte was given."""
    async with raw_server(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", then=2)) as port:
        response = await exchange(egress, a_request(port, between_bytes_timeout=0.05))
        with pytest.raises(Err) as caught:
            await whole(response)
    assert caught.value.value == codes.ErrorCode_ConnectionReadTimeout()


async def test_long_first_byte_is_not_cut_by_between_bytes(egress: Egress) -> None:
    """The time between bytes does not count before the first."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.2)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with raw_server(talk) as port:
        assert await whole(await exchange(egress, a_request(port, between_bytes_timeout=0.05))) == b"ok"


@pytest.mark.parametrize("pieces", [(), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",)])
async def test_request_timeout(pieces: tuple[bytes, ...]) -> None:
    """A response that is not complete in the time of a request: HTTP-response-timeout."""
    egress = Egress(request_seconds=0.1)
    async with raw_server(answering(*pieces, then=2)) as port:
        assert await failure(egress, a_request(port)) == codes.ErrorCode_HttpResponseTimeout()
    await egress.close()


async def test_connection_terminated(egress: Egress) -> None:
    """A server that hangs up before it has answered: connection-terminated."""
    async with raw_server(answering()) as port:
        request = a_request(port, method="POST")
        assert await failure(egress, request) == codes.ErrorCode_ConnectionTerminated()


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 9\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n9\r\nhalf"],
    ids=["length", "chunked"],
)
async def test_incomplete_response(egress: Egress, head: bytes) -> None:
    """A body that breaks off: HTTP-response-incomplete."""
    async with raw_server(answering(b"HTTP/1.1 200 OK\r\n" + head)) as port:
        assert await failure(egress, a_request(port)) == codes.ErrorCode_HttpResponseIncomplete()


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9\r\n\r\n", b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"])
async def test_not_http(egress: Egress, answer: bytes) -> None:
    """A server that speaks something else: HTTP-protocol-error."""
    async with raw_server(answering(answer)) as port:
        assert await failure(egress, a_request(port)) == codes.ErrorCode_HttpProtocolError()


async def test_header_too_large(egress: Egress) -> None:
    """One header over 64 KiB: HTTP-response-header-size."""
    async with raw_server(answering(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n")) as port:
        code = await failure(egress, a_request(port))
    assert code == codes.ErrorCode_HttpResponseHeaderSize(codes.FieldSizePayload(None, None))


async def test_too_many_headers(egress: Egress) -> None:
    """More headers than one response may have: HTTP-response-header-section-size."""
    lines = b"".join(b"X-%d: y\r\n" % number for number in range(300))
    async with raw_server(answering(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n")) as port:
        code = await failure(egress, a_request(port))
    assert code == codes.ErrorCode_HttpResponseHeaderSectionSize(None)


async def test_untrusted_certificate() -> None:
    """A certificate that nobody vouches for: TLS-certificate-error."""
    egress = Egress()

    async def handler(_: web.BaseRequest) -> web.Response:
        return web.Response()

    async with http_server(handler, tls=True) as port:
        code = await failure(egress, a_request(port, scheme="https"))
    await egress.close()
    assert code == codes.ErrorCode_TlsCertificateError()


async def test_no_tls_there(egress: Egress) -> None:
    """A server that does not speak TLS: TLS-protocol-error."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with raw_server(talk) as port:
        code = await failure(egress, a_request(port, scheme="https"))
    assert code == codes.ErrorCode_TlsProtocolError()


async def test_header_that_is_no_text(egress: Egress) -> None:
    """A value that aiohttp cannot write: HTTP-protocol-error."""
    async with raw_server(answering()) as port:
        code = await failure(egress, a_request(port, headers=(("x", b"\xff"),)))
    assert code == codes.ErrorCode_HttpProtocolError()


async def test_guest_gives_its_body_up(egress: Egress) -> None:
    """The request fails with the error that the guest gave its body up with."""
    pipe = Pipe()
    async with raw_server(answering(then=1)) as port:
        request = a_request(port, method="PUT", body=lambda: SentChunks(pipe))
        task = asyncio.ensure_future(exchange(egress, request))
        pipe.push(b"half")
        await asyncio.sleep(0.05)
        pipe.fail(Error("given up", codes.ErrorCode_HttpRequestBodySize(4)))
        with pytest.raises(Err) as caught:
            await task
    assert caught.value.value == codes.ErrorCode_HttpRequestBodySize(4)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (aiohttp.InvalidURL("x"), codes.ErrorCode_HttpRequestUriInvalid()),
        (ConnectionResetError(), codes.ErrorCode_ConnectionTerminated()),
        (aiohttp.ClientOSError(errno.EPIPE, "broken"), codes.ErrorCode_ConnectionTerminated()),
        (RuntimeError("odd"), codes.ErrorCode_InternalError("RuntimeError: odd")),
        (
            aiohttp.ClientConnectorError(SimpleNamespace(), OSError(errno.ENETUNREACH, "x")),
            codes.ErrorCode_DestinationIpUnroutable(),
        ),
        (
            aiohttp.ClientConnectorError(SimpleNamespace(), OSError(errno.ECONNRESET, "x")),
            codes.ErrorCode_ConnectionTerminated(),
        ),
        (
            aiohttp.ClientConnectorError(SimpleNamespace(), OSError(errno.ETIMEDOUT, "x")),
            codes.ErrorCode_ConnectionTimeout(),
        ),
        (
            aiohttp.ClientConnectorError(SimpleNamespace(), OSError("Multiple exceptions")),
            codes.ErrorCode_ConnectionRefused(),
        ),
    ],
)
def test_what_loopback_cannot_show(error: Exception, code: object) -> None:
    """Failures that no server on loopback brings about have their codes too."""
    assert code_of(error) == code
