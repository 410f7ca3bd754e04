"""A blobstore that all workloads of a host share, and perhaps other hosts."""

from __future__ import annotations

from abc import abstractmethod

from ..state import SharedState
from .backend import Backend
from .interface import Blobstore


class SharedBlobstore(SharedState, Blobstore, abstract=True):
    """wasi:blobstore over one backend for all workloads, as wash-runtime's on files and on NATS."""

    @property
    @abstractmethod
    def shared(self) -> Backend:
        """What keeps the objects."""

    def backend(self, workload_id: str) -> Backend:
        """Return the containers that all workloads share. Raises WorkloadNotFound where it does not use the plugin."""
        self.state(workload_id)
        return self.shared
