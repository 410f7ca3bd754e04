"""The time by which it is measured how long somebody waits for guests.

It is the time of the loop, and it stands still while a call of a guest is held for people to watch: neither the guest
nor who waits for it, however far away on this loop, may run out of time by that. All else goes by the loop's own time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
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
        """Call `callback` at a time; earlier where it stood still meanwhile: the callback looks, and calls again."""
        left = max(when - self.now(), _MOMENT if self.held else 0.0)
        return asyncio.get_running_loop().call_later(left, callback)

    @contextlib.asynccontextmanager
    async def limit(self, seconds: float) -> AsyncIterator[asyncio.Timeout]:
        """Raise TimeoutError where the block takes longer, as `asyncio.timeout` does, and give what that gives."""
        end = self.now() + seconds
        timer: asyncio.TimerHandle

        def look() -> None:
            nonlocal timer
            if self.now() < end:
                timer = self.call_at(end, look)
            else:
                timeout.reschedule(asyncio.get_running_loop().time())

        async with asyncio.timeout(None) as timeout:
            timer = self.call_at(end, look)
            try:
                yield timeout
            finally:
                timer.cancel()

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
