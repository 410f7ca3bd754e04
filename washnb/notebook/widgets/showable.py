"""What the widgets need of a view."""

from __future__ import annotations

from typing import Any, Protocol

from washnb.events import Event

from .. import hosted
from ..door import Door
from .messages import Answer, Wish

__all__ = ["Door", "Face", "Showable"]


class Face(Protocol):
    """What is shown of a view without a widget: its text, and its HTML."""

    def _repr_html_(self) -> str: ...


class Showable(Protocol):
    """A view, as the widgets see it. What `look` reads on the host's loop is shown by `still` and `picture`."""

    door: Door
    widget: str

    async def look(self, deployments: hosted.Deployments) -> Any:
        """Read what the view shows."""

    def still(self, look: Any) -> Face:
        """Show a look as text and HTML."""

    def picture(self, look: Any) -> dict[str, Any]:
        """Show a look to the widget, as JSON."""

    def concerns(self, event: Event) -> bool:
        """Whether the view may look different after `event`."""

    async def came(self, deployments: hosted.Deployments) -> None:
        """Begin what the view does only while a page shows it."""

    async def left(self, deployments: hosted.Deployments) -> None:
        """End what the view does only while a page shows it."""

    async def grant(self, deployments: hosted.Deployments, wish: Wish, value: bytes) -> Answer:
        """Do what a person asked of the widget, with `value`, the bytes of the message, and answer."""
