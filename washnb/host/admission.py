"""Admission: how many calls a workload takes at once, how long each may last, and how all end when it stops."""

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
    """The calls that are in flight in one workload: requests, messages, and calls of exports.

    One timer, set for the earliest deadline, serves them all: most calls end long before their deadline, and a timer
    for each would be made for nothing.
    """

    def __init__(self, workload: str, limit: int = IN_FLIGHT) -> None:
        """Take up to `limit` calls at once; `workload` is the name that errors give."""
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
        """Return the number of calls in flight."""
        return len(self._scopes)

    def admit(self, seconds: float | None, *, fixed: bool = False) -> Scope:
        """Return the scope of one more call, to be entered at once. The call may last `seconds`, None for ever.

        `Scope.extend` does not change a `fixed` time. Raises WorkloadBusy where `limit` calls are in flight, and after
        `close` the reason given there.
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
        """Return the scope of one more call, having waited up to `wait` seconds for the end of another one.

        The call may last `seconds`. Raises what `admit` raises where no place was free in time.
        """
        with contextlib.suppress(TimeoutError):
            async with self.time.limit(wait):
                while self._closed is None and len(self._scopes) >= self._limit:
                    self._freed = self._freed or asyncio.get_running_loop().create_future()
                    await asyncio.wait([self._freed])
        return self.admit(seconds)

    async def close(self, reason: WashError, *, grace: float, limit: float) -> None:
        """Admit no more calls; give those in flight `grace` seconds to end by themselves, then cancel them.

        `reason` is what the cancelled calls raise, and later `admit`s. Returns when the last call is gone, or after
        `limit` more seconds.
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
        """Count the call of `scope`, which begins, as one in flight, and watch its deadline."""
        self._scopes.add(scope)
        self.watch(scope)

    def leave(self, scope: Scope) -> None:
        """Count the call of `scope`, which has ended, no more, and tell those that wait for a place."""
        self._scopes.discard(scope)
        self._tell_who_waits()
        if self._emptied is not None and not self._scopes and not self._emptied.done():
            self._emptied.set_result(None)

    def watch(self, scope: Scope) -> None:
        """Set the timer to the deadline of `scope`, unless it is set to an earlier one."""
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
        """Cancel the calls whose deadline has passed, and set the timer to the earliest of the others."""
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
    """The bounds of one call, as an `async with` block, which ends at its deadline at the latest, or by `end`.

    What the block awaits is cancelled then, and the reason raised in place of CancelledError. `deadline` is in seconds
    of `GuestTime`. `held` is a future while slow motion holds the guest, done when the guest goes on; None otherwise.
    """

    __slots__ = ("_admission", "_cancelling", "_fixed", "_reason", "_task", "deadline", "held", "seconds")

    def __init__(self, admission: Admission, seconds: float | None, *, fixed: bool) -> None:
        """Allow `seconds` from the moment that the block is entered; None sets no deadline."""
        self._admission = admission
        self._fixed = fixed
        self._reason: WashError | None = None
        self._task: asyncio.Task[Any] | None = None
        self._cancelling = 0
        self.seconds = seconds
        self.deadline: float | None = None
        self.held: asyncio.Future[None] | None = None

    def extend(self, seconds: float) -> None:
        """Move the deadline to `seconds` from now, unless the time is fixed or the block is ending."""
        if self._reason is None and not self._fixed:
            self._allow(seconds)

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """Mark the guest of this call as held for as long as the block lasts: guest time stands still."""
        self.held = held = asyncio.get_running_loop().create_future()
        try:
            with self._admission.time.standing_still():
                yield
        finally:
            self.held = None
            held.set_result(None)

    def end(self, reason: WashError) -> None:
        """Cancel what the block awaits; the block then raises `reason`. Of several calls the first one counts."""
        if self._reason is None:
            self._reason = reason
            self.deadline = None
            if self._task is not None:
                self._task.cancel()

    async def __aenter__(self) -> Self:
        """Count the call as in flight, and its time from now."""
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
        """Raise the reason given to `end` where that is what has cancelled the block."""
        self._admission.leave(self)
        task, self._task = self._task, None
        if self._reason is None or task is None:
            return
        # where the task was cancelled by somebody else as well, CancelledError has to go on
        if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise self._reason from None

    def _allow(self, seconds: float) -> None:
        self.seconds = seconds
        self.deadline = self._admission.time.now() + seconds
        if self._task is not None:
            self._admission.watch(self)
