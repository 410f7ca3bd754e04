"""From the manifest of a workload to a bound workload: compile, give WASI, match imports with plugins, bind these."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from washnb.engine import Bindings, CompiledComponent, Engine
from washnb.errors import ConfigError, UnsatisfiedImportError
from washnb.events import EventBus, LogLine
from washnb.plugins import HostPlugin, catalog
from washnb.types import Component, Workload
from washnb.wasi import WasiContext
from washnb.wit import WitInterface

from .allowed_hosts import parse_allowed_hosts
from .component import WASI, WASI_PROVIDER, WorkloadComponent, bind_wasi
from .egress import Egress
from .grants import AttachedPlugins, granting_lines
from .resolve import Demand, Offer, Resolution, resolve, served_by_wasi
from .workload import BoundWorkload, Delivery

_LEVELS = {"stdout": "info", "stderr": "error", "host": "warn"}


class Assembler:
    """Makes bound workloads of manifests."""

    def __init__(self, engine: Engine, events: EventBus, deliver: Delivery, *, http_client: bool) -> None:
        """Compile with `engine`, and publish on `events` what components print and how compiling goes.

        `deliver` is what plugins call components with. Without `http_client` an outgoing request ends its guest, as in
        wash-runtime.
        """
        self._engine = engine
        self._events = events
        self._deliver = deliver
        self._http_client = http_client

    async def assemble(self, workload_id: str, manifest: Workload, plugins: AttachedPlugins) -> BoundWorkload:
        """Compile a workload and bind it to what is granted to it; when this raises, nothing of it is left.

        Raises:
            ConfigError: the manifest is wrong in itself, or a plugin's interface does not fit an import.
            ComponentError: bytes are no component; as UnsatisfiedImportError: a component imports what nobody serves.
            WashError: what a plugin has raised when it was bound.

        """
        _require_distinct_names(manifest)
        egress = Egress()
        components = [
            self._linked_with_wasi(manifest, component, await self._compile(component), egress)
            for component in manifest.components
        ]
        workload = BoundWorkload(workload_id, manifest, components, egress, self._deliver)
        granted = plugins.granted_to(manifest.name)
        resolution = workload.resolve(granted)
        _require_served(workload, resolution, plugins)
        await workload.lifecycle.bind(resolution.grants, granted)
        missing = {c.name: names for c in components if (names := c.bindings.unserved())}
        if missing:
            await workload.lifecycle.unbind()
            raise _unsatisfied(manifest, missing, plugins)
        for component, text in uncalled(workload, plugins):
            self._log(manifest.name, component, "host", text)
        return workload

    async def _compile(self, component: Component) -> CompiledComponent:
        return await self._engine.compile(component.bytes, name=component.name, on_progress=self._events.publish)

    def _linked_with_wasi(
        self, manifest: Workload, component: Component, compiled: CompiledComponent, egress: Egress
    ) -> WorkloadComponent:
        allowed = parse_allowed_hosts(component.local_resources.allowed_hosts)
        log = partial(self._log, manifest.name, component.name)
        send = egress.sender(allowed, component=component.name, on_denied=partial(log, "host"))
        context = WasiContext(
            environment=component.local_resources.environment,
            on_output=log,
            send=send if self._http_client else None,
        )
        bindings = Bindings(compiled)
        bind_wasi(bindings, compiled, context)
        return WorkloadComponent(manifest.name, component, compiled, bindings, context)

    def _log(self, workload: str, component: str, stream: str, line: str) -> None:
        if self._events:
            self._events.publish(LogLine(workload, component, stream, _LEVELS[stream], "", line, time.time()))


def providers(component: CompiledComponent, plugins: Iterable[HostPlugin]) -> dict[str, str | None]:
    """Return for each import of a component what would serve it: a plugin's id, `wasi`, or None for nothing."""
    offers = [Offer(plugin.id, plugin.world()) for plugin in plugins]
    grants = resolve([Demand(component.name, component.world())], offers, (), WASI).grants
    served: dict[str, str | None] = {}
    for name in (name for name in component.imports if "/" in name):
        wanted = WitInterface.parse(name)
        by_plugin = (g.plugin_id for g in grants if any(entry.covers(wanted) for entry in g.interfaces))
        served[name] = next(by_plugin, WASI_PROVIDER if served_by_wasi(wanted, WASI) else None)
    return served


def uncalled(workload: BoundWorkload, plugins: AttachedPlugins) -> list[tuple[str, str]]:
    """Return the exports that no attached plugin calls, though a known one would, as (component, sentence).

    The sentence ends with the line that attaches that plugin. A workload runs without it: its handler is not called.
    """
    name = workload.workload_name
    exports = workload.resolve(plugins.granted_to(name)).uncalled
    return [
        (component, f"exports {export}, which nobody calls: {line}")
        for component, unused in exports.items()
        for export in unused
        if (line := _calling_line(export, name, plugins))
    ]


def _calling_line(export: WitInterface, workload: str, plugins: AttachedPlugins) -> str | None:
    """Return the line by which a plugin calls an export: a grant of an attached one, else what the catalog suggests."""
    withheld = plugins.withheld_from(workload).values()
    if calling := next((plugin for plugin in withheld if plugin.world().calls(export)), None):
        return granting_lines(calling.id, workload)[0]
    return next((f"%wash attach {entry.word}" for entry in catalog.CATALOG if entry.world.calls(export)), None)


def _require_distinct_names(manifest: Workload) -> None:
    names = [component.name for component in manifest.components]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"workload {manifest.name!r} has {names.count(name)} components named {name!r}",
                workload=manifest.name,
                repair="give each component of a workload a name of its own",
            )


def _require_served(workload: BoundWorkload, resolution: Resolution, plugins: AttachedPlugins) -> None:
    manifest = workload.manifest
    if resolution.refused:
        component, entries = next(iter(resolution.refused.items()))
        names = sorted(str(entry) for entry in entries)
        raise UnsatisfiedImportError(
            f"workload component {component} requested interfaces that are not available on this host: "
            f"{{{', '.join(names)}}}",
            missing={
                name: tuple(single for entry in left for single in entry.each())
                for name, left in resolution.refused.items()
            },
            workload=manifest.name,
            repair=_serving_lines([single for entry in entries for single in entry.each()], manifest.name, plugins),
        )
    functions = {component.name: component.compiled.imports for component in workload.components.values()}
    missing = {
        component: needed
        for component, names in resolution.unserved.items()
        if (needed := tuple(name for name in names if functions[component][name].functions))
    }
    if missing:
        raise _unsatisfied(manifest, missing, plugins)


def _unsatisfied(
    manifest: Workload, missing: Mapping[str, tuple[str, ...]], plugins: AttachedPlugins
) -> UnsatisfiedImportError:
    """Return the error that names the imports that nobody serves, the attached plugins, and the lines that help."""
    names = sorted({name for imports in missing.values() for name in imports})
    lines = [f"workload {manifest.name!r} cannot start, because nobody serves {_counted(len(names))}"]
    lines += [f"component {name!r} imports {', '.join(imports)}" for name, imports in missing.items()]
    lines.append(f"attached: {', '.join(sorted(plugins.granted_to(manifest.name))) or 'nothing'}")
    if withheld := plugins.withheld_from(manifest.name):
        lines.append(f"attached, but not granted to {manifest.name}: {', '.join(sorted(withheld))}")
    repair = list(_serving_lines(names, manifest.name, plugins))
    if manifest.host_interfaces:
        repair += [f'Workload(host_interfaces=(..., WitInterface.parse("{name}")))' for name in names]
    return UnsatisfiedImportError("\n".join(lines), missing=dict(missing), workload=manifest.name, repair=tuple(repair))


def _serving_lines(names: Sequence[str], workload: str, plugins: AttachedPlugins) -> tuple[str, ...]:
    """Return the lines that would serve imports: grants of attached plugins, else what the catalog suggests."""
    lines: list[str] = []
    for name in names:
        wanted = WitInterface.parse(name)
        withheld = plugins.withheld_from(workload).values()
        serving = next((plugin for plugin in withheld if plugin.world().serves(wanted)), None)
        lines += catalog.suggestions([name]) if serving is None else granting_lines(serving.id, workload)
    return tuple(dict.fromkeys(lines))


def _counted(imports: int) -> str:
    return "an import of it" if imports == 1 else f"{imports} of its imports"
