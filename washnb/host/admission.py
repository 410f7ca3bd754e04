"""How many calls may be in a workload at once, how long each may take, and how they are all ended when it stops."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from washnb.errors import GuestTimeout, WashError, WorkloadFailed

IN_FLIGHT = 64
"""How many calls may be in one workload; a request beyond that is answered with 503."""


class Admission:
    """The calls that are in one workload."""

    def __init__(self, workload: str, limit: int = IN_FLIGHT) -> None:
        """Begin open and empty; `workload` is named in errors."""
        self._workload = workload
        self._limit = limit
        self._scopes: set[Scope] = set()
        self._closed: WashError | None = None
        self._emptied: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        """How many calls are in flight."""
        return len(self._scopes)

    def admit(self, seconds: float | None, *, fixed: bool = False) -> Scope:
        """Let one more call in, for `seconds`; a `fixed` time cannot be extended. Enter the scope at once.

        Raises WorkloadFailed where the workload stops, or where too many calls are in flight.
        """
        if self._closed is not None:
            raise self._closed
        if len(self._scopes) >= self._limit:
            raise WorkloadFailed(
                f"workload {self._workload!r} has {self._limit} calls in flight and takes no more",
                workload=self._workload,
                repair="wait for one of them to end",
            )
        return Scope(self, seconds, fixed=fixed)

    def timeout(self, seconds: float | None) -> GuestTimeout:
        """Make the error of a call that took longer than it may."""
        return GuestTimeout(
            f"workload {self._workload!r} did not finish a call within {seconds:g} s", workload=self._workload
        )

    async def close(self, reason: WashError, *, grace: float, limit: float) -> None:
        """Let nobody in any more, give calls in flight `grace` seconds to end well, then end them for `reason`.

        Returns when the last one is gone, or after `limit` more seconds.
        """
        self._closed = reason
        await self._wait_until_empty(grace)
        for scope in tuple(self._scopes):
            scope.end(reason)
        await self._wait_until_empty(limit)

    async def _wait_until_empty(self, seconds: float) -> None:
        if self._scopes and seconds > 0:
            self._emptied = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._emptied], timeout=seconds)
            self._emptied = None

    def _entered(self, scope: Scope) -> None:
        self._scopes.add(scope)

    def _left(self, scope: Scope) -> None:
        self._scopes.discard(scope)
        if self._emptied is not None and not self._scopes and not self._emptied.done():
            self._emptied.set_result(None)


class Scope:
    """The bounds of one call, as an `async with` block: it ends at its deadline, or earlier when somebody says so.

    What the block awaits is cancelled then, and the reason raised in its place.
    """

    def __init__(self, admission: Admission, seconds: float | None, *, fixed: bool) -> None:
        """Count the time from the moment that the block is entered; None is for as long as it takes."""
        self._admission = admission
        self._seconds = seconds
        self._fixed = fixed
        self._reason: WashError | None = None
        self._timeout = asyncio.timeout(seconds)

    def extend(self, seconds: float) -> None:
        """Allow `seconds` from now on, unless the time is fixed."""
        if self._reason is None and not self._fixed:
            self._seconds = seconds
            self._timeout.reschedule(asyncio.get_running_loop().time() + seconds)

    def end(self, reason: WashError) -> None:
        """Cancel the block, for `reason`."""
        if self._reason is None:
            self._reason = reason
            self._timeout.reschedule(asyncio.get_running_loop().time())

    async def __aenter__(self) -> Self:
        """Start the clock."""
        await self._timeout.__aenter__()
        self._admission._entered(self)  # noqa: SLF001 - the two classes are one mechanism
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Raise the reason of the end, where it was this scope that ended the block."""
        self._admission._left(self)  # noqa: SLF001
        try:
            await self._timeout.__aexit__(kind, error, traceback)
        except TimeoutError:
            raise self._reason or self._admission.timeout(self._seconds) from None
