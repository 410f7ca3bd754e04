"""Skeletons of plugins: the imports of components as classes to be filled in. Runs on the host's loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Self

from washnb.engine import CompiledComponent, InterfaceType, Source, skeleton
from washnb.errors import ConfigError, WashError
from washnb.plugins import catalog
from washnb.wit import split_version

from ..arguments import closest
from ..text import Text
from .deployments import Deployments


class PluginSkeleton(Text):
    """The text of a cell that defines the class `class_name`, which serves `interface`."""

    def __new__(cls, text: str, interface: str, class_name: str) -> Self:
        """Make the text of the cell, and keep the two names."""
        made = super().__new__(cls, text)
        made.interface, made.class_name = interface, class_name
        return made

    interface: str
    class_name: str


async def skeleton_of(deployments: Deployments, wanted: str, source: Source | None) -> PluginSkeleton:
    """Write the class that serves an import of `source`, or else of the workloads that are loaded or wait.

    `wanted` is the interface, or as much of its name as is unambiguous. Where several workloads import it, the class
    has the functions of all of them. Raises ConfigError where nobody imports it.
    """
    components = await _components(deployments, source)
    name = _chosen(
        wanted, {name for each in components for name, kind in each.imports.items() if name and kind.functions}
    )
    importing = [each for each in components if name in each.imports]
    kinds = [each.imports[name] for each in importing]
    together = InterfaceType(
        name,
        {key: function for kind in kinds for key, function in kind.functions.items()},
        {key: resource for kind in kinds for key, resource in kind.resources.items()},
    )
    declared = {key: shape for each in importing for key, shape in each.named_types(name).items()}
    class_name, text = skeleton(together, declared)
    return PluginSkeleton(text, name, class_name)


async def _components(deployments: Deployments, source: Source | None) -> list[CompiledComponent]:
    if source is not None:
        return [await deployments.compiled(source)]
    found = []
    for each in deployments:
        try:
            found.append(await deployments.compiled(each.name))
        except WashError:  # the source is gone, or broken by now; the other workloads count
            continue
    return found


def _chosen(wanted: str, names: Iterable[str]) -> str:
    """The import that `wanted` names. Raises ConfigError where it names none, or several."""
    spellings = {name: _spellings(name) for name in sorted(names)}
    for rank in range(3):
        meant = [name for name, ranked in spellings.items() if wanted.lower() in ranked[rank]]
        if len(meant) == 1:
            return meant[0]
        if meant:
            raise ConfigError(
                f"{wanted} may be any of {len(meant)} imports", repair=[f"%wash plugin new {name}" for name in meant]
            )
    raise _unknown(wanted, spellings)


def _spellings(name: str) -> tuple[set[str], set[str], set[str]]:
    """The spellings of an import that are accepted: the full name, without its version, and parts of it."""
    plain, _ = split_version(name)
    package, _, interface = plain.partition("/")
    entry = catalog.by_interface(name)
    parts = {interface, package, package.partition(":")[2], plain.partition(":")[2], *(entry.words if entry else ())}
    return {name.lower()}, {plain.lower()}, {part.lower() for part in parts}


def import_parts(imports: Iterable[str]) -> list[str]:
    """Return what of the names of these imports is enough to mean one: `every` of `acme:timers/every@0.1.0`."""
    parts = Counter(part for name in imports for part in _spellings(name)[2] if part in name)
    return sorted(part for part, meant in parts.items() if part and meant == 1)


def _unknown(wanted: str, spellings: Mapping[str, tuple[set[str], set[str], set[str]]]) -> ConfigError:
    near = closest(wanted, {each for ranked in spellings.values() for each in (*ranked[1], *ranked[2])})
    if near is not None:
        repair = [f"did you mean %wash plugin new {near}?"]
    elif spellings:
        repair = [f"there is {', '.join(spellings)}"]
    else:
        repair = [
            f"%wash plugin new {wanted} --from PATH_OF_A_COMPONENT",
            "%wash load SOURCE  # it may wait for the plugin",
        ]
    return ConfigError(f"nothing here imports {wanted!r}", repair=repair)
