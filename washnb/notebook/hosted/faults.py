"""Faults: `fault` on the host's loop, and how the faults that are set show themselves."""

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
    """A fault that is set. In a `with` block it is cleared at the end of the block; else `clear` clears it.

    `functions` are the functions that it is on. `seen` is the number of their calls since it was set, and `injected`
    the number of those that it has changed.
    """

    def __init__(self, door: Door, fault: SetFault, before: SetFault | None = None) -> None:
        """Show `fault`, and clear it through `door`; its news names `before`, whose place it has taken."""
        self._door = door
        self._fault = fault
        self.news = repr(self) if before is None else f"{self!r}{_in_place_of(before)}"

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of the functions that the fault is on."""
        return self._fault.functions

    @property
    def seen(self) -> int:
        """The number of calls, to functions that the fault is on, since it was set."""
        return self._fault.seen

    @property
    def injected(self) -> int:
        """The number of calls that the fault has changed."""
        return self._fault.injected

    def clear(self) -> None:
        """Clear the fault, so that calls go well again. Does nothing the second time."""
        if not self._fault.cleared and self._door.deployments is not None:
            self._door.on_host(lambda deployments: _clear(deployments, self._fault))

    def __enter__(self) -> Self:
        """Begin the block. Raises ConfigError where it was cleared already: nothing would go wrong in it.

        The fault is the block's own: an equal one that is set meanwhile does not take its place.
        """
        if self._door.deployments is not None:
            self._fault = self._door.on_host(lambda deployments: _held(deployments, self._fault))
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
    """Set a fault, in place of an equal one: a cell that is run again does not set two.

    Raises ConfigError where no component has its target, or it does not fit that.
    """
    faults = deployments.host.faults
    before = next((each for each in faults if not each.held and _is_equal(each.fault, fault)), None)
    return ShownFault(door, faults.add(fault, in_place_of=before), before)


def _is_equal(fault: Fault, other: Fault) -> bool:
    """Whether two faults read alike: two exceptions, and values such as arrays, have no equality to go by."""
    return (fault.target, str(fault)) == (other.target, str(other))


async def _held(deployments: Deployments, fault: SetFault) -> SetFault:
    """Let a block hold a fault; one that has given way to another thread's is set anew."""
    held = deployments.host.faults.add(fault.fault) if fault.given_way else fault
    held.held = True
    return held


async def error_cases(deployments: Deployments, target: str) -> tuple[str, ...]:
    """The cases of the WIT error that a fault on `target` can answer with."""
    return deployments.host.faults.errors(target)


async def fault_table(deployments: Deployments) -> Table:
    """The table of the faults that are set: target, what they do, and how often they have struck."""
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
    """Clear all faults, or those on a target. Raises ConfigError where there is none on it."""
    cleared = deployments.host.faults.clear(target)
    return News(f"cleared {', '.join(each.fault.target for each in cleared)}" if cleared else "no fault was set")


async def _clear(deployments: Deployments, fault: SetFault) -> None:
    deployments.host.faults.clear(fault)


def _in_place_of(before: SetFault) -> str:
    changed = f", which has changed {before.injected} of {before.seen} calls" if before.seen else ""
    return f"; in place of the one before{changed}"


def _state(fault: SetFault) -> Text:
    counts = f"{fault.injected} of {fault.seen} calls"
    return Text(f"{counts}, cleared" if fault.cleared else f"{counts}, over" if fault.spent else counts)
