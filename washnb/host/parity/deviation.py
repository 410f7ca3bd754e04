"""What a deviation from wash-runtime is, and how the host sees that a workload relies on it.

It shows in what a workload is made of, or in an event. A deviation that shows in neither says so; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from washnb.events import Event, HostCall
from washnb.plugins import BackendKind, HostPlugin
from washnb.types import LocalResources


@dataclass(frozen=True)
class MadeOf:
    """What a workload is made of: the plugins that serve it, its resources, and the imports that nothing serves."""

    plugins: tuple[HostPlugin, ...]
    resources: LocalResources
    missing: tuple[str, ...] = ()

    @property
    def keeps_in_memory(self) -> bool:
        """Whether a plugin keeps state of the workload in memory, where it lasts as long as the host."""
        stores = {"wasi-keyvalue", "wasi-blobstore", "wasi-config"}
        return any(plugin.backend_kind == "memory" for plugin in self.plugins if plugin.id in stores)

    def serves_from(self, plugin_id: str, kind: BackendKind) -> bool:
        """Return whether the plugin of that id serves the workload, with a backend of that kind."""
        return any(plugin.id == plugin_id and plugin.backend_kind == kind for plugin in self.plugins)


@dataclass(frozen=True)
class Deviation:
    """A row of the table of deviations: what wash-runtime does (`reference`), what washnb does (`here`), and why.

    `made_of`, `seen` and `called` return whether a workload relies on it: by what the workload is made of, by a log
    line or an event that something has failed, or, while the host traces, by a host call. `called` is asked about calls
    of `function` in interfaces that the pattern `interface` finds, "" for any, and with `failed` only failed ones.
    """

    id: str
    reference: str
    here: str
    why: str
    made_of: Callable[[MadeOf], bool] | None = None
    seen: Callable[[Event], bool] | None = None
    called: Callable[[HostCall], bool] | None = None
    function: str = ""
    interface: str = ""
    failed: bool = False

    @property
    def shows(self) -> bool:
        """Whether the host can see that a workload relies on the deviation."""
        return self.made_of is not None or self.seen is not None or self.traced

    @property
    def traced(self) -> bool:
        """Whether the deviation shows in host calls only, and so only while the host traces."""
        return self.called is not None
