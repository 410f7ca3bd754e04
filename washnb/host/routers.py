"""Routers: which workload a request goes to. They are told which workloads come and go, and decide without waiting."""

from __future__ import annotations

from typing import Protocol

from washnb.types import Request


class Router(Protocol):
    """Chooses the workload that answers a request, among those whose HTTP handler is resolved."""

    def on_workload_resolved(self, workload_id: str) -> None:
        """Send requests to the workload of that id from now on."""

    def on_workload_unbind(self, workload_id: str) -> None:
        """Send no more requests to the workload of that id. An id that was never resolved is no error."""

    def route(self, request: Request) -> str | None:
        """Return the id of the workload that answers `request`; None where none does, which is a 404."""


class DevRouter:
    """Sends every request to the workload resolved last, whatever its Host header says.

    When that workload is unbound, the one resolved before it answers; wash-runtime's router answers nothing then.
    """

    def __init__(self) -> None:
        """Begin with no workload."""
        self._resolved: list[str] = []

    def on_workload_resolved(self, workload_id: str) -> None:
        """Make the workload of that id the one that answers."""
        self.on_workload_unbind(workload_id)
        self._resolved.append(workload_id)

    def on_workload_unbind(self, workload_id: str) -> None:
        """Forget the workload of that id."""
        if workload_id in self._resolved:
            self._resolved.remove(workload_id)

    def route(self, request: Request) -> str | None:  # noqa: ARG002 - the router of development looks at nothing
        """Return the id of the workload resolved last; None where there is none."""
        return self._resolved[-1] if self._resolved else None
