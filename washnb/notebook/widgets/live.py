"""The widget of a view, kept up to date while requests arrive.

Events come on the host's loop; they are gathered for a moment, the view is read once, and the widget gets a new
picture. A view follows events only while a page shows it: the widget says when it is shown and when it is gone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from IPython.display import display

from washnb.errors import ConfigError, WashError, WorkloadNotFound
from washnb.events import Event

from .. import hosted
from ..text import plain
from .messages import Answer, Wish
from .showable import Face, Showable

_REFRESH = 0.1
"""Seconds for which changes are gathered before the widget gets a new picture."""

_SAVED = 1.0
"""Seconds for which changes are gathered before the plain output is updated, which the living widget hides."""

_PAGE = Path(__file__).parent / "page"
_PARTS = (
    *("make", "elements", "forms", "groups", "typed"),
    *("state", "blobs", "logs", "messages", "trace", "questions", "view"),
)
"""The files that the page's module is put together from, each behind those that it builds on."""


class ViewWidget(anywidget.AnyWidget):
    """The widget of a view: its `picture`, the `problem` of the last wish, and the `trouble` that reading has."""

    _esm = "\n".join((_PAGE / f"{part}.js").read_text(encoding="utf-8") for part in _PARTS)
    _css = (_PAGE / "view.css").read_text(encoding="utf-8")

    kind = traitlets.Unicode().tag(sync=True)
    picture = traitlets.Dict().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)
    trouble = traitlets.Unicode().tag(sync=True)

    def __repr__(self) -> str:
        return f"live view: {self.picture.get('title', self.kind)}"


class Still:
    """The last state of a view as plain output, for the saved notebook. Its style hides it beside a living widget."""

    def __init__(self, face: Face) -> None:
        """Show `face`."""
        self._face = face

    def __repr__(self) -> str:
        return repr(self._face)

    def _repr_html_(self) -> str:
        return f'<div class="washnb-still">{self._face._repr_html_()}</div>'


class Live:
    """Keeps the widget of one view, and the plain output below it, up to date with the state they show."""

    def __init__(self, view: Showable) -> None:
        """Make the `widget` of `view`; it is not on the page yet."""
        self._view = view
        self.widget = ViewWidget(kind=view.widget)
        # the subshell that the page asked for, so that it is heard beside a busy cell; ipykernel would use the cell's
        self.widget.comm._reply_subshell_for = lambda _data, asked_for: asked_for  # noqa: SLF001
        self.widget.on_msg(self._heard)
        self._lookers: set[str] = set()
        self._gone: set[str] = set()
        self._unsubscribe: Any = None
        self._stale = False
        self._following: asyncio.Task[None] | None = None
        self._saving = False
        self._look: Any = None
        self._still: Any = None
        self._place: Any = None
        self._over = False

    def show(self) -> None:
        """Put the widget and its plain output into the current cell."""
        self._look = self._view.door.on_host(self._view.look)
        self.widget.picture = self._view.picture(self._look)
        display(self.widget)  # type: ignore[no-untyped-call]
        self._still = display(  # type: ignore[no-untyped-call]
            Still(self._view.still(self._look)), display_id=True
        )

    def show_for_now(self) -> None:
        """Put the widget, without plain output, into the current cell, until `leave`."""
        self._look = self._view.door.on_host(self._view.look)
        self.widget.picture = self._view.picture(self._look)
        self._place = display(self.widget, display_id=True)  # type: ignore[no-untyped-call]

    def leave(self, instead: str) -> None:
        """Take the widget off the page, and put the text `instead` in its place."""
        self._place.update({"text/plain": instead}, raw=True)
        self._over = True
        if not self._lookers:
            self.widget.close()

    def _heard(self, _widget: Any, wish: Wish, buffers: Sequence[bytes | memoryview]) -> None:
        """Take a message of the page, in the thread of whichever subshell the kernel hands it to."""
        match wish.get("do"):
            case "shown":
                self._came(wish["page"])
                self._reply(wish, Answer())
            case "hidden":
                self._left(wish["page"])
            case _:
                self._answer(wish, bytes(buffers[0]) if buffers else b"")

    def _came(self, page: str) -> None:
        """Follow events for a page. It says that it shows the view until it is heard, and may be gone by then."""
        if page in self._gone:
            return
        self._lookers.add(page)
        if self._unsubscribe is None:
            self._unsubscribe = self._view.door.subscribe(self._happened)
            self._view.door.on_host(self._view.came)
        self._view.door.on_host(self._refresh)

    def _left(self, page: str) -> None:
        self._gone.add(page)
        self._lookers.discard(page)
        if not self._lookers and self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
            if self._view.door.deployments is not None:  # else the host is gone, and what `came` began with it
                self._view.door.on_host(self._view.left)
            if self._over:
                self.widget.close()

    def _answer(self, wish: Wish, value: bytes) -> None:
        self.widget.problem = ""
        try:
            answer = self._view.door.on_host(lambda deployments: self._view.grant(deployments, wish, value))
        except (WashError, ValueError, KeyError) as error:
            self.widget.problem = plain(str(error))
            answer = Answer({"problem": self.widget.problem})
        self._reply(wish, answer)

    def _reply(self, wish: Wish, answer: Answer) -> None:
        if "ticket" in wish:
            self.widget.send({"ticket": wish["ticket"], **answer.content}, list(answer.parts))

    def _happened(self, event: Event) -> None:
        if self._view.concerns(event):
            self._stale = True
            if self._following is None or self._following.done():
                self._following = asyncio.ensure_future(self._follow())

    async def _follow(self) -> None:
        """Read the view until nothing has changed since. One read at a time: some ask a server, and may take long."""
        took = 0.0
        while self._stale and self._view.door.deployments is not None:
            await asyncio.sleep(max(_REFRESH, took))
            self._stale = False
            begun = time.monotonic()
            if (deployments := self._view.door.deployments) is not None:
                await self._refresh(deployments)
            took = time.monotonic() - begun

    async def _refresh(self, deployments: hosted.Deployments) -> None:
        try:
            self._look = await self._view.look(deployments)
        except (ConfigError, WorkloadNotFound) as error:
            self._keep(error)
            return
        except WashError as error:
            self._tell(trouble=plain(error.message))
            return
        self._tell(trouble="", picture=self._view.picture(self._look))
        if not self._saving:
            self._saving = True
            asyncio.get_running_loop().call_later(_SAVED, self._save)

    def _tell(self, **traits: Any) -> None:
        for name, value in traits.items():
            setattr(self.widget, name, value)

    def _keep(self, error: WashError) -> None:
        """Keep the last picture of what is gone, and say so. It is no trouble: notebooks unload at their end."""
        self.widget.trouble = ""
        why = plain(error.message).partition("\n")[0]
        self.widget.picture = {**self.widget.picture, "place": f"as it was last: {why}"}

    def _save(self) -> None:
        self._saving = False
        if self._still is not None:
            self._still.update(Still(self._view.still(self._look)))
