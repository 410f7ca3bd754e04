"""What a deviation from wash-runtime is, and where it can be seen.

In what a workload is made of, or in an event; what cannot be seen in either is said to be so, and never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from washnb.events import Event, HostCall
from washnb.plugins import BackendKind, HostPlugin
from washnb.types import LocalResources


@dataclass(frozen=True)
class MadeOf:
    """What a workload is made of: the plugins that serve it, its resources, and the imports that nobody serves."""

    plugins: tuple[HostPlugin, ...]
    resources: LocalResources
    missing: tuple[str, ...] = ()

    @property
    def keeps_in_memory(self) -> bool:
        """Whether what it stores goes with the host."""
        stores = {"wasi-keyvalue", "wasi-blobstore", "wasi-config"}
        return any(plugin.backend_kind == "memory" for plugin in self.plugins if plugin.id in stores)

    def serves_from(self, plugin_id: str, kind: BackendKind) -> bool:
        """Whether the workload is served by the plugin of that id, with a backend of that kind."""
        return any(plugin.id == plugin_id and plugin.backend_kind == kind for plugin in self.plugins)


@dataclass(frozen=True)
class Deviation:
    """A row of the table.

    `made_of`, `seen` and `called` say how it shows: in what a workload is made of, in a log line or in what has failed,
    and, while the host traces, in calls of `function` in an `interface` that a pattern finds, or of any where these are
    empty; `failed`: only in calls that did.
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
        """Whether the host can see it at all."""
        return self.made_of is not None or self.seen is not None or self.traced

    @property
    def traced(self) -> bool:
        """Whether it shows in host calls only, and so while the host traces."""
        return self.called is not None
