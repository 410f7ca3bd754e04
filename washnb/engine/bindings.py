"""Which Python object serves which import of a component."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakSet

from washnb.errors import ConfigError, GuestError

from .abi.hints import no_hints
from .abi.plan import Handler, ImportPlan, Intercept, label_of
from .abi.shapes import Enum, Function, Primitive, Result, Variant
from .component import CompiledComponent
from .interface import Err, Interface
from .linker import linker_of
from .store import Store
from .table import Table
from .targets import find_targets


class Bindings:
    """The binding table of one component: which Python object serves which import.

    All instances of a component in a workload share one. A change takes effect at the next host call of each instance;
    what is bound after `renew` only in calls of exports that begin later.
    """

    def __init__(self, component: CompiledComponent) -> None:
        """Begin with nothing bound: every call of an import ends the guest."""
        self.component = component
        self.linker = linker_of(component)
        unserved = [_unserved(component.name, *each) for each in self.linker.functions]
        self.table = Table(unserved, unserved, {})
        self._former: list[Table] = []
        self._bound: set[str] = set()
        self._intercepts: dict[int, Intercept] = {}
        self.export_intercepts: dict[str, Intercept] = {}
        self._copies: WeakSet[Bindings] = WeakSet()

    def bind(self, import_name: str, implementation: Interface, *, provider: str, on_fiber: bool = False) -> None:
        """Let `implementation` serve the import `import_name`: its full name, with the version as the component has it.

        `provider` names the implementation in traces. With `on_fiber` its functions are called on the guest's stack:
        only for short ones that cannot recurse, as those of WASI; their annotations are not compared with WIT. Raises
        ConfigError where the component has no such import, or where a function is missing, takes another number of
        parameters, or has annotations that contradict its types in WIT.
        """
        named = self.component.import_surfaces.later(import_name)
        targets = find_targets(import_name, self._functions(import_name), implementation, named, compare=not on_fiber)
        for each in targets:
            what = import_name, each.function, each.serve, each.hints
            self._enter(ImportPlan(*what, named=named, provider=provider, on_fiber=on_fiber), self.table)
        self._bound.add(import_name)

    def unbind(self, import_name: str, reason: str, repair: str | Sequence[str] = ()) -> None:
        """Revoke the import `import_name`, also for calls of exports that have begun, and for copies of this object.

        The guest's next call of one of its functions returns `access-denied` where the function has that error case,
        else it ends the guest with a GuestError that gives `reason` and the lines of `repair`.
        """
        for function in self._functions(import_name).values():
            hints = functools.partial(no_hints, len(function.params))
            what = import_name, function, _refusal(import_name, function, reason, repair), hints
            named = self.component.import_surfaces.later(import_name)
            plan = ImportPlan(*what, named=named, provider="", on_fiber=True, direct=False)
            self._enter(plan, *self._everywhere())
        self._bound.discard(import_name)

    def intercept(self, intercepts: Mapping[tuple[str, str], Intercept]) -> None:
        """Replace all intercepts of imports by these: keys are (import, function in WIT).

        Each is asked at every call of its function, whoever serves that, also in copies of this object that exist or
        come later. A function without an intercept keeps its own handler, and is as fast as before.
        """
        wanted = {self.linker.slots[key]: each for key, each in intercepts.items()}
        changed = self._intercepts.keys() | wanted.keys()
        self._intercepts.clear()
        self._intercepts.update(wanted)
        for table in self._everywhere():
            for slot in changed & table.plans.keys():
                table.enter(slot, table.plans[slot], wanted.get(slot))

    def intercept_exports(self, intercepts: Mapping[tuple[str, str], Intercept]) -> None:
        """Replace all intercepts of exports: what one injects is done before the guest is called, or instead of it.

        Keys are (export, function in WIT). Copies of this object share them.
        """
        self.export_intercepts.clear()
        self.export_intercepts.update((label_of(*key), each) for key, each in intercepts.items())

    def renew(self) -> None:
        """Begin a new version of the table, for calls of exports that begin from now on.

        Calls that have begun finish by the version of before: `bind` does not change it any more, `unbind` and
        `intercept` do.
        """
        self._former = [*(each for each in self._former if each.calls), self.table]
        self.table = self.table.copy()

    def revert(self, bound: Table) -> None:
        """Let calls of exports that begin from now on go by `bound`: the value of `table` before `renew`."""
        self._former = [each for each in self._in_use() if each is not bound]
        self.table = bound
        self._bound = {self.linker.functions[slot][0] for slot, plan in bound.plans.items() if plan.callee.provider}

    async def quiet(self) -> None:
        """Wait until no call of an export goes by a version of the table before the last `renew`, or by a copy."""
        former = [*self._former, *(each.table for each in self._copies)]
        await asyncio.gather(*(table.quiet() for table in former))

    def unserved(self) -> tuple[str, ...]:
        """The full names of imports that have functions and that nothing is bound to."""
        imports = self.component.imports.items()
        return tuple(name for name, interface in imports if interface.functions and name not in self._bound)

    def copy(self) -> Bindings:
        """Return another binding table with the same entries, for an instance with bindings of its own.

        Intercepts are set, and imports revoked, on the original, and for its copies with it. What the original binds
        later is not in a copy.
        """
        twin = Bindings(self.component)
        twin.table = self.table.copy()
        twin._bound |= self._bound
        twin._intercepts, twin.export_intercepts = self._intercepts, self.export_intercepts
        twin._copies = self._copies
        self._copies.add(twin)
        return twin

    def _enter(self, plan: ImportPlan, *tables: Table) -> None:
        slot = self.linker.slots[plan.interface, plan.function.name]
        for table in tables:
            table.enter(slot, plan, self._intercepts.get(slot))

    def _in_use(self) -> list[Table]:
        """The table of new calls, and former ones that calls still go by or that `revert` may bring back."""
        return [*self._former, self.table]

    def _everywhere(self) -> list[Table]:
        """All tables that calls may go by: those in use here, and in the copies."""
        return [table for each in (self, *self._copies) for table in each._in_use()]  # noqa: SLF001

    def _functions(self, import_name: str) -> dict[str, Function]:
        interface = self.component.imports.get(import_name)
        if interface is None:
            raise ConfigError(
                f"{self.component.name} does not import {import_name}",
                component=self.component.name,
                interface=import_name,
                repair=[f"it imports {name}" for name in self.component.imports],
            )
        return interface.functions


def _unserved(component: str, interface: str, function: Function) -> Handler:
    """Make the handler of a function that nothing is bound to: it ends the guest with a GuestError."""

    def refuse(_store: Store, _arguments: int, _results: int) -> object:
        raise GuestError(
            f"{component} called {label_of(interface, function.name)}, which nobody serves",
            component=component,
            interface=interface,
        )

    return refuse


def _refusal(interface: str, function: Function, reason: str, repair: str | Sequence[str]) -> Any:
    """Make the target of a function whose import was revoked: it raises Err, or GuestError where WIT has no error."""
    denied = denial(function, reason)

    def refuse(*_arguments: object) -> None:
        if denied is not None:
            raise Err(denied)
        raise GuestError(f"{label_of(interface, function.name)}: {reason}", interface=interface, repair=repair)

    return refuse


def denial(function: Function, reason: str) -> object:
    """The value of the function's own `access-denied` error, with `reason` where the case has a text.

    None where its error type has no such case, or one whose payload is no string.
    """
    error = function.result.err if isinstance(function.result, Result) else None
    if isinstance(error, Enum) and "access-denied" in error.names:
        return "access-denied"
    if isinstance(error, Variant) and "access-denied" in dict(error.cases):
        payload = dict(error.cases)["access-denied"]
        if payload is None or payload == Primitive("string"):
            return type("AccessDenied", (), {"value": reason})()
    return None
