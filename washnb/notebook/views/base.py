"""What all views are: one look at state that the host keeps, with data for programs and faces for people."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from washnb.events import Event

from .. import hosted
from ..text import Table
from ..widgets import Door, Wish, show


class View(ABC):
    """A look at the state of one workload: the one named, or else the one used last.

    In a notebook it shows a live widget, and below it, for a notebook that is saved, its last state as plain HTML.
    """

    widget: str
    """Which of the widgets shows it: state or logs."""

    def __init__(self, door: Door, of: str | None = None) -> None:
        """Look through `door`."""
        self.door = door
        self.of = of

    @abstractmethod
    async def read(self, deployments: hosted.Deployments) -> Any:
        """Read what `data` is. On the host's loop."""

    @abstractmethod
    def table(self, data: Any) -> Table:
        """Show `data` without a widget: no ids, no times, so that running a notebook again changes nothing."""

    @abstractmethod
    def picture(self, data: Any) -> dict[str, Any]:
        """Show `data` to the widget, as JSON, bounded."""

    @abstractmethod
    def concerns(self, event: Event) -> bool:
        """Whether the view may look different after `event`."""

    async def change(self, deployments: hosted.Deployments, wish: Wish) -> None:  # noqa: ARG002
        """Do what the person asked of the widget. On the host's loop."""
        raise ValueError(f"{type(self).__name__} cannot do {wish.get('do')!r}")

    @property
    def data(self) -> Any:
        """What the view looks at, as plain Python values."""
        return self.door.on_host(self.read)

    def __repr__(self) -> str:
        return repr(self.table(self.data))

    def _ipython_display_(self) -> None:
        show(self)
