"""The HTTP server: what is on the wire, both ways, and what happens when a side goes away."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from washnb.errors import ConfigError, GuestError
from washnb.host import DevRouter, HttpServer, Ingress
from washnb.host.invoke import Deliver
from washnb.types import Request, StreamedResponse

Handle = Callable[[Request, Deliver], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(handle: Handle) -> AsyncIterator[HttpServer]:
    """A server at a free port that answers with `handle`."""
    server = await HttpServer.new(DevRouter(), "127.0.0.1:0")
    await server.start(handle)
    try:
        yield server
    finally:
        await server.stop()


def answering(status: int = 200, headers=(), body: object = b"") -> Handle:
    """A handler with always the same answer; a list is a body in chunks."""

    async def handle(_: Request, deliver: Deliver) -> None:
        await deliver(StreamedResponse(status, tuple(headers), chunks(body) if isinstance(body, list) else body))

    return handle


async def chunks(pieces: list) -> AsyncIterator[bytes]:
    """The pieces, one by one; an exception among them is raised."""
    for piece in pieces:
        if isinstance(piece, Exception):
            raise piece
        yield piece
        await asyncio.sleep(0)


async def talk(server: HttpServer, sent: bytes) -> bytes:
    """Send bytes, and receive until the server closes the connection."""
    reader, writer = await asyncio.open_connection(*server.addr.split(":"))
    try:
        writer.write(sent)
        return await reader.read()
    except ConnectionResetError:
        return b"<reset>"
    finally:
        writer.close()


def asking(method: str = "GET", version: str = "1.1", *, close: bool = True, more: str = "") -> bytes:
    """The head of a request."""
    last = "connection: close\r\n" if close else ""
    return f"{method} /path?query HTTP/{version}\r\nhost: example\r\n{more}{last}\r\n".encode()


def parts(received: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Status line, headers and the rest."""
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    return status, dict(line.split(b": ", 1) for line in lines), body


async def test_a_body_that_is_complete_goes_out_with_its_length():
    """Bytes are sent in one piece with Content-Length, and no header that the guest did not ask for but Date."""
    async with serving(answering(200, [("x-mine", b"\xc3\xa4 \xff")], b"hello")) as server:
        status, headers, body = parts(await talk(server, asking()))
    assert (status, body) == (b"HTTP/1.1 200 OK", b"hello")
    assert headers.pop(b"date").endswith(b" GMT")
    assert headers == {b"x-mine": b"\xc3\xa4 \xff", b"connection": b"close", b"content-length": b"5"}


async def test_a_body_that_flows_is_chunked():
    """A stream of unknown length has the chunked transfer coding."""
    async with serving(answering(body=[b"ab", b"cde"])) as server:
        _, headers, body = parts(await talk(server, asking()))
    assert headers[b"transfer-encoding"] == b"chunked"
    assert body == b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"


async def test_a_body_that_flows_keeps_an_announced_length():
    """Where the guest announces the length, it is the framing."""
    async with serving(answering(200, [("Content-Length", b"5")], [b"ab", b"cde"])) as server:
        _, headers, body = parts(await talk(server, asking()))
    assert headers[b"Content-Length"] == b"5"
    assert b"transfer-encoding" not in headers
    assert body == b"abcde"


async def test_an_old_client_reads_until_the_end():
    """HTTP/1.0 knows no chunks: the body ends with the connection."""
    async with serving(answering(body=[b"ab", b"cde"])) as server:
        _, headers, body = parts(await talk(server, asking(version="1.0", close=False)))
    assert headers[b"connection"] == b"close"
    assert body == b"abcde"


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ((), b"hello", {b"content-length": b"5"}),
        ((("content-length", b"99"),), b"", {b"content-length": b"99"}),
        ((), [b"hello"], {}),
    ],
)
async def test_head_has_headers_only(headers, body, expected):
    """HEAD gets the headers that a GET would get where they are known, and never a body."""
    async with serving(answering(200, headers, body)) as server:
        _, received, rest = parts(await talk(server, asking("HEAD")))
    assert {name: value for name, value in received.items() if name not in (b"date", b"connection")} == expected
    assert rest == b""


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("body", [b"", b"hello", [b"hello"]])
async def test_some_statuses_have_no_body(status, body):
    """204 and 304 end with their head, whatever the guest wrote, and the connection goes on."""
    async with serving(answering(status, [("content-length", b"5")], body)) as server:
        received = await talk(server, asking(close=False) + asking())
    assert received.count(f"HTTP/1.1 {status}".encode()) == 2
    assert b"hello" not in received
    assert b"content-length" not in received


async def test_headers_of_the_connection_are_the_hosts():
    """What concerns only the connection is not the guest's to say."""
    meddling = [
        ("Connection", b"upgrade"),
        ("Transfer-Encoding", b"gzip"),
        ("Keep-Alive", b"timeout=9"),
        ("content-length", b"3"),
        ("Upgrade", b"websocket"),
    ]
    async with serving(answering(200, meddling, b"hello")) as server:
        _, headers, body = parts(await talk(server, asking()))
    assert {name.lower() for name in headers} == {b"date", b"connection", b"content-length"}
    assert (headers[b"content-length"], body) == (b"5", b"hello")


async def test_connections_are_kept():
    """Several requests go through one connection, one after the other."""
    async with serving(answering(body=b"x")) as server:
        received = await talk(server, asking(close=False) * 3 + asking())
        assert received.count(b"HTTP/1.1 200 OK") == 4
        old = await talk(server, asking(version="1.0", close=False, more="connection: keep-alive\r\n") + asking())
    assert old.count(b"HTTP/1.1 200 OK") == 2
    assert b"connection: keep-alive" in old


async def test_the_socket_sends_at_once():
    """Connections have TCP_NODELAY: head and body may be two writes."""
    seen = []

    async def handle(_: Request, deliver: Deliver) -> None:
        for connection in server._runner.server.connections:
            accepted = connection.transport.get_extra_info("socket")
            seen.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        await deliver(StreamedResponse(200, (), b""))

    async with serving(handle) as server:
        await talk(server, asking())
    assert seen
    assert all(seen)


async def test_the_request_arrives_as_it_was_sent():
    """Method, target, headers and authority reach the handler, with bytes that are not text."""
    seen = []

    async def handle(request: Request, deliver: Deliver) -> None:
        seen.append(request)
        await deliver(StreamedResponse(200, (), b""))

    async with serving(handle) as server:
        await talk(server, asking("PATCH").replace(b"/path", b"/a%20b//c").replace(b"host", b"X-Odd: \xff\r\nHost"))
    request = seen[0]
    assert (request.method, request.target, request.authority) == ("PATCH", "/a%20b//c?query", "example")
    assert ("x-odd", b"\xff") in [(name.lower(), value) for name, value in request.headers]
    assert request.body == b""


async def echo(request: Request, deliver: Deliver) -> None:
    """Send the body of the request back as it comes."""
    await deliver(StreamedResponse(200, (), request.body))


async def test_a_body_flows_both_ways():
    """The response may begin before the request has ended."""
    async with serving(echo) as server:
        reader, writer = await asyncio.open_connection(*server.addr.split(":"))
        writer.write(asking("POST", more="transfer-encoding: chunked\r\n") + b"3\r\nabc\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert await reader.readuntil(b"abc\r\n") == b"3\r\nabc\r\n"
        writer.write(b"2\r\nde\r\n0\r\n\r\n")
        assert await reader.read() == b"2\r\nde\r\n0\r\n\r\n"
        writer.close()


async def test_a_client_that_waits_for_permission_gets_it():
    """`Expect: 100-continue` is answered before the body is read."""
    async with serving(echo) as server:
        reader, writer = await asyncio.open_connection(*server.addr.split(":"))
        writer.write(asking("POST", more="expect: 100-continue\r\ncontent-length: 3\r\n"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")
        assert (await reader.read()).endswith(b"abc\r\n0\r\n\r\n")
        writer.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"what is this?\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", 400),
    ],
)
async def test_what_is_no_http_is_refused_in_a_word(sent, status):
    """A client that does not speak HTTP gets a status and nothing that tells about the server."""
    async with serving(answering()) as server:
        line, headers, body = parts(await talk(server, sent))
    assert line.startswith(f"HTTP/1.1 {status} ".encode())
    assert set(headers) == {b"date", b"connection", b"content-length"}
    assert body == b""


async def test_long_targets_and_headers_arrive():
    """Cookies, tokens and queries may be longer than the 8 KiB that aiohttp takes by itself."""
    seen = []

    async def handle(request: Request, deliver: Deliver) -> None:
        seen.append((len(request.target), max(len(value) for _, value in request.headers)))
        await deliver(StreamedResponse(200, (), b""))

    async with serving(handle) as server:
        long = asking(more=f"cookie: {'c' * 60_000}\r\n").replace(b"/path", b"/" + b"p" * 30_000)
        assert (await talk(server, long)).startswith(b"HTTP/1.1 200 ")
    assert seen == [(30_007, 60_000)]


async def test_a_failure_of_the_host_is_500(caplog):
    """What the host itself fails at is logged, and the client learns no more than that."""

    async def handle(_: Request, deliver: Deliver) -> None:
        raise ZeroDivisionError

    async with serving(handle) as server:
        received = await talk(server, asking())
    assert received.startswith(b"HTTP/1.1 500 ")
    assert "ZeroDivisionError" in caplog.text


async def test_an_upgrade_is_not_taken():
    """A client that would like another protocol is answered in this one, and the connection goes on."""
    async with serving(answering(body=b"plain")) as server:
        upgrade = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
        received = await talk(server, upgrade + asking())
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert b"upgrade" not in received


async def test_a_body_that_is_too_long_is_413(monkeypatch):
    """A length over the limit is refused at once; one that shows later ends the stream with an error."""
    monkeypatch.setattr("washnb.host.server.BODY_LIMIT", 4)
    async with serving(echo) as server:
        assert (await talk(server, asking("POST", more="content-length: 5\r\n") + b"abcde")).startswith(
            b"HTTP/1.1 413 "
        )
        chunked = asking("POST", more="transfer-encoding: chunked\r\n") + b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"
        assert not (await talk(server, chunked)).endswith(b"0\r\n\r\n")


async def test_a_client_that_goes_away_cancels_the_handler():
    """The handler, and with it the guest, ends with its connection."""
    started, ended = asyncio.Event(), asyncio.Event()

    async def handle(_: Request, deliver: Deliver) -> None:
        started.set()
        try:
            await asyncio.sleep(30)
        finally:
            ended.set()

    async with serving(handle) as server:
        _, writer = await asyncio.open_connection(*server.addr.split(":"))
        writer.write(asking())
        await started.wait()
        writer.close()
        async with asyncio.timeout(2):
            await ended.wait()


async def test_an_answer_that_breaks_off_does_not_look_complete():
    """Where a body fails on its way, the connection is broken instead of ended."""

    async def handle(_: Request, deliver: Deliver) -> None:
        await deliver(StreamedResponse(200, (), chunks([b"ab", GuestError("the guest trapped")])))

    async with serving(handle) as server:
        received = await talk(server, asking())
    assert not received.endswith(b"0\r\n\r\n")


async def test_a_slow_client_holds_the_guest_back():
    """Nobody reads ahead of a client: a body of any size needs bounded memory."""
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(65536)

    async def handle(_: Request, deliver: Deliver) -> None:
        await deliver(StreamedResponse(200, (), endless()))

    async with serving(handle) as server:
        _, writer = await asyncio.open_connection(*server.addr.split(":"), limit=1024)
        writer.write(asking())
        before = 0
        while before == 0 or taken > before:
            before = taken
            await asyncio.sleep(0.05)
        assert taken < 2000
        writer.close()


async def test_requests_wait_for_the_host_to_start():
    """The port is there from construction: a request that comes early is answered when the host starts."""
    server = await HttpServer.new(DevRouter(), "127.0.0.1:0")
    early = asyncio.create_task(talk(server, asking()))
    await asyncio.sleep(0.05)
    assert not early.done()
    await server.start(answering(body=b"late"))
    assert (await early).endswith(b"late")
    await server.stop()


async def test_a_port_can_be_bound_while_the_server_runs():
    """A server without a port gets one later, and a second one too."""
    server = HttpServer(DevRouter())
    await server.start(answering(body=b"x"))
    addresses = [await server.bind("127.0.0.1:0") for _ in range(2)]
    for address in addresses:
        reader, writer = await asyncio.open_connection(*address.split(":"))
        writer.write(asking())
        assert (await reader.read()).endswith(b"x")
        writer.close()
    assert server.addr == addresses[-1]
    await server.stop()
    assert server.port == 0


async def test_a_port_in_use_says_who_and_what_to_do():
    """The error names the port and offers a free one."""
    first = await HttpServer.new(DevRouter(), "127.0.0.1:0")
    with pytest.raises(ConfigError, match=f"port {first.port} of 127.0.0.1 is in use") as caught:
        await HttpServer.new(DevRouter(), first.addr)
    assert any("serve 0" in line for line in caught.value.repair)
    await first.stop()


@pytest.mark.parametrize("address", ["8080", ":8080", "localhost:http", "127.0.0.1:70000", "", "127.0.0.1:-1"])
async def test_what_is_no_address_is_refused(address):
    """An address is HOST:PORT."""
    with pytest.raises(ConfigError, match="is not an address"):
        await HttpServer.new(DevRouter(), address)


async def test_an_address_of_another_machine_is_refused():
    """What the system refuses is said, with an address that works."""
    with pytest.raises(ConfigError, match=r"cannot listen at 192.0.2.1:0"):
        await HttpServer.new(DevRouter(), "192.0.2.1:0")


async def test_ipv6_has_brackets():
    """An IPv6 address is written and shown in brackets."""
    try:
        server = await HttpServer.new(DevRouter(), "[::1]:0")
    except ConfigError as error:
        assert "cannot listen" in error.message  # noqa: PT017 - a machine without IPv6
        return
    assert server.addr == f"[::1]:{server.port}"
    await server.stop()


def test_ingress_is_the_same():
    """wash-runtime calls it Ingress since 2.6.1."""
    assert Ingress is HttpServer
