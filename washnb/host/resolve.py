"""Which plugin serves which import of which component: pure functions over worlds.

The rules are those of wash-runtime's `host_interfaces`. A workload that lists none gets what its components import and
the attached plugins serve, as `wash dev` infers it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from washnb.errors import ConfigError
from washnb.wit import WitInterface, WitWorld, gathered, versions_match

WASI_VERSION = "0.2.0"
"""The version that stands for WASI in matching: every released 0.2.x is served, whichever a guest imports."""

_SERVED_BY_HTTP_HANDLER = frozenset({"incoming-handler", "outgoing-handler", "handler", "types"})


@dataclass(frozen=True)
class Demand:
    """A component as resolution sees it: its name and its world."""

    component: str
    world: WitWorld


@dataclass(frozen=True)
class Offer:
    """A plugin as resolution sees it: its id and its world."""

    plugin_id: str
    world: WitWorld


@dataclass(frozen=True)
class Grant:
    """Says that one plugin serves `interfaces` to one component, or calls them where the component exports them."""

    plugin_id: str
    component: str
    interfaces: frozenset[WitInterface]


@dataclass(frozen=True)
class Resolution:
    """What resolution has found for one workload.

    `grants` are in the order of plugin ids, then of the manifest. `unserved` maps components to imports that nothing
    serves, `refused` to entries of `host_interfaces` that no plugin takes. `uncalled` maps components to exports that
    no plugin calls; it is empty where the workload lists its `host_interfaces`.
    """

    grants: tuple[Grant, ...]
    unserved: Mapping[str, tuple[str, ...]]
    refused: Mapping[str, tuple[WitInterface, ...]]
    uncalled: Mapping[str, tuple[WitInterface, ...]]


def resolve(
    demands: Sequence[Demand],
    offers: Iterable[Offer],
    host_interfaces: Sequence[WitInterface],
    wasi: Collection[str],
) -> Resolution:
    """Match the imports of `demands` with the plugins in `offers`. `wasi` are the interfaces that every component gets.

    Raises ConfigError for an entry without interfaces, and for several named entries that ask one plugin for the same
    package.
    """
    ordered = sorted(offers, key=lambda offer: offer.plugin_id)
    refused: dict[str, tuple[WitInterface, ...]] = {}
    if host_interfaces:
        entries = _for_plugins(host_interfaces, wasi)
        asked = {demand.component: [e for e in entries if covers(demand.world, e)] for demand in demands}
        claims = {component: _claims(wanted, ordered) for component, wanted in asked.items()}
        for component, wanted in asked.items():
            if left := tuple(
                entry for entry in wanted if all(entry not in taken for taken in claims[component].values())
            ):
                refused[component] = left
    else:
        claims = {demand.component: _inferred(demand.world, ordered) for demand in demands}
    grants = tuple(
        Grant(offer.plugin_id, demand.component, frozenset(taken))
        for offer in ordered
        for demand in demands
        if (taken := claims[demand.component].get(offer.plugin_id))
    )
    unserved = {
        demand.component: missing
        for demand in demands
        if (missing := _unserved(demand, [g for g in grants if g.component == demand.component], wasi))
    }
    uncalled = {} if host_interfaces else {demand.component: _uncalled(demand, grants) for demand in demands}
    return Resolution(grants, unserved, refused, uncalled)


def covers(world: WitWorld, entry: WitInterface) -> bool:
    """Return whether `world` imports or exports every interface that `entry` names, at a matching version."""
    sides = (*world.imports, *world.exports)
    return all(any(side.covers(single) for side in sides) for single in entry.singles())


def served_by_wasi(wanted: WitInterface, wasi: Collection[str]) -> bool:
    """Return whether every interface of `wanted` is in `wasi`, which the host serves to every component."""
    return versions_match(WASI_VERSION, wanted.version) and all(
        f"{wanted.package_name}/{name}" in wasi for name in wanted.interfaces
    )


def asks_for_http(host_interfaces: Sequence[WitInterface]) -> bool:
    """Return whether a workload wants HTTP requests: it lists wasi:http/incoming-handler, or lists nothing at all."""
    return not host_interfaces or any(
        entry.package_name == "wasi:http" and "incoming-handler" in entry.interfaces for entry in host_interfaces
    )


def _for_plugins(host_interfaces: Sequence[WitInterface], wasi: Collection[str]) -> list[WitInterface]:
    """Return the entries that plugins have to serve, without those that the host itself serves.

    Raises ConfigError for an entry without interfaces, which wash-runtime would match with every plugin.
    """
    for entry in host_interfaces:
        if not entry.interfaces:
            raise ConfigError(
                f"a host interface of {entry.package_name} names no interface",
                repair=f'WitInterface.parse("{entry.package_name}/INTERFACE")',
            )
    return [
        entry
        for entry in host_interfaces
        if not (entry.package_name == "wasi:http" and entry.interfaces <= _SERVED_BY_HTTP_HANDLER)
        and not served_by_wasi(entry, wasi)
    ]


def _claims(entries: Sequence[WitInterface], offers: Sequence[Offer]) -> dict[str, list[WitInterface]]:
    """Return the entries that each plugin takes: the first one, by id, that covers an entry.

    An entry that is named like a plugin goes to that plugin only.
    """
    ids = {offer.plugin_id for offer in offers}
    taken: dict[str, list[WitInterface]] = {}
    for entry in entries:
        for offer in offers:
            if entry.name in ids and entry.name != offer.plugin_id:
                continue
            if covers(offer.world, entry):
                taken.setdefault(offer.plugin_id, []).append(entry)
                break
    for plugin_id, claimed in taken.items():
        _refuse_named_instances(plugin_id, claimed)
    return taken


def _refuse_named_instances(plugin_id: str, entries: Sequence[WitInterface]) -> None:
    named = [entry for entry in entries if entry.name is not None]
    for package, count in Counter(entry.package_name for entry in named).items():
        if count > 1:
            names = ", ".join(sorted(str(entry.name) for entry in named if entry.package_name == package))
            raise ConfigError(
                f"plugin '{plugin_id}' does not support named instances, but workload requires {count} named entries "
                f"for {package} (names: {names})",
                repair=f"ask for {package} once, without a name",
            )


def _inferred(world: WitWorld, offers: Sequence[Offer]) -> dict[str, list[WitInterface]]:
    """Return what `wash dev` would write into `host_interfaces`: per plugin, an entry for each package it can serve."""
    taken: dict[str, list[WitInterface]] = {}
    sides = [(single, False) for entry in world.imports for single in entry.singles()]
    sides += [(single, True) for entry in world.exports for single in entry.singles()]
    for single, exported in sides:
        for offer in offers:
            theirs = offer.world.exports if exported else offer.world.imports
            if any(entry.covers(single) for entry in theirs):
                taken.setdefault(offer.plugin_id, []).append(single)
                break
    return {plugin_id: [*gathered(parts)] for plugin_id, parts in taken.items()}


def _unserved(demand: Demand, grants: Sequence[Grant], wasi: Collection[str]) -> tuple[str, ...]:
    return tuple(
        str(single)
        for entry in demand.world.imports
        for single in entry.singles()
        if not served_by_wasi(single, wasi)
        and not any(granted.covers(single) for grant in grants for granted in grant.interfaces)
    )


def _uncalled(demand: Demand, grants: Sequence[Grant]) -> tuple[WitInterface, ...]:
    granted = [each for grant in grants if grant.component == demand.component for each in grant.interfaces]
    exports = (single for entry in demand.world.exports for single in entry.singles())
    return tuple(single for single in exports if not any(each.covers(single) for each in granted))
