"""wasi:config over any backend: store of 0.2.0-rc.1, and runtime, as 0.2.0-draft called it."""

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
    """Where the settings come from has failed."""

    value: str


@dataclass(frozen=True, slots=True)
class Error_Io:  # noqa: N801
    """Reading or writing has failed."""

    value: str


class Store(Interface, wit="wasi:config/store@0.2.0-rc.1"):
    """wasi:config/store: the settings of one component, read at each call."""

    def __init__(self, backend: Backend) -> None:
        """Read `backend`."""
        self.backend = backend

    async def get(self, key: str) -> str | None:
        """Return the value of a setting, None where there is none."""
        with told_to_guest(Error_Upstream):
            return await self.backend.get(key)

    async def get_all(self) -> Sequence[tuple[str, str]]:
        """Return all settings, sorted by key."""
        with told_to_guest(Error_Upstream):
            return tuple((await self.backend.get_all()).items())


class Runtime(Store, wit="wasi:config/runtime@0.2.0-draft"):
    """wasi:config/runtime: the same under its older name, which guests of wasmCloud 1 ask for."""


class Config(HostPlugin, ABC):
    """The plugin of the capability, whatever its backend: serves the surface, shows views where the settings are."""

    id = "wasi-config"
    interfaces = (Store, Runtime)

    @abstractmethod
    def backend(self, workload_id: str, component: str) -> Backend:
        """Return what keeps the settings of a component. Raises WorkloadNotFound where it does not use the plugin."""

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:  # noqa: ARG002
        """Link both interfaces to the component's settings."""
        backend = self.backend(item.workload_id, item.component)
        item.link(Store(backend))
        item.link(Runtime(backend))
