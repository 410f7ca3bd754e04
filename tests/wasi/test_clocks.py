"""wasi:clocks without a guest."""

from __future__ import annotations

import asyncio
import time

import pytest

from washnb.wasi import Pollable, Signal
from washnb.wasi.clocks import SECOND, Datetime, Deadline, MonotonicClock, Timezone, WallClock
from washnb.wasi.io import Poll

MILLISECOND = SECOND // 1000


def test_the_monotonic_clock_starts_near_zero_and_never_goes_back():
    """A guest does not learn how long the machine has been up."""
    clock = MonotonicClock()
    readings = [clock.now() for _ in range(100)]
    assert readings == sorted(readings)
    assert 0 <= readings[0] < 60 * SECOND
    assert 1 <= clock.resolution() <= SECOND


async def test_a_duration_passes_in_its_time():
    """The pollable is not ready before, and ready after; a wait ends within a few milliseconds of it."""
    clock = MonotonicClock()
    before = clock.now()
    pollable = clock.subscribe_duration(20 * MILLISECOND)
    assert not pollable.ready()
    await pollable.block()
    assert pollable.ready()
    assert 20 * MILLISECOND <= clock.now() - before < 2 * SECOND


async def test_an_instant_is_one_of_the_same_clock():
    """An instant that has passed is ready, one to come is waited for."""
    clock = MonotonicClock()
    assert clock.subscribe_instant(0).ready()
    when = clock.now() + 10 * MILLISECOND
    await clock.subscribe_instant(when).block()
    assert clock.now() >= when


async def test_the_end_of_time_can_be_waited_for():
    """The largest durations and instants of a u64 neither overflow nor end early."""
    clock = MonotonicClock()
    never = [clock.subscribe_duration(2**64 - 1), clock.subscribe_instant(2**64 - 1)]
    assert await Poll().poll([*never, clock.subscribe_duration(MILLISECOND)]) == [2]


async def test_a_cancelled_sleep_leaves_no_timer():
    """Cancelled, or overtaken by another pollable: the loop keeps nothing for it."""
    deadline = MonotonicClock().subscribe_duration(3600 * SECOND)
    waiting = asyncio.ensure_future(Poll().poll([deadline, deadline]))
    await asyncio.sleep(0)
    timers = [timer for timer in asyncio.get_running_loop()._scheduled if timer.when() > time.monotonic() + 3000]
    assert timers
    waiting.cancel()
    await asyncio.wait([waiting])
    assert all(timer.cancelled() for timer in timers)
    assert not deadline._timers


async def test_a_guest_that_polls_without_a_pause_lets_the_loop_have_turns():
    """A poll that a timer answers gives way first, so that what is polled beside it can come about at all."""
    arrived: list[bool] = []
    signal = Signal()
    pollables = [Deadline(0), Pollable(lambda: bool(arrived), signal)]
    asyncio.get_running_loop().call_soon(arrived.append, True)
    assert await Poll().poll(pollables) == [0, 1]
    assert Poll().poll(pollables[1:]) == [0]
    turns: list[bool] = []
    asyncio.get_running_loop().call_soon(turns.append, True)
    await pollables[0].block()
    assert turns


def test_the_wall_clock_tells_the_time():
    """Seconds and nanoseconds of Unix time; nanoseconds stay below a second."""
    before = time.time_ns()
    now = WallClock().now()
    assert before <= now.seconds * SECOND + now.nanoseconds <= time.time_ns()
    resolution = WallClock().resolution()
    assert (0, 0) < (resolution.seconds, resolution.nanoseconds) <= (1, 0)


@pytest.mark.parametrize(
    ("nanoseconds", "expected"),
    [(0, (0, 0)), (1_999_999_999, (1, 999_999_999)), (5 * SECOND, (5, 0)), (-1, (0, 0))],
)
def test_a_time_is_seconds_and_the_rest(nanoseconds, expected):
    """WIT has no negative seconds: a machine whose clock stands before 1970 says 1970."""
    assert (Datetime.of(nanoseconds).seconds, Datetime.of(nanoseconds).nanoseconds) == expected


def test_every_guest_lives_in_utc():
    """The zone of the host is nobody's business."""
    shown = Timezone().display(Datetime(0, 0))
    assert (shown.utc_offset, shown.name, shown.in_daylight_saving_time) == (0, "UTC", False)
    assert Timezone().utc_offset(Datetime(0, 0)) == 0
