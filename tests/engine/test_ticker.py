"""The epoch ticker: it ticks while guests run and sleeps when none does."""

from __future__ import annotations

import gc
import threading
import time

import pytest

from washnb.engine import Engine
from washnb.engine.runtime import Ticker
from washnb.errors import GuestError


class Clock:
    """Stands for wasmtime's engine and counts the ticks."""

    ticks = 0

    def increment_epoch(self) -> None:
        self.ticks += 1


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def ticker(clock):
    """A fast ticker on that clock."""
    ticker = Ticker(clock, 0.001)
    yield ticker
    for guest in (1, 2):
        ticker.leave(guest)  # it ticks on for a guest that has not left, also when it was stopped
    ticker.stop()
    assert ticker._thread not in threading.enumerate()


def soon(condition) -> bool:
    """Whether something becomes true within two seconds."""
    deadline = time.monotonic() + 2
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.002)
    return condition()


def test_nothing_ticks_before_the_first_guest(ticker, clock):
    """An engine that runs nothing has no thread."""
    threads = threading.active_count()
    assert ticker.parked
    assert (clock.ticks, threading.active_count()) == (0, threads)


def test_it_ticks_while_a_guest_runs_and_parks_after_the_last(ticker, clock):
    """Two guests at once: it goes on until the second has left, lingers for some ticks, and stands still then."""
    ticker.enter(1)
    ticker.enter(2)
    ticker.leave(1)
    assert soon(lambda: clock.ticks > 30)
    assert not ticker.parked
    ticker.leave(2)
    assert soon(lambda: ticker.parked)
    still = clock.ticks
    time.sleep(0.02)
    assert clock.ticks == still


def test_it_wakes_for_the_next_guest(ticker, clock):
    """Parked is not ended."""
    ticker.enter(1)
    ticker.leave(1)
    assert soon(lambda: ticker.parked)
    still = clock.ticks
    ticker.enter(2)
    assert soon(lambda: clock.ticks > still)


@pytest.mark.parametrize("running", [True, False])
def test_stopping_ends_the_thread(ticker, running):
    """Whether it ticks or sleeps, the thread is gone when `stop` returns; a second stop is nothing."""
    before = threading.active_count()
    ticker.enter(1)
    ticker.leave(1)
    if not running:
        assert soon(lambda: ticker.parked)
    ticker.stop()
    ticker.stop()
    assert threading.active_count() == before


def test_a_stop_while_a_guest_runs_does_not_wait_for_it(ticker, clock):
    """The guest may run on the thread that stops: the ticks go on until it is off the engine, and end then."""
    before = threading.active_count()
    ticker.enter(1)
    ticker.stop()
    assert soon(lambda: clock.ticks > 0)
    ticker.leave(1)
    assert soon(lambda: threading.active_count() == before)


def test_who_leaves_twice_takes_nobody_along(ticker, clock):
    """An interrupt may come between any two steps of a driver, which then leaves once more."""
    ticker.enter(1)
    ticker.enter(2)
    ticker.leave(2)
    ticker.leave(2)
    time.sleep(0.05)
    still = clock.ticks
    assert soon(lambda: clock.ticks > still)


def test_a_stopped_ticker_never_starts_again(ticker):
    """An engine that was closed has no thread, and refuses whatever still comes in."""
    before = threading.active_count()
    ticker.stop()
    with pytest.raises(GuestError, match="the engine is closed"):
        ticker.enter(1)
    assert threading.active_count() == before


def test_many_threads_may_come_and_go(ticker, clock):
    """Who runs is known exactly under contention, so that it parks in the end."""

    def come_and_go(guest: int) -> None:
        for _ in range(2000):
            ticker.enter(guest)
            ticker.leave(guest)

    threads = [threading.Thread(target=come_and_go, args=[guest]) for guest in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert soon(lambda: ticker.parked)


def test_an_engine_that_nobody_closed_takes_its_thread_along():
    """Losing the last reference ends the ticker."""
    before = threading.active_count()
    engine = Engine.builder().with_cache_dir(None).build()
    engine.runtime.ticker.enter(1)
    engine.runtime.ticker.leave(1)
    assert threading.active_count() == before + 1
    del engine
    gc.collect()
    assert threading.active_count() == before
