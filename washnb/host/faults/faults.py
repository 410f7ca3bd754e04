"""The faults that are in force on a host: they stand in the binding tables, at the functions they are set on."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from washnb.engine import Injection, Intercept
from washnb.errors import ConfigError

from ..workload import BoundWorkload
from .fault import Fault
from .injected import error_cases, injection
from .jumps import goes_by
from .set_fault import SetFault
from .targets import Callee, callees, named, nothing_named, spoken, told_apart

_log = logging.getLogger(__name__)


class Faults:
    """The faults of a host, in the order in which they were added; of several on one function the first one strikes.

    A fault on an import changes what a guest is told, one on an export what the guest's callers are told. Faults hold
    for workloads that start later, too. A change takes effect at the next call, also in instances that run. Functions
    without a fault are called as before, at no cost.
    """

    def __init__(self, running: Callable[[], Iterable[BoundWorkload]]) -> None:
        """Begin without faults; `running` returns the workloads that run on the host."""
        self._running = running
        self._set: list[SetFault] = []

    def add(self, fault: Fault, *, in_place_of: SetFault | None = None) -> SetFault:
        """Set a fault, behind the others or `in_place_of` one of them, which ends.

        Raises ConfigError where no running component has the target, or where the fault does not fit its WIT type.
        """
        functions = list(callees(each for workload in self._of(fault) for each in workload.components.values()))
        targets = named(fault.target, functions)
        if not targets:
            raise nothing_named(fault.target, functions, fault.of)
        added = SetFault(fault, targets)
        for each in targets:
            try:
                injection(added, each)
            except ConfigError as error:
                error.repair += told_apart(fault.target, targets)
                raise
        if in_place_of is None:
            self._set.append(added)
        else:
            in_place_of.give_way()
            self._set = [added if each is in_place_of else each for each in self._set]
        self._change()
        return added

    def clear(self, fault: SetFault | str | None = None) -> tuple[SetFault, ...]:
        """Clear one fault, all faults on a target, or all of the host, and return those that were cleared.

        A fault that was cleared before is passed over. Raises ConfigError for a target without faults.
        """
        cleared = [each for each in self._set if fault is None or fault in (each, each.fault.target)]
        if isinstance(fault, str) and not cleared:
            targets = [each.fault.target for each in self._set]
            near = difflib.get_close_matches(fault, targets, n=1)
            raise ConfigError(
                f"no fault is set on {fault}; there are {', '.join(targets) or 'none'}",
                repair=f"%wash fault clear {near[0]}" if near else "%wash fault",
            )
        for each in cleared:
            each.clear()
        self._set = [each for each in self._set if not each.cleared]
        self._change()
        return tuple(cleared)

    def targets(self) -> tuple[str, ...]:
        """Return the names of the functions that faults can be set on, in their short form: `keyvalue.get`."""
        return tuple(chain(*spoken(self._callees())))

    def targets_by_interface(self) -> tuple[str, ...]:
        """Return these names with the interface in place of the package: `store.get`."""
        return tuple(dict.fromkeys(each.by_interface for each in self._callees()))

    def errors(self, target: str) -> tuple[str, ...]:
        """Return the error cases that a fault on `target` can name: those that all functions of the target have."""
        cases = [error_cases(each.function) for each in named(target, self._callees())]
        return tuple(name for name in chain(*cases[:1]) if all(name in each for each in cases))

    def install(self, workload: BoundWorkload) -> None:
        """Put the faults of the host into the binding tables of `workload`."""
        for component in workload.components.values():
            about = self._for(workload)
            functions = list(callees([component])) if about else []
            for exported, intercept in (
                (False, component.bindings.intercept),
                (True, component.bindings.intercept_exports),
            ):
                side = [each for each in functions if each.exported == exported]
                intercept(_intercepts([each for each in about if each.exported == exported], side))

    def __iter__(self) -> Iterator[SetFault]:
        """Yield the faults that are set, in order."""
        return iter(tuple(self._set))

    def __len__(self) -> int:
        """Return the number of faults that are set."""
        return len(self._set)

    def _callees(self) -> Iterator[Callee]:
        return callees(each for workload in self._running() for each in workload.components.values())

    def _of(self, fault: Fault) -> list[BoundWorkload]:
        """Return the running workloads that a fault is for. Raises ConfigError where none has the name it gives."""
        running = list(self._running())
        found = [each for each in running if fault.of in {"", each.workload_name, each.workload_id}]
        if fault.of and not found:
            names = [each.workload_name for each in running]
            near = difflib.get_close_matches(fault.of, names, n=1)
            raise ConfigError(
                f"no workload {fault.of!r} runs",
                workload=fault.of,
                repair=f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names) or 'none'}",
            )
        return found

    def _for(self, workload: BoundWorkload) -> list[SetFault]:
        names = {"", workload.workload_name, workload.workload_id}
        return [each for each in self._set if each.fault.of in names]

    def _change(self) -> None:
        for workload in self._running():
            self.install(workload)


def _intercepts(faults: Iterable[SetFault], functions: list[Callee]) -> dict[tuple[str, str], Intercept]:
    """Return, by interface and name of the function, what decides at each call whether a fault strikes."""
    struck: dict[tuple[str, str], list[tuple[Callable[[], bool], Injection]]] = {}

    def strike(target: Callee, strikes: Callable[[], bool], made: Injection) -> None:
        struck.setdefault((target.interface, target.function.name), []).append((strikes, made))

    for each in faults:
        for target in named(each.fault.target, functions):
            if (made := _injection(each, target)) is None:
                continue
            strike(target, each.strikes, made)
            for other in functions if each.fault.jump else ():
                if goes_by(other.label, target.label):
                    strike(other, each.has_jumped, Injection(made.mark, each.jump.wait))
    return {key: _intercept(faults) for key, faults in struck.items()}


def _injection(fault: SetFault, target: Callee) -> Injection | None:
    """Return what a fault does to a function; None, and a warning, where it does not fit.

    That happens to workloads that start later with another version of the interface.
    """
    try:
        return injection(fault, target)
    except ConfigError as error:
        _log.warning("fault on %s: %s", fault.fault.target, error)
        return None


def _intercept(faults: Iterable[tuple[Callable[[], bool], Injection]]) -> Intercept:
    kept = tuple(faults)

    def intercept() -> Injection | None:
        return next((made for strikes, made in kept if strikes()), None)

    return intercept
