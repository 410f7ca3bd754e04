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

    All instances of a component in a workload share one. A change takes effect at the next host call; after `renew`,
    at the next call of an export.
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
        """Let `implementation` serve the import of this name, in the component's own spelling.

        `provider` is who serves it, for traces. With `on_fiber` its functions run at once, on the guest's stack: only
        for short ones that cannot recurse; annotations of these are ours, and are not compared with the types of WIT.
        Raises ConfigError where a function is missing, takes another number of parameters than the import, or is
        annotated otherwise.
        """
        named = self.component.import_surfaces.later(import_name)
        targets = find_targets(import_name, self._functions(import_name), implementation, named, compare=not on_fiber)
        for each in targets:
            what = import_name, each.function, each.serve, each.hints
            self._enter(ImportPlan(*what, named=named, provider=provider, on_fiber=on_fiber), self.table)
        self._bound.add(import_name)

    def unbind(self, import_name: str, reason: str, repair: str | Sequence[str] = ()) -> None:
        """Take the import back.

        The next call gets `access-denied` where the function has that error, else it ends the guest with a GuestError
        that says `reason` and the lines that `repair` it.
        """
        for function in self._functions(import_name).values():
            hints = functools.partial(no_hints, len(function.params))
            what = import_name, function, _refusal(import_name, function, reason, repair), hints
            named = self.component.import_surfaces.later(import_name)
            plan = ImportPlan(*what, named=named, provider="", on_fiber=True, direct=False)
            self._enter(plan, *self._in_use())
        self._bound.discard(import_name)

    def intercept(self, intercepts: Mapping[tuple[str, str], Intercept]) -> None:
        """Let each of `intercepts`, by import and function, have a say in the calls of that function, and nobody else.

        It holds for copies too, whoever serves the function then. A function without one costs what it did.
        """
        wanted = {self.linker.slots[key]: each for key, each in intercepts.items()}
        changed = self._intercepts.keys() | wanted.keys()
        self._intercepts.clear()
        self._intercepts.update(wanted)
        for bindings in (self, *self._copies):
            for table in bindings._in_use():  # noqa: SLF001 - of the same class
                for slot in changed & table.plans.keys():
                    table.enter(slot, table.plans[slot], wanted.get(slot))

    def intercept_exports(self, intercepts: Mapping[tuple[str, str], Intercept]) -> None:
        """As `intercept`, for calls of exports: what is injected comes before the guest, or in its place."""
        self.export_intercepts.clear()
        self.export_intercepts.update((label_of(*key), each) for key, each in intercepts.items())

    def renew(self) -> None:
        """Let calls of exports that have begun finish by what is bound now: what is bound from here on is for others.

        What is taken back, and what is intercepted, they meet all the same.
        """
        self._former = [*(each for each in self._former if each.calls), self.table]
        self.table = self.table.copy()

    def revert(self, bound: Table) -> None:
        """Go back to `bound`, which was the table before `renew`, for calls that begin from now on."""
        self._former = [each for each in self._in_use() if each is not bound]
        self.table = bound
        self._bound = {self.linker.functions[slot][0] for slot, plan in bound.plans.items() if plan.callee.provider}

    async def quiet(self) -> None:
        """Wait until the calls of exports are over that had begun before `renew`."""
        former = [*self._former, *(each.table for each in self._copies)]
        await asyncio.gather(*(table.quiet() for table in former))

    def unserved(self) -> tuple[str, ...]:
        """The imports that hold a function and that nobody serves."""
        imports = self.component.imports.items()
        return tuple(name for name, interface in imports if interface.functions and name not in self._bound)

    def copy(self) -> Bindings:
        """A table with the same entries, to be bound otherwise; what `intercept` is told holds for both."""
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
        """The table, those before it that calls go by, and the one that `revert` may go back to."""
        return [*self._former, self.table]

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
    def refuse(_store: Store, _arguments: int, _results: int) -> object:
        raise GuestError(
            f"{component} called {label_of(interface, function.name)}, which nobody serves",
            component=component,
            interface=interface,
        )

    return refuse


def _refusal(interface: str, function: Function, reason: str, repair: str | Sequence[str]) -> Any:
    """What stands for a function that was taken back."""
    denied = denial(function, reason)

    def refuse(*_arguments: object) -> None:
        if denied is not None:
            raise Err(denied)
        raise GuestError(f"{label_of(interface, function.name)}: {reason}", interface=interface, repair=repair)

    return refuse


def denial(function: Function, reason: str) -> object:
    """The function's own error for a caller that may not, None where it has none that could say so."""
    error = function.result.err if isinstance(function.result, Result) else None
    if isinstance(error, Enum) and "access-denied" in error.names:
        return "access-denied"
    if isinstance(error, Variant) and "access-denied" in dict(error.cases):
        payload = dict(error.cases)["access-denied"]
        if payload is None or payload == Primitive("string"):
            return type("AccessDenied", (), {"value": reason})()
    return None
