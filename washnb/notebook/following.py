"""Plugins that follow their classes: attached again after each cell that has defined one of them anew."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from washnb.errors import ConfigError, WashError

from . import hosted
from .handles import ToldTable

T = TypeVar("T")


class Attaching(Protocol):
    """What is asked of the session."""

    @property
    def deployments(self) -> hosted.Deployments | None:
        """What is loaded; None where no host is open."""

    def on_host(self, work: Callable[[hosted.Deployments], Coroutine[Any, Any, T]]) -> T:
        """Run `work` on the host's loop and wait for it."""

    def attach(self, *plugins: object, to: str | None = None) -> ToldTable:
        """Attach plugins, each in place of what has its id."""


@dataclass
class _Followed:
    """A class under its name: the version that is attached, and the one that was there when somebody looked last."""

    attached: type
    seen: type
    to: str | None


class Following:
    """The classes that are followed, by their names in the notebook, as long as what they were made for is attached."""

    def __init__(self, session: Attaching) -> None:
        """Follow nothing yet."""
        self._session = session
        self._classes: dict[str, _Followed] = {}

    def add(self, plugins: Iterable[object], to: str | None) -> None:
        """Follow these classes from now on. Raises ConfigError for what is no class."""
        for each in plugins:
            if not isinstance(each, type):
                raise ConfigError(
                    f"{each!r:.60} is no class, and cannot be defined again",
                    repair="%wash attach NAME --follow  # of a class in the notebook, that is made without arguments",
                )
            self._classes[each.__name__] = _Followed(each, each, to)

    def look(self, namespace: Mapping[str, object]) -> list[str]:
        """Attach the classes that are other ones now, and say so in a line each; a mistake is told, and leaves all."""
        lines = []
        for name, followed in tuple(self._classes.items()):
            now = namespace.get(name)
            if now is followed.seen or not isinstance(now, type):
                continue
            followed.seen = now
            if self._is_attached(now):
                followed.attached = now
            elif self._is_attached(followed.attached):
                lines.append(self._attach(followed, name))
            else:
                del self._classes[name]
        return lines

    def _attach(self, followed: _Followed, name: str) -> str:
        try:
            news = self._session.attach(followed.seen, to=followed.to).news
        except WashError as error:
            return f"{name} is attached as it was before: {error}"
        followed.attached = followed.seen
        return news

    def _is_attached(self, cls: type) -> bool:
        if self._session.deployments is None:
            return False
        return self._session.on_host(lambda deployments: hosted.is_attached(deployments, cls))
