"""wasi:config over any backend: store@0.2.0-rc.1, and runtime@0.2.0-draft, its older name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from washnb.engine import Interface
from washnb.wit import WitInterface

from ..base import HostPlugin, WorkloadItem, told_to_guest
from .backend import Backend


@dataclass(frozen=True, slots=True)
class Error_Upstream:  # noqa: N801 - variant_Case, as componentize-py names them for guests
    """The case `upstream` of `error`: what keeps the settings has failed."""

    value: str


@dataclass(frozen=True, slots=True)
class Error_Io:  # noqa: N801
    """The case `io` of `error`: reading has failed. washnb always raises `upstream`."""

    value: str


class Store(Interface, wit="wasi:config/store@0.2.0-rc.1"):
    """wasi:config/store for one component. Each call reads the settings as they are now."""

    def __init__(self, backend: Backend) -> None:
        """Keep the backend that has the component's settings."""
        self.backend = backend

    async def get(self, key: str) -> str | None:
        """Return the value of the setting `key`, None where there is none."""
        with told_to_guest(Error_Upstream):
            return await self.backend.get(key)

    async def get_all(self) -> Sequence[tuple[str, str]]:
        """Return all settings as pairs of key and value, sorted by key."""
        with told_to_guest(Error_Upstream):
            return tuple((await self.backend.get_all()).items())


class Runtime(Store, wit="wasi:config/runtime@0.2.0-draft"):
    """wasi:config/runtime@0.2.0-draft: the older name of wasi:config/store, which guests of wasmCloud 1 import."""


class Config(HostPlugin, ABC):
    """Serves wasi:config over a backend that a subclass chooses."""

    id = "wasi-config"
    interfaces = (Store, Runtime)

    @abstractmethod
    def backend(self, workload_id: str, component: str) -> Backend:
        """Return the settings of a component; views read and edit them there, too.

        Raises WorkloadNotFound where the component does not use the plugin.
        """

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:  # noqa: ARG002
        """Link store and runtime, over the component's settings, into one component."""
        backend = self.backend(item.workload_id, item.component)
        item.link(Store(backend))
        item.link(Runtime(backend))
