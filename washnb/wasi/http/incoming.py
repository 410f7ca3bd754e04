"""What a guest receives: a request that it serves, and the response to a request that it made."""

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
    """The response to an outgoing request, its body perhaps still on the way.

    Iterating a streamed `body` raises Err with an error code when the response breaks off. `close` releases what the
    response holds and may be called at any time, also twice.
    """

    status: int
    headers: tuple[Header, ...]
    body: bytes | AsyncIterable[bytes]
    close: Callable[[], None] = lambda: None


M = TypeVar("M", bound=Request | ClientResponse)


class _Received(Generic[M]):
    """What both messages that come in have: headers that are read when they are asked for, and a body to take once."""

    __slots__ = ("_consumed", "_headers", "_message")

    def __init__(self, message: M) -> None:
        self._message = message
        self._headers: Fields | None = None
        self._consumed = False

    def headers(self) -> Fields:
        """The headers, immutable."""
        if self._headers is None:
            self._headers = Fields.received(self._message.headers)
        return self._headers

    def consume(self) -> IncomingBody:
        """The body; once. Raises Err afterwards."""
        if self._consumed:
            raise Err
        self._consumed = True
        return IncomingBody(self._message.body)


@resource("incoming-request")
class IncomingRequest(_Received[Request]):
    """A request that came to the workload."""

    __slots__ = ()

    def method(self) -> Method:
        """The method."""
        return method_of(self._message.method)

    def path_with_query(self) -> str | None:
        """Path and query as they were sent."""
        return self._message.target or None

    def scheme(self) -> Scheme | None:
        """The scheme."""
        return scheme_of(self._message.scheme)

    def authority(self) -> str | None:
        """The authority: of the target, else of the Host header."""
        return self._message.authority or next(
            (value.decode("latin-1") for name, value in self._message.headers if name.lower() == "host"), None
        )


def incoming_request(request: Request) -> IncomingRequest:
    """Make the resource that `wasi:http/incoming-handler.handle` takes.

    Nothing is copied or parsed before the guest asks. A streamed body is iterated once the guest reads it, and closed
    (`aclose`) when the guest lets go of it; a body that the guest never asks for is left alone.
    """
    return IncomingRequest(request)


@resource("incoming-response")
class IncomingResponse(_Received[ClientResponse]):
    """A response that came back."""

    __slots__ = ()

    def status(self) -> int:
        """The status code."""
        return self._message.status

    def drop(self) -> None:
        """Release the connection, unless the body has taken it over."""
        if not self._consumed:
            self._message.close()


@resource("future-incoming-response")
class FutureIncomingResponse:
    """A response that is being waited for.

    The request runs in a task of its own, which ends with it: dropped early, the request is cancelled.
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
        """None while nothing came back; then, once, the response or the error; then the error of asking again.

        An exception that is no error code ends the guest.
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
        """Cancel the request, or release a response that nobody took."""
        if not self._task.done():
            self._task.cancel()
        elif not self._taken and not self._task.cancelled() and self._task.exception() is None:
            self._task.result().close()

    def _settled(self, task: asyncio.Future[ClientResponse]) -> None:
        if not task.cancelled():
            task.exception()  # asked for here, so that asyncio does not report it as lost
        self._arrived.notify()
