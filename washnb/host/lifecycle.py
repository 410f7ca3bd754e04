"""The plugins that serve one workload: bound, revoked, restored, replaced and unbound, in wash-runtime's lifecycle."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

from washnb.engine import GuestTime
from washnb.errors import WashError, WorkloadFailed, spelled_out
from washnb.plugins import HostPlugin, WorkloadContext, WorkloadItem, catalog, to_its_end
from washnb.wit import WitInterface

from .component import WorkloadComponent
from .resolve import Grant
from .steps import contained

LIFECYCLE_SECONDS = 30.0
"""Seconds that a plugin may take to bind or unbind a workload, as in wash-runtime."""

SWAP_GRACE = 5.0
"""Seconds that calls in flight have to finish on a plugin that another one has replaced."""

Plugins = Mapping[str, HostPlugin]
Resolve = Callable[[Plugins], Sequence[Grant]]
"""Returns the grants of a workload: which of some plugins serves which import of it."""

_log = logging.getLogger(__name__)


class Lifecycle:
    """The plugins that a workload is bound to. One step at a time is taken, and after `unbind` no plugin is bound."""

    def __init__(
        self,
        workload: WorkloadContext,
        components: Mapping[str, WorkloadComponent],
        item: Callable[[Grant], WorkloadItem],
        resolve: Resolve,
    ) -> None:
        """Begin without plugins; `item` makes what a plugin is given to bind one component."""
        self._workload = workload
        self._components = components
        self._item = item
        self._resolve = resolve
        self._bound: dict[str, tuple[HostPlugin, tuple[Grant, ...]]] = {}
        self._replaced: list[tuple[HostPlugin, tuple[Grant, ...]]] = []
        self._lost: set[tuple[str, str]] = set()
        self._turn = asyncio.Lock()
        self._ended = False

    @property
    def plugin_ids(self) -> tuple[str, ...]:
        """The plugins that serve the workload, in the order in which they were bound."""
        return tuple(self._bound)

    @property
    def lost(self) -> tuple[str, ...]:
        """The interfaces that a plugin has served and that nothing serves now."""
        return tuple(sorted({name for _, name in self._lost}))

    def holds(self, grant: Grant) -> bool:
        """Return whether this very grant is in force; a plugin that replaces another one has grants of its own."""
        return any(each is grant for _, grants in self._bound.values() for each in grants)

    async def bind(self, grants: Sequence[Grant], plugins: Plugins) -> None:
        """Bind the plugins of `grants` to the workload, in their order, step by step as wash-runtime does.

        Raises the WashError of a plugin, and WorkloadFailed around any other exception of it; every plugin whose
        binding had begun has been unbound by then.
        """
        async with self._turn:
            await self._bind(grants, plugins)

    async def unbind(self) -> None:
        """Unbind every plugin once, the last one bound first. What a plugin raises is logged."""
        self._ended = True
        await to_its_end(self._unbind_all())

    def withdraw(self, granted: Plugins) -> list[str]:
        """Return the ids of bound plugins that are not among `granted` any more, and let their next calls fail.

        The id of a plugin that another one of the same id replaces is returned, too; its calls go on.
        """
        stale = [plugin_id for plugin_id, (plugin, _) in self._bound.items() if granted.get(plugin_id) is not plugin]
        for plugin_id in stale:
            if plugin_id not in granted:
                self._revoke(plugin_id, self._bound[plugin_id][1])
        return stale

    async def settle(self, granted: Callable[[], Plugins], *, restore: Collection[str]) -> None:
        """Unbind plugins that are not granted any more, and bind those that replace others.

        Replaced plugins stay bound until `part`: a workload that has to go back finds its state. Granted plugins of the
        ids `restore` serve again what the workload lost. `granted` is called after each step, for plugins come and go
        meanwhile. Raises what `bind` raises; interfaces that could not be bound stay revoked.
        """
        async with self._turn:
            while not self._ended:
                plugins = granted()
                if stale := self.withdraw(plugins):
                    await self._leave(stale[0], plugins)
                elif grants := self._restorable(plugins, restore):
                    await self._bind(grants, plugins)
                else:
                    return

    async def part(self) -> None:
        """Unbind the replaced plugins when the calls in flight on them have ended, or after `SWAP_GRACE` seconds."""
        async with self._turn:
            if self._replaced:
                with contextlib.suppress(TimeoutError):
                    async with GuestTime.here().limit(SWAP_GRACE):
                        for component in self._components.values():
                            await component.bindings.quiet()
            await self._part_all(self._replaced)

    def _restorable(self, plugins: Plugins, restore: Collection[str]) -> list[Grant]:
        """Return the grants of plugins in `restore` that give back lost imports, or call exports that nobody calls."""
        if not any(plugin_id in plugins and plugin_id not in self._bound for plugin_id in restore):
            return []
        return [
            grant
            for grant in self._resolve(plugins)
            if grant.plugin_id in restore
            and grant.plugin_id not in self._bound
            and (self._lost.intersection(_singles(grant)) or self._components[grant.component].exports_of(grant))
        ]

    async def _leave(self, plugin_id: str, plugins: Plugins) -> None:
        """Unbind a plugin, or replace it where `plugins` has another one of its id."""
        if plugin_id in plugins:
            await self._replace(plugin_id, plugins)
        else:
            plugin, grants = self._bound.pop(plugin_id)
            self._revoke(plugin_id, grants)
            await self._part(plugin, grants)

    async def _replace(self, plugin_id: str, plugins: Plugins) -> None:
        """Bind the plugin that has the id now. Calls in flight finish on the former one, which is bound until `part`.

        Where the new plugin cannot be bound, the former one goes on serving.
        """
        before = {component: component.bindings.table for component in self._components.values()}
        former, grants = self._bound.pop(plugin_id)
        for component in before:
            component.bindings.renew()

        def undo() -> None:
            for component, table in before.items():
                component.bindings.revert(table)

        theirs = [grant for grant in self._resolve(plugins) if grant.plugin_id == plugin_id]
        try:
            await self._bind(theirs, plugins, undo)
        except BaseException:
            self._bound[plugin_id] = (former, grants)
            raise
        _, served = self._bound.get(plugin_id, (None, ()))
        self._revoke(plugin_id, grants, but=served)
        self._replaced.append((former, grants))

    async def _bind(self, grants: Sequence[Grant], plugins: Plugins, undo: Callable[[], None] | None = None) -> None:
        """Bind the plugins of `grants`; where one fails, unbind those begun with, and revoke them or call `undo`."""
        chosen = [
            (plugins[plugin_id], tuple(grant for grant in grants if grant.plugin_id == plugin_id))
            for plugin_id in dict.fromkeys(grant.plugin_id for grant in grants)
        ]
        try:
            for plugin, theirs in chosen:
                self._bound[plugin.id] = (plugin, theirs)
                await self._bind_plugin(plugin, theirs)
            for plugin, theirs in chosen:
                for grant in theirs:
                    await self._step(plugin, "resolved", plugin.on_workload_resolved(self._workload, grant.component))
                    self._lost -= _singles(grant)
        except BaseException:
            if undo is not None:
                undo()
            for plugin, theirs in reversed(chosen):
                if undo is None:
                    self._revoke(plugin.id, theirs)
                if self._bound.pop(plugin.id, None):
                    await self._part(plugin, theirs)
            raise

    async def _bind_plugin(self, plugin: HostPlugin, grants: Sequence[Grant]) -> None:
        await self._step(plugin, "bind", plugin.on_workload_bind(self._workload, _entries(grants)))
        for grant in grants:
            await self._step(plugin, "item bind", plugin.on_workload_item_bind(self._item(grant), grant.interfaces))

    async def _unbind_all(self) -> None:
        async with self._turn:
            await self._part_all(self._replaced)
            for plugin_id in reversed(self.plugin_ids):
                await self._part(*self._bound.pop(plugin_id))

    async def _part_all(self, plugins: list[tuple[HostPlugin, tuple[Grant, ...]]]) -> None:
        while plugins:
            await self._part(*plugins.pop(0))

    async def _part(self, plugin: HostPlugin, grants: Sequence[Grant]) -> None:
        try:
            unbound = plugin.on_workload_unbind(self._workload.workload_id, _entries(grants))
            await self._step(plugin, "unbind", unbound)
        except WashError:
            _log.exception("workload %s: plugin %s failed to unbind", self._workload, plugin.id)

    def _revoke(self, plugin_id: str, grants: Iterable[Grant], but: Iterable[Grant] | None = None) -> None:
        """Let the next calls of the interfaces in `grants` fail, except those in `but`, which another plugin serves."""
        name = self._workload.workload_name
        reason = f"revoked: plugin {plugin_id!r} was detached from workload {name!r}"
        repair = f"%wash attach {catalog.word_of(plugin_id)} --to {name}"
        if but is not None:
            reason = f"revoked: the plugin that took the place of {plugin_id!r} does not serve it"
        others = tuple(but or ())
        served = {single for grant in others for single in _singles(grant)}
        for grant in grants:
            self._lost |= _singles(grant) - served
            component = self._components[grant.component]
            same = (other for other in others if other.component == grant.component)
            kept = {each for other in same for each in component.imports_of(other)}
            for each in set(component.imports_of(grant)) - kept:
                missing = f"%wash plugin new {each}  # writes a class that serves it"
                component.revoke(each, reason, repair if but is None else missing)

    async def _step(self, plugin: HostPlugin, step: str, work: Awaitable[None]) -> None:
        """Await one step of a plugin's lifecycle, bounded in time. Raises WashError, also around other exceptions."""
        name = self._workload.workload_name
        try:
            async with asyncio.timeout(LIFECYCLE_SECONDS):
                with contained():
                    await work
        except WashError:
            raise
        except TimeoutError as error:
            raise WorkloadFailed(
                f"plugin {plugin.id!r} did not finish its {step} step within {LIFECYCLE_SECONDS:.0f} s", workload=name
            ) from error
        except Exception as error:
            raise WorkloadFailed(
                f"plugin {plugin.id!r} failed in its {step} step: {spelled_out(error)}",
                workload=name,
            ) from error


def _singles(grant: Grant) -> set[tuple[str, str]]:
    """Return each interface of a grant with the name of the grant's component."""
    return {(grant.component, single) for entry in grant.interfaces for single in entry.each()}


def _entries(grants: Iterable[Grant]) -> frozenset[WitInterface]:
    return frozenset(entry for grant in grants for entry in grant.interfaces)
