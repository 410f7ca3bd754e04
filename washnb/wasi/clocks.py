"""wasi:clocks: time since the start, time of day, and no time zone but UTC."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from washnb.engine import Interface

from .io import Pollable, Signal

SECOND = 1_000_000_000
"""In nanoseconds, the unit of all times here."""


@dataclass(frozen=True, slots=True)
class Datetime:
    """A time of day: seconds since 1970 in UTC, and nanoseconds below a second."""

    seconds: int
    nanoseconds: int

    @classmethod
    def of(cls, nanoseconds: int) -> Datetime:
        """Part nanoseconds into whole seconds and the rest. A time before 1970 has no form in WIT and becomes 1970."""
        return cls(*divmod(max(0, nanoseconds), SECOND))


def _resolution(clock: Literal["monotonic", "time"]) -> int:
    return max(1, round(time.get_clock_info(clock).resolution * SECOND))


class Deadline(Pollable):
    """Ready from an instant of `time.monotonic_ns` on."""

    __slots__ = ("_timers", "_when")

    gives_way = True

    def __init__(self, when: int) -> None:
        super().__init__(lambda: time.monotonic_ns() >= when, Signal())
        self._when = when
        self._timers: dict[Callable[[], None], asyncio.TimerHandle] = {}

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called at the instant, or a little before: who wakes looks again anyhow."""
        if wake not in self._timers:
            seconds = (self._when - time.monotonic_ns()) / SECOND
            self._timers[wake] = asyncio.get_running_loop().call_later(seconds, wake)

    def unwatch(self, wake: Callable[[], None]) -> None:
        """Cancel the timer."""
        if timer := self._timers.pop(wake, None):
            timer.cancel()


class MonotonicClock(Interface, wit="wasi:clocks/monotonic-clock@0.2.12"):
    """wasi:clocks/monotonic-clock. It starts at zero, so that a guest does not learn since when the machine runs."""

    def __init__(self) -> None:
        self._start = time.monotonic_ns()

    def now(self) -> int:
        """Return the nanoseconds since the clock began."""
        return time.monotonic_ns() - self._start

    def resolution(self) -> int:
        """Return the nanoseconds of one tick."""
        return _resolution("monotonic")

    def subscribe_instant(self, when: int) -> Pollable:
        """Return a pollable that is ready from the instant `when` of this clock on."""
        return Deadline(self._start + when)

    def subscribe_duration(self, when: int) -> Pollable:
        """Return a pollable that is ready once `when` nanoseconds have passed."""
        return Deadline(time.monotonic_ns() + when)


class WallClock(Interface, wit="wasi:clocks/wall-clock@0.2.12"):
    """wasi:clocks/wall-clock."""

    def now(self) -> Datetime:
        """Return the time of day."""
        return Datetime.of(time.time_ns())

    def resolution(self) -> Datetime:
        """Return the length of one tick."""
        return Datetime.of(_resolution("time"))


@dataclass(frozen=True, slots=True)
class TimezoneDisplay:
    """How to show a time: seconds to add to UTC, the name of the zone, whether daylight saving is on."""

    utc_offset: int
    name: str
    in_daylight_saving_time: bool


class Timezone(Interface, wit="wasi:clocks/timezone@0.2.12"):
    """wasi:clocks/timezone: always UTC, as WIT asks of a host that does not tell where it is."""

    def display(self, when: Datetime) -> TimezoneDisplay:  # noqa: ARG002 - UTC has no seasons
        """Return how to show `when`."""
        return TimezoneDisplay(0, "UTC", in_daylight_saving_time=False)

    def utc_offset(self, when: Datetime) -> int:  # noqa: ARG002
        """Return the seconds to add to UTC."""
        return 0
