"""The messages that a guest receives: requests that it serves, and responses to requests of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from washnb.engine import Err, Ok, resource
from washnb.types import Header, Request

from ..io import Pollable, Signal
from .bodies import IncomingBody
from .error_code import ErrorCode
from .fields import Fields
from .uri import Method, Scheme, method_of, scheme_of


@dataclass(frozen=True, slots=True)
class ClientResponse:
    """The response to a request of a guest, as the host's client returns it once its head is there.

    `body` is bytes where it is complete, else an iterable of chunks, which raises Err with an error code when the
    response breaks off. `close` releases the connection; it may be called at any time, and twice.
    """

    status: int
    headers: tuple[Header, ...]
    body: bytes | AsyncIterable[bytes]
    close: Callable[[], None] = lambda: None


M = TypeVar("M", bound=Request | ClientResponse)


class _Received(Generic[M]):
    """What incoming requests and responses share: headers, parsed when the guest asks for them, and a body."""

    __slots__ = ("_consumed", "_headers", "_message")

    def __init__(self, message: M) -> None:
        self._message = message
        self._headers: Fields | None = None
        self._consumed = False

    def headers(self) -> Fields:
        """Return the headers, which are immutable."""
        if self._headers is None:
            self._headers = Fields.received(self._message.headers)
        return self._headers

    def consume(self) -> IncomingBody:
        """Return the body. Raises Err from the second call on."""
        if self._consumed:
            raise Err
        self._consumed = True
        return IncomingBody(self._message.body)


@resource("incoming-request")
class IncomingRequest(_Received[Request]):
    """A request that a guest serves."""

    __slots__ = ()

    def method(self) -> Method:
        """Return the method of the request."""
        return method_of(self._message.method)

    def path_with_query(self) -> str | None:
        """Return path and query as the client sent them; None where there are none."""
        return self._message.target or None

    def scheme(self) -> Scheme | None:
        """Return the scheme of the request."""
        return scheme_of(self._message.scheme)

    def authority(self) -> str | None:
        """Return the authority of the request's target, else that of the Host header; None without either."""
        return self._message.authority or next(
            (value.decode("latin-1") for name, value in self._message.headers if name.lower() == "host"), None
        )


def incoming_request(request: Request) -> IncomingRequest:
    """Make the resource that `wasi:http/incoming-handler#handle` takes.

    Nothing is copied or parsed before the guest asks for it. A streamed body is iterated when the guest reads it, and
    closed (`aclose`) when the guest drops it. A body that the guest does not consume is neither read nor closed.
    """
    return IncomingRequest(request)


@resource("incoming-response")
class IncomingResponse(_Received[ClientResponse]):
    """The response to a request that a guest has made."""

    __slots__ = ()

    def status(self) -> int:
        """Return the status code of the response."""
        return self._message.status

    def drop(self) -> None:
        """Release the connection, unless the guest has consumed the body: that releases it when it is dropped."""
        if not self._consumed:
            self._message.close()


@resource("future-incoming-response")
class FutureIncomingResponse:
    """The response to a request of the guest's, while the guest waits for it.

    The request is sent in a task of its own, which is cancelled when the guest drops this before the response is there.
    """

    __slots__ = ("_arrived", "_taken", "_task")

    def __init__(self, response: Awaitable[ClientResponse]) -> None:
        self._arrived = Signal()
        self._taken = False
        self._task = asyncio.ensure_future(response)
        self._task.add_done_callback(self._settled)

    def subscribe(self) -> Pollable:
        """Return a pollable that is ready when `get` has an answer."""
        return Pollable(self._task.done, self._arrived)

    def get(self) -> Ok[Ok[IncomingResponse] | Err[ErrorCode]] | Err[None] | None:
        """Return None until the response is there or has failed; then, once, the response or an error code; then Err.

        Any other exception from sending the request ends the guest.
        """
        if not self._task.done():
            return None
        if self._taken:
            return Err(None)
        self._taken = True
        try:
            return Ok(Ok(IncomingResponse(self._task.result())))
        except Err as error:
            return Ok(error)

    def drop(self) -> None:
        """Cancel the request, or release a response that the guest has not taken."""
        if not self._task.done():
            self._task.cancel()
        elif not self._taken and not self._task.cancelled() and self._task.exception() is None:
            self._task.result().close()

    def _settled(self, task: asyncio.Future[ClientResponse]) -> None:
        if not task.cancelled():
            task.exception()  # asked for here, so that asyncio does not report it as lost
        self._arrived.notify()
