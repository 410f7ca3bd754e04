"""A fault in force: what it is about, how often it has struck, and how long it lasts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from .fault import Fault
from .jumps import Jump
from .targets import Callee


class SetFault:
    """A fault in force: `seen` calls it has looked at, `injected` of them it has changed; `functions` are its own.

    All functions that it is about count together, those of all workloads. They are imports, or `exported`. While it is
    `held`, by a block of code, no other fault takes its place; it has `given_way` where one did.
    """

    def __init__(self, fault: Fault, targets: Sequence[Callee]) -> None:
        """Begin to count."""
        self.fault = fault
        self.functions = tuple(dict.fromkeys(each.label for each in targets))
        self.exported = any(each.exported for each in targets)
        self.jump = Jump(fault.jump)
        self.seen = 0
        self.injected = 0
        self.held = False
        self.given_way = False
        self._end = asyncio.Event()

    @property
    def cleared(self) -> bool:
        """Whether it was taken back."""
        return self._end.is_set()

    def clear(self) -> None:
        """Change nothing any more, also in calls of a version of a workload that is on its way out."""
        self._end.set()

    def give_way(self) -> None:
        """Change nothing any more, because an equal fault begins anew in its place."""
        self.given_way = True
        self.clear()

    async def delay(self) -> bool:
        """Let its time pass; False where it was taken back meanwhile, and the call is to go its way."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.fault.delay):
                await self._end.wait()
        return not self.cleared

    @property
    def spent(self) -> bool:
        """Whether it changes nothing any more."""
        return self.cleared or (self.fault.times is not None and self.injected >= self.fault.times)

    def strikes(self) -> bool:
        """Count a call, and say whether this one goes wrong."""
        self.seen += 1
        if self.seen <= self.fault.after or self.spent:
            return False
        self.injected += 1
        return True

    def has_jumped(self) -> bool:
        """Whether a clock is off now, and what waits for an instant of it has to be, too."""
        return self.injected > 0 and not self.spent

    def __repr__(self) -> str:
        return f"<SetFault {self.fault.target!r}: {self.injected} of {self.seen} calls>"
