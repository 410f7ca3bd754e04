"""A workload and its components as a host shows them to plugins, without a host and without a guest."""

from __future__ import annotations

from dataclasses import dataclass, field

from washnb.engine import InterfaceType
from washnb.plugins import HostPlugin, Interface
from washnb.types import LocalResources
from washnb.wit import WitInterface


@dataclass
class Item:
    """One component; what a plugin links is in `linked`, by the name of the WIT interface."""

    workload_id: str = "id-1"
    workload_name: str = "counter"
    namespace: str = "default"
    component: str = "main"
    local_resources: LocalResources = field(default_factory=LocalResources)
    linked: dict[str, Interface] = field(default_factory=dict)

    @property
    def imports(self) -> dict[str, InterfaceType]:
        """There is no guest, so nothing that it imports."""
        return {}

    def link(self, interface: Interface) -> None:
        """Keep what was linked."""
        self.linked[interface.wit] = interface


async def bind(plugin: HostPlugin, *items: Item, interfaces: tuple[WitInterface, ...] = ()) -> Item:
    """Bind one workload with its components as a host does, and return the first component."""
    items = items or (Item(),)
    await plugin.on_workload_bind(items[0], interfaces)
    for item in items:
        await plugin.on_workload_item_bind(item, interfaces)
    for item in items:
        await plugin.on_workload_resolved(items[0], item.component)
    return items[0]
