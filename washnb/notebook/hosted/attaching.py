"""`attach` and `detach`: plugins made of words and classes, on the backends that were asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from washnb.errors import ConfigError
from washnb.host import EVERYONE, Host
from washnb.plugins import (
    Ask,
    Asking,
    HostPlugin,
    NatsServer,
    PerWorkload,
    RegisteredPlugin,
    Unserved,
    as_plugin,
    catalog,
    layers,
    unwrapped,
)
from washnb.wit import WitInterface

from ..backends import ASK, BACKEND_LINES, Terms, Wanted
from ..handles import ToldTable
from .deployments import Deployments
from .reading import place_of, server_of
from .reports import plugin_table

_Former = tuple[PerWorkload[Any], Mapping[str, Any]]
"""A plugin that is replaced, and the objects that it keeps, by workload id."""

_ALL = "all"
_LOCAL = "nats"
"""The backend that is the NATS server of this session."""


async def attached(deployments: Deployments, wanted: Sequence[Wanted], terms: Terms) -> ToldTable:
    """Attach plugins, each in place of the one with its id; return the table of plugins with a line on what changed.

    What is attached already stays, so that a cell can be run twice: the same word on the same backend, the same object,
    the same class. A class is another one after the cell that defines it has run again. Raises ConfigError.
    """
    host = deployments.host
    told: dict[str, list[str]] = {}
    made = [plugin for each in wanted for plugin in _plugins(deployments, each, terms)]
    plugins = [*{plugin.id: plugin for plugin in made}.values()]  # the last of an id: keyvalue=memory behind all=
    _require_effect(plugins, terms)
    for plugin in plugins:
        before = host.plugins.get(plugin.id)
        if before is not plugin or not host.granted(plugin.id, terms.to):
            told.setdefault(_terms(plugin, before, terms), []).append(plugin.id)
    lost, formers = _lost(host), _formers(host, plugins)
    missed = {each.name: each.missing for each in deployments}
    started = await deployments.attach(plugins, terms.to)
    news = [f"attached {', '.join(ids)}{rest}" for rest, ids in told.items()]
    if not told and not started:
        news.append(f"attached nothing: {_as_it_was(host, plugins, terms.to)}")
    news += _gone(host, formers)
    news += _still_served(host, [plugin for plugin in plugins if host.plugins.get(plugin.id) is plugin], terms.to)
    news += _nobody_yet(deployments, terms.to)
    news += [f"{name} is running" for name in started]
    waiting = (each for each in deployments if each.missing and each.missing != missed.get(each.name))
    news += [f"{each.name} still waits for {', '.join(each.missing)}" for each in waiting]
    news += [f"{each.name} waits: {each.error.message}" for each in deployments if each.error and not each.missing]
    news += [f"{name} has lost {interface}" for name, interface in _lost(host) if (name, interface) not in lost]
    table = await plugin_table(deployments)
    return table.saying("; ".join(news))


def _lost(host: Host) -> list[tuple[str, str]]:
    """The imports that running workloads have lost, as pairs of workload and interface."""
    return [(summary.name, interface) for summary in host.workloads() for interface in summary.lost]


def _still_served(host: Host, plugins: Sequence[HostPlugin], to: str | None) -> list[str]:
    """Say which running workloads go on with another plugin for what the attached `plugins` serve, and the way over."""
    told, running = [], [each for each in host.workloads() if to in (None, each.name)]
    for plugin in plugins:
        offered = [each for entry in plugin.world().imports for each in entry.singles()]
        for other_id, other in host.plugins.items():
            served = [str(each) for each in offered if other.world().serves(each)]
            users = [each.name for each in running if other_id in each.plugins and plugin.id not in each.plugins]
            if served and users and other_id != plugin.id:
                way = "; ".join([f"%wash detach {other_id}", *(f"%wash reload {name}" for name in users)])
                told.append(f"{', '.join(users)} goes on with {other_id} for {', '.join(served)} ({way})")
    return told


def _formers(host: Host, plugins: Sequence[HostPlugin]) -> list[_Former]:
    """Return those that `plugins` are about to replace, and which keep objects for workloads in this process."""
    replaced = ((plugin, host.plugins.get(plugin.id)) for plugin in plugins)
    formers = [unwrapped(former) for plugin, former in replaced if former is not None and former is not plugin]
    return [
        (each, each.states_by_workload())
        for each in formers
        if isinstance(each, PerWorkload) and not each.state_is_shared
    ]


def _gone(host: Host, formers: Sequence[_Former]) -> list[str]:
    """Say what has gone with each plugin that was replaced, and how it is kept."""
    names = {summary.workload_id: summary.name for summary in host.workloads()}
    told = []
    for former, states in formers:
        plugin = unwrapped(host.plugins[former.id])
        now = plugin.states_by_workload() if isinstance(plugin, PerWorkload) else {}
        amounts = {each: former.amount_of_state(state) for each, state in states.items() if now.get(each) is not state}
        gone = [f"{amount} of {names[each]}" for each, amount in amounts.items() if amount and each in names]
        told += [f"gone with the one before: {', '.join(gone)}{_keeping(plugin, former)}"] if gone else []
    return told


def _keeping(plugin: HostPlugin, former: HostPlugin) -> str:
    """Return the line that keeps the state of `former` in `plugin` the next time; "" where none does."""
    if isinstance(plugin, type(former)) and type(plugin) is not type(former):
        return f" (`def adopt(self, former): self.take_over(former)` in class {type(plugin).__name__} keeps it)"
    if isinstance(plugin, PerWorkload) and not plugin.state_is_shared and type(former).dump is not HostPlugin.dump:
        return " (kept by `before = wash.snapshot()` ahead of it, and `wash.restore(before)` behind it)"
    return ""


def made_by_word(wanted: Wanted) -> Wanted:
    """Make the plugin of another package that a word names, in the caller's thread. Raises ConfigError."""
    entry = catalog.by_word(wanted.subject) if isinstance(wanted.subject, str) and wanted.backend is None else None
    return replace(wanted, made=entry.create()) if isinstance(entry, RegisteredPlugin) else wanted


async def attached_as(deployments: Deployments, subject: object) -> HostPlugin | None:
    """The attached plugin that was made of the class `subject`, is that object, or wraps it; None where none is."""
    plugins = deployments.host.plugins.values()
    return next((plugin for plugin in plugins if any(_made_of(each, subject) for each in layers(plugin))), None)


async def detached(deployments: Deployments, plugin: object, from_: str | None) -> ToldTable:
    """Take a plugin away from all workloads or from one, by its word or id, or by what `attach` was given."""
    asked = plugin if isinstance(plugin, str) else (await attached_as(deployments, plugin) or as_plugin(plugin)).id
    plugin_id = await deployments.detach(asked, from_)
    news = [f"detached {plugin_id}"]
    if from_ is not None:
        news = [f"detached {plugin_id} from {from_}: it is granted to {deployments.host.grants(plugin_id)}"]
    news += _nobody_yet(deployments, from_)
    table = await plugin_table(deployments)
    return table.saying("; ".join(news))


def _as_it_was(host: Host, plugins: Sequence[HostPlugin], to: str | None) -> str:
    """Say that the plugins are attached, or granted, already."""
    if to is None:
        return "it is attached already"
    grants = dict.fromkeys(host.grants(plugin.id) for plugin in plugins)
    return f"it is granted to {'; '.join(grants)} already"


def _nobody_yet(deployments: Deployments, name: str | None) -> list[str]:
    """Say that no workload is called `name` yet: the grant is for one that may be loaded later."""
    return [] if name in {None, *deployments.names} else [f"no workload is called {name} yet"]


def _plugins(deployments: Deployments, wanted: Wanted, terms: Terms) -> list[HostPlugin]:
    """Make the plugins that are wanted, or find those that are attached already. Raises ConfigError."""
    attached = deployments.host.plugins
    subject = wanted.subject
    if wanted.backend == ASK or isinstance(wanted.backend, Ask):
        return _asking(deployments, wanted)
    if not isinstance(subject, str):
        there = next((plugin for plugin in attached.values() if _made_of(plugin, subject)), None)
        return [wanted.made or there or as_plugin(subject)]
    if wanted.made is not None:
        plugin = _unasked(attached.get(wanted.made.id)) or wanted.made
        deployments.registered[subject] = plugin.id
        return [plugin]
    place = None if wanted.backend is None else _place(deployments, wanted, terms)
    if subject.lower() == _ALL:
        return [_of_entry(entry, _theirs(entry, place), attached) for entry in catalog.CATALOG]
    return [_of_entry(catalog.find(subject), place, attached)]


def _of_entry(entry: catalog.Entry, place: catalog.Backend | None, attached: Mapping[str, HostPlugin]) -> HostPlugin:
    if place is None:
        return _unasked(attached.get(entry.plugin_id)) or entry.create()
    made = entry.create(place)
    there = _unasked(attached.get(made.id))
    return there if there is not None and _same(there, made) else made


def _asking(deployments: Deployments, wanted: Wanted) -> list[HostPlugin]:
    """Wrap the plugin that serves a word or an interface, or would, so that its calls are asked of somebody."""
    answerer = wanted.backend if isinstance(wanted.backend, Ask) else deployments.questions
    found = []
    for plugin in _served_by(deployments, str(wanted.subject)):
        there = deployments.host.plugins.get(plugin.id)
        same = isinstance(there, Asking) and there.answerer == answerer
        found.append(there if there is not None and same else Asking(plugin, answerer))
    return found


def _served_by(deployments: Deployments, subject: str) -> list[HostPlugin]:
    attached = deployments.host.plugins
    if subject.lower() == _ALL:
        return [_of_entry(entry, None, attached) for entry in catalog.CATALOG]
    if ":" not in subject:
        own = _unasked(attached.get(subject))
        return [own or _of_entry(catalog.find(subject), None, attached)]
    interface = WitInterface.parse(subject)
    serving = next((each for each in attached.values() if each.world().serves(interface)), None)
    entry = catalog.by_interface(subject)
    if serving is None and entry is not None:
        return [_of_entry(entry, None, attached)]
    return [_unasked(serving) or Unserved(subject)]


def _unasked(plugin: HostPlugin | None) -> HostPlugin | None:
    """The plugin inside of one whose calls are asked of somebody; any other plugin as it is."""
    return plugin.wrapped if isinstance(plugin, Asking) else plugin


def _theirs(entry: catalog.CatalogEntry, place: catalog.Backend | None) -> catalog.Backend | None:
    """The backend for one capability out of one given for `all`; None where the capability has no such backend."""
    if place is None or catalog.kind_of(place) not in entry.backends:
        return None
    return place / entry.word if isinstance(place, Path) else place


def _place(deployments: Deployments, wanted: Wanted, terms: Terms) -> catalog.Backend:
    """Read a backend. Plugins at the same URL with the same rights share one connection."""
    backend = deployments.local_nats.url if wanted.backend == _LOCAL else wanted.backend
    if not isinstance(backend, str | Path | NatsServer):
        raise ConfigError(f"{wanted.subject}={backend!r:.60} is no backend", repair=BACKEND_LINES)
    place = catalog.backend_of(backend)
    if isinstance(backend, str) and isinstance(place, NatsServer):
        rights = {name: True for name, given in (("write", terms.write), ("join", terms.join)) if given}
        place = catalog.backend_of(backend, **rights)
        assert isinstance(place, NatsServer)
        place = deployments.servers.setdefault((backend, place.writes, place.joins), place)
    return place


def _require_effect(plugins: Sequence[HostPlugin], terms: Terms) -> None:
    if (terms.write or terms.join) and not any(server_of(plugin) for plugin in plugins):
        raise ConfigError(
            "--write and --join say what is done at a NATS server, and nothing here is attached to one",
            repair="%wash attach keyvalue=nats://HOST:PORT --write",
        )


def _made_of(plugin: HostPlugin, subject: object) -> bool:
    return plugin is subject or type(plugin) is subject or plugin.interfaces == (subject,)


def _same(one: HostPlugin, other: HostPlugin) -> bool:
    return type(one) is type(other) and one.location == other.location and server_of(one) is server_of(other)


def _terms(plugin: HostPlugin, before: HostPlugin | None, terms: Terms) -> str:
    """Say on which backend a plugin is attached, to which workload, and in place of which plugin."""
    replaces = before is not None and before is not plugin
    words = [""]
    if isinstance(plugin, Asking) or isinstance(before, Asking):
        return ", which asks" if isinstance(plugin, Asking) else ", which answers by itself again"
    if plugin.location and (plugin.backend_kind != "memory" or replaces):
        words.append(f"on {place_of(plugin)}")
    if terms.to is not None or before is plugin:
        words.append(f"to {terms.to or EVERYONE}")
    if before is not None and replaces:
        elsewhere = before.location and before.location != plugin.location
        words.append(f"in place of {before.location if elsewhere else 'the one before'}")
    return " ".join(words)
