"""What a guest sends: the response to a request that it serves, and a request of its own."""

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
    """What both messages that go out have: headers that are fixed, and a body to open once."""

    __slots__ = ("_headers", "opened_body")
    _size_error: ClassVar[type[ErrorCode_HttpRequestBodySize | ErrorCode_HttpResponseBodySize]]

    def __init__(self, headers: Fields) -> None:
        self._headers = headers.freeze()
        self.opened_body: OutgoingBody | None = None

    def headers(self) -> Fields:
        """The headers, immutable."""
        return self._headers

    def body(self) -> OutgoingBody:
        """The body to write; once. Raises Err afterwards."""
        if self.opened_body is not None:
            raise Err
        self.opened_body = OutgoingBody(self._headers.content_length(), self._size_error)
        return self.opened_body


@resource("outgoing-request")
class OutgoingRequest(_Sent):
    """A request that a guest makes. The setters raise Err for what is not of the syntax."""

    __slots__ = ("_authority", "_method", "_path_with_query", "_scheme")
    _size_error = ErrorCode_HttpRequestBodySize

    def __init__(self, headers: Fields) -> None:
        super().__init__(headers)
        self._method: Method = _GET
        self._path_with_query: str | None = None
        self._scheme: Scheme | None = None
        self._authority: str | None = None

    def method(self) -> Method:
        """The method; GET at first."""
        return self._method

    def set_method(self, method: Method) -> None:
        """Set the method."""
        if isinstance(method, Method_Other) and not is_token(method.value):
            raise Err
        self._method = method

    def path_with_query(self) -> str | None:
        """Path and query."""
        return self._path_with_query

    def set_path_with_query(self, path_with_query: str | None) -> None:
        """Set path and query."""
        if path_with_query is not None and not is_path_with_query(path_with_query):
            raise Err
        self._path_with_query = path_with_query

    def scheme(self) -> Scheme | None:
        """The scheme; None stands for HTTPS."""
        return self._scheme

    def set_scheme(self, scheme: Scheme | None) -> None:
        """Set the scheme."""
        if isinstance(scheme, Scheme_Other) and not is_scheme(scheme.value):
            raise Err
        self._scheme = scheme

    def authority(self) -> str | None:
        """Host and port."""
        return self._authority

    def set_authority(self, authority: str | None) -> None:
        """Set host and port."""
        if authority is not None and split_authority(authority) is None:
            raise Err
        self._authority = authority


@resource("request-options")
class RequestOptions:
    """How long a guest is willing to wait, in nanoseconds; None leaves it to the host."""

    __slots__ = ("_between_bytes", "_connect", "_first_byte")

    def __init__(self) -> None:
        self._connect: int | None = None
        self._first_byte: int | None = None
        self._between_bytes: int | None = None

    def connect_timeout(self) -> int | None:
        """For the connection to be made."""
        return self._connect

    def set_connect_timeout(self, duration: int | None) -> None:
        """Set the time for the connection to be made."""
        self._connect = duration

    def first_byte_timeout(self) -> int | None:
        """For the head of the response to arrive."""
        return self._first_byte

    def set_first_byte_timeout(self, duration: int | None) -> None:
        """Set the time for the head of the response to arrive."""
        self._first_byte = duration

    def between_bytes_timeout(self) -> int | None:
        """From one piece of the response's body to the next."""
        return self._between_bytes

    def set_between_bytes_timeout(self, duration: int | None) -> None:
        """Set the time from one piece of the response's body to the next."""
        self._between_bytes = duration


@resource("outgoing-response")
class OutgoingResponse(_Sent):
    """A response that a guest makes."""

    __slots__ = ("_status",)
    _size_error = ErrorCode_HttpResponseBodySize

    def __init__(self, headers: Fields) -> None:
        super().__init__(headers)
        self._status = 200

    def status_code(self) -> int:
        """The status code; 200 at first."""
        return self._status

    def set_status_code(self, status_code: int) -> None:
        """Set the status code. Raises Err for what is none (RFC 9110: three digits)."""
        if not 100 <= status_code <= 999:
            raise Err
        self._status = status_code


OutgoingResult = OutgoingResponse | Err[ErrorCode]


@resource("response-outparam")
class ResponseOutparam:
    """Where a guest puts its response.

    `answer` is what it put there: a response, or the Err that it set instead; None before, and for ever where the guest
    drops the resource unset.
    """

    __slots__ = ("_future", "answer")

    def __init__(self) -> None:
        self.answer: OutgoingResult | None = None
        self._future: asyncio.Future[OutgoingResult | None] | None = None

    @staticmethod
    def set(param: ResponseOutparam, response: Ok[OutgoingResponse] | Err[ErrorCode]) -> None:
        """Send a response, or say what went wrong instead."""
        param.answer = response if isinstance(response, Err) else response.value
        param._resolve()

    def send_informational(self, status: int, headers: Fields) -> None:  # noqa: ARG002 - it sends nothing
        """Refuse, as WIT has it: HTTP-protocol-error for a status that is not 1xx, internal-error for one that is."""
        if not 100 <= status <= 199:
            raise Err(ErrorCode_HttpProtocolError())
        raise Err(ErrorCode_InternalError("informational responses are not supported"))

    @property
    def response(self) -> asyncio.Future[OutgoingResult | None]:
        """A future of `answer`, for the host to wait on: None where the guest dropped the resource unset.

        Made when it is first asked for; a host that finds `answer` set needs none.
        """
        if self._future is None:
            self._future = asyncio.get_running_loop().create_future()
            if self.answer is not None:
                self._future.set_result(self.answer)
        return self._future

    def drop(self) -> None:
        """Tell who waits that nothing will come."""
        self._resolve()

    def _resolve(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_result(self.answer)


def streamed(response: OutgoingResponse) -> StreamedResponse:
    """Take a guest's response for sending.

    The body is bytes where the guest has finished it, or never asked for one; else it flows while the guest writes, and
    raises Err with an error code where the guest gives it up. A receiver that stops early calls `aclose` on it.
    """
    body = response.opened_body
    return StreamedResponse(
        status=response.status_code(),
        headers=tuple(response.headers().entries()),
        body=b"" if body is None else body.contents(),
    )
