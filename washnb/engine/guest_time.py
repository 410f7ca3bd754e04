"""The time by which it is measured how long somebody waits for guests.

It is the time of the loop, and it stands still while a call of a guest is held for people to watch: neither the guest
nor who waits for it, however far away on this loop, may run out of time by that. All else goes by the loop's own time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import ClassVar
from weakref import WeakKeyDictionary

_MOMENT = 0.05
"""Seconds after which somebody looks again while the time stands still."""


class GuestTime:
    """The time of guests on one loop, in seconds."""

    _of: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, GuestTime]] = WeakKeyDictionary()

    def __init__(self) -> None:
        """Begin with nothing held."""
        self.held = 0
        """How many calls are held."""
        self._since = 0.0
        self._left_out = 0.0

    @classmethod
    def here(cls) -> GuestTime:
        """Return that of the running loop."""
        return cls._of.setdefault(asyncio.get_running_loop(), cls())

    def now(self) -> float:
        """Return the time."""
        return (self._since if self.held else asyncio.get_running_loop().time()) - self._left_out

    def call_at(self, when: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        """Call `callback` at a time, or earlier where the time stood still meanwhile.

        So the callback has to look what time it is, and to have itself called again where it is too early.
        """
        left = max(when - self.now(), _MOMENT if self.held else 0.0)
        return asyncio.get_running_loop().call_later(left, callback)

    def limit(self, seconds: float) -> Limit:
        """Raise TimeoutError where the block takes longer, as `asyncio.timeout` does, and give what that gives."""
        return Limit(self, seconds)

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[None]:
        """Hold a call in the block: no time passes."""
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
    """What `GuestTime.limit` returns: no generator, whose context manager keeps an error that went through it."""

    def __init__(self, time: GuestTime, seconds: float) -> None:
        """Let a block that begins now take so long."""
        self._time = time
        self._end = time.now() + seconds
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> asyncio.Timeout:
        await self._timeout.__aenter__()
        self._look()
        return self._timeout

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        await self._timeout.__aexit__(kind, error, trace)

    def _look(self) -> None:
        self._timer = self._time.call_at(self._end, self._look_again)

    def _look_again(self) -> None:
        if self._time.now() < self._end:
            self._look()
        else:
            self._timeout.reschedule(asyncio.get_running_loop().time())
