"""The plugins of a host, and the workloads to which each of them is granted: all, or some by name.

A grant holds for a workload's name, not for its id, and so for workloads that start later, and over a reload.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from washnb.engine import INJECTOR
from washnb.errors import ConfigError
from washnb.plugins import HostPlugin, catalog

from .component import WASI_PROVIDER

_NO_PLUGINS = frozenset({WASI_PROVIDER, INJECTOR})

EVERYONE = "all"
"""What `AttachedPlugins.grants` returns for a plugin that every workload may use."""


@dataclass
class _Granted:
    """The workloads that may use one plugin: all but `exceptions`, or only these where `to_everyone` is false."""

    to_everyone: bool = False
    exceptions: set[str] = field(default_factory=set)

    def __contains__(self, workload: str) -> bool:
        return self.to_everyone != (workload in self.exceptions)

    @property
    def is_everyone(self) -> bool:
        return self.to_everyone and not self.exceptions

    def __str__(self) -> str:
        names = ", ".join(sorted(self.exceptions))
        return (f"{EVERYONE} but {names}" if names else EVERYONE) if self.to_everyone else names or "nobody"

    def put(self, workload: str, *, granted: bool) -> None:
        if granted == self.to_everyone:
            self.exceptions.discard(workload)
        else:
            self.exceptions.add(workload)


class AttachedPlugins(Mapping[str, HostPlugin]):
    """The attached plugins by their ids. A plugin whose last grant is revoked stays, unused, until it is removed."""

    def __init__(self, plugins: Mapping[str, HostPlugin]) -> None:
        """Begin with `plugins`, granted to all workloads."""
        self._plugins = dict(plugins)
        self._granted = {plugin_id: _Granted(to_everyone=True) for plugin_id in plugins}

    def grant(self, plugin: HostPlugin, to: str | None) -> Callable[[], None]:
        """Attach a plugin, in place of one that has its id, and grant it to workloads named `to`, or to all.

        The id keeps its earlier grants. The function that is returned undoes it, unless the plugin has been
        replaced since: the plugin that had the id is attached again, with its grants, or the id is free.
        """
        before, granted = self._plugins.get(plugin.id), copy.deepcopy(self._granted.get(plugin.id))

        def undo() -> None:
            if self._plugins.get(plugin.id) is not plugin:
                return
            if before is None or granted is None:
                self.remove(plugin.id)
            else:
                self._plugins[plugin.id], self._granted[plugin.id] = before, granted

        self._plugins[plugin.id] = plugin
        if to is None:
            self._granted[plugin.id] = _Granted(to_everyone=True)
        else:
            self._granted.setdefault(plugin.id, _Granted()).put(to, granted=True)
        return undo

    def revoke(self, plugin_id: str, from_: str) -> None:
        """Revoke a plugin from workloads named `from_`. Raises ConfigError where these may not use it."""
        if not self.granted(plugin_id, from_):
            raise ConfigError(
                f"plugin {plugin_id!r} is not granted to workload {from_!r}",
                workload=from_,
                repair=f"it is granted to: {self.grants(plugin_id)}",
            )
        self._granted[plugin_id].put(from_, granted=False)

    def remove(self, plugin_id: str) -> None:
        """Detach a plugin, and forget its grants."""
        del self._plugins[plugin_id], self._granted[plugin_id]

    def granted(self, plugin_id: str, workload: str | None) -> bool:
        """Return whether workloads of that name, or without a name all, may use the plugin; False if not attached."""
        granted = self._granted.get(plugin_id)
        return granted is not None and (granted.is_everyone if workload is None else workload in granted)

    def grants(self, plugin_id: str) -> str:
        """Return in words which workloads may use a plugin: `all`, `all but shop`, `shop, counter`, `nobody`."""
        return str(self._granted[plugin_id])

    def granted_to(self, workload: str) -> dict[str, HostPlugin]:
        """Return the attached plugins that workloads of that name may use, by id."""
        return {each: plugin for each, plugin in self._plugins.items() if workload in self._granted[each]}

    def withheld_from(self, workload: str) -> dict[str, HostPlugin]:
        """Return the attached plugins that workloads of that name may not use, by id."""
        return {each: plugin for each, plugin in self._plugins.items() if workload not in self._granted[each]}

    def __getitem__(self, plugin_id: str) -> HostPlugin:
        """Return the attached plugin of that id."""
        return self._plugins[plugin_id]

    def __iter__(self) -> Iterator[str]:
        """Yield the ids, in the order in which the plugins were attached."""
        return iter(self._plugins)

    def __len__(self) -> int:
        """Return the number of attached plugins."""
        return len(self._plugins)


def require_unique(plugin: HostPlugin, attached: Mapping[str, HostPlugin]) -> None:
    """Raise ConfigError where the id of `plugin` is among those of `attached`, or stands for the host in traces."""
    if plugin.id in _NO_PLUGINS:
        raise ConfigError(
            f"plugin ID '{plugin.id}' is taken: in traces and receipts it means the host itself",
            repair=f'id = "my-{plugin.id}"  # in the class of the plugin',
        )
    if plugin.id in attached:
        raise ConfigError(
            f"Duplicate plugin ID '{plugin.id}' - plugin IDs must be unique",
            repair=f'await host.detach("{plugin.id}")  # or give one of them another id',
        )


def require_own_directories(plugins: Iterable[HostPlugin]) -> None:
    """Raise ConfigError where two of `plugins` keep their state in one directory: each would show the other's."""
    kept: dict[str, HostPlugin] = {}
    for plugin in plugins:
        if plugin.backend_kind == "file" and (other := kept.setdefault(plugin.location, plugin)) is not plugin:
            word = catalog.word_of(plugin.id)
            raise ConfigError(
                f"plugins {other.id!r} and {plugin.id!r} cannot have one directory: {plugin.location}",
                repair=f"%wash attach {word}={plugin.location}/{word}",
            )


def granting_lines(plugin_id: str, workload: str) -> tuple[str, str]:
    """Return the lines that grant an attached plugin to a workload: one for a notebook, one for a program."""
    return (
        f"%wash attach {catalog.word_of(plugin_id)} --to {workload}",
        f'await host.attach(host.plugins["{plugin_id}"], to="{workload}")',
    )
