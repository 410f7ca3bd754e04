"""HTTP/1.1 on aiohttp: requests from a socket to the dispatcher, responses back, both as streams."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Self

from aiohttp import EMPTY_PAYLOAD, StreamReader, web
from aiohttp.http import RawRequestMessage

from washnb.errors import ConfigError, WashError
from washnb.types import Request

from .answer import SocketResponse
from .invoke import Deliver
from .routers import Router

BODY_LIMIT = 256 * 1024 * 1024
"""Bytes that the body of a request may have; a longer one is answered with 413."""

BACKLOG = 256
"""Connections that may wait to be accepted."""

LINGER_SECONDS = 1.0
"""Seconds that the server reads on from a client that still sends when its answer is out: cut off, it misses that."""

HEADER_BYTES = 64 * 1024
"""Bytes that one header of a request, or its target, may have; a longer one is answered with 400."""

HEAD_SECONDS = 30.0
"""Seconds that a new connection may take to send the head of its first request, as with hyper."""

SHUTDOWN_SECONDS = 1.0
"""Seconds that requests in flight have when the server stops, before they are cancelled."""

_log = logging.getLogger(__name__)

Handle = Callable[[Request, Deliver], Awaitable[None]]


class HttpServer:
    """The HTTP handler of a host: a router, and the ports that requests come from.

    `await HttpServer.new(DevRouter(), "127.0.0.1:8080")` has the port at once, and answers when its host has started;
    `HttpServer(DevRouter())` has no port until `bind`: until then only `Host.send` brings requests.
    """

    def __init__(self, router: Router) -> None:
        """Send requests where `router` says; there is no port until `bind`."""
        self.router = router
        self._handle: Handle | None = None
        self._sockets: list[socket.socket] = []
        self._runner: web.ServerRunner | None = None

    @classmethod
    async def new(cls, router: Router, address: str) -> Self:
        """Return a server that listens at `address`, `HOST:PORT`; port 0 stands for any free one.

        Raises ConfigError where `address` is no such text, or the port is taken.
        """
        server = cls(router)
        await server.bind(address)
        return server

    @property
    def addr(self) -> str:
        """The address of the port that was bound last. Raises ConfigError where there is none."""
        if not self._sockets:
            raise ConfigError("this server has no port", repair='await server.bind("127.0.0.1:8080")')
        host, port = self._sockets[-1].getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def port(self) -> int:
        """The number of the port that was bound last, 0 where there is none."""
        return int(self._sockets[-1].getsockname()[1]) if self._sockets else 0

    async def bind(self, address: str) -> str:
        """Listen at one more address, `HOST:PORT`, and return it with the number of the port. Raises ConfigError."""
        self._sockets.append(_listen(address))
        if self._runner is not None:
            await web.SockSite(self._runner, self._sockets[-1]).start()
        return self.addr

    async def start(self, handle: Handle) -> None:
        """Answer requests through `handle`, first those of connections that wait at the ports already."""
        self._handle = handle
        self._runner = web.ServerRunner(
            _Connections(self._answer, handler_cancellation=True),
            handle_signals=False,
            shutdown_timeout=SHUTDOWN_SECONDS,
        )
        await self._runner.setup()
        for listening in self._sockets:
            await web.SockSite(self._runner, listening).start()

    async def stop(self) -> None:
        """Close every port and connection. Requests in flight are cancelled after a second."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
        for listening in self._sockets:
            listening.close()
        self._sockets.clear()

    async def _answer(self, incoming: web.BaseRequest) -> web.StreamResponse:
        assert self._handle is not None
        answer = SocketResponse(incoming)
        if (incoming.content_length or 0) > BODY_LIMIT:
            return answer.refuse(413)
        if incoming.version >= (1, 1) and incoming.headers.get("Expect", "").lower() == "100-continue":
            await incoming.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            await self._handle(_request(incoming), answer.deliver)
        except WashError:
            answer.abort()  # the head is sent, and an answer that breaks off must not look complete
        return answer


class _Connections(web.Server):
    """aiohttp's server, which makes a `_Connection` for each client."""

    def __call__(self) -> web.RequestHandler:
        """Return the protocol of one connection."""
        return _Connection(
            self,
            loop=asyncio.get_running_loop(),
            auto_decompress=False,
            access_log=None,  # type: ignore[arg-type]  # aiohttp's way to have none
            lingering_time=LINGER_SECONDS,
            max_line_size=HEADER_BYTES,
            max_field_size=HEADER_BYTES,
        )


class _Connection(web.RequestHandler):
    """A connection that answers errors as the host does everywhere, with a status and no body."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close the connection where no request comes within `HEAD_SECONDS`."""
        super().connection_made(transport)
        self._silence = asyncio.get_running_loop().call_later(HEAD_SECONDS, self.force_close)
        self._body: StreamReader = EMPTY_PAYLOAD  # of the request that came last

    def data_received(self, data: bytes) -> None:
        """Parse what has come. Where that is no HTTP, end the body of the last request, which aiohttp leaves open."""
        super().data_received(data)
        if not self._messages:
            return
        self._silence.cancel()
        message, body = self._messages[-1]
        if isinstance(message, RawRequestMessage):
            self._body = body
        elif not self._body.is_eof():
            self._body.set_exception(web.RequestPayloadError("what follows in the body is no HTTP"))
            self._body.feed_eof()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop the timer of the first request."""
        self._silence.cancel()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer with `status` and no body: the client has sent no HTTP, or the host itself has failed."""
        _log.log(logging.ERROR if status == 500 else logging.DEBUG, "%s: %s", status, message, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the response has begun, and cannot be another one now")
        return SocketResponse(request).refuse(status)


Ingress = HttpServer
"""The name of `HttpServer` since wash-runtime 2.6.1."""


def _request(incoming: web.BaseRequest) -> Request:
    return Request(
        method=incoming.method,
        target=incoming.raw_path,
        headers=tuple([(name.decode("latin-1"), value) for name, value in incoming.raw_headers]),
        body=_body(incoming) if incoming.body_exists else b"",
        scheme="http",
        authority=incoming.headers.get("Host", ""),
    )


def _body(incoming: web.BaseRequest) -> bytes | AsyncIterator[bytes]:
    """Return the body of a request: bytes where all of it is there, otherwise a stream of its chunks."""
    content = incoming.content
    return content.read_nowait() if content.is_eof() and content.exception() is None else _chunks(content)


async def _chunks(content: StreamReader) -> AsyncIterator[bytes]:
    total = 0
    async for chunk in content.iter_any():
        total += len(chunk)
        if total > BODY_LIMIT:
            raise ValueError(f"the body of the request is longer than {BODY_LIMIT:,} bytes")
        yield chunk


def _listen(address: str) -> socket.socket:
    """Return a socket bound to `HOST:PORT`: nobody else can take the port from now on. Raises ConfigError."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(
            f"{address!r} is not an address to listen at", repair='the form is HOST:PORT, such as "127.0.0.1:8080"'
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere the option lets two servers share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, int(port)))
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise _cannot_listen(host, port, error) from error
    return listening


def _cannot_listen(host: str, port: str, error: OSError) -> ConfigError:
    if error.errno == errno.EADDRINUSE:
        return ConfigError(
            f"port {port} of {host} is in use by another server, perhaps of another notebook",
            repair=("%wash serve 0  # any free port", f'await HttpServer.new(DevRouter(), "{host}:0")'),
        )
    return ConfigError(
        f"cannot listen at {host}:{port}: {error.strerror}", repair="%wash serve 127.0.0.1:8080  # this machine only"
    )
