"""The clock for deadlines that a guest, or somebody who waits for a guest, may run into.

It goes with the loop's clock, but stands still while a host call is held for people to watch (slow motion): otherwise
watching would end guests, and whatever on this loop waits for them. Everything else goes by the loop's own clock.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import ClassVar
from weakref import WeakKeyDictionary

_MOMENT = 0.05
"""Seconds after which a timer looks at the clock again while that stands still."""


class GuestTime:
    """The clock of the guests on one loop, in seconds."""

    _of: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, GuestTime]] = WeakKeyDictionary()

    def __init__(self) -> None:
        """Make a clock that goes. Use `here`, so that all guests of a loop have the same one."""
        self.held = 0
        """How many host calls are held; while there is one, the clock stands still."""
        self._since = 0.0
        self._left_out = 0.0

    @classmethod
    def here(cls) -> GuestTime:
        """Return the clock of the running loop. Raises RuntimeError where none runs."""
        return cls._of.setdefault(asyncio.get_running_loop(), cls())

    def now(self) -> float:
        """Return the time in seconds, from an arbitrary zero."""
        return (self._since if self.held else asyncio.get_running_loop().time()) - self._left_out

    def call_at(self, when: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        """Call `callback` when this clock reaches `when`, or earlier if the clock stands still meanwhile.

        The callback has to compare `now()` with `when`, and to be scheduled again where it is too early.
        """
        left = max(when - self.now(), _MOMENT if self.held else 0.0)
        return asyncio.get_running_loop().call_later(left, callback)

    def limit(self, seconds: float) -> Limit:
        """Return an async context manager that raises TimeoutError where its block takes more than `seconds`.

        It gives an `asyncio.Timeout`, which says whether the time has expired.
        """
        return Limit(self, seconds)

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[None]:
        """Stop this clock while the block runs. Blocks may overlap."""
        if not self.held:
            self._since = asyncio.get_running_loop().time()
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1
            if not self.held:
                self._left_out += asyncio.get_running_loop().time() - self._since


class Limit:
    """The async context manager of `GuestTime.limit`.

    It is no generator: the context manager of one would keep an exception that passed through it alive.
    """

    def __init__(self, time: GuestTime, seconds: float) -> None:
        """Count `seconds` from now, by the clock `time`."""
        self._time = time
        self._end = time.now() + seconds
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> asyncio.Timeout:
        await self._timeout.__aenter__()
        self._schedule()
        return self._timeout

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        await self._timeout.__aexit__(kind, error, trace)

    def _schedule(self) -> None:
        self._timer = self._time.call_at(self._end, self._expire)

    def _expire(self) -> None:
        """End the block, unless the clock has stood still since this was scheduled."""
        if self._time.now() < self._end:
            self._schedule()
        else:
            self._timeout.reschedule(asyncio.get_running_loop().time())
