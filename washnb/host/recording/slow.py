"""Slow motion: host calls of guests are held for a while before they are served, so that people can follow and talk."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

from washnb.engine import GuestTime
from washnb.errors import ConfigError
from washnb.events import CallHeld, HostCall

from ..admission import Scope
from ..component import WASI_PROVIDER
from .trace import PendingCall, Recorder, Trace

CALL_SECONDS = 0.9
"""Seconds that a call of a plugin is held at speed 1, as long as a film shows a call."""

WASI_SECONDS = 0.3
"""Seconds that a call of WASI is held at speed 1: there are many around each call of a plugin."""

_PASSED_OVER = ("wasi:io/poll", "wasi:io/error", "wasi:clocks/", "wasi:random/", "wasi:cli/")
"""Interfaces whose calls are not held: a language's runtime makes these by itself, around what the program does."""

MOST_SECONDS = 60.0
"""Seconds that all calls of one request together are held at most."""

MOST_AT_ONCE = 8
"""Calls that are held at the same time. In a flood the others are served at once, and places in flight come free."""

_SLOWEST, _FASTEST = 0.1, 10.0


class SlowMotion:
    """Says whether recorded host calls are held, and for how long."""

    def __init__(self) -> None:
        """Begin at full speed."""
        self._speed: float | None = None
        self._at_full_speed = asyncio.Event()

    @property
    def speed(self) -> float | None:
        """The pace at which host calls follow each other: 1 is that of a film, 0.5 half of it; None is full speed.

        A new speed holds from the next call on, full speed at once. Requests that have begun at full speed go on so.
        Setting it raises ConfigError for anything but None or a number from 0.1 to 10.
        """
        return self._speed

    @speed.setter
    def speed(self, speed: float | None) -> None:
        if speed is not None and not (isinstance(speed, int | float) and _SLOWEST <= speed <= _FASTEST):
            raise ConfigError(
                f"{speed!r:.60} is no speed: that is a number from {_SLOWEST:g} to {_FASTEST:g}, or off",
                repair=("%wash trace --slow 0.5  # half as fast as a film", "%wash trace --slow off"),
            )
        self._speed = speed
        if speed is None:
            self._at_full_speed.set()
        else:
            self._at_full_speed.clear()

    def __str__(self) -> str:
        """Return the speed in words; an empty text at full speed."""
        return "" if self._speed is None else f"slow motion, speed {self._speed:g}"

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`, or until the speed is set to full."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._at_full_speed.wait()

    def seconds(self, call: HostCall) -> float:
        """Return for how many seconds a call is to be held; 0 for one that is served at once."""
        if self._speed is None or call.interface.startswith(_PASSED_OVER) or GuestTime.here().held >= MOST_AT_ONCE:
            return 0.0
        return (WASI_SECONDS if call.provider == WASI_PROVIDER else CALL_SECONDS) / self._speed


class SlowRecorder(Recorder):
    """A recorder that holds calls before they are served, and publishes `CallHeld` for each.

    Guest time stands still meanwhile: no deadline of the guest passes, nor of those that wait for it.
    """

    def __init__(
        self,
        request: int,
        workload: str,
        component: str,
        publish: Callable[[HostCall | CallHeld], None],
        trace: Trace | None,
        *,
        slow: SlowMotion,
        doing: str,
        scope: Scope | None,
    ) -> None:
        """Hold calls as `slow` says, within `scope` where there is one; `doing` is the request or the export."""
        super().__init__(request, workload, component, publish, trace)
        self._slow = slow
        self._doing = doing
        self._scope = scope
        self._left = MOST_SECONDS
        self._held: dict[int, float] = {}  # seconds that calls which are being served were held, by number

    async def hold(self, token: PendingCall) -> None:
        """Publish that a call is held, and wait for as long as people are to see it before it is served."""
        asked = self.asked(token)
        seconds = min(self._slow.seconds(asked), self._left)
        if seconds <= 0:
            return
        self._left -= seconds
        self._publish(CallHeld(asked, self._doing))
        holding = GuestTime.here().standing_still() if self._scope is None else self._scope.holding()
        began = time.perf_counter()
        try:
            with holding:
                await self._slow.sleep(seconds)
        finally:
            self._held[asked.number] = time.perf_counter() - began

    def _call(self, token: PendingCall, result: Any, error: str | None, ended: float) -> HostCall:
        """Return the event of a call; one that was held counts as started when it was served."""
        call = super()._call(token, result, error, ended)
        held = self._held.pop(call.number, 0.0)
        return call._replace(started=call.started + held, duration=call.duration - held, held=held) if held else call
