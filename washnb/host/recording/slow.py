"""Slow motion: calls of guests are held for a while before they are served, so that people can follow and talk."""

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
"""How long a call of a plugin is held at speed 1: the time of a call in a film."""

WASI_SECONDS = 0.3
"""The same for WASI's, of which there are many around each of a plugin."""

_PASSED_OVER = ("wasi:io/poll", "wasi:io/error", "wasi:clocks/", "wasi:random/", "wasi:cli/")
"""Calls that go at once: what the runtime of a language does by itself, before and between what its program does."""

MOST_SECONDS = 60.0
"""How long one request is held, all calls together."""

MOST_AT_ONCE = 8
"""How many calls are held at the same time: in a flood the others go at once, and nobody lacks a place in flight."""

_SLOWEST, _FASTEST = 0.1, 10.0


class SlowMotion:
    """Whether recorded calls of a host are held, and for how long."""

    def __init__(self) -> None:
        """Begin at full speed."""
        self._speed: float | None = None
        self._at_full_speed = asyncio.Event()

    @property
    def speed(self) -> float | None:
        """How fast calls follow each other, as in a film: 1 is its own pace, 0.5 half of it. None: at full speed.

        A change holds from the next call on, one to full speed at once; requests that have begun at full speed keep
        that. Raises ConfigError for what is no such number.
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
        """Say it in words; nothing at full speed."""
        return "" if self._speed is None else f"slow motion, speed {self._speed:g}"

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds, or until it is at full speed again."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._at_full_speed.wait()

    def seconds(self, call: HostCall) -> float:
        """How long a call is to be held; 0 for one that goes at once."""
        if self._speed is None or call.interface.startswith(_PASSED_OVER) or GuestTime.here().held >= MOST_AT_ONCE:
            return 0.0
        return (WASI_SECONDS if call.provider == WASI_PROVIDER else CALL_SECONDS) / self._speed


class SlowRecorder(Recorder):
    """A recorder that holds calls, and tells of it. No time passes for the guest, nor for those that wait for it."""

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
        """Hold calls as `slow` says, within `scope` where there is one, and tell that they are part of `doing`."""
        super().__init__(request, workload, component, publish, trace)
        self._slow = slow
        self._doing = doing
        self._scope = scope
        self._left = MOST_SECONDS
        self._held: dict[int, float] = {}  # calls that go on, by number, and for how many seconds they were held

    async def hold(self, token: PendingCall) -> None:
        """Let people see a call before it is served."""
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
        """A call that was held began when it was served."""
        call = super()._call(token, result, error, ended)
        held = self._held.pop(call.number, 0.0)
        return call._replace(started=call.started + held, duration=call.duration - held, held=held) if held else call
