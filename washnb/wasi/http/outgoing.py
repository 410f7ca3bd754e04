"""The messages that a guest sends: responses to requests that it serves, and requests of its own."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from washnb.engine import Err, Ok, resource
from washnb.types import StreamedResponse

from .bodies import OutgoingBody
from .error_code import (
    ErrorCode,
    ErrorCode_HttpProtocolError,
    ErrorCode_HttpRequestBodySize,
    ErrorCode_HttpResponseBodySize,
    ErrorCode_InternalError,
)
from .fields import Fields
from .uri import (
    Method,
    Method_Get,
    Method_Other,
    Scheme,
    Scheme_Other,
    is_path_with_query,
    is_scheme,
    is_token,
    split_authority,
)

_GET = Method_Get()


class _Sent:
    """What outgoing requests and responses share: headers, immutable from now on, and a body.

    `opened_body` is None until the guest asks for the body.
    """

    __slots__ = ("_headers", "opened_body")
    _size_error: ClassVar[type[ErrorCode_HttpRequestBodySize | ErrorCode_HttpResponseBodySize]]

    def __init__(self, headers: Fields) -> None:
        self._headers = headers.freeze()
        self.opened_body: OutgoingBody | None = None

    def headers(self) -> Fields:
        """Return the headers, which are immutable."""
        return self._headers

    def body(self) -> OutgoingBody:
        """Return the body to write. Raises Err from the second call on."""
        if self.opened_body is not None:
            raise Err
        self.opened_body = OutgoingBody(self._headers.content_length(), self._size_error)
        return self.opened_body


@resource("outgoing-request")
class OutgoingRequest(_Sent):
    """A request that a guest makes."""

    __slots__ = ("_authority", "_method", "_path_with_query", "_scheme")
    _size_error = ErrorCode_HttpRequestBodySize

    def __init__(self, headers: Fields) -> None:
        super().__init__(headers)
        self._method: Method = _GET
        self._path_with_query: str | None = None
        self._scheme: Scheme | None = None
        self._authority: str | None = None

    def method(self) -> Method:
        """Return the method, GET unless it was set."""
        return self._method

    def set_method(self, method: Method) -> None:
        """Set the method. Raises Err for one that is no token."""
        if isinstance(method, Method_Other) and not is_token(method.value):
            raise Err
        self._method = method

    def path_with_query(self) -> str | None:
        """Return path and query, None unless they were set."""
        return self._path_with_query

    def set_path_with_query(self, path_with_query: str | None) -> None:
        """Set path and query. Raises Err for what is neither a path, with or without query, nor `*`."""
        if path_with_query is not None and not is_path_with_query(path_with_query):
            raise Err
        self._path_with_query = path_with_query

    def scheme(self) -> Scheme | None:
        """Return the scheme, None unless it was set: then it is HTTPS."""
        return self._scheme

    def set_scheme(self, scheme: Scheme | None) -> None:
        """Set the scheme. Raises Err for what cannot be the scheme of a URI."""
        if isinstance(scheme, Scheme_Other) and not is_scheme(scheme.value):
            raise Err
        self._scheme = scheme

    def authority(self) -> str | None:
        """Return host and port, None unless they were set."""
        return self._authority

    def set_authority(self, authority: str | None) -> None:
        """Set host and port. Raises Err for what is no authority of a URI."""
        if authority is not None and split_authority(authority) is None:
            raise Err
        self._authority = authority


@resource("request-options")
class RequestOptions:
    """How long a guest waits for each step of its request, in nanoseconds; None leaves it to the host."""

    __slots__ = ("_between_bytes", "_connect", "_first_byte")

    def __init__(self) -> None:
        self._connect: int | None = None
        self._first_byte: int | None = None
        self._between_bytes: int | None = None

    def connect_timeout(self) -> int | None:
        """Return the most nanoseconds for the connection to be made."""
        return self._connect

    def set_connect_timeout(self, duration: int | None) -> None:
        """Set the most nanoseconds for the connection to be made."""
        self._connect = duration

    def first_byte_timeout(self) -> int | None:
        """Return the most nanoseconds for the head of the response to arrive."""
        return self._first_byte

    def set_first_byte_timeout(self, duration: int | None) -> None:
        """Set the most nanoseconds for the head of the response to arrive."""
        self._first_byte = duration

    def between_bytes_timeout(self) -> int | None:
        """Return the most nanoseconds from one piece of the response's body to the next."""
        return self._between_bytes

    def set_between_bytes_timeout(self, duration: int | None) -> None:
        """Set the most nanoseconds from one piece of the response's body to the next."""
        self._between_bytes = duration


@resource("outgoing-response")
class OutgoingResponse(_Sent):
    """A response that a guest makes to a request that it serves."""

    __slots__ = ("_status",)
    _size_error = ErrorCode_HttpResponseBodySize

    def __init__(self, headers: Fields) -> None:
        super().__init__(headers)
        self._status = 200

    def status_code(self) -> int:
        """Return the status code, 200 unless it was set."""
        return self._status

    def set_status_code(self, status_code: int) -> None:
        """Set the status code. Raises Err for a number that has not three digits (RFC 9110)."""
        if not 100 <= status_code <= 999:
            raise Err
        self._status = status_code


OutgoingResult = OutgoingResponse | Err[ErrorCode]


@resource("response-outparam")
class ResponseOutparam:
    """Where a guest puts its response to a request.

    `answer` is the response, or the Err with an error code that the guest has set instead. It is None before, and stays
    None where the guest drops the resource without setting it.
    """

    __slots__ = ("_future", "answer")

    def __init__(self) -> None:
        self.answer: OutgoingResult | None = None
        self._future: asyncio.Future[OutgoingResult | None] | None = None

    @staticmethod
    def set(param: ResponseOutparam, response: Ok[OutgoingResponse] | Err[ErrorCode]) -> None:
        """Give the host the response, or the error code that says why there is none."""
        param.answer = response if isinstance(response, Err) else response.value
        param._resolve()

    def send_informational(self, status: int, headers: Fields) -> None:  # noqa: ARG002 - it sends nothing
        """Raise Err: HTTP-protocol-error for a status that is not 1xx, internal-error otherwise. Nothing is sent."""
        if not 100 <= status <= 199:
            raise Err(ErrorCode_HttpProtocolError())
        raise Err(ErrorCode_InternalError("informational responses are not supported"))

    @property
    def response(self) -> asyncio.Future[OutgoingResult | None]:
        """A future of `answer` on the running loop; its result is None where the guest drops the resource unset.

        It is made when it is first asked for: a host that finds `answer` set does not need it.
        """
        if self._future is None:
            self._future = asyncio.get_running_loop().create_future()
            if self.answer is not None:
                self._future.set_result(self.answer)
        return self._future

    def drop(self) -> None:
        """End the wait for `response`: there will be none unless it was set."""
        self._resolve()

    def _resolve(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_result(self.answer)


def streamed(response: OutgoingResponse) -> StreamedResponse:
    """Make a guest's response ready for sending.

    The body is bytes where the guest has finished it, or has not asked for one. Else it is an iterator of chunks as the
    guest writes them, which raises Err with an error code where the guest drops the body unfinished. A receiver that
    stops early has to call its `aclose`.
    """
    body = response.opened_body
    return StreamedResponse(
        status=response.status_code(),
        headers=tuple(response.headers().entries()),
        body=b"" if body is None else body.contents(),
    )
