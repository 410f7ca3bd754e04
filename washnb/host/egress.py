"""The way out: a component's own HTTP requests, over aiohttp, where its `allowed_hosts` permit them.

One pool of connections per workload, so that components of different workloads never share one. What the guest wrote
goes out as it is: no redirects are followed, nothing is decompressed, no cookies are kept, no proxy of the environment
is used, and no header is added but those that frame the message. aiohttp neither sends nor reports trailers.
"""

from __future__ import annotations

import errno
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

import aiohttp
import yarl
from aiohttp import http_exceptions
from aiohttp.abc import AbstractStreamWriter

from washnb.engine import Err
from washnb.errors import spelled_out
from washnb.wasi import (
    ClientRequest,
    ClientResponse,
    Send,
    SentChunks,
    error_code,
)

from .allowed_hosts import AllowedHost

REQUEST_SECONDS = 600.0
"""Seconds that one outgoing request may take, from its start to the end of the response's body."""

CONNECTIONS = 128
"""Connections that a workload may have open at once, as in wash-runtime; a request beyond that waits for one."""

HEADER_BYTES = 64 * 1024
"""Bytes that one header of a response may have, name and value together."""

_UNASKED_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_SHORTEST_TIMEOUT = 1e-3  # aiohttp takes 0 for "no timeout"

_NO_ADDRESS = error_code.DnsErrorPayload("address not available", 0)  # in wash-runtime's words

_log = logging.getLogger(__name__)


class Egress:
    """The outgoing HTTP of one workload: its connections, which the first request opens and `close` closes."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, request_seconds: float = REQUEST_SECONDS) -> None:
        """Bound each request to `request_seconds`; trust what `tls` trusts, by default the system's authorities."""
        self._tls = tls
        self._request_seconds = request_seconds
        self._session: aiohttp.ClientSession | None = None

    def sender(
        self, allowed_hosts: Iterable[AllowedHost], *, component: str, on_denied: Callable[[str], None] | None = None
    ) -> Send:
        """Return the function that sends the requests of one component, to its `allowed_hosts` only.

        The reason of a denial goes to the log and to `on_denied`; the guest is told HTTP-request-denied, and no more.
        """
        policy = tuple(allowed_hosts)

        def send(request: ClientRequest) -> Awaitable[ClientResponse]:
            if not any(entry.matches(request.scheme, request.host, request.port) for entry in policy):
                why = (
                    "is not allowed by allowed_hosts policy" if policy else "denied: allowed_hosts is empty (deny-all)"
                )
                denial = f"outgoing request to host '{request.host}' {why}"
                _log.warning("component %s: %s", component, denial)
                if on_denied is not None:
                    on_denied(f"{denial}; --allow-host {request.host} allows it")
                raise Err(error_code.ErrorCode_HttpRequestDenied())
            return self._send(request)

        return send

    async def close(self) -> None:
        """Close all connections of the workload."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS, ssl=True if self._tls is None else self._tls),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                skip_auto_headers=_UNASKED_HEADERS,
                max_field_size=HEADER_BYTES,
                max_line_size=HEADER_BYTES,
            )
        return self._session

    async def _send(self, request: ClientRequest) -> ClientResponse:
        contents = None if request.body is None else request.body()
        upload = _Upload(contents) if isinstance(contents, SentChunks) else None
        try:
            response = await self._open_session().request(
                request.method,
                _url(request),
                headers=_headers(request),
                data=contents if upload is None else _Payload(upload),
                allow_redirects=False,
                timeout=self._timeout(request),
            )
        except BaseException as error:
            if upload is not None:
                upload.abandon()
            if isinstance(error, Exception):
                raise _as_wit(error, upload) from error
            raise
        return await _received(response, upload, request.between_bytes_timeout)

    def _timeout(self, request: ClientRequest) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(
            total=self._request_seconds,
            connect=max(request.connect_timeout, _SHORTEST_TIMEOUT),
            sock_read=max(request.first_byte_timeout, _SHORTEST_TIMEOUT),
        )


class _Upload:
    """The guest's body as aiohttp reads it. `failure` is the error with which the guest gave the body up, or None.

    The first piece is empty: aiohttp sends the head with the first piece, and a guest may want the response before it
    writes any of the body.
    """

    def __init__(self, chunks: SentChunks) -> None:
        self._chunks = chunks
        self._begun = False
        self.failure: Err[error_code.ErrorCode] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._begun:
            self._begun = True
            return b""
        try:
            return await anext(self._chunks)
        except Err as error:
            self.failure = error
            raise

    def abandon(self) -> None:
        """Close the guest's stream from this end: nobody reads the rest of the body."""
        self._chunks.abandon()


class _Payload(aiohttp.AsyncIterablePayload):
    """An upload, as aiohttp writes it to the connection.

    aiohttp stops reading the body, without an error, where the response is complete or the connection gone. A guest
    that only writes has to be told, or it would wait for room for ever.
    """

    def __init__(self, upload: _Upload) -> None:
        super().__init__(upload)
        self._upload = upload

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        try:
            await super().write_with_length(writer, content_length)
        finally:
            self._upload.abandon()


class _Download:
    """The body of a response as the guest reads it, one piece of the network at a time."""

    def __init__(self, response: aiohttp.ClientResponse, upload: _Upload | None) -> None:
        self._response = response
        self._upload = upload

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._response.content.readany()
        except Exception as error:
            self.close()
            raise _as_wit(error, self._upload) from error
        if not chunk:
            self.close()
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Stop reading the body, and give the connection back as `close` does."""
        self.close()

    def close(self) -> None:
        """Give the connection back to the pool where the response is complete; otherwise cut it."""
        if self._upload is not None:
            self._upload.abandon()
        self._response.close()


async def _received(
    response: aiohttp.ClientResponse, upload: _Upload | None, between_bytes_timeout: float
) -> ClientResponse:
    """Return aiohttp's response as WASI's. A body that has come with the head is handed over as bytes."""
    body = _Download(response, upload)
    headers = tuple((name.decode("latin-1"), value) for name, value in response.raw_headers)
    if response.content.is_eof() and upload is None and response.content.exception() is None:
        return ClientResponse(response.status, headers, await response.content.readany())
    if response.connection is not None and (protocol := response.connection.protocol) is not None:
        protocol.read_timeout = max(between_bytes_timeout, _SHORTEST_TIMEOUT)
        protocol.start_timeout()
    return ClientResponse(response.status, headers, body, body.close)


def _url(request: ClientRequest) -> yarl.URL:
    path, _, query = request.path_with_query.partition("?")
    return yarl.URL.build(
        scheme=request.scheme, authority=request.authority, path=path, query_string=query, encoded=True
    )


def _headers(request: ClientRequest) -> list[tuple[str, str]]:
    """Return the headers to send: the authority as the guest wrote it, then the guest's own.

    Text is decoded as UTF-8, for that is how aiohttp encodes it again.
    """
    return [("Host", request.authority), *((name, value.decode()) for name, value in request.headers)]


def _as_wit(error: Exception, upload: _Upload | None) -> Err[error_code.ErrorCode]:
    """Return the error-code for a failed exchange; where the guest gave its body up, the one that it gave."""
    if upload is not None and upload.failure is not None:
        return upload.failure
    return Err(code_of(error))


def code_of(error: BaseException) -> error_code.ErrorCode:
    """Return the error-code of wasi:http for an exception of aiohttp."""
    if isinstance(error, aiohttp.ClientResponseError):
        return _head_error(error)
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno in _CONNECT_ERRORS:
        return _CONNECT_ERRORS[error.os_error.errno]
    for kind, code in _ERRORS:
        if isinstance(error, kind):
            return code
    return error_code.ErrorCode_InternalError(spelled_out(error))


_ERRORS: tuple[tuple[type[Exception], error_code.ErrorCode], ...] = (
    # the first class that fits counts, so derived classes stand before their bases
    (aiohttp.ClientConnectorDNSError, error_code.ErrorCode_DnsError(_NO_ADDRESS)),
    (aiohttp.ClientConnectorCertificateError, error_code.ErrorCode_TlsCertificateError()),
    (aiohttp.ClientSSLError, error_code.ErrorCode_TlsProtocolError()),
    (aiohttp.ConnectionTimeoutError, error_code.ErrorCode_ConnectionTimeout()),
    (aiohttp.SocketTimeoutError, error_code.ErrorCode_ConnectionReadTimeout()),
    (TimeoutError, error_code.ErrorCode_HttpResponseTimeout()),
    (aiohttp.ClientConnectorError, error_code.ErrorCode_ConnectionRefused()),
    (aiohttp.ClientPayloadError, error_code.ErrorCode_HttpResponseIncomplete()),
    (aiohttp.ClientConnectionError, error_code.ErrorCode_ConnectionTerminated()),
    (ConnectionError, error_code.ErrorCode_ConnectionTerminated()),
    (aiohttp.InvalidURL, error_code.ErrorCode_HttpRequestUriInvalid()),
    (ValueError, error_code.ErrorCode_HttpProtocolError()),  # aiohttp will not write such a head
)
_CONNECT_ERRORS: dict[int | None, error_code.ErrorCode] = {
    errno.ECONNRESET: error_code.ErrorCode_ConnectionTerminated(),
    errno.EHOSTUNREACH: error_code.ErrorCode_DestinationIpUnroutable(),
    errno.ENETUNREACH: error_code.ErrorCode_DestinationIpUnroutable(),
    errno.ETIMEDOUT: error_code.ErrorCode_ConnectionTimeout(),
}


def _head_error(error: aiohttp.ClientResponseError) -> error_code.ErrorCode:
    """Return the error-code for the head of a response that aiohttp could not read."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, http_exceptions.LineTooLong):
            return error_code.ErrorCode_HttpResponseHeaderSize(error_code.FieldSizePayload(None, None))
        cause = cause.__cause__
    if error.message.startswith("Too many headers"):
        return error_code.ErrorCode_HttpResponseHeaderSectionSize(None)
    return error_code.ErrorCode_HttpProtocolError()
