"""One HTTP request on its way through the host, and its answer: sent to a socket, or kept for a caller of `send`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from multidict import CIMultiDict, CIMultiDictProxy

from washnb.errors import GuestError
from washnb.types import Request, StreamedResponse

from .invoke import Deliver
from .recording import Trace

SEND_BODY_LIMIT = 64 * 1024 * 1024
"""Bytes that a response to `send` may have: it is kept in memory."""


@dataclass(slots=True)
class Exchange:
    """One request on its way through the host, and what takes its answer.

    `number` is that of its events, `to` the id of a workload that gets it past the router, `seconds` a bound for the
    whole answer. `status` is 0 until a head is known.
    """

    request: Request
    number: int
    deliver: Deliver
    to: str | None = None
    seconds: float | None = None
    trace: Trace | None = None
    status: int = 0
    began: float = field(default_factory=time.perf_counter)

    async def deliver_head(self, response: StreamedResponse) -> None:
        """Pass the guest's response on. Raises GuestError where its head cannot be sent."""
        require_sendable(response)
        self.status = response.status
        await self.deliver(response)


class Collected:
    """The whole response to `send`, kept in memory."""

    def __init__(self, without_body: bool) -> None:
        """Keep no body where the request is HEAD: `without_body`."""
        self._without_body = without_body
        self.status = 0
        self.headers: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())
        self.body = b""

    async def deliver(self, response: StreamedResponse) -> None:
        """Keep a response. Raises GuestError where its body is longer than `SEND_BODY_LIMIT`."""
        self.status = response.status
        self.headers = CIMultiDictProxy(
            CIMultiDict((name, value.decode("utf-8", "surrogateescape")) for name, value in response.headers)
        )
        if isinstance(response.body, bytes):
            self.body = b"" if self._without_body else response.body
            return
        chunks = bytearray()
        async for chunk in response.body:
            if not self._without_body:
                chunks += chunk
            if len(chunks) > SEND_BODY_LIMIT:
                await response.body.aclose()
                raise GuestError(
                    f"the response is longer than {SEND_BODY_LIMIT:,} bytes, which send keeps in memory at most",
                    repair="read it through a socket, from the address that %wash serve prints",
                )
        self.body = bytes(chunks)


def require_sendable(response: StreamedResponse) -> None:
    """Raise GuestError for a response whose head HTTP/1.1 cannot carry."""
    if response.status < 200:
        raise GuestError(f"status {response.status} does not end a request", repair="answer with 200 or more")
    for name, value in response.headers:
        if b"\n" in value or b"\r" in value or not name.isascii() or not name.isprintable():
            raise GuestError(f"the response has a header that cannot be sent: {name!r}")
