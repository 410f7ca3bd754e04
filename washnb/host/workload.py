"""A workload on this host: its components, compiled and linked, and the plugins that it is bound to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol
from weakref import WeakSet

from washnb.engine import Bindings, CallObserver, CompiledComponent, Instance, Interface, Limits
from washnb.errors import ConfigError, WashError, WorkloadFailed
from washnb.plugins import HostPlugin
from washnb.types import Component, LocalResources, Workload
from washnb.wasi import WasiContext
from washnb.wit import WitInterface

from .admission import Admission
from .egress import Egress
from .resolve import Grant, asks_for_http

HTTP_HANDLER = WitInterface.parse("wasi:http/incoming-handler@0.2.0")

LIFECYCLE_SECONDS = 30.0
"""How long a plugin may take to bind or unbind a workload, as in wash-runtime."""

CLOSE_SECONDS = 2.0
"""How long calls that were cancelled have to unwind when their workload stops."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class WorkloadComponent:
    """One component of a workload: its code, which Python object serves which import of it, and its WASI."""

    workload: str
    manifest: Component
    compiled: CompiledComponent
    bindings: Bindings
    wasi: WasiContext

    @property
    def name(self) -> str:
        """The component's name in its workload."""
        return self.manifest.name

    @cached_property
    def label(self) -> str:
        """What errors call it: its workload's name and its own, where they differ."""
        return self.name if self.name == self.workload else f"{self.workload}/{self.name}"

    @cached_property
    def limits(self) -> Limits | None:
        """What each instance may use; None where the manifest (-1) leaves it to the engine."""
        limit = self.manifest.local_resources.memory_limit_mb
        return None if limit < 0 else Limits(memory_mib=limit)

    @cached_property
    def http_handler(self) -> str | None:
        """The export that answers requests, in the component's own spelling; None where it has none."""
        exports = (name for name in self.compiled.exports if "/" in name)
        return next((f"{name}#handle" for name in exports if HTTP_HANDLER.covers(WitInterface.parse(name))), None)

    async def instantiate(self, observer: CallObserver | None = None) -> Instance:
        """Make a fresh instance in a store of its own."""
        return await Instance.new(self.compiled, self.bindings, limits=self.limits, observer=observer, label=self.label)


@dataclass(frozen=True, eq=False)
class BoundItem:
    """A component in the hands of one plugin: the plugins' `WorkloadItem`."""

    workload: BoundWorkload
    target: WorkloadComponent
    grant: Grant

    @property
    def workload_id(self) -> str:
        """The host's key of the workload."""
        return self.workload.workload_id

    @property
    def workload_name(self) -> str:
        """The name for people."""
        return self.workload.workload_name

    @property
    def namespace(self) -> str:
        """The namespace of the workload."""
        return self.workload.namespace

    @property
    def component(self) -> str:
        """The component's name in its workload."""
        return self.target.name

    @property
    def local_resources(self) -> LocalResources:
        """What the workload grants to the component."""
        return self.target.manifest.local_resources

    def link(self, interface: Interface) -> None:
        """Let `interface` serve every import of the component that it covers and that was granted to the plugin."""
        served = WitInterface.parse(interface.wit)
        for name in _covered(self.target, self.grant):
            if served.covers(WitInterface.parse(name)):
                self.target.bindings.bind(name, interface, provider=self.grant.plugin_id)

    @property
    def bound(self) -> bool:
        """Whether this version of the component is bound to the plugin."""
        return self.grant.plugin_id in self.workload.plugin_ids

    async def deliver(self, export: str, *arguments: object, request: int | None = None, wait: float = 0.0) -> Any:
        """Call an export of the component in a fresh instance: see `WorkloadItem`."""
        return await self.workload.deliver(self.workload, self.component, export, arguments, request=request, wait=wait)


class Delivery(Protocol):
    """What brings a plugin's call to a component: see `Dispatcher.deliver`."""

    async def __call__(
        self,
        workload: BoundWorkload,
        component: str,
        export: str,
        arguments: Sequence[object],
        *,
        request: int | None,
        wait: float,
    ) -> Any:
        """Call `export` of the version of `workload` that runs now."""


class BoundWorkload:
    """A workload whose components are compiled, and which is bound to plugins: the plugins' `WorkloadContext`."""

    def __init__(
        self,
        workload_id: str,
        manifest: Workload,
        components: Sequence[WorkloadComponent],
        egress: Egress,
        deliver: Delivery,
    ) -> None:
        """Begin unbound, and with no call in flight. `egress` is closed with the workload, `deliver` calls into it."""
        self.workload_id = workload_id
        self.manifest = manifest
        self.components: Mapping[str, WorkloadComponent] = {component.name: component for component in components}
        self.admission = Admission(manifest.name)
        self.deliver = deliver
        self._egress = egress
        self._bound: dict[str, tuple[HostPlugin, tuple[Grant, ...]]] = {}
        self._kept: WeakSet[Instance] = WeakSet()
        self._revoked: set[str] = set()

    @property
    def workload_name(self) -> str:
        """The name for people."""
        return self.manifest.name

    @property
    def namespace(self) -> str:
        """The namespace of the workload."""
        return self.manifest.namespace

    @cached_property
    def http_component(self) -> WorkloadComponent | None:
        """The component that answers HTTP requests, where that is asked for: the first exporter in the manifest."""
        if not asks_for_http(self.manifest.host_interfaces):
            return None
        exporters = [component for component in self.components.values() if component.http_handler]
        for ignored in exporters[1:]:
            _log.warning("workload %s: component %s exports wasi:http too and is ignored", self, ignored.name)
        return exporters[0] if exporters else None

    @property
    def has_revoked(self) -> bool:
        """Whether imports of it lost their plugin while it ran."""
        return bool(self._revoked)

    @property
    def plugin_ids(self) -> tuple[str, ...]:
        """The plugins that serve this workload, in the order in which they were bound."""
        return tuple(self._bound)

    async def bind(self, grants: Sequence[Grant], plugins: Mapping[str, HostPlugin]) -> None:
        """Take the workload through the lifecycle of its plugins, in their order.

        Raises WashError as the plugin raised it, WorkloadFailed around anything else; then every plugin that was begun
        with has been unbound again.
        """
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
                    await self._step(plugin, "resolved", plugin.on_workload_resolved(self, grant.component))
                    self._revoked -= set(_covered(self.components[grant.component], grant))
        except BaseException:
            for plugin, _ in reversed(chosen):
                await self._unbind_plugin(plugin.id)
            raise

    async def unbind(self) -> None:
        """Part from every plugin, once each, the last one bound first. What a plugin raises is logged.

        A caller that is cancelled meanwhile waits for the end of it all the same: its steps are bounded in time.
        """
        parting = asyncio.create_task(self._unbind_all())
        try:
            await asyncio.shield(parting)
        except asyncio.CancelledError:
            await asyncio.wait([parting])
            raise

    async def _unbind_all(self) -> None:
        for plugin_id in reversed(self.plugin_ids):
            await self._unbind_plugin(plugin_id)

    async def revoke(self, plugin: HostPlugin) -> None:
        """Take back what a plugin serves, from guests that run too: their next call to it fails."""
        bound, grants = self._bound.get(plugin.id, (None, ()))
        if bound is not plugin:
            return
        for grant in grants:
            component = self.components[grant.component]
            for name in _covered(component, grant):
                component.bindings.unbind(name, f"revoked: plugin {plugin.id!r} was detached")
                self._revoked.add(name)
        await self._unbind_plugin(plugin.id)

    async def revoke_detached(self, attached: Mapping[str, HostPlugin]) -> None:
        """Revoke what was detached while the workload was being bound."""
        for plugin, _ in tuple(self._bound.values()):
            if attached.get(plugin.id) is not plugin:
                await self.revoke(plugin)

    async def retire(self, reason: WashError, *, grace: float) -> None:
        """Close, then unbind. Cancelled, it does both at once."""
        try:
            await self.close(reason, grace=grace)
        except asyncio.CancelledError:
            await self.close(reason, grace=0.0)
            raise
        finally:
            await self.unbind()

    async def close(self, reason: WashError, *, grace: float) -> None:
        """End every call within `grace` seconds and a little more, and close what was kept open."""
        await self.admission.close(reason, grace=grace, limit=CLOSE_SECONDS)
        for instance in tuple(self._kept):
            instance.close()
        await self._egress.close()

    async def keep_instance(self, component: WorkloadComponent) -> Instance:
        """Make an instance that lives until its owner closes it, or the workload does."""
        async with self.admission.admit(None):
            instance = await component.instantiate()
            self._kept.add(instance)
        return instance

    def component(self, name: str | None) -> WorkloadComponent:
        """The component of that name; without one the first. Raises ConfigError where there is none."""
        found = next((each for each in self.components.values() if name in (None, each.name)), None)
        if found is None:
            raise ConfigError(
                f"workload {self.workload_name!r} has no component {name!r}",
                workload=self.workload_name,
                repair=f"it has {', '.join(self.components) or 'none'}",
            )
        return found

    def find_export(self, export: str) -> tuple[WorkloadComponent, str]:
        """Find the component that exports a function, and the export's full name.

        `export` is `interface@version#function`, `interface#function` or only the function, in WIT's spelling or in
        Python's. Raises ConfigError where there is none of that name, or more than one.
        """
        interface, _, function = export.rpartition("#")
        wanted = function.replace("_", "-")
        found = [
            (component, f"{name}#{wanted}" if name else wanted)
            for component in self.components.values()
            for name, exported in component.compiled.exports.items()
            if wanted in exported.functions and (not interface or interface in (name, name.partition("@")[0]))
        ]
        if len(found) == 1:
            return found[0]
        offered = [
            f"{name}#{function}" if name else function
            for component in self.components.values()
            for name, exported in component.compiled.exports.items()
            for function in exported.functions
        ]
        problem = "has no export" if not found else "has several exports"
        raise ConfigError(
            f"workload {self.workload_name!r} {problem} {export!r}",
            workload=self.workload_name,
            repair=f"it exports {', '.join(offered) or 'no function'}",
        )

    async def _bind_plugin(self, plugin: HostPlugin, grants: Sequence[Grant]) -> None:
        wanted = frozenset(entry for grant in grants for entry in grant.interfaces)
        await self._step(plugin, "bind", plugin.on_workload_bind(self, wanted))
        for grant in grants:
            item = BoundItem(self, self.components[grant.component], grant)
            await self._step(plugin, "item bind", plugin.on_workload_item_bind(item, grant.interfaces))

    async def _unbind_plugin(self, plugin_id: str) -> None:
        plugin, grants = self._bound.pop(plugin_id, (None, ()))
        if plugin is None:
            return
        wanted = frozenset(entry for grant in grants for entry in grant.interfaces)
        try:
            await self._step(plugin, "unbind", plugin.on_workload_unbind(self.workload_id, wanted))
        except WashError:
            _log.exception("workload %s: plugin %s failed to unbind", self, plugin_id)

    async def _step(self, plugin: HostPlugin, step: str, work: Awaitable[None]) -> None:
        """Run one step of a plugin's lifecycle, bounded, and make what it raises a WashError."""
        try:
            async with asyncio.timeout(LIFECYCLE_SECONDS):
                await work
        except WashError:
            raise
        except TimeoutError as error:
            raise WorkloadFailed(
                f"plugin {plugin.id!r} did not finish its {step} step within {LIFECYCLE_SECONDS:.0f} s",
                workload=self.workload_name,
            ) from error
        except Exception as error:
            raise WorkloadFailed(
                f"plugin {plugin.id!r} failed in its {step} step: {type(error).__name__}: {error}",
                workload=self.workload_name,
            ) from error

    def __str__(self) -> str:
        """Name and id."""
        return f"{self.workload_name} ({self.workload_id})"


def _covered(component: WorkloadComponent, grant: Grant) -> list[str]:
    """The imports of a component that a grant is about."""
    imports = (name for name in component.compiled.imports if "/" in name)
    return [name for name in imports if any(entry.covers(WitInterface.parse(name)) for entry in grant.interfaces)]
