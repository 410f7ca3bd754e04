"""How many calls may be in a workload at once, how long each may take, and how they are all ended when it stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from washnb.engine import GuestTime
from washnb.errors import GuestTimeout, WashError, WorkloadBusy

IN_FLIGHT = 64
"""How many calls may be in one workload; a request beyond that is answered with 503."""


class Admission:
    """The calls that are in one workload.

    One timer, set for the earliest deadline, serves them all: most calls end long before theirs, and cost no timer.
    """

    def __init__(self, workload: str, limit: int = IN_FLIGHT) -> None:
        """Begin open and empty; `workload` is named in errors."""
        self.workload = workload
        self._limit = limit
        self._scopes: set[Scope] = set()
        self._closed: WashError | None = None
        self._emptied: asyncio.Future[None] | None = None
        self._freed: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self.time = GuestTime.here()

    def __len__(self) -> int:
        """How many calls are in flight."""
        return len(self._scopes)

    def admit(self, seconds: float | None, *, fixed: bool = False) -> Scope:
        """Let one more call in, for `seconds`; a `fixed` time cannot be extended. Enter the scope at once.

        Raises WorkloadBusy where too many calls are in flight, and where the workload stops, what it stops for.
        """
        if self._closed is not None:
            raise self._closed
        if len(self._scopes) >= self._limit:
            raise WorkloadBusy(
                f"workload {self.workload!r} has {self._limit} calls in flight and takes no more",
                workload=self.workload,
                repair="wait for one of them to end",
            )
        return Scope(self, seconds, fixed=fixed)

    async def admit_in_turn(self, seconds: float | None, *, wait: float) -> Scope:
        """Let one more call in as `admit` does, but wait up to `wait` seconds for the end of another one."""
        with contextlib.suppress(TimeoutError):
            async with self.time.limit(wait):
                while self._closed is None and len(self._scopes) >= self._limit:
                    self._freed = self._freed or asyncio.get_running_loop().create_future()
                    await asyncio.wait([self._freed])
        return self.admit(seconds)

    async def close(self, reason: WashError, *, grace: float, limit: float) -> None:
        """Let nobody in any more, give calls in flight `grace` seconds to end well, then end them for `reason`.

        Returns when the last one is gone, or after `limit` more seconds.
        """
        self._closed = reason
        self._tell_who_waits()
        await self._wait_until_empty(grace)
        for scope in tuple(self._scopes):
            scope.end(reason)
        await self._wait_until_empty(limit)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def enter(self, scope: Scope) -> None:
        """Count a call that begins."""
        self._scopes.add(scope)
        self.watch(scope)

    def leave(self, scope: Scope) -> None:
        """Count a call no more."""
        self._scopes.discard(scope)
        self._tell_who_waits()
        if self._emptied is not None and not self._scopes and not self._emptied.done():
            self._emptied.set_result(None)

    def watch(self, scope: Scope) -> None:
        """See that the timer is set no later than the deadline of `scope`."""
        if scope.deadline is not None and (self._timer is None or self._due > scope.deadline):
            if self._timer is not None:
                self._timer.cancel()
            self._due = scope.deadline
            self._timer = self.time.call_at(scope.deadline, self._end_what_is_due)

    def _tell_who_waits(self) -> None:
        if self._freed is not None:
            self._freed.set_result(None)
            self._freed = None

    def _end_what_is_due(self) -> None:
        """End the calls whose time is over, and set the timer for the next ones."""
        self._timer = None
        now = self.time.now()
        for scope in tuple(self._scopes):
            if scope.deadline is not None and scope.deadline <= now:
                scope.end(
                    GuestTimeout(
                        f"workload {self.workload!r} did not finish a call within {scope.seconds:g} s",
                        workload=self.workload,
                    )
                )
            else:
                self.watch(scope)

    async def _wait_until_empty(self, seconds: float) -> None:
        if self._scopes and seconds > 0:
            self._emptied = asyncio.get_running_loop().create_future()
            with contextlib.suppress(TimeoutError):
                async with self.time.limit(seconds):
                    await asyncio.wait([self._emptied])
            self._emptied = None


class Scope:
    """The bounds of one call, as an `async with` block: it ends at its deadline, or earlier when somebody says so.

    What the block awaits is cancelled then, and the reason raised in its place. `deadline` is in guest time. `held` is
    there while its guest is held, and done when it goes on.
    """

    __slots__ = ("_admission", "_cancelling", "_fixed", "_reason", "_task", "deadline", "held", "seconds")

    def __init__(self, admission: Admission, seconds: float | None, *, fixed: bool) -> None:
        """Count the time from the moment that the block is entered; None is for as long as it takes."""
        self._admission = admission
        self._fixed = fixed
        self._reason: WashError | None = None
        self._task: asyncio.Task[Any] | None = None
        self._cancelling = 0
        self.seconds = seconds
        self.deadline: float | None = None
        self.held: asyncio.Future[None] | None = None

    def extend(self, seconds: float) -> None:
        """Allow `seconds` from now on, unless the time is fixed."""
        if self._reason is None and not self._fixed:
            self._allow(seconds)

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """Hold its guest in the block."""
        self.held = held = asyncio.get_running_loop().create_future()
        try:
            with self._admission.time.standing_still():
                yield
        finally:
            self.held = None
            held.set_result(None)

    def end(self, reason: WashError) -> None:
        """Cancel the block, for `reason`."""
        if self._reason is None:
            self._reason = reason
            self.deadline = None
            if self._task is not None:
                self._task.cancel()

    async def __aenter__(self) -> Self:
        """Start the clock."""
        self._task = asyncio.current_task()
        assert self._task is not None
        self._cancelling = self._task.cancelling()
        if self.seconds is not None:
            self._allow(self.seconds)
        self._admission.enter(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Raise the reason of the end, where it was this scope that ended the block."""
        self._admission.leave(self)
        task, self._task = self._task, None
        if self._reason is None or task is None:
            return
        # somebody else's cancellation, asked for meanwhile, goes first
        if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise self._reason from None

    def _allow(self, seconds: float) -> None:
        self.seconds = seconds
        self.deadline = self._admission.time.now() + seconds
        if self._task is not None:
            self._admission.watch(self)
