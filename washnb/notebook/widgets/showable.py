"""What the widgets need of a view."""

from __future__ import annotations

from typing import Any, Protocol

from washnb.events import Event

from .. import hosted
from ..door import Door
from .messages import Answer, Wish

__all__ = ["Door", "Face", "Showable"]


class Face(Protocol):
    """What a notebook shows without a widget: text, and HTML."""

    def _repr_html_(self) -> str: ...


class Showable(Protocol):
    """A look at state: read on the host's loop, shown as a table and as a picture for the widget."""

    door: Door
    widget: str

    async def look(self, deployments: hosted.Deployments) -> Any:
        """Read what there is to see."""

    def still(self, look: Any) -> Face:
        """Show it without a widget."""

    def picture(self, look: Any) -> dict[str, Any]:
        """Show it to the widget."""

    def concerns(self, event: Event) -> bool:
        """Whether there may be something else to see after `event`."""

    async def came(self, deployments: hosted.Deployments) -> None:
        """Know that somebody looks."""

    async def left(self, deployments: hosted.Deployments) -> None:
        """Know that nobody looks any more."""

    async def grant(self, deployments: hosted.Deployments, wish: Wish, value: bytes) -> Answer:
        """Do what the person asked of the widget, with the bytes that came along."""
