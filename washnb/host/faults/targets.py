"""The targets of faults: functions that components import or export, by the names that people have for them.

keyvalue.get                      a capability's word and a function, as Python or WIT spells it
keyvalue.bucket.get, bucket.get   with the resource, where functions of several resources have the name
clocks.now                        a WASI package and a function
incoming-handler.handle           an interface without its package
adder.add                         an export, by its package or by the component that has it
wasi:keyvalue/store#open          an interface, its version or not, and a function
wasi:keyvalue/store               every function of it; so for a word alone, or `keyvalue.*`

A name that fits imports and exports means the imports.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from washnb.engine import Function, Surface, names
from washnb.errors import ConfigError
from washnb.plugins import catalog
from washnb.wit import split_version

from ..component import WorkloadComponent

_MOST_NAMES = 6


@dataclass(frozen=True, eq=False)
class Callee:
    """A function that a component imports or exports; `interface` is as the component spells it, "" for the root."""

    component: WorkloadComponent
    interface: str
    function: Function
    exported: bool = False

    @property
    def package(self) -> str:
        """The name of the package: `keyvalue` of `wasi:keyvalue/store@0.2.0-draft`."""
        return self.interface.partition(":")[2].partition("/")[0]

    @property
    def plain(self) -> str:
        """The name of the function without its kind: `bucket.get` of `[method]bucket.get`."""
        return names.without_kind(self.function.name)

    @property
    def short(self) -> str:
        """The name in messages: `keyvalue.get`; at the root `greet`, or `greeter.greet` with the exporting component.

        An export of WASI has the name of its interface, since its package has imports, too: `incoming-handler.handle`.
        """
        if self.exported and self.interface.startswith("wasi:"):
            return self.by_interface
        scope = self.package or (self.component.name if self.exported else "")
        return f"{scope}.{self._name}" if scope else self._name

    @property
    def by_interface(self) -> str:
        """The name with the interface in place of the package: `incoming-handler.handle`, `greet` at the root."""
        interface = split_version(self.interface)[0].partition("/")[2]
        return f"{interface}.{self._name}" if interface else self._name

    @property
    def _name(self) -> str:
        return names.python_name(self.plain.rpartition(".")[2])

    @property
    def label(self) -> str:
        """The name in WIT: `wasi:keyvalue/store#[method]bucket.get`."""
        interface = split_version(self.interface)[0]
        return f"{interface}#{self.function.name}" if interface else self.function.name

    @property
    def surface(self) -> Surface:
        """The Python classes of the function's types, and their names."""
        compiled = self.component.compiled
        return (compiled.export_surfaces if self.exported else compiled.import_surfaces)[self.interface]

    @property
    def scopes(self) -> frozenset[str]:
        """What a target may have before the name of the function: its interface, package, word or component, folded."""
        home = (_folded(self.component.name),) if self.exported else ()
        if not self.package:
            return frozenset({"", *home})
        interface, _ = split_version(self.interface)
        entry = catalog.by_interface(self.interface)
        words = (*entry.words, entry.plugin_id) if entry is not None else ()
        spellings = (self.interface, interface, interface.partition(":")[2], interface.partition("/")[0])
        return frozenset((*map(_folded, (*spellings, self.package, interface.partition("/")[2], *words)), *home))

    def is_called(self, name: str) -> bool:
        """Return whether `name`, folded, is that of the function: `get`, `bucket.get`, or as in WIT."""
        spellings = (self.function.name, self.plain, self.plain.rpartition(".")[2])
        return name in map(_folded, spellings)


def callees(components: Iterable[WorkloadComponent]) -> Iterator[Callee]:
    """Yield every function that `components` import, and every one that they export."""
    for component in components:
        for side in (component.compiled.imports, component.compiled.exports):
            for interface, kind in side.items():
                for function in kind.functions.values():
                    yield Callee(component, interface, function, side is component.compiled.exports)


def named(target: str, functions: Iterable[Callee]) -> list[Callee]:
    """Return those of `functions` that a target names: imports, or exports where it names no import."""
    scope, name = _parted(target)
    known = list(functions)
    found = [each for each in known if scope in each.scopes and (not name or each.is_called(name))]
    if not found and name:
        found = [each for each in known if _folded(each.plain) == _folded(target)]
    if not found and not name:
        found = [each for each in known if "" in each.scopes and each.is_called(scope)]
    return [each for each in found if not each.exported] or found


def spoken(functions: Iterable[Callee]) -> tuple[list[str], list[str]]:
    """Return the short names of the imports and of the exports; an export named like an import has its interface's."""
    known = list(functions)
    imports = dict.fromkeys(each.short for each in known if not each.exported)
    exports = (each.by_interface if each.short in imports else each.short for each in known if each.exported)
    return list(imports), list(dict.fromkeys(exports))


def nothing_named(target: str, functions: list[Callee], of: str) -> ConfigError:
    """Return the error for a target that names no function, of any workload or of `of`: with the closest, and all."""
    if not functions:
        return ConfigError(
            f"nothing is loaded that imports or exports {target}",
            repair="%wash load SOURCE  # a fault is set on what a loaded component imports or exports",
        )
    imports, exports = spoken(functions)
    near = _closest(target, imports) or _same_name(target, imports + exports) or _closest(target, exports)
    scope, _ = _parted(target)
    imports, exports = spoken([each for each in functions if scope in each.scopes] or functions)
    told = [
        f"{f'those of {of}' if of else 'loaded components'} {verb} {_listed(names)}"
        for verb, names in (("import", imports), ("export", exports))
        if names
    ]
    nobody = f"no component of {of!r}" if of else "no loaded component"
    return ConfigError(
        f"{nobody} imports or exports {target}",
        repair=[*(f"did you mean {each}?" for each in near), *told],
    )


def told_apart(target: str, functions: Iterable[Callee]) -> tuple[str, ...]:
    """Return a line that names each of the functions that a target means, where these are several."""
    labels = {each.label: each for each in functions}.values()
    plain = list(dict.fromkeys(f"{each.package}.{each.plain}" for each in labels))
    narrower = plain if len(plain) == len(labels) else [each.by_interface for each in labels]
    return (f"{target} is several functions: {_listed(narrower)}",) if len(labels) > 1 else ()


def _listed(known: list[str]) -> str:
    more = f", and {len(known) - _MOST_NAMES} more (TAB lists them)" if len(known) > _MOST_NAMES else ""
    return f"{', '.join(known[:_MOST_NAMES])}{more}"


def _closest(target: str, known: list[str]) -> list[str]:
    return difflib.get_close_matches(target.lower(), known, n=1)


def _same_name(target: str, known: list[str]) -> list[str]:
    """Return a known target with the same function name in another package, if there is one."""
    name = target.rpartition(".")[2]
    return [each for each in known if each.rpartition(".")[2] == name][:1]


def _parted(target: str) -> tuple[str, str]:
    """Return what a target has before the name of the function, and that name, which may be empty; both folded."""
    if "#" in target:
        scope, _, name = target.partition("#")
    elif "@" in target:  # a version has dots of its own
        scope, name = target, ""
    else:
        scope, _, name = target.partition(".")
    return _folded(scope), "" if name == "*" else _folded(name)


def _folded(name: str) -> str:
    return names.folded(name.strip())
