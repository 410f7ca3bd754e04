"""Faults: what `fault` does on the host's loop, and how those that are set show themselves."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from washnb.errors import ConfigError
from washnb.host import Fault, SetFault

from ..door import Door
from ..handles import News, Told
from ..text import Table, Text, escape, one_line
from .deployments import Deployments

__all__ = ["Fault", "ShownFault", "error_cases", "fault_set", "fault_table", "faults_cleared"]


class ShownFault(Told):
    """A fault that is set. In a `with` block it is cleared at the end of the block; else `clear` does it.

    `seen` says how many calls it has looked at, `injected` how many of them it has changed; `functions` are those
    that it is about, in WIT.
    """

    def __init__(self, door: Door, fault: SetFault) -> None:
        """Show `fault`, and clear it through `door`."""
        self._door = door
        self._fault = fault
        self.news = repr(self)

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that it is about."""
        return self._fault.functions

    @property
    def seen(self) -> int:
        """How many calls it has looked at."""
        return self._fault.seen

    @property
    def injected(self) -> int:
        """How many of these it has changed."""
        return self._fault.injected

    def clear(self) -> None:
        """Let calls go their way again. One that is cleared already is left alone."""
        if not self._fault.cleared and self._door.deployments is not None:
            self._door.on_host(lambda deployments: _clear(deployments, self._fault))

    def __enter__(self) -> Self:
        """Begin the block. Raises ConfigError where it was cleared already: nothing would go wrong in it."""
        if self._fault.cleared:
            target = self._fault.fault.target
            raise ConfigError(
                f"the fault on {target} was cleared, and is over", repair=f'with wash.fault("{target}", ...):'
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.clear()

    def __repr__(self) -> str:
        counted = f"; {_state(self._fault)}" if self.seen else ""
        return one_line(f"fault on {self._fault.fault.target}: {self._fault.fault}{counted}", 300)

    def _repr_html_(self) -> str:
        return f"<div>{escape(repr(self))}</div>"


async def fault_set(deployments: Deployments, door: Door, fault: Fault) -> ShownFault:
    """Set a fault. Raises ConfigError where nothing imports its target, or it does not fit that."""
    return ShownFault(door, deployments.host.faults.add(fault))


async def error_cases(deployments: Deployments, target: str) -> tuple[str, ...]:
    """Name the errors that a fault on `target` can answer."""
    return deployments.host.faults.errors(target)


async def fault_table(deployments: Deployments) -> Table:
    """Each fault that is set: on what, how, and how often so far."""
    rows = [
        (each.fault.target, one_line(str(each.fault), 200), "\n".join(each.functions), _state(each))
        for each in deployments.host.faults
    ]
    return Table(
        ("fault on", "what happens", "functions", "so far"),
        rows,
        empty="no fault is set: %wash fault keyvalue.get --delay 0.5",
    )


async def faults_cleared(deployments: Deployments, target: str | None) -> News:
    """Take back all faults, or those on a target. Raises ConfigError where there is none on it."""
    cleared = deployments.host.faults.clear(target)
    return News(f"cleared {', '.join(each.fault.target for each in cleared)}" if cleared else "no fault was set")


async def _clear(deployments: Deployments, fault: SetFault) -> None:
    deployments.host.faults.clear(fault)


def _state(fault: SetFault) -> Text:
    counts = f"{fault.injected} of {fault.seen} calls"
    return Text(f"{counts}, cleared" if fault.cleared else f"{counts}, over" if fault.spent else counts)
