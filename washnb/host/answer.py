"""A guest's response on its way to the socket: the bytes of HTTP/1.1, as the guest meant them.

aiohttp's own responses add headers, and keep headers as text, which not all bytes are. So the head is written here, and
sent in one piece with the body where that is complete.
"""

from __future__ import annotations

from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from time import time
from typing import Self

from aiohttp import web

from washnb.errors import GuestCancelled
from washnb.types import BodyStream, StreamedResponse

_OF_THE_HOST = frozenset(
    ("connection", "date", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")
)
_LENGTH = b"content-length: "
_CHUNKED = b"transfer-encoding: chunked"
_WITHOUT_BODY = frozenset((204, 304))
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class SocketResponse(web.StreamResponse):
    """The response to one request from a socket: aiohttp holds it, `deliver` sends it."""

    def __init__(self, incoming: web.BaseRequest) -> None:
        """Respond to `incoming`; nothing is sent yet."""
        super().__init__()
        self._incoming = incoming
        self._stays_open = incoming.keep_alive
        self._refusal: StreamedResponse | None = None

    async def deliver(self, response: StreamedResponse) -> None:
        """Send the head and the body of `response`. Raises GuestCancelled where the client has gone."""
        try:
            if isinstance(response.body, bytes):
                await self._send_whole(response, response.body)
            else:
                await self._send_stream(response, response.body)
        except ConnectionError as error:
            raise GuestCancelled("the client went away") from error

    @property
    def keep_alive(self) -> bool:
        """Whether the connection takes another request."""
        return self._stays_open

    def abort(self) -> None:
        """Break the connection, so that nobody takes the response for complete."""
        self._stays_open = False
        if self._incoming.transport is not None:
            self._incoming.transport.abort()

    def refuse(self, status: int) -> Self:
        """Make an empty response with `status` the last one of the connection; `prepare` sends it."""
        self._refusal = StreamedResponse(status, (), b"")
        self._stays_open = False
        return self

    async def prepare(self, request: web.BaseRequest) -> None:  # noqa: ARG002 - it is the one of the constructor
        """Send what `refuse` has set, when aiohttp asks for it; what `deliver` sends is complete by then."""
        if self._refusal is not None:
            await self._send_whole(self._refusal, b"")

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: aiohttp calls this at the end of a response, and all has been sent."""

    async def _send_whole(self, response: StreamedResponse, body: bytes) -> None:
        head = self._head(response)
        await self._incoming.writer.write(head if self._is_bodiless(response.status) else head + body)

    async def _send_stream(self, response: StreamedResponse, body: BodyStream) -> None:
        writer = self._incoming.writer
        head = self._head(response)
        await writer.write(head)
        if self._is_bodiless(response.status):
            await body.aclose()
            return
        if head.endswith(_CHUNKED + b"\r\n\r\n"):
            writer.enable_chunking()
        async for chunk in body:
            await writer.write(chunk)
        await writer.write_eof()

    def _head(self, response: StreamedResponse) -> bytes:
        """Return the bytes of the head: status line, headers, and last the one that frames the body."""
        framing = self._framing(response)
        own_length = framing.startswith(_LENGTH) or response.status in _WITHOUT_BODY
        lines = [_status_line(response.status), _date(int(time()))]
        lines += [
            name.encode("ascii") + b": " + value
            for name, value in response.headers
            if (lowered := name.lower()) not in _OF_THE_HOST and not (own_length and lowered == "content-length")
        ]
        if not self._stays_open:
            lines.append(b"connection: close")
        elif self._incoming.version < (1, 1):
            lines.append(b"connection: keep-alive")
        if framing:
            lines.append(framing)
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def _framing(self, response: StreamedResponse) -> bytes:
        """Return the header line by which the client knows where the body ends.

        It is empty where a header of the guest's says so already, where there is no body, and for HTTP/1.0, whose body
        ends with the connection.
        """
        if response.status in _WITHOUT_BODY:
            return b""
        announced = any(name.lower() == "content-length" for name, _ in response.headers)
        if isinstance(response.body, bytes) and not (announced and self._incoming.method == "HEAD"):
            return _LENGTH + b"%d" % len(response.body)
        if announced or self._incoming.method == "HEAD":
            return b""
        if self._incoming.version >= (1, 1):
            return _CHUNKED
        self._stays_open = False
        return b""

    def _is_bodiless(self, status: int) -> bool:
        return status in _WITHOUT_BODY or self._incoming.method == "HEAD"


@lru_cache
def _status_line(status: int) -> bytes:
    return f"HTTP/1.1 {status} {_REASONS.get(status, '')}".encode("ascii")


@lru_cache(maxsize=1)
def _date(second: int) -> bytes:
    return b"date: " + formatdate(second, usegmt=True).encode("ascii")
