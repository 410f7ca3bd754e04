"""What running a guest needs of an engine: wasmtime's own engine, the epoch ticker and the limits."""

from __future__ import annotations

import os
import threading
import weakref

from wasmtime import Engine as WasmtimeEngine

from washnb.errors import GuestError

ANOTHER_ENGINE = "Engine.builder().build()  # an engine that runs"
"""What repairs a call on an engine that has ended."""

_LINGER = 20  # ticks without a guest before the ticker parks: a busy server never pays for waking it
_PROCESS = os.getpid()
_OF_ANOTHER_PROCESS = "the engine belongs to another process, of which this one is a fork"


def is_fork() -> bool:
    """Whether this process is a fork of one that had washnb loaded: no thread of it came along, wasmtime's neither."""
    return os.getpid() != _PROCESS


class Ticker:
    """Advances the epoch while guests run, so that each of them yields to the loop; parks when none does.

    One daemon thread for an engine, started when the first guest runs. Who runs is a set and not a count, so that a
    guest that is interrupted between two steps cannot leave twice.
    """

    def __init__(self, raw: WasmtimeEngine, interval: float) -> None:
        self._raw = raw
        self._interval = interval
        self.ended = ""
        """Why no guest may run any more; empty while they may."""
        self._running: set[int] = set()
        self._starting = threading.Lock()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        _tickers.add(self)

    def enter(self, guest: int) -> None:
        """Guest number `guest` begins to run. Raises GuestError after `stop`. Safe from any thread, as is `leave`."""
        if self.ended:
            raise GuestError(self.ended, repair=ANOTHER_ENGINE)
        self._running.add(guest)
        if not self._wake.is_set():
            self._unpark()

    def leave(self, guest: int) -> None:
        """Guest number `guest` has finished, or waits; to say so twice is no error."""
        self._running.discard(guest)

    def stop(self) -> None:
        """End the thread. A guest that runs at this moment comes back to its driver first, and goes no further."""
        if self.ended == _OF_ANOTHER_PROCESS:
            return
        self.ended = "the engine is closed"
        self._stopped.set()
        self._wake.set()
        thread = self._thread
        # where a guest runs, this may be the very thread that it runs on
        if thread is not None and not self._running and thread is not threading.current_thread():
            thread.join()

    @property
    def parked(self) -> bool:
        """Whether the thread sleeps until the next guest runs."""
        return not self._wake.is_set()

    def _unpark(self) -> None:
        with self._starting:
            self._wake.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._tick, name="washnb-epoch", daemon=True)
                self._thread.start()

    def _tick(self) -> None:
        idle = 0
        while not self._stopped.wait(self._interval) or self._running:
            self._raw.increment_epoch()
            idle = 0 if self._running else idle + 1
            if idle > _LINGER:
                self._park()
                idle = 0

    def _park(self) -> None:
        self._wake.clear()
        # whoever came before the clearing counts as running by now, whoever comes after it sees that it must wake
        if not self._running and not self._stopped.is_set():
            self._wake.wait()
        self._wake.set()


def _part_from_parent() -> None:
    """Tell the tickers in a fork that their engines did not come along."""
    for ticker in _tickers:
        ticker.ended = _OF_ANOTHER_PROCESS


_tickers: weakref.WeakSet[Ticker] = weakref.WeakSet()
if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_part_from_parent)  # to ask who we are at every step of a guest is slow


class Runtime:
    """A wasmtime engine with its ticker. `memory_limit_mib` bounds each guest, None leaves it to the instance."""

    def __init__(self, raw: WasmtimeEngine, *, epoch_interval: float, memory_limit_mib: int | None) -> None:
        self.raw = raw
        self.ticker = Ticker(raw, epoch_interval)
        self.memory_limit_mib = memory_limit_mib
        # an engine that nobody closed must not leave its thread behind
        weakref.finalize(self, self.ticker.stop)
