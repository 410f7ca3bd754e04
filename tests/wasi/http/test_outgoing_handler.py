"""The way from a guest's request to the host's client: what is refused, and what the client is handed."""

from __future__ import annotations

import pytest

from washnb.engine import Err
from washnb.errors import ConfigError
from washnb.wasi.http import uri
from washnb.wasi.http.bodies import OutgoingBody
from washnb.wasi.http.error_code import (
    ErrorCode_HttpProtocolError,
    ErrorCode_HttpRequestBodySize,
    ErrorCode_HttpRequestDenied,
    ErrorCode_HttpRequestUriInvalid,
)
from washnb.wasi.http.fields import Fields
from washnb.wasi.http.incoming import ClientResponse
from washnb.wasi.http.outgoing import OutgoingRequest, RequestOptions
from washnb.wasi.http.outgoing_handler import DEFAULT_TIMEOUT, ClientRequest, OutgoingHandler, client_request

from ..asking import error_of, settle


def a_request(
    *,
    scheme: uri.Scheme | None = None,
    authority: str | None = "example.com",
    path: str | None = "/",
    headers: tuple[tuple[str, bytes], ...] = (),
) -> OutgoingRequest:
    """A request that can be sent, unless a test says otherwise."""
    request = OutgoingRequest(Fields.from_list(headers))
    request.set_scheme(scheme)
    request.set_authority(authority)
    request.set_path_with_query(path)
    return request


def read(request: OutgoingRequest, options: RequestOptions | None = None) -> ClientRequest:
    """What the client is handed."""
    return client_request(request, options or RequestOptions())


def test_whole_request() -> None:
    """Every part that the guest set reaches the client."""
    request = a_request(scheme=uri.Scheme_Http(), authority="user@[::1]:81", path="/a?b#c", headers=(("X-A", b"1"),))
    request.set_method(uri.Method_Other("PURGE"))
    body = request.body()
    options = RequestOptions()
    options.set_connect_timeout(1_500_000_000)
    options.set_between_bytes_timeout(0)
    sent = read(request, options)
    assert (sent.method, sent.scheme, sent.host, sent.port) == ("PURGE", "http", "[::1]", 81)
    assert (sent.authority, sent.path_with_query, sent.headers) == ("[::1]:81", "/a?b", (("x-a", b"1"),))
    assert (sent.connect_timeout, sent.first_byte_timeout, sent.between_bytes_timeout) == (1.5, DEFAULT_TIMEOUT, 0)
    OutgoingBody.finish(body, None)
    assert sent.body() == b""


def test_defaults() -> None:
    """Without a scheme it is HTTPS; without a body there is none; a query alone gets its slash."""
    sent = read(a_request(path="?q"))
    assert (sent.scheme, sent.authority, sent.path_with_query, sent.body) == ("https", "example.com", "/?q", None)


@pytest.mark.parametrize(
    ("request_parts", "code"),
    [
        ({"scheme": uri.Scheme_Other("ws")}, ErrorCode_HttpProtocolError()),
        ({"authority": None}, ErrorCode_HttpRequestUriInvalid()),
        ({"path": None}, ErrorCode_HttpProtocolError()),
        ({"headers": (("content-length", b"5"),)}, ErrorCode_HttpRequestBodySize(0)),
    ],
)
def test_what_cannot_be_sent(request_parts: dict[str, object], code: object) -> None:
    """An unknown scheme, no authority, no path and a length without a body are refused by `handle` itself."""
    handler = OutgoingHandler(lambda _: pytest.fail("sent"))
    assert error_of(handler.handle, a_request(**request_parts), None) == code


def test_denied_at_once() -> None:
    """What the client refuses at once is the error of `handle`."""

    def deny(_: ClientRequest) -> ClientResponse:
        raise Err(ErrorCode_HttpRequestDenied())

    assert error_of(OutgoingHandler(deny).handle, a_request(), None) == ErrorCode_HttpRequestDenied()


async def test_sent() -> None:
    """The response of the client resolves the future that the guest holds."""
    seen = []

    async def send(request: ClientRequest) -> ClientResponse:
        seen.append(request.host)
        return ClientResponse(204, (), b"")

    future = OutgoingHandler(send).handle(a_request(), None)
    await settle(future.subscribe().block())
    assert (future.get().value.value.status(), seen) == (204, ["example.com"])


def test_without_a_client() -> None:
    """On a host without HTTP a request ends the guest, in the words of wash-runtime."""
    with pytest.raises(ConfigError, match="http client not available"):
        OutgoingHandler(None).handle(a_request(), None)
