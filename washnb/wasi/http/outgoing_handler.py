"""wasi:http/outgoing-handler: a guest's own requests are checked and passed to the host's HTTP client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from washnb.engine import Err, Interface
from washnb.errors import ConfigError
from washnb.types import Header

from .bodies import SentChunks
from .error_code import ErrorCode_HttpProtocolError, ErrorCode_HttpRequestBodySize, ErrorCode_HttpRequestUriInvalid
from .incoming import ClientResponse, FutureIncomingResponse
from .outgoing import OutgoingRequest, RequestOptions
from .uri import Scheme, Scheme_Http, Scheme_Other, method_name, split_authority

DEFAULT_TIMEOUT = 600.0
"""Seconds that the host waits for each step of a request where the guest sets no timeout, as in wasmtime-wasi-http."""


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """A request of a guest's, for the host to send. Timeouts are in seconds.

    `host` (an IPv6 address in its brackets) and `port` are those of the guest's authority. `body` is None where the
    guest has not asked for one; else calling it returns bytes where the guest has finished, or chunks as the guest
    writes them: to stop early call `aclose` or `abandon` on these.
    """

    method: str
    scheme: str
    host: str
    port: int | None
    path_with_query: str
    headers: tuple[Header, ...]
    body: Callable[[], bytes | SentChunks] | None
    connect_timeout: float
    first_byte_timeout: float
    between_bytes_timeout: float

    @property
    def authority(self) -> str:
        """Host and port as they stand in the Host header."""
        return self.host if self.port is None else f"{self.host}:{self.port}"


Send = Callable[[ClientRequest], Awaitable[ClientResponse]]
"""Sends a request; the awaitable returns the response once its head is there.

The call itself raises Err with an error code for a request that the host will not send, the awaitable for one that
fails on the way.
"""


class OutgoingHandler(Interface, wit="wasi:http/outgoing-handler@0.2.12"):
    """wasi:http/outgoing-handler. Without `send` the host has no HTTP client, and a request ends the guest."""

    def __init__(self, send: Send | None) -> None:
        self._send = send

    def handle(self, request: OutgoingRequest, options: RequestOptions | None) -> FutureIncomingResponse:
        """Send a request; return the future of its response.

        Raises Err for a request that is incomplete, or that the host denies, and ConfigError without an HTTP client.
        """
        if self._send is None:
            raise ConfigError(
                "http client not available: this host has no HTTP handler",
                interface="wasi:http/outgoing-handler",
                repair='HostBuilder().with_http_handler(await HttpServer.new(DevRouter(), "127.0.0.1:0"))',
            )
        return FutureIncomingResponse(self._send(client_request(request, options or RequestOptions())))


def client_request(request: OutgoingRequest, options: RequestOptions) -> ClientRequest:
    """Make a ClientRequest of a guest's request and options.

    Raises Err: HTTP-request-URI-invalid without an authority, HTTP-protocol-error without a path or for a scheme other
    than HTTP and HTTPS, HTTP-request-body-size where a body is announced and there is none.
    """
    scheme = _scheme_name(request.scheme())
    authority = split_authority(request.authority() or "")
    if authority is None:
        raise Err(ErrorCode_HttpRequestUriInvalid())
    path_with_query = request.path_with_query()
    if path_with_query is None:
        raise Err(ErrorCode_HttpProtocolError())
    if request.opened_body is None and request.headers().content_length():
        raise Err(ErrorCode_HttpRequestBodySize(0))
    sent_path = path_with_query.partition("#")[0]
    return ClientRequest(
        method=method_name(request.method()),
        scheme=scheme,
        host=authority[0],
        port=authority[1],
        path_with_query=sent_path if sent_path.startswith(("/", "*")) else f"/{sent_path}",
        headers=tuple(request.headers().entries()),
        body=None if request.opened_body is None else request.opened_body.contents,
        connect_timeout=_seconds(options.connect_timeout()),
        first_byte_timeout=_seconds(options.first_byte_timeout()),
        between_bytes_timeout=_seconds(options.between_bytes_timeout()),
    )


def _scheme_name(scheme: Scheme | None) -> str:
    if isinstance(scheme, Scheme_Other):
        raise Err(ErrorCode_HttpProtocolError())
    return "http" if isinstance(scheme, Scheme_Http) else "https"


def _seconds(nanoseconds: int | None) -> float:
    return DEFAULT_TIMEOUT if nanoseconds is None else nanoseconds / 1e9
