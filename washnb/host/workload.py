"""A workload on the host: its compiled components, and the plugins that it is bound to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol
from weakref import WeakSet

from washnb.engine import Instance, Interface, InterfaceType, Surface
from washnb.errors import ConfigError, WashError
from washnb.plugins import HostPlugin
from washnb.types import LocalResources, Workload
from washnb.wit import WitInterface

from .admission import Admission
from .component import WASI, WorkloadComponent
from .egress import Egress
from .lifecycle import Lifecycle
from .resolve import Demand, Grant, Offer, Resolution, asks_for_http, resolve

CLOSE_SECONDS = 2.0
"""Seconds that cancelled calls have to unwind when their workload stops."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class BoundItem:
    """A component as one plugin sees it that is bound to it: implements `WorkloadItem`."""

    workload: BoundWorkload
    target: WorkloadComponent
    grant: Grant

    @property
    def workload_id(self) -> str:
        """The id of the workload on its host."""
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
        """The resources that the workload's manifest gives the component."""
        return self.target.manifest.local_resources

    @property
    def imports(self) -> Mapping[str, InterfaceType]:
        """The imports of the component that were granted to the plugin."""
        return {name: self.target.compiled.imports[name] for name in self.target.imports_of(self.grant)}

    @property
    def surfaces(self) -> Mapping[str, Surface]:
        """The imports that were granted to the plugin as Python classes. Making them takes milliseconds."""
        return {name: self.target.compiled.import_surfaces[name] for name in self.imports}

    def link(self, interface: Interface) -> None:
        """Let `interface` serve every import of the component that it covers and that was granted to the plugin."""
        served = WitInterface.parse(interface.wit)
        for name in self.target.imports_of(self.grant):
            if served.covers(WitInterface.parse(name)):
                self.target.bindings.bind(name, interface, provider=self.grant.plugin_id)

    @property
    def bound(self) -> bool:
        """Whether this version of the component is bound to the plugin."""
        return self.workload.lifecycle.holds(self.grant)

    async def deliver(self, export: str, *arguments: object, request: int | None = None, wait: float = 0.0) -> Any:
        """Call an export of the component in a fresh instance. See `WorkloadItem.deliver`."""
        return await self.workload.deliver(self.workload, self.component, export, arguments, request=request, wait=wait)


class Delivery(Protocol):
    """The function that brings a plugin's call to a component: `Dispatcher.deliver`."""

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
        """Call `export` in the version of `workload` that runs now, and return its result."""


class BoundWorkload:
    """A workload whose components are compiled and bound to plugins: implements `WorkloadContext`."""

    def __init__(
        self,
        workload_id: str,
        manifest: Workload,
        components: Sequence[WorkloadComponent],
        egress: Egress,
        deliver: Delivery,
    ) -> None:
        """Begin without plugins and calls. `egress` is closed with the workload; plugins call it through `deliver`."""
        self.workload_id = workload_id
        self.manifest = manifest
        self.components: Mapping[str, WorkloadComponent] = {component.name: component for component in components}
        self.admission = Admission(manifest.name)
        self.deliver = deliver
        self.lifecycle = Lifecycle(self, self.components, self._item, lambda plugins: self.resolve(plugins).grants)
        self._egress = egress
        self._kept: WeakSet[Instance] = WeakSet()

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
        """The component that answers HTTP requests, the first in the manifest that exports a handler; or None.

        None, too, where `host_interfaces` lists interfaces without wasi:http/incoming-handler.
        """
        if not asks_for_http(self.manifest.host_interfaces):
            return None
        exporters = [component for component in self.components.values() if component.http_handler]
        for ignored in exporters[1:]:
            _log.warning("workload %s: component %s exports wasi:http too and is ignored", self, ignored.name)
        return exporters[0] if exporters else None

    @property
    def plugin_ids(self) -> tuple[str, ...]:
        """The plugins that serve this workload, in the order in which they were bound."""
        return self.lifecycle.plugin_ids

    @property
    def lost(self) -> tuple[str, ...]:
        """The interfaces that a plugin has served and that nothing serves now: calls of them fail."""
        return self.lifecycle.lost

    def resolve(self, plugins: Mapping[str, HostPlugin]) -> Resolution:
        """Return which of `plugins` serves which import of the workload."""
        return resolve(
            [Demand(component.name, component.compiled.world()) for component in self.components.values()],
            [Offer(plugin.id, plugin.world()) for plugin in plugins.values()],
            self.manifest.host_interfaces,
            WASI,
        )

    async def retire(self, reason: WashError, *, grace: float) -> None:
        """Close the workload, then unbind its plugins; when cancelled, do so without the `grace`."""
        try:
            await self.close(reason, grace=grace)
        except asyncio.CancelledError:
            await self.close(reason, grace=0.0)
            raise
        finally:
            await self.lifecycle.unbind()

    async def close(self, reason: WashError, *, grace: float) -> None:
        """Give calls in flight `grace` seconds, then cancel them for `reason`; close kept instances and connections."""
        await self.admission.close(reason, grace=grace, limit=CLOSE_SECONDS)
        for instance in tuple(self._kept):
            instance.close()
        await self._egress.close()

    async def keep_instance(self, component: WorkloadComponent) -> Instance:
        """Return a fresh instance that lives until the caller closes it or the workload is closed."""
        async with self.admission.admit(None):
            instance = await component.instantiate()
            self._kept.add(instance)
        return instance

    def component(self, name: str | None) -> WorkloadComponent:
        """Return the component of that name, or the first one for None. Raises ConfigError where there is none."""
        found = next((each for each in self.components.values() if name in (None, each.name)), None)
        if found is None:
            raise ConfigError(
                f"workload {self.workload_name!r} has no component {name!r}",
                workload=self.workload_name,
                repair=f"it has {', '.join(self.components) or 'none'}",
            )
        return found

    def find_export(self, export: str) -> tuple[WorkloadComponent, str]:
        """Return the component that exports a function, and the full name of the export.

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

    def _item(self, grant: Grant) -> BoundItem:
        return BoundItem(self, self.components[grant.component], grant)

    def __str__(self) -> str:
        """Return the name and the id as text, for the log."""
        return f"{self.workload_name} ({self.workload_id})"
