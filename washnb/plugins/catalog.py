"""The plugins that come with washnb, as data: what errors suggest and what `attach` understands.

A backend is chosen with a word: `memory`, `file:DIR`, or the URL of a NATS server. Beside them stand the plugins that
other packages register (`registered_plugins`).
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from washnb.errors import ConfigError
from washnb.secrecy import cut_at_userinfo
from washnb.wit import WitInterface, WitWorld

from .base import HostPlugin
from .entry_points import RegisteredPlugin, registered_plugins
from .nats import NatsServer

Backend = str | Path | NatsServer
"""Where a plugin keeps its state: `memory`, `file:DIR` or its path, `nats://HOST:PORT` or the server."""

FORMS: Mapping[str, str] = {"memory": "memory", "file": "file:DIR", "nats": "nats://HOST:PORT"}
"""How each kind of backend is written."""

_SCHEMES = ("nats://", "tls://", "ws://", "wss://")


@dataclass(frozen=True)
class CatalogEntry:
    """One capability: the words for it, the long one first, and the plugins that serve it.

    `backends` maps the kinds of `FORMS` to `module:class`, imported when it is wanted.
    """

    words: tuple[str, ...]
    plugin_id: str
    world: WitWorld
    backends: Mapping[str, str]

    @property
    def word(self) -> str:
        """The word that messages use."""
        return self.words[0]

    @property
    def forms(self) -> tuple[str, ...]:
        """How the backends that it has are written."""
        return tuple(FORMS[kind] for kind in self.backends)

    @property
    def class_name(self) -> str:
        """The name of the class that serves it in memory, as `washnb.plugins` exports it."""
        return self.backends["memory"].partition(":")[2]

    def create(self, backend: Backend = "memory", **options: Any) -> HostPlugin:
        """Make the plugin on a backend; `options` are those of `NatsServer`.

        Raises ConfigError for a backend that is none, or that the capability does not have.
        """
        place = backend_of(backend, **options)
        kind = kind_of(place)
        if kind not in self.backends:
            raise ConfigError(
                f"{self.word} has no backend {FORMS[kind]}; it has {', '.join(self.forms)}",
                repair=f"%wash attach {self.word}",
            )
        module, _, name = self.backends[kind].partition(":")
        make = getattr(importlib.import_module(module), name)
        plugin: HostPlugin = make() if place == "memory" else make(place)
        return plugin


Entry = CatalogEntry | RegisteredPlugin
"""What a word stands for."""

CATALOG = (
    CatalogEntry(
        ("keyvalue", "kv"),
        "wasi-keyvalue",
        WitWorld.of(imports=[f"wasi:keyvalue/store,atomics,batch@0.2.0-{draft}" for draft in ("draft", "draft2")]),
        {
            "memory": "washnb.plugins.keyvalue:InMemoryKeyValue",
            "file": "washnb.plugins.keyvalue:FilesystemKeyValue",
            "nats": "washnb.plugins.keyvalue:NatsKeyValue",
        },
    ),
    CatalogEntry(
        ("blobstore", "blobs"),
        "wasi-blobstore",
        WitWorld.of(imports=["wasi:blobstore/blobstore,container,types@0.2.0-draft"]),
        {
            "memory": "washnb.plugins.blobstore:InMemoryBlobstore",
            "file": "washnb.plugins.blobstore:FilesystemBlobstore",
            "nats": "washnb.plugins.blobstore:NatsBlobstore",
        },
    ),
    CatalogEntry(
        ("config",),
        "wasi-config",
        WitWorld.of(imports=["wasi:config/store@0.2.0-rc.1", "wasi:config/runtime@0.2.0-draft"]),
        {"memory": "washnb.plugins.config:DynamicConfig", "nats": "washnb.plugins.config:NatsConfig"},
    ),
    CatalogEntry(
        ("logging", "logs"),
        "wasi-logging",
        WitWorld.of(imports=["wasi:logging/logging@0.1.0-draft"]),
        {"memory": "washnb.plugins.logging:TracingLogger", "nats": "washnb.plugins.logging:NatsLogger"},
    ),
    CatalogEntry(
        ("messaging", "messages"),
        "wasmcloud-messaging",
        WitWorld.of(
            imports=["wasmcloud:messaging/types,consumer@0.2.0"], exports=["wasmcloud:messaging/handler@0.2.0"]
        ),
        {"memory": "washnb.plugins.messaging:InMemoryMessaging", "nats": "washnb.plugins.messaging:NatsMessaging"},
    ),
)


def words() -> tuple[str, ...]:
    """Return every word that `by_word` knows, for completion and closest matches."""
    return (*(word for entry in CATALOG for word in entry.words), *(each.word for each in _others()))


def by_word(word: str) -> Entry | None:
    """Find a capability by any of its words or by the id of its plugin, or the plugin of another package by its word.

    What comes with washnb is found first.
    """
    own = (entry for entry in CATALOG if word.lower() in (*entry.words, entry.plugin_id))
    return next(own, None) or next((each for each in _others() if each.word == word), None)


def word_of(plugin_id: str) -> str:
    """Return the word that messages use for a plugin; the id itself where it is none of these."""
    return next((entry.word for entry in CATALOG if entry.plugin_id == plugin_id), plugin_id)


def find(word: str) -> Entry:
    """Find what a word stands for, as `by_word`. Raises ConfigError with the closest word."""
    entry = by_word(word)
    if entry is not None:
        return entry
    near = difflib.get_close_matches(word.lower(), (*words(), "all"), n=1)
    own = "%wash attach NAME  # of a class in your notebook that is a HostPlugin or an Interface"
    known = (*(entry.word for entry in CATALOG), *(each.word for each in _others()))
    raise ConfigError(
        f"no plugin is called {word!r}; there are {', '.join(known)}",
        repair=f"%wash attach {near[0]}" if near else own,
    )


def backend_of(backend: Backend, **options: Any) -> Backend:
    """Read what stands for a backend: `memory`, a path, or a server with `options`. Raises ConfigError."""
    if isinstance(backend, str) and backend.startswith(_SCHEMES):
        return NatsServer(backend, **options)
    if options:
        raise ConfigError(
            f"{', '.join(options)}: only a backend that is the URL of a NATS server has options",
            repair="%wash attach keyvalue=nats://HOST:PORT",
        )
    if isinstance(backend, Path | NatsServer) or backend == "memory":
        return backend
    scheme, _, directory = backend.partition(":")
    if scheme == "file" and directory:
        return Path(directory.removeprefix("//")).expanduser()
    raise ConfigError(
        f"{cut_at_userinfo(backend)!r} is no backend; there are {', '.join(FORMS.values())}", repair=_meant(backend)
    )


def _meant(backend: str) -> str:
    """The line for what is nearly a backend: a server or a directory without its scheme, or a word misspelt."""
    scheme, _, rest = backend.partition(":")
    if rest.isdecimal():
        return f"%wash attach keyvalue=nats://{backend}"
    if "/" in scheme and "@" not in rest:
        return f"%wash attach keyvalue=file:{backend}"
    near = difflib.get_close_matches(scheme, FORMS, n=1)
    return f"did you mean {FORMS[near[0]]}?" if near else "%wash attach keyvalue=file:./state"


def by_interface(name: str) -> CatalogEntry | None:
    """Find the capability that serves an import, `wasi:keyvalue/store@0.2.0-draft`."""
    wanted = WitInterface.parse(name)
    return next((entry for entry in CATALOG if entry.world.serves(wanted)), None)


def suggestions(names: Iterable[str]) -> tuple[str, ...]:
    """Return the lines that would serve the imports `names`, for the repair of an error, each line once."""
    return tuple(dict.fromkeys(line for name in names for line in _suggestion(name)))


def _suggestion(name: str) -> tuple[str, ...]:
    entry = by_interface(name)
    if entry is not None:
        return _attach(entry.word, f"{entry.class_name}()")
    wanted = WitInterface.parse(name)
    served = [each for entry in CATALOG for each in entry.world.imports if each.package_name == wanted.package_name]
    if served:
        return (f"of {wanted.package_name}, washnb serves only {', '.join(map(str, served))}",)
    class_name = "".join(part.capitalize() for part in name.partition("/")[2].partition("@")[0].split("-"))
    own = f'class {class_name}(Interface, wit="{name}"):  # its functions as methods'
    return (f"%wash plugin new {name}  # writes the class", own, *_attach(class_name, class_name))


def _attach(word: str, plugin: str) -> tuple[str, str]:
    """The same in a notebook and in a program."""
    return f"%wash attach {word}", f"HostBuilder().with_plugin({plugin})"


def kind_of(place: Backend) -> str:
    """Return which of the kinds of `FORMS` a backend is, that was read by `backend_of`."""
    if isinstance(place, str):
        return place
    return "file" if isinstance(place, Path) else "nats"


def _others() -> list[RegisteredPlugin]:
    """What other packages register, without the words that are taken."""
    taken = {word for entry in CATALOG for word in (*entry.words, entry.plugin_id)}
    return [each for each in registered_plugins() if each.word not in taken]
