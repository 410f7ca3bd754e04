"""What all views are: one look at state that the host keeps, with data for programs and faces for people."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import MutableMapping, Sequence
from typing import Any

from washnb.errors import ConfigError, WashError
from washnb.events import Event, PluginChanged, StateChanged, WorkloadChanged

from .. import hosted
from ..arguments import closest
from ..explaining import explained
from ..widgets import Answer, Door, Face, Wish, show

_NAMED = 10
"""Names that an error lists."""


class NotThere(ConfigError, KeyError):  # noqa: N818 - as WorkloadNotFound
    """Nothing has the name that state was asked for."""

    def __init__(self, what: str, name: str, known: Sequence[str], where: str = "") -> None:
        """Say which of `known` names there are; `what` is a bucket, key, container or object."""
        near = closest(name, known)
        listed = ", ".join(known[:_NAMED]) + (", ..." if len(known) > _NAMED else "")
        super().__init__(
            f"{where or 'here'} there is no {what} {name!r:.100}; there is {listed or 'none'}",
            repair=f"did you mean {near!r}?" if near else (),
        )


def titled(title: str, place: str) -> str:
    """A title with the place that what it is about is kept at, where there is one."""
    return f"{title} ({place})" if place else title


class View(ABC):
    """A look at the state of one workload: the one named, or else the one used last.

    In a notebook it shows a live widget, and below it, for a notebook that is saved, its last state as plain HTML.
    """

    widget: str
    """Which of the widgets shows it: state, blobs, logs or messages."""

    plugin: str = ""
    """The id of the plugin whose state it shows."""

    def __init__(self, door: Door, of: str | None = None) -> None:
        """Look through `door`."""
        self.door = door
        self.of = of

    @abstractmethod
    async def read(self, deployments: hosted.Deployments) -> Any:
        """Read what `data` is. On the host's loop."""

    async def look(self, deployments: hosted.Deployments) -> Any:
        """Read what faces show: the data, or as much of it as people look at. On the host's loop."""
        return await self.read(deployments)

    @abstractmethod
    def still(self, look: Any) -> Face:
        """Show a look without a widget: no ids, no times, so that running a notebook again changes nothing."""

    @abstractmethod
    def picture(self, look: Any) -> dict[str, Any]:
        """Show a look to the widget, as JSON, bounded."""

    def concerns(self, event: Event) -> bool:
        """Whether the view may look different after `event`: its state has changed, or who has it."""
        if isinstance(event, StateChanged):
            return event.plugin == self.plugin
        return isinstance(event, WorkloadChanged | PluginChanged)

    async def came(self, deployments: hosted.Deployments) -> None:  # noqa: B027 - most views need nothing
        """Know that somebody looks. On the host's loop."""

    async def left(self, deployments: hosted.Deployments) -> None:  # noqa: B027
        """Know that nobody looks any more. On the host's loop."""

    async def grant(self, deployments: hosted.Deployments, wish: Wish, value: bytes) -> Answer:  # noqa: ARG002
        """Do what the person asked of the widget, with the bytes that came along. On the host's loop."""
        raise ValueError(f"{type(self).__name__} cannot do {wish.get('do')!r}")

    @property
    def data(self) -> Any:
        """What the view looks at, as plain Python values."""
        return self.door.on_host(self.read)

    def __repr__(self) -> str:
        return repr(self.still(self.door.on_host(self.look)))

    def _repr_html_(self) -> str:
        return self.still(self.door.on_host(self.look))._repr_html_()

    def _ipython_display_(self) -> None:
        try:
            show(self)
        except WashError as error:  # raised here, IPython would show where, twice, and hardly what
            print(*(line.text for line in explained(error)), sep="\n")  # noqa: T201


class Part(MutableMapping[str, bytes], ABC):
    """A bucket, or a container: one part of what a view looks at, as a mapping that shows itself as a view of it."""

    @abstractmethod
    def _closer(self) -> View:
        """The view of this part alone."""

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        return repr(self._closer())

    def _repr_html_(self) -> str:
        return self._closer()._repr_html_()

    def _ipython_display_(self) -> None:
        self._closer()._ipython_display_()
