"""The faults that are in force on a host. Each stands in the binding tables of the functions that it is about."""

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

    One on an import changes what a guest is told, one on an export what its callers are. They hold for workloads that
    start later, too. A change takes effect at the next call of instances that run. A function that no fault is about
    costs nothing more.
    """

    def __init__(self, running: Callable[[], Iterable[BoundWorkload]]) -> None:
        """Begin with none; `running` are the workloads of the host at any time."""
        self._running = running
        self._set: list[SetFault] = []

    def add(self, fault: Fault, *, in_place_of: SetFault | None = None) -> SetFault:
        """Set a fault, behind the others or `in_place_of` one of them, which is over then.

        Raises ConfigError where no component that runs has its target, or it does not fit that.
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
        """Take back one fault, all on a target, or all there are, and return them. Raises ConfigError for no target.

        One that was taken back already is left alone.
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
        """Return what faults can be set on, in its short form."""
        components = (each for workload in self._running() for each in workload.components.values())
        return tuple(chain(*spoken(callees(components))))

    def errors(self, target: str) -> tuple[str, ...]:
        """Return the cases by which a fault on `target` can name its error: those that all functions of it have."""
        components = (each for workload in self._running() for each in workload.components.values())
        cases = [error_cases(each.function) for each in named(target, callees(components))]
        return tuple(name for name in chain(*cases[:1]) if all(name in each for each in cases))

    def install(self, workload: BoundWorkload) -> None:
        """Let the faults that are set be about `workload`, too."""
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
        """The faults that are set."""
        return iter(tuple(self._set))

    def __len__(self) -> int:
        """How many are set."""
        return len(self._set)

    def _of(self, fault: Fault) -> list[BoundWorkload]:
        """The workloads that a fault is about. Raises ConfigError where none that runs has the name."""
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
    """What has a say in calls of which of `functions`."""
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
    """What a fault does to a function; nothing where another version of an interface, that came later, differs."""
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
