"""What instances need of their engine: wasmtime's engine, the epoch ticker and the limit of memory."""

from __future__ import annotations

import os
import threading
import weakref

from wasmtime import Engine as WasmtimeEngine

from washnb.errors import GuestError

ANOTHER_ENGINE = "Engine.builder().build()  # an engine that runs"
"""The repairing line of errors from an engine that is closed, or that a fork has inherited."""

_LINGER = 20  # ticks without a running guest before the ticker parks; a busy server never has to wake it
_PROCESS = os.getpid()
_OF_ANOTHER_PROCESS = "the engine belongs to another process, of which this one is a fork"


def is_fork() -> bool:
    """Whether this process was forked after washnb was imported. Threads, wasmtime's among them, are not in a fork."""
    return os.getpid() != _PROCESS


class Ticker:
    """A thread that advances wasmtime's epoch while guests run, at which each of them yields to its loop.

    The daemon thread starts when the engine's first guest runs, and sleeps while none does. Running guests are a set,
    not a count: after an interrupt a guest may be reported twice as no longer running.
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
        """Note that `guest`, a call's future, begins to run. Raises GuestError where the engine has ended.

        May be called in any thread, as may `leave`.
        """
        if self.ended:
            raise GuestError(self.ended, repair=ANOTHER_ENGINE)
        self._running.add(guest)
        if not self._wake.is_set():
            self._unpark()

    def leave(self, guest: int) -> None:
        """Note that `guest` has finished or waits for the host. May be called twice."""
        self._running.discard(guest)

    def stop(self) -> None:
        """End the thread. A guest that runs now is made to yield, and raises GuestError where it would run on."""
        if self.ended == _OF_ANOTHER_PROCESS:
            return
        self.ended = "the engine is closed"
        self._stopped.set()
        self._wake.set()
        thread = self._thread
        # a host function may call this on the thread of a running guest, which the ticker has yet to interrupt
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
        # a guest that came before `clear` is in `_running` by now; one that comes after it finds `_wake` unset
        if not self._running and not self._stopped.is_set():
            self._wake.wait()
        self._wake.set()


def _part_from_parent() -> None:
    """End all tickers in a fork: their threads are those of the parent process."""
    for ticker in _tickers:
        ticker.ended = _OF_ANOTHER_PROCESS


_tickers: weakref.WeakSet[Ticker] = weakref.WeakSet()
if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_part_from_parent)  # asking for the process id whenever a guest runs is slow


class Runtime:
    """A wasmtime engine with its ticker.

    `memory_limit_mib` bounds each linear memory of an instance that has no limits of its own; None: no bound.
    """

    def __init__(self, raw: WasmtimeEngine, *, epoch_interval: float, memory_limit_mib: int | None) -> None:
        self.raw = raw
        self.ticker = Ticker(raw, epoch_interval)
        self.memory_limit_mib = memory_limit_mib
        # an engine that nobody closed must not leave its thread behind
        weakref.finalize(self, self.ticker.stop)
