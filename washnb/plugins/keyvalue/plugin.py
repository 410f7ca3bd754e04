"""The base of the key-value plugins: serves every version of wasi:keyvalue over one backend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection

from washnb.wit import WitInterface

from ..base import HostPlugin, State, WorkloadItem
from . import contents, draft2, interface
from .backend import Backend


class KeyValue(HostPlugin, ABC):
    """Serves wasi:keyvalue, in the versions 0.2.0-draft and 0.2.0-draft2, over a backend that a subclass chooses."""

    id = "wasi-keyvalue"
    interfaces = (interface.Store, interface.Atomics, interface.Batch, draft2.Store, draft2.Atomics, draft2.Batch)

    @abstractmethod
    def backend(self, workload_id: str) -> Backend:
        """Return the backend that has the buckets of a workload; views read them there, too.

        Raises WorkloadNotFound where the workload does not use the plugin.
        """

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:  # noqa: ARG002
        """Link the interfaces of both versions, over the workload's backend, into one component."""
        backend = self.backend(item.workload_id)
        for version in (interface, draft2):
            item.link(version.Store(backend))
            item.link(version.Atomics())
        item.link(interface.Batch())
        item.link(draft2.batch(item.imports))

    async def dump(self, workload_id: str) -> State:
        """Return every value of the workload's buckets, by `(bucket, key)`.

        Raises WorkloadNotFound where the workload does not use the plugin.
        """
        return await contents.dump(self.backend(workload_id))

    async def restore(self, workload_id: str, state: State) -> None:
        """Make the values of the workload's buckets the same as `state`, which `dump` returned.

        Raises WorkloadNotFound where the workload does not use the plugin, ConfigError where `state` is none of its.
        """
        await contents.restore(self.backend(workload_id), state)
