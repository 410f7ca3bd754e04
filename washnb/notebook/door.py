"""What views, handles and faults see of the session: the way from the person's thread to the host's loop."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from washnb.events import Event

from . import hosted

T = TypeVar("T")


class Door(Protocol):
    """What views, handles and faults ask of their session."""

    @property
    def deployments(self) -> hosted.Deployments | None:
        """The workloads of the session; None where no host is open. To be used on the host's loop only."""

    def on_host(self, work: Callable[[hosted.Deployments], Coroutine[Any, Any, T]]) -> T:
        """Run the coroutine that `work` makes on the host's loop, wait for it, and return its result."""

    def subscribe(self, subscriber: Callable[[Event], None]) -> Callable[[], None]:
        """Call `subscriber` on the host's loop for each event; return the function that ends it."""


class Caller(Door, Protocol):
    """What the objects that stand for exports ask of their session: the door, and calls."""

    def call(self, name: str, export: str, *arguments: object) -> Any:
        """Call the export `interface#function`, or a function at the root, of the workload `name`."""
