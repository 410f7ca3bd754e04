"""A blobstore that all workloads of a host share, and perhaps other hosts: what is there outlives them all."""

from __future__ import annotations

from abc import abstractmethod

from ..base import WorkloadContext
from ..state import PerWorkload
from .backend import Backend
from .interface import Blobstore


class SharedBlobstore(PerWorkload[str], Blobstore, abstract=True):
    """wasi:blobstore over one backend for all workloads, as wash-runtime's on files and on NATS."""

    @property
    @abstractmethod
    def containers(self) -> Backend:
        """What keeps the objects."""

    def new_state(self, workload: WorkloadContext) -> str:
        """Keep the name of a workload that uses the plugin, for its events."""
        return workload.workload_name

    def backend(self, workload_id: str) -> Backend:
        """Return the containers that all workloads share. Raises WorkloadNotFound where it does not use the plugin."""
        self.state(workload_id)
        return self.containers

    def changed(self, path: tuple[str, ...], action: str) -> None:
        """Tell of a change, whoever made it, in the name of each workload that can see it."""
        for name, _ in tuple(self._states.values()):
            self.state_changed(name, path, action)
