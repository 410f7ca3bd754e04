"""Servers on loopback for the client to talk to, and the ways to talk."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from washnb.host.allowed_hosts import parse_allowed_hosts
from washnb.host.egress import Egress
from washnb.wasi import ClientRequest, ClientResponse

PEM = Path(__file__).with_name("localhost.pem")
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def trusting() -> Egress:
    """A client that trusts the certificate of the tests."""
    return Egress(tls=ssl.create_default_context(cafile=PEM))


@asynccontextmanager
async def http_server(handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], tls: bool = False):
    """An aiohttp server; yields its port."""
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(PEM)
    runner = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw_server(talk: Talk):
    """A TCP server that says what `talk` has it say; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def answering(*pieces: bytes, then: float = 0.0) -> Talk:
    """Read the head of a request, write `pieces`, wait, hang up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        await asyncio.sleep(then)

    return talk


def a_request(port: int | None, **changes: object) -> ClientRequest:
    """A GET to the loopback address, changed where a test says so."""
    parts = {
        "method": "GET",
        "scheme": "http",
        "host": "127.0.0.1",
        "port": port,
        "path_with_query": "/",
        "headers": (),
        "body": None,
        "connect_timeout": 600.0,
        "first_byte_timeout": 600.0,
        "between_bytes_timeout": 600.0,
    }
    return ClientRequest(**{**parts, **changes})


async def exchange(egress: Egress, request: ClientRequest, allowed: tuple[str, ...] = ("*",)) -> ClientResponse:
    """Send `request` under a policy."""
    return await egress.sender(parse_allowed_hosts(allowed), component="test")(request)


async def whole(response: ClientResponse) -> bytes:
    """The whole body of a response."""
    return response.body if isinstance(response.body, bytes) else b"".join([chunk async for chunk in response.body])
