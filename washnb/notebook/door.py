"""The way from the person's thread to the host's loop, as what goes through it sees the session."""

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
        """What is loaded; None where no host is open. For use on the host's loop."""

    def on_host(self, work: Callable[[hosted.Deployments], Coroutine[Any, Any, T]]) -> T:
        """Run `work` on the host's loop and wait for it."""

    def subscribe(self, subscriber: Callable[[Event], None]) -> Callable[[], None]:
        """Call `subscriber` on the host's loop for each event, until the function that is returned is called."""


class Caller(Door, Protocol):
    """What objects that stand for exports ask of it, too."""

    def call(self, name: str, export: str, *arguments: object) -> Any:
        """Call `interface#function`, or a function at the root, of the workload `name`."""
