"""What one asks of a host."""

from __future__ import annotations

from typing import Any, Protocol

from washnb.events import EventBus
from washnb.types import Response, WorkloadStartRequest, WorkloadStartResponse, WorkloadStatus

from .heartbeat import HostHeartbeat
from .registry import WorkloadSummary


class HostApi(Protocol):
    """What one asks of a host: wash-runtime's four calls, and those that it lacks."""

    async def heartbeat(self) -> HostHeartbeat:
        """Say who the host is and how much runs on it."""

    async def workload_start(self, request: WorkloadStartRequest) -> WorkloadStartResponse:
        """Start a workload under an id. Never raises for a bad workload: the response says so."""

    async def workload_status(self, workload_id: str) -> WorkloadStatus:
        """Say how a workload does."""

    async def workload_stop(self, workload_id: str) -> WorkloadStatus:
        """Stop a workload, and let go of what was kept for it."""

    def workloads(self) -> tuple[WorkloadSummary, ...]:
        """Say what is there."""

    async def call(self, workload: str, export: str, *args: Any) -> Any:
        """Call an exported function of a workload."""

    async def send(self, method: str, path: str) -> Response:
        """Send a request through the router, without a socket."""

    def events(self) -> EventBus:
        """Where the host tells what happens."""
