"""The base of all views. A view reads what the host keeps: plain values for programs, text and a widget for people."""

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
"""How many of the known names an error lists."""


class NotThere(ConfigError, KeyError):  # noqa: N818 - as WorkloadNotFound
    """There is no bucket, key, container, object or setting of the name that was asked for."""

    def __init__(self, what: str, name: str, known: Sequence[str], where: str = "") -> None:
        """Say which names are `known`; `what` is the word for the missing one: bucket, key, container, object."""
        near = closest(name, known)
        listed = ", ".join(known[:_NAMED]) + (", ..." if len(known) > _NAMED else "")
        super().__init__(
            f"{where or 'here'} there is no {what} {name!r:.100}; there is {listed or 'none'}",
            repair=f"did you mean {near!r}?" if near else (),
        )


def titled(title: str, place: str) -> str:
    """The title of a view, with the place where its state is kept, if it has one: `kv (nats://HOST)`."""
    return f"{title} ({place})" if place else title


class View(ABC):
    """A view of what the host keeps for the workload `of`.

    Without a name, views of state show the workload used last; logs, messages and trace show all workloads.

    In a notebook it shows a live widget, and for the saved notebook the last state as plain HTML. What `look` read is
    a look: a value that `still` shows as text and HTML, and `picture` as JSON for the widget.
    """

    widget: str
    """The kind of the widget that shows the view, by its name on the page: state, blobs, logs, ..."""

    plugin: str = ""
    """The id of the plugin whose state the view shows; empty where no plugin keeps it."""

    def __init__(self, door: Door, of: str | None = None) -> None:
        """Look at the workload `of` through `door`."""
        self.door = door
        self.of = of

    @abstractmethod
    async def read(self, deployments: hosted.Deployments) -> Any:
        """Read the plain values that `data` returns. On the host's loop."""

    async def look(self, deployments: hosted.Deployments) -> Any:
        """Read what is shown to people: the data, or as much of it as a page holds. On the host's loop."""
        return await self.read(deployments)

    @abstractmethod
    def still(self, look: Any) -> Face:
        """Show a look as text and HTML, without ids and times, so that a notebook that runs again is saved the same."""

    @abstractmethod
    def picture(self, look: Any) -> dict[str, Any]:
        """Show a look to the widget: JSON of a bounded size."""

    def concerns(self, event: Event) -> bool:
        """Whether the view may look different after `event`: its state, its plugin or a workload has changed."""
        if isinstance(event, StateChanged):
            return event.plugin == self.plugin
        return isinstance(event, WorkloadChanged | PluginChanged)

    async def came(self, deployments: hosted.Deployments) -> None:  # noqa: B027 - most views need nothing
        """Begin what the view does only while a page shows it. On the host's loop."""

    async def left(self, deployments: hosted.Deployments) -> None:  # noqa: B027
        """End what the view does only while a page shows it. On the host's loop."""

    async def grant(self, deployments: hosted.Deployments, wish: Wish, value: bytes) -> Answer:  # noqa: ARG002
        """Do what a person asked of the widget, with `value`, the bytes of the message. On the host's loop.

        Raises ValueError for a wish that this view cannot grant.
        """
        raise ValueError(f"{type(self).__name__} cannot do {wish.get('do')!r}")

    @property
    def data(self) -> Any:
        """What the view shows, as plain Python values."""
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
    """One bucket or container of a view, as a mapping that can be written, and that shows itself as a view."""

    @abstractmethod
    def _closer(self) -> View:
        """The view of this bucket or container alone."""

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        return repr(self._closer())

    def _repr_html_(self) -> str:
        return self._closer()._repr_html_()

    def _ipython_display_(self) -> None:
        self._closer()._ipython_display_()
