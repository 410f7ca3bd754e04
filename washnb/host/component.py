"""One component of a workload: its code, and what serves its imports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from washnb.engine import Bindings, CallObserver, CompiledComponent, Instance, Limits
from washnb.types import Component
from washnb.wasi import WasiContext, wasi_interfaces
from washnb.wit import WitInterface, split_version

from .resolve import Grant, served_by_wasi

HTTP_HANDLER = WitInterface.parse("wasi:http/incoming-handler@0.2.0")

WASI = frozenset(wasi_interfaces(WasiContext()))
"""The interfaces of WASI that every component may import, without versions."""

WASI_PROVIDER = "wasi"


@dataclass(frozen=True, eq=False)
class WorkloadComponent:
    """One component of a workload: its code, the table of what serves its imports, and its WASI."""

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
        """The name that errors give: `WORKLOAD/COMPONENT`, or the one name where both are the same."""
        return self.name if self.name == self.workload else f"{self.workload}/{self.name}"

    @cached_property
    def limits(self) -> Limits | None:
        """The limits of each instance; None where the manifest (-1) leaves them to the engine."""
        limit = self.manifest.local_resources.memory_limit_mb
        return None if limit < 0 else Limits(memory_mib=limit)

    @cached_property
    def http_handler(self) -> str | None:
        """The export that answers requests, in the component's own spelling; None where it has none."""
        exports = (name for name in self.compiled.exports if "/" in name)
        return next((f"{name}#handle" for name in exports if HTTP_HANDLER.covers(WitInterface.parse(name))), None)

    def imports_of(self, grant: Grant) -> list[str]:
        """Return the names of the imports that a grant covers: its plugin serves them."""
        return _covered(self.compiled.imports, grant)

    def exports_of(self, grant: Grant) -> list[str]:
        """Return the names of the exports that a grant covers: its plugin calls them."""
        return _covered(self.compiled.exports, grant)

    def revoke(self, import_name: str, reason: str, repair: str) -> None:
        """Take an import away from the plugin that serves it: its next call fails with `reason` and `repair`.

        An import of WASI, which a plugin had replaced, is served by WASI again.
        """
        if served_by_wasi(WitInterface.parse(import_name), WASI):
            bind_wasi(self.bindings, self.compiled, self.wasi, prefix=import_name)
        else:
            self.bindings.unbind(import_name, reason, repair)

    async def instantiate(self, observer: CallObserver | None = None) -> Instance:
        """Return a fresh instance, in a store of its own."""
        return await Instance.new(self.compiled, self.bindings, limits=self.limits, observer=observer, label=self.label)


def bind_wasi(bindings: Bindings, compiled: CompiledComponent, context: WasiContext, *, prefix: str = "wasi:") -> None:
    """Serve the WASI imports whose names begin with `prefix` from `context`, whichever 0.2.x the component imports."""
    interfaces = wasi_interfaces(context)
    for name in compiled.imports:
        if name.startswith(prefix) and served_by_wasi(WitInterface.parse(name), WASI):
            bindings.bind(name, interfaces[split_version(name)[0]], provider=WASI_PROVIDER, on_fiber=True)


def _covered(names: Iterable[str], grant: Grant) -> list[str]:
    interfaces = (name for name in names if "/" in name)
    return [name for name in interfaces if any(entry.covers(WitInterface.parse(name)) for entry in grant.interfaces)]
