"""What running a guest needs of an engine: wasmtime's own engine, the epoch ticker and the limits."""

from __future__ import annotations

import threading
import weakref

from wasmtime import Engine as WasmtimeEngine

_LINGER = 20  # ticks without a guest before the ticker parks: a busy server never pays for waking it


class Ticker:
    """Advances the epoch while guests run, so that each of them yields to the loop; parks when none does.

    One daemon thread for an engine, started when the first guest runs.
    """

    def __init__(self, raw: WasmtimeEngine, interval: float) -> None:
        self._raw = raw
        self._interval = interval
        self._lock = threading.Lock()
        self._running = 0
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def enter(self) -> None:
        """A guest begins to run. Safe from any thread, as is `leave`."""
        with self._lock:
            self._running += 1
            if self._running == 1 and not self._wake.is_set():
                self._unpark()

    def leave(self) -> None:
        """A guest has finished, or was suspended for long."""
        with self._lock:
            self._running -= 1

    def stop(self) -> None:
        """End the thread; a guest that still runs is no longer interrupted."""
        with self._lock:
            self._stopped.set()
            self._wake.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    @property
    def parked(self) -> bool:
        """Whether the thread sleeps until the next guest runs."""
        return not self._wake.is_set()

    def _unpark(self) -> None:
        self._wake.set()
        if self._thread is None and not self._stopped.is_set():
            self._thread = threading.Thread(target=self._tick, name="washnb-epoch", daemon=True)
            self._thread.start()

    def _tick(self) -> None:
        idle = 0
        while not self._stopped.wait(self._interval):
            self._raw.increment_epoch()
            idle = 0 if self._running else idle + 1
            if idle > _LINGER and self._park():
                self._wake.wait()
                idle = 0

    def _park(self) -> bool:
        with self._lock:
            if self._running == 0 and not self._stopped.is_set():
                self._wake.clear()
                return True
            return False


class Runtime:
    """A wasmtime engine with its ticker. `memory_limit_mib` bounds each guest, None leaves it to the instance."""

    def __init__(self, raw: WasmtimeEngine, *, epoch_interval: float, memory_limit_mib: int | None) -> None:
        self.raw = raw
        self.ticker = Ticker(raw, epoch_interval)
        self.memory_limit_mib = memory_limit_mib
        # an engine that nobody closed must not leave its thread behind
        weakref.finalize(self, self.ticker.stop)
