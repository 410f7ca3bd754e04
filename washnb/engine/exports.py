"""Finding what is called on an instance: the plan of an export, or of the function that drops a guest's resource."""

from __future__ import annotations

from washnb.errors import ConfigError
from washnb.wit import split_version, versions_match

from .abi.plan import ExportPlan
from .abi.shapes import Function, Own, Resource
from .component import CompiledComponent
from .linker import ComponentLinker, address_of


def export_of(component: CompiledComponent, linker: ComponentLinker, export: str) -> tuple[ExportPlan, int]:
    """Return the plan of `export` and the address of its index in wasmtime; `linker` keeps both for the next call.

    `export` is what `Instance.call` takes. Raises ConfigError where the component exports no such function, or several.
    """
    known = linker.exports.get(export)
    if known is None:
        known = linker.exports[export] = _find_export(component, linker, export)
    return known


def destructor_of(
    component: CompiledComponent, linker: ComponentLinker, resource: Resource
) -> tuple[ExportPlan, int] | None:
    """Return the plan of the function that drops `resource` of a guest, and the address of its index in wasmtime.

    None where the component has no such function (see `destructors.py`).
    """
    known = linker.destructors.get(resource)
    if known is None and (name := component.code.destructors.get(resource)) is not None:
        interface = resource.key.rpartition("/")[0]
        shown = Function(f"[resource-drop]{resource.name}", (("self", Own(resource)),), None)
        index = component.code.raw.get_export_index(name)
        linker.keep(index)
        plan = ExportPlan(interface, shown, component.export_surfaces.later(interface))
        known = linker.destructors[resource] = plan, address_of(index)
    return known


def _find_export(component: CompiledComponent, linker: ComponentLinker, export: str) -> tuple[ExportPlan, int]:
    wanted, _, name = export.rpartition("#")
    plain, version = split_version(wanted)
    found = [
        interface
        for key, interface in component.exports.items()
        if name in interface.functions
        and (not wanted or split_version(key)[0] == plain)
        and versions_match(split_version(key)[1], version)
    ]
    exact = [interface for interface in found if interface.name == wanted] or found
    if len(exact) != 1:
        known = [f"{key}#{each}" if key else each for key, item in component.exports.items() for each in item.functions]
        raise ConfigError(
            f"{component.name} exports {'several' if found else 'no'} {export}",
            component=component.name,
            repair=[f"it exports {each}" for each in known],
        )
    interface = exact[0]
    plan = ExportPlan(interface.name, interface.functions[name], component.export_surfaces.later(interface.name))
    raw = component.code.raw
    parent = raw.get_export_index(interface.name) if interface.name else None
    index = raw.get_export_index(name, parent)
    linker.keep(index)
    return plan, address_of(index)
