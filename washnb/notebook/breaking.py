"""The methods of a session about faults, which break calls on purpose, and about snapshots, which bring state back."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from . import hosted
from .door import Door
from .handles import News
from .text import Table


class Breaking(Door, Protocol):
    """The part of a session that lets calls go wrong, and that takes and restores state."""

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
        """Let calls go wrong on purpose: `wash.fault("keyvalue.get", error="no-such-store", after=3, times=2)`.

        `target` is a function that a loaded component imports, `keyvalue.get` or `wasi:keyvalue/store#open`, or a whole
        interface, or a function that a component exports: `incoming-handler.handle` is how it answers HTTP, `adder.add`
        what `wash["adder"].add` calls. The first `after` calls go well, the next `times` calls do not (None: all that
        follow). `delay` is the time in seconds that passes before a call. In place of the call there may be one of:

        - `error`: a case of the function's WIT error, `"other(disk full)"` or its value, which the guest gets; or an
          exception, which ends the guest
        - `trap`: the guest ends
        - `value`: the function returns this
        - `jump`: a clock, `clocks.now`, is so many seconds ahead, or behind
        - `short`: a read, `io.read`, gives at most so many bytes

        `of` is the workload whose calls are meant, "" all. The fault holds until `clear_faults`, or to the end of a
        `with` block; set once more, by a cell that runs again, it begins anew. Raises ConfigError for a target that
        no loaded component has, or a fault that it cannot have.
        """
        __tracebackhide__ = True
        fault = hosted.Fault(target, error, delay, after, times, trap, value, jump, short, of)
        return self.on_host(lambda deployments: hosted.fault_set(deployments, self, fault))

    @property
    def faults(self) -> Table:
        """The faults that are set, as a table that says how often each has struck."""
        return self.on_host(hosted.fault_table)

    def clear_faults(self, target: str | None = None) -> News:
        """Clear all faults, or those on `target`, and return a line that names them."""
        __tracebackhide__ = True
        return self.on_host(lambda deployments: hosted.faults_cleared(deployments, target))

    def snapshot(self) -> hosted.ShownSnapshot:
        """Return the state that plugins keep for all workloads: keys, blobs, edited settings, in memory and in files.

        Of two snapshots, `later - earlier` is what has changed (`earlier` may be a file). The snapshot's `save(FILE)`
        writes it, and the session's `restore` brings the state back. State on NATS, which other hosts share, is left
        out and named.
        """
        __tracebackhide__ = True
        return self.on_host(hosted.snapshot_taken)

    def restore(self, snapshot: hosted.StateSnapshot | str | Path) -> News:
        """Bring the state of a snapshot back, to workloads of the same names, and say what could not be brought back.

        `snapshot` is what the method `snapshot` returned, or a file that its `save` wrote. State of workloads and
        plugins that are not in it stays as it is. Raises ConfigError for what is no snapshot.
        """
        __tracebackhide__ = True
        taken = hosted.as_snapshot(snapshot)
        return self.on_host(lambda deployments: hosted.restored(deployments, taken))
