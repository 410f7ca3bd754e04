"""What a fault is set on: the functions that components import, by the names that people have for them.

keyvalue.get                      a capability's word and a function, as Python or WIT spells it
keyvalue.bucket.get               the same, where functions of several resources have the name
clocks.now                        of a WASI package
wasi:keyvalue/store#open          an interface, its version or not, and a function
wasi:keyvalue/store               every function of it; so for a word alone
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from washnb.engine import Function, names
from washnb.errors import ConfigError
from washnb.plugins import catalog
from washnb.wit import split_version

from .component import WorkloadComponent

_MOST_NAMES = 6


@dataclass(frozen=True, eq=False)
class Imported:
    """A function that a component imports; `interface` is the component's own spelling, "" for the root."""

    component: WorkloadComponent
    interface: str
    function: Function

    @property
    def package(self) -> str:
        """`keyvalue` of `wasi:keyvalue/store@0.2.0-draft`."""
        return self.interface.partition(":")[2].partition("/")[0]

    @property
    def plain(self) -> str:
        """The function without its kind: `bucket.get` of `[method]bucket.get`."""
        return self.function.name.rpartition("]")[2]

    @property
    def short(self) -> str:
        """How messages call it: `keyvalue.get`, `greet` at the root."""
        name = names.python_name(self.plain.rpartition(".")[2])
        return f"{self.package}.{name}" if self.package else name

    @property
    def label(self) -> str:
        """How WIT calls it: `wasi:keyvalue/store#[method]bucket.get`."""
        interface = split_version(self.interface)[0]
        return f"{interface}#{self.function.name}" if interface else self.function.name

    @property
    def scopes(self) -> frozenset[str]:
        """What may stand before its name."""
        if not self.package:
            return frozenset({""})
        interface, _ = split_version(self.interface)
        entry = catalog.by_interface(self.interface)
        words = (*entry.words, entry.plugin_id) if entry is not None else ()
        spellings = (self.interface, interface, interface.partition(":")[2], interface.partition("/")[0])
        return frozenset(map(_folded, (*spellings, self.package, interface.partition("/")[2], *words)))

    def is_called(self, name: str) -> bool:
        """Whether `name`, folded, is the function: `get`, `bucket.get`, or as in WIT."""
        spellings = (self.function.name, self.plain, self.plain.rpartition(".")[2])
        return name in map(_folded, spellings)


def imported(components: Iterable[WorkloadComponent]) -> Iterator[Imported]:
    """Yield every function that these components import."""
    for component in components:
        for interface, kind in component.compiled.imports.items():
            for function in kind.functions.values():
                yield Imported(component, interface, function)


def named(target: str, functions: Iterable[Imported]) -> list[Imported]:
    """Return those of `functions` that a target names."""
    scope, name = _parted(target)
    within = [each for each in functions if scope in each.scopes]
    if not name:
        return within or [each for each in functions if each.scopes == {""} and each.is_called(scope)]
    return [each for each in within if each.is_called(name)]


def nothing_named(target: str, functions: list[Imported]) -> ConfigError:
    """Make the error for a target that no component imports: what is close to it, and what there is."""
    if not functions:
        return ConfigError(
            f"nothing is loaded that imports {target}",
            repair="%wash load SOURCE  # a fault is set on what a loaded component imports",
        )
    known = list(dict.fromkeys(each.short for each in functions))
    near = difflib.get_close_matches(target.lower(), known, n=1) or _same_name(target, known)
    scope, _ = _parted(target)
    within = list(dict.fromkeys(each.short for each in functions if scope in each.scopes)) or known
    more = f", and {len(within) - _MOST_NAMES} more (TAB lists them)" if len(within) > _MOST_NAMES else ""
    told = f"loaded components import {', '.join(within[:_MOST_NAMES])}{more}"
    return ConfigError(
        f"no loaded component imports {target}", repair=[*(f"did you mean {each}?" for each in near), told]
    )


def _same_name(target: str, known: list[str]) -> list[str]:
    """What has the function's name in another package."""
    name = target.rpartition(".")[2]
    return [each for each in known if each.rpartition(".")[2] == name][:1]


def _parted(target: str) -> tuple[str, str]:
    """Part a target into what stands before the function and the function, which may be missing; both folded."""
    if "#" in target:
        scope, _, name = target.partition("#")
    elif "@" in target:  # a version has dots of its own
        scope, name = target, ""
    else:
        scope, _, name = target.partition(".")
    return _folded(scope), _folded(name)


def _folded(name: str) -> str:
    return names.folded(name.strip())
