"""Plugins that follow their classes: they are attached again after each cell that defines one of these again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from washnb.errors import ConfigError, WashError

from . import hosted
from .door import Door
from .handles import ToldTable


class Attaching(Door, Protocol):
    """What following asks of the session: to attach."""

    def attach(self, *plugins: object, to: str | None = None) -> ToldTable:
        """Attach plugins, each in place of the one with its id."""


@dataclass
class _Followed:
    """A followed class: its attached version, and, by name, the classes that its plugin was last seen made of."""

    attached: type
    to: str | None
    seen: dict[str, type] = field(default_factory=dict)


class Following:
    """The followed classes, by their names in the notebook, as long as plugins made of them are attached.

    A plugin follows its own class, the classes that its `interfaces` name, and those that it makes objects of in its
    `__init__`. A class stays derived from the former version of its base until its own cell runs again, which is told.
    """

    def __init__(self, session: Attaching) -> None:
        """Begin with no class to follow."""
        self._session = session
        self._classes: dict[str, _Followed] = {}

    def add(self, plugins: Iterable[object], to: str | None) -> None:
        """Follow these classes from now on. Raises ConfigError for an object that is no class."""
        for each in plugins:
            if not isinstance(each, type):
                shown = repr(each) if isinstance(each, str) else f"an object of {type(each).__name__}"
                raise ConfigError(
                    f"{shown} is no class, and cannot be defined again",
                    repair="%wash attach NAME --follow  # of a class in the notebook, that is made without arguments",
                )
            self._classes[each.__name__] = _Followed(each, to)

    def look(self, namespace: Mapping[str, object]) -> list[str]:
        """Attach each plugin whose classes were defined again; return a line for each. One that fails stays."""
        lines = []
        for name, followed in tuple(self._classes.items()):
            self._see(followed, name)
            changed = {each for each, cls in followed.seen.items() if hosted.is_other(cls, namespace.get(each))}
            if not changed:
                continue
            followed.seen |= {each: cls for each in changed if isinstance(cls := namespace[each], type)}
            plugin = self._attached(followed.seen[name])
            if plugin is not None and name in changed:  # the cell has attached the new class itself
                self._attached_now(followed, name)
            elif self._attached(followed.attached) is None:
                del self._classes[name]
            else:
                lines.append(self._attach(followed, name, namespace))
        return lines

    def _attach(self, followed: _Followed, name: str, namespace: Mapping[str, object]) -> str:
        try:
            plugin = hosted.made_again(followed.seen[name], namespace)
            if former := hosted.former_parts(plugin, namespace):
                again = hosted.to_run_again(plugin, namespace) or [name]
                cells = "cell again that defines" if len(again) == 1 else "cells again that define"
                raise ConfigError(
                    f"it is made of the {' and the '.join(former)} of before",
                    repair=f"run the {cells} class {', then class '.join(again)}",
                )
            news = self._session.attach(plugin, to=followed.to).news
        except WashError as error:
            return f"{name} is attached as it was before: {error}"
        self._attached_now(followed, name)
        return news

    def _attached_now(self, followed: _Followed, name: str) -> None:
        followed.attached, followed.seen = followed.seen[name], {}
        self._see(followed, name)  # now: at the next look the host may be busy, and keep a cell

    def _see(self, followed: _Followed, name: str) -> None:
        if not followed.seen and (plugin := self._attached(followed.attached)) is not None:
            followed.seen = {name: followed.attached, **hosted.parts_of(plugin)}

    def _attached(self, cls: type) -> Any:
        """The attached plugin that was made of a class; None where there is none."""
        if self._session.deployments is None:
            return None
        return self._session.on_host(lambda deployments: hosted.attached_as(deployments, cls))
