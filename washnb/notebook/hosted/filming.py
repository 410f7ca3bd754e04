"""Saving the film of the session's history as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from washnb.errors import ConfigError
from washnb.host import whole_file

from ..film import Film, film_of
from ..handles import Told
from ..text import escape, size
from .deployments import Deployments
from .history import Memory
from .timeline import Timeline


class FilmFile(Told, str):  # noqa: SLOT000 - `Told` keeps an attribute
    """The path of the file that a film was written to."""

    def __new__(cls, path: Path, film: Film) -> Self:
        """Make the path of `film`, with the line that tells of it."""
        made = super().__new__(cls, str(path))
        requests = f"{film.requests} request{'' if film.requests == 1 else 's'}"
        left = f"; {film.left_out:,} calls were left out" if film.left_out else ""
        made.news = f"{path}: {requests}, {film.calls:,} host calls, {size(len(film.html.encode()))}{left}"
        return made

    def _repr_html_(self) -> str:
        return f'<a href="{escape(self)}" target="_blank" rel="noopener">{escape(self)}</a>'


async def memory_of(deployments: Deployments) -> Memory:
    """The part of the history that a film shows. Raises ConfigError where nothing was recorded."""
    memory = deployments.history.memory()
    if not memory.requests:
        tracing = deployments.host.tracing
        raise ConfigError(
            "there is nothing to film: no request yet" if tracing else "there is nothing to film: tracing is off",
            repair="%wash send /" if tracing else "%wash trace on",
        )
    return memory


def film_saved(memory: Memory, path: Path) -> FilmFile:
    """Make a film and write it to `path`. Raises ConfigError where that fails; a file that was there before stays."""
    film = film_of(Timeline.of(memory))
    try:
        with whole_file(path) as file:
            file.write(film.html.encode())
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}", repair="%wash trace save film.html") from None
    return FilmFile(path, film)
