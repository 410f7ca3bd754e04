"""The arguments of `attach`: plugins, each with its backend, and the workloads that they are for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from washnb.errors import ConfigError

from .loading import with_environment

_CHOICE = re.compile(r"(?P<word>[\w-]+|[\w-]+:[\w:/.@-]+)=(?P<backend>.*)", re.DOTALL)
ASK = "ask"
"""The backend of a plugin whose calls are answered by the person at the notebook."""

BACKEND_LINES = (
    "%wash attach keyvalue=memory",
    "%wash attach keyvalue=file:./state",
    "%wash attach all=nats://HOST:PORT",
)


@dataclass(frozen=True)
class Wanted:
    """One plugin to attach: `subject` is a word, a plugin or an interface, or a class of these.

    `backend` says where the plugin of a word keeps its state: `memory`, `file:DIR`, the URL of a NATS server, `nats`
    for the server of this session, a path, or a NatsServer; with `ask` or an `Ask` its calls are answered by a person
    or a function. None keeps the backend of the attached plugin, or else means memory. `made` is the plugin itself,
    where the caller's thread has made it.
    """

    subject: object
    backend: object = None
    made: Any = None


@dataclass(frozen=True)
class Terms:
    """The workload that plugins are granted to (None: all), and what they may do at a NATS server elsewhere."""

    to: str | None = None
    write: bool = False
    join: bool = False


Plugins = Iterable[object] | Mapping[str, object]
"""The plugins that `load` attaches: subjects, or a mapping from word to backend."""


def wanted(plugins: Plugins, backends: Mapping[str, object] | None = None) -> list[Wanted]:
    """Read plugins, texts such as `keyvalue=file:./state`, and backends by word, into one list.

    A backend `env:NAME` is taken from the environment. Raises ConfigError for a word without a backend behind its `=`,
    and for a variable that is not set.
    """
    if isinstance(plugins, Mapping):
        return wanted((), plugins)
    if "loop" in (backends or {}):
        raise ConfigError(
            "attach does not say on which loop a plugin runs: its class does",
            repair='loop = "kernel"  # in the class of the plugin, or of an interface that is attached by itself',
        )
    subjects = (plugins,) if isinstance(plugins, str) else plugins
    pairs = [*map(_pair, subjects), *(backends or {}).items()]
    return [Wanted(subject, _of_environment(subject, backend)) for subject, backend in pairs]


def _pair(plugin: object) -> tuple[object, object]:
    choice = _CHOICE.fullmatch(plugin) if isinstance(plugin, str) else None
    return (choice["word"], choice["backend"]) if choice else (plugin, None)


def _of_environment(subject: object, backend: object) -> object:
    if backend == "":
        raise ConfigError(f"{subject}= names no backend", repair=BACKEND_LINES)
    return with_environment({str(subject): backend})[str(subject)] if isinstance(backend, str) else backend
