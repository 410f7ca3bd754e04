"""What a session breaks on purpose, and how state comes back: its methods about faults and snapshots."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from . import hosted
from .door import Door
from .handles import News
from .text import Table


class Breaking(Door, Protocol):
    """The part of a session that lets calls of guests go wrong, and takes what is kept for them back."""

    def fault(
        self,
        target: str,
        *,
        error: object = None,
        delay: float = 0.0,
        after: int = 0,
        times: int | None = None,
        trap: bool = False,
        value: object = ...,
        jump: float = 0.0,
        short: int | None = None,
        of: str = "",
    ) -> hosted.ShownFault:
        """Let calls of guests go wrong: `wash.fault("keyvalue.get", error="no-such-store", after=3, times=2)`.

        `target` is a function that a loaded component imports, `keyvalue.get` or `wasi:keyvalue/store#open`, or all of
        an interface; or one that it exports: `incoming-handler.handle` is the component that answers, `adder.add` what
        `wash["adder"].add` calls. The first `after` calls go well, then `times` calls do not (None: all). `delay`
        seconds pass before a call, and in place of it there may be one of these: `error`, a case of the function's WIT
        error (`"other(disk full)"`, or a value) or an exception, which ends the guest, as `trap` does; `value`, a
        result; `jump`, a clock (`clocks.now`) that is so many seconds off; `short`, a read (`io.read`) of at most so
        many bytes. `of` is a workload, "" all. It holds until `clear_faults`, or to the end of a `with` block.
        """
        __tracebackhide__ = True
        fault = hosted.Fault(target, error, delay, after, times, trap, value, jump, short, of)
        return self.on_host(lambda deployments: hosted.fault_set(deployments, self, fault))

    @property
    def faults(self) -> Table:
        """The faults that are set, and how often each has struck."""
        return self.on_host(hosted.fault_table)

    def clear_faults(self, target: str | None = None) -> News:
        """Let calls go their way again: all, or those on a target."""
        __tracebackhide__ = True
        return self.on_host(lambda deployments: hosted.faults_cleared(deployments, target))

    def snapshot(self) -> hosted.ShownSnapshot:
        """Take what plugins keep for what is loaded: keys, blobs, edited settings, in memory and in files.

        `later - earlier` is what has changed (`earlier` may be a file), `save(FILE)` writes it, `restore` brings it
        back. What is on NATS, where other hosts share it, is left out and named.
        """
        __tracebackhide__ = True
        return self.on_host(hosted.snapshot_taken)

    def restore(self, snapshot: hosted.StateSnapshot | str | Path) -> News:
        """Bring a snapshot back, for workloads of the same names: a value of `snapshot`, or a file that it has saved.

        What is not in it stays as it is. Raises ConfigError for what is no snapshot.
        """
        __tracebackhide__ = True
        taken = hosted.as_snapshot(snapshot)
        return self.on_host(lambda deployments: hosted.restored(deployments, taken))
