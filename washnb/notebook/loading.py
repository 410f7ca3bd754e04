"""The arguments of `load` beside the source: the workload's name, and settings taken from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from washnb.errors import ConfigError

from .arguments import closest

_FROM_ENVIRONMENT = "env:"
_EXAMPLE = "example:"


def name_of(source: object) -> str:
    """The name of a workload that was given none: that of its file, or of the example."""
    if not isinstance(source, str | os.PathLike):
        return "component"
    last = re.split(r"[/\\]", str(os.fspath(source)).removeprefix(_EXAMPLE))[-1]
    return re.sub(r"[^A-Za-z0-9_-]+", "-", last.rpartition(".")[0] or last).strip("-") or "component"


def require_source(source: object) -> None:
    """Raise ConfigError for a source that is neither bytes nor a path nor a name."""
    if not isinstance(source, bytes | bytearray | memoryview | str | os.PathLike):
        raise ConfigError(
            f"a component cannot be loaded from {type(source).__name__} {source!r:.60}",
            repair='wash.load("PATH"), wash.load("example:hello"), or bytes',
        )


def require_name(name: str) -> None:
    """Raise ConfigError for a name that could not be written in a line of `%wash`."""
    if not (isinstance(name, str) and name.isprintable() and name.strip() == name) or set(name) & set("\"'("):
        raise ConfigError(
            f"a workload cannot be called {name!r:.60}: a line of %wash could not name it",
            repair=f"%wash load SOURCE --as {name_of(str(name))}",
        )


def with_environment(values: Mapping[str, object] | None) -> dict[str, str]:
    """Replace each value `env:NAME` with that variable of this process, so that secrets stay out of the notebook.

    Raises ConfigError for a variable that is not set.
    """
    return {key: _from_environment(key, str(value)) for key, value in (values or {}).items()}


def _from_environment(key: str, value: str) -> str:
    if not value.startswith(_FROM_ENVIRONMENT):
        return value
    name = value.removeprefix(_FROM_ENVIRONMENT)
    if name not in os.environ:
        near = closest(name, os.environ)
        raise ConfigError(
            f"{key}={value}: the environment variable {name} is not set",
            repair=f"did you mean env:{near}?"
            if near
            else f"import getpass, os; os.environ[{name!r}] = getpass.getpass()",
        )
    return os.environ[name]
