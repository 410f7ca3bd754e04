"""The plugin of the capability, which serves every version of wasi:keyvalue over one backend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection

from washnb.wit import WitInterface

from ..base import HostPlugin, State, WorkloadItem
from . import contents, draft2, interface
from .backend import Backend


class KeyValue(HostPlugin, ABC):
    """The plugin of the capability, whatever its backend: serves the surface, and shows views where the values are."""

    id = "wasi-keyvalue"
    interfaces = (interface.Store, interface.Atomics, interface.Batch, draft2.Store, draft2.Atomics, draft2.Batch)

    @abstractmethod
    def backend(self, workload_id: str) -> Backend:
        """Return what keeps the values of a workload. Raises WorkloadNotFound where it does not use the plugin."""

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:  # noqa: ARG002
        """Link the interfaces of every version to the workload's backend."""
        backend = self.backend(item.workload_id)
        for version in (interface, draft2):
            item.link(version.Store(backend))
            item.link(version.Atomics())
        item.link(interface.Batch())
        item.link(draft2.batch(item.imports))

    async def dump(self, workload_id: str) -> State:
        """Return every value by bucket and key. Raises WorkloadNotFound where the workload does not use the plugin."""
        return await contents.dump(self.backend(workload_id))

    async def restore(self, workload_id: str, state: State) -> None:
        """Set and delete what differs. Raises WorkloadNotFound where the workload does not use the plugin."""
        await contents.restore(self.backend(workload_id), state)
