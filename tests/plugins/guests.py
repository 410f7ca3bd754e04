"""Guests for plugins: a component is bound to them as a host binds it, without the rest of a host."""

from __future__ import annotations

from pathlib import Path

from washnb.engine import Bindings, Engine, Instance, Interface, InterfaceType, Surface
from washnb.plugins import HostPlugin
from washnb.types import LocalResources
from washnb.wit import WitInterface

from .bound import Item, bind

COMPONENTS = Path(__file__).parent.parent / "components"


class GuestItem(Item):
    """A component whose imports get what plugins link."""

    def __init__(self, bindings: Bindings, resources: LocalResources) -> None:
        super().__init__(local_resources=resources)
        self.bindings = bindings

    @property
    def imports(self) -> dict[str, InterfaceType]:
        """The imports as they are declared."""
        return self.bindings.component.imports

    @property
    def surfaces(self) -> dict[str, Surface]:
        """The imports as Python classes."""
        component = self.bindings.component
        return {name: component.import_surfaces[name] for name in component.imports}

    def link(self, interface: Interface) -> None:
        """Bind `interface` to the imports that it covers."""
        served = WitInterface.parse(interface.wit)
        for name in self.imports:
            if served.covers(WitInterface.parse(name)):
                self.bindings.bind(name, interface, provider=interface.wit)


async def bound_guest(
    engine: Engine, source: str | bytes, *plugins: HostPlugin, resources: LocalResources | None = None
) -> GuestItem:
    """Compile a guest, WAT text or the name of a file in tests/components, and bind it to `plugins`."""
    given = source if isinstance(source, bytes) else COMPONENTS / f"{source}.wat"
    compiled = await engine.compile(given)
    item = GuestItem(Bindings(compiled), resources or LocalResources())
    for plugin in plugins:
        await bind(plugin, item)
    return item


async def instance_of(item: GuestItem) -> Instance:
    """Instantiate a bound guest."""
    return await Instance.new(item.bindings.component, item.bindings, label=f"{item.workload_name}/{item.component}")
