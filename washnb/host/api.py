"""The calls that a host answers, as a protocol for programs that do not care how it is built."""

from __future__ import annotations

from typing import Any, Protocol

from washnb.events import EventBus
from washnb.types import Response, WorkloadStartRequest, WorkloadStartResponse, WorkloadStatus

from .heartbeat import HostHeartbeat
from .registry import WorkloadSummary


class HostApi(Protocol):
    """The calls that a host answers: the four of wash-runtime's `HostApi`, and four that it does not have."""

    async def heartbeat(self) -> HostHeartbeat:
        """Return who the host is and how much runs on it."""

    async def workload_start(self, request: WorkloadStartRequest) -> WorkloadStartResponse:
        """Start a workload under an id. For a workload that cannot start nothing is raised: the response says why."""

    async def workload_status(self, workload_id: str) -> WorkloadStatus:
        """Return the state of the workload of that id. Raises WorkloadNotFound."""

    async def workload_stop(self, workload_id: str) -> WorkloadStatus:
        """Stop the workload of that id, drop the state kept for it, and return how it ended."""

    def workloads(self) -> tuple[WorkloadSummary, ...]:
        """Return a summary of each workload on the host."""

    async def call(self, workload: str, export: str, *args: Any) -> Any:
        """Call an exported function of a workload, given by name or id, and return its result."""

    async def send(self, method: str, path: str) -> Response:
        """Send an HTTP request through the router, without a socket, and return the response."""

    def events(self) -> EventBus:
        """Return the bus on which the host publishes its events."""
