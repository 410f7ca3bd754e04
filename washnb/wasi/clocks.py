"""wasi:clocks: a monotonic clock, the time of day, and UTC as the one time zone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from washnb.engine import Interface

from .io import Pollable, Signal

SECOND = 1_000_000_000
"""One second in nanoseconds, the unit of wasi:clocks."""


@dataclass(frozen=True, slots=True)
class Datetime:
    """A point in time: seconds since the beginning of 1970 in UTC, and nanoseconds on top, less than a second."""

    seconds: int
    nanoseconds: int

    @classmethod
    def of(cls, nanoseconds: int) -> Datetime:
        """Make a Datetime of nanoseconds since 1970. WIT has no time before that: a negative number becomes 0."""
        return cls(*divmod(max(0, nanoseconds), SECOND))


def _resolution(clock: Literal["monotonic", "time"]) -> int:
    """Nanoseconds of one tick of a clock of Python's, at least 1."""
    return max(1, round(time.get_clock_info(clock).resolution * SECOND))


class Deadline(Pollable):
    """A pollable that is ready once `time.monotonic_ns()` has reached an instant."""

    __slots__ = ("_timers", "_when")

    gives_way = True

    def __init__(self, when: int) -> None:
        super().__init__(lambda: time.monotonic_ns() >= when, Signal())
        self._when = when
        self._timers: dict[Callable[[], None], asyncio.TimerHandle] = {}

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called at the instant, or a little earlier, as timers are: who waits checks again then."""
        if wake not in self._timers:
            seconds = (self._when - time.monotonic_ns()) / SECOND
            self._timers[wake] = asyncio.get_running_loop().call_later(seconds, wake)

    def unwatch(self, wake: Callable[[], None]) -> None:
        """Cancel the timer of `wake`, if there is one."""
        if timer := self._timers.pop(wake, None):
            timer.cancel()


class MonotonicClock(Interface, wit="wasi:clocks/monotonic-clock@0.2.12"):
    """wasi:clocks/monotonic-clock. It starts at 0, so that no guest learns how long the machine has been running."""

    def __init__(self) -> None:
        self._start = time.monotonic_ns()

    def now(self) -> int:
        """Return the nanoseconds since this clock was made."""
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
    """wasi:clocks/wall-clock: the time of day of this machine."""

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
    """wasi:clocks/timezone: always UTC, as WIT has it for a host that does not disclose its time zone."""

    def display(self, when: Datetime) -> TimezoneDisplay:  # noqa: ARG002 - UTC has no seasons
        """Return how to show `when`."""
        return TimezoneDisplay(0, "UTC", in_daylight_saving_time=False)

    def utc_offset(self, when: Datetime) -> int:  # noqa: ARG002
        """Return the seconds to add to UTC."""
        return 0
