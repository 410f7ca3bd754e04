"""wasi:http/outgoing-handler: a guest's own requests, checked and handed to the host's client."""

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
"""What a host waits for each step where the guest does not say, in seconds (as wasmtime-wasi-http)."""


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """A request on its way out: `host` (IPv6 in its brackets) and `port` are those of the guest's authority.

    `body` is None where the guest asked for none, bytes where it was complete in time, else it flows while the guest
    writes; then `aclose` or `abandon` tells the guest that nobody reads on. Timeouts are in seconds.
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
        """Host and port, as the Host header has them."""
        return self.host if self.port is None else f"{self.host}:{self.port}"


Send = Callable[[ClientRequest], Awaitable[ClientResponse]]
"""Sends a request and returns once the head of the response is there.

Raises Err with an error code at once for what it will not send, and from the awaitable for what fails on the way.
"""


class OutgoingHandler(Interface, wit="wasi:http/outgoing-handler@0.2.12"):
    """wasi:http/outgoing-handler over `send`; without one the host has no HTTP and a request ends the guest."""

    def __init__(self, send: Send | None) -> None:
        self._send = send

    def handle(self, request: OutgoingRequest, options: RequestOptions | None) -> FutureIncomingResponse:
        """Send a request. Raises Err for one that cannot be sent as it stands, or that the host denies."""
        if self._send is None:
            raise ConfigError(
                "http client not available: this host has no HTTP handler",
                interface="wasi:http/outgoing-handler",
                repair='HostBuilder().with_http_handler(await HttpServer.new(DevRouter(), "127.0.0.1:0"))',
            )
        return FutureIncomingResponse(self._send(client_request(request, options or RequestOptions())))


def client_request(request: OutgoingRequest, options: RequestOptions) -> ClientRequest:
    """Read a guest's request. Raises Err: HTTP-protocol-error, HTTP-request-URI-invalid, HTTP-request-body-size."""
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
