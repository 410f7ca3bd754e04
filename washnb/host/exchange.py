"""One HTTP request on its way through the host, and its answer: handed on, or kept for who asked in this process."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from multidict import CIMultiDict, CIMultiDictProxy

from washnb.errors import GuestError
from washnb.types import Request, StreamedResponse

from .invoke import Deliver
from .recording import Trace

SEND_BODY_LIMIT = 64 * 1024 * 1024
"""How long a response `send` keeps in memory, in bytes."""


@dataclass(slots=True)
class Exchange:
    """One request on its way: where its answer goes, and what became of it. `status` is 0 until a head is known."""

    request: Request
    number: int
    deliver: Deliver
    to: str | None = None
    seconds: float | None = None
    trace: Trace | None = None
    status: int = 0
    began: float = field(default_factory=time.perf_counter)

    async def deliver_head(self, response: StreamedResponse) -> None:
        """Hand the answer on. Raises GuestError where it cannot be sent."""
        require_sendable(response)
        self.status = response.status
        await self.deliver(response)


class Collected:
    """A response that is kept in memory, whole."""

    def __init__(self, without_body: bool) -> None:
        """Begin with nothing; the answer to HEAD is kept `without_body`."""
        self._without_body = without_body
        self.status = 0
        self.headers: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())
        self.body = b""

    async def deliver(self, response: StreamedResponse) -> None:
        """Take the answer. Raises GuestError where it is too long."""
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
    """Raise GuestError for a head that would not be one on the wire."""
    if response.status < 200:
        raise GuestError(f"status {response.status} does not end a request", repair="answer with 200 or more")
    for name, value in response.headers:
        if b"\n" in value or b"\r" in value or not name.isascii() or not name.isprintable():
            raise GuestError(f"the response has a header that cannot be sent: {name!r}")
