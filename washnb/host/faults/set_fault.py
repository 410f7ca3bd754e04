"""A fault in force: the functions that it is set on, how often it has struck, and whether it still does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from .fault import Fault
from .jumps import Jump
from .targets import Callee


class SetFault:
    """A fault in force. It has `seen` so many calls, and changed `injected` of them.

    `functions` are those that it is set on, imports or `exported`; the calls of all of them, in all workloads, count
    together. While it is `held` by a block of code no other fault takes its place; where one did, it has `given_way`.
    """

    def __init__(self, fault: Fault, targets: Sequence[Callee]) -> None:
        """Begin to count the calls of `targets`."""
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
        """Whether the fault was cleared."""
        return self._end.is_set()

    def clear(self) -> None:
        """Change no call any more, nor those that still run in an old version of a workload."""
        self._end.set()

    def give_way(self) -> None:
        """Change no call any more, because another fault is set in the place of this one."""
        self.given_way = True
        self.clear()

    async def delay(self) -> bool:
        """Wait for the fault's `delay`; return False where it was cleared meanwhile, and the call is to be served."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.fault.delay):
                await self._end.wait()
        return not self.cleared

    @property
    def spent(self) -> bool:
        """Whether the fault changes no call any more: it was cleared, or has struck as often as it should."""
        return self.cleared or (self.fault.times is not None and self.injected >= self.fault.times)

    def strikes(self) -> bool:
        """Count a call, and return whether this one goes wrong."""
        self.seen += 1
        if self.seen <= self.fault.after or self.spent:
            return False
        self.injected += 1
        return True

    def has_jumped(self) -> bool:
        """Return whether a clock has jumped and is still off, so that waits for its instants have to be off as well."""
        return self.injected > 0 and not self.spent

    def __repr__(self) -> str:
        return f"<SetFault {self.fault.target!r}: {self.injected} of {self.seen} calls>"
