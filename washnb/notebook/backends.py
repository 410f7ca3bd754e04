"""What `attach` is told: plugins, each with the backend that it is to be on, and for whom."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from washnb.errors import ConfigError

from .loading import with_environment

_CHOICE = re.compile(r"(?P<word>[\w-]+|[\w-]+:[\w:/.@-]+)=(?P<backend>.*)", re.DOTALL)
ASK = "ask"
"""The backend that is the person."""

BACKEND_LINES = (
    "%wash attach keyvalue=memory",
    "%wash attach keyvalue=file:./state",
    "%wash attach all=nats://HOST:PORT",
)


@dataclass(frozen=True)
class Wanted:
    """One thing to attach: a word, a plugin or an interface, or a class of these.

    `backend` says where the plugin of a word keeps its state: `memory`, `file:DIR`, the URL of a NATS server, `nats`
    for the one of this session, a path, or a NatsServer; `ask` and `Ask` say that somebody answers for it. None: where
    it is already, or else in memory. `made` is the plugin, where the thread that asks has made it.
    """

    subject: object
    backend: object = None
    made: Any = None


@dataclass(frozen=True)
class Terms:
    """For whom plugins are attached (None: all workloads), and what is done at a NATS server on another machine."""

    to: str | None = None
    write: bool = False
    join: bool = False


Plugins = Iterable[object] | Mapping[str, object]
"""What is to be attached: subjects, or backends by word."""


def wanted(plugins: Plugins, backends: Mapping[str, object] | None = None) -> list[Wanted]:
    """Read `keyvalue=file:./state` and its like, and backends by word; `env:NAME` is taken from the environment.

    Raises ConfigError for a word without a backend behind its `=`, and for a variable that is not set.
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
