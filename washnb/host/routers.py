"""Which workload a request goes to. Routers are told what comes and goes, and decide without waiting."""

from __future__ import annotations

from typing import Protocol

from washnb.types import Request


class Router(Protocol):
    """Decides for each request; a workload is announced when its HTTP handler is resolved, and taken back once."""

    def on_workload_resolved(self, workload_id: str) -> None:
        """Take requests for this workload from now on."""

    def on_workload_unbind(self, workload_id: str) -> None:
        """Send it no more requests. An id that was never announced is no error."""

    def route(self, request: Request) -> str | None:
        """The id of the workload that answers `request`; None where none does (404)."""


class DevRouter:
    """Sends every request to the workload resolved last, whatever its Host header says.

    When that one goes, the one resolved before it takes over (wash-runtime's router is empty then).
    """

    def __init__(self) -> None:
        """Begin with no workload."""
        self._resolved: list[str] = []

    def on_workload_resolved(self, workload_id: str) -> None:
        """Make this workload the one that answers."""
        self.on_workload_unbind(workload_id)
        self._resolved.append(workload_id)

    def on_workload_unbind(self, workload_id: str) -> None:
        """Forget this workload."""
        if workload_id in self._resolved:
            self._resolved.remove(workload_id)

    def route(self, request: Request) -> str | None:  # noqa: ARG002 - the router of development looks at nothing
        """The workload resolved last."""
        return self._resolved[-1] if self._resolved else None
