"""The plugins that come with washnb, as data: what `attach` understands, and what errors suggest to attach.

A capability is found by a word, such as `keyvalue`, and one of its backends by another: `memory`, `file:DIR`, or the
URL of a NATS server. The plugins that other packages register (`registered_plugins`) are found by their words, too.
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
"""Where a plugin keeps its state: `memory`, a directory (`file:DIR` or Path), or a NATS server (URL or NatsServer)."""

FORMS: Mapping[str, str] = {"memory": "memory", "file": "file:DIR", "nats": "nats://HOST:PORT"}
"""How a backend is written, by the kind of backend."""

_SCHEMES = ("nats://", "tls://", "ws://", "wss://")


@dataclass(frozen=True)
class CatalogEntry:
    """A capability that comes with washnb: the words for it, the long one first, and the plugins that serve it.

    `plugin_id` and `world` are those of all these plugins. `backends` has the plugin class for each kind of backend
    (the keys of `FORMS`), as `module:class`, which `create` imports.
    """

    words: tuple[str, ...]
    plugin_id: str
    world: WitWorld
    backends: Mapping[str, str]

    @property
    def word(self) -> str:
        """The word for the capability that messages use."""
        return self.words[0]

    @property
    def forms(self) -> tuple[str, ...]:
        """How each backend of the capability is written, such as `memory`, `file:DIR`, `nats://HOST:PORT`."""
        return tuple(FORMS[kind] for kind in self.backends)

    @property
    def class_name(self) -> str:
        """The name of the capability's plugin class for state in memory, as `washnb.plugins` exports it."""
        return self.backends["memory"].partition(":")[2]

    def create(self, backend: Backend = "memory", **options: Any) -> HostPlugin:
        """Return a new plugin of the capability with its state in `backend`; `options` go to `NatsServer`.

        Raises ConfigError where `backend` is none, or none that the capability has.
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
"""What a word stands for: a capability of washnb, or the plugin of another package."""

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
    """Return every word by which `by_word` finds a plugin, for completion and for the closest match."""
    return (*(word for entry in CATALOG for word in entry.words), *(each.word for each in _others()))


def by_word(word: str) -> Entry | None:
    """Return the capability that has the word, or whose plugin has that id, or else another package's plugin.

    None where there is neither. The words of capabilities are found in any case: `KeyValue` as `keyvalue`.
    """
    own = (entry for entry in CATALOG if word.lower() in (*entry.words, entry.plugin_id))
    return next(own, None) or next((each for each in _others() if each.word == word), None)


def word_of(plugin_id: str) -> str:
    """Return the word that messages use for the plugin with that id; the id itself where washnb has no such plugin."""
    return next((entry.word for entry in CATALOG if entry.plugin_id == plugin_id), plugin_id)


def find(word: str) -> Entry:
    """Return what `by_word` finds for a word. Raises ConfigError where that is nothing, with the closest word."""
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
    """Return the backend that a text stands for: `memory`, a Path for `file:DIR`, or a NatsServer for a URL.

    `options` go to that NatsServer. A Path or NatsServer is returned as it is. Raises ConfigError for any other text,
    and for options without a URL.
    """
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
    """Return the repairing line for what is nearly a backend: an address or path without scheme, a misspelt word."""
    scheme, _, rest = backend.partition(":")
    if rest.isdecimal():
        return f"%wash attach keyvalue=nats://{backend}"
    if "/" in scheme and "@" not in rest:
        return f"%wash attach keyvalue=file:{backend}"
    near = difflib.get_close_matches(scheme, FORMS, n=1)
    return f"did you mean {FORMS[near[0]]}?" if near else "%wash attach keyvalue=file:./state"


def by_interface(name: str) -> CatalogEntry | None:
    """Return the capability that serves the import `name`, such as `wasi:keyvalue/store@0.2.0-draft`; None for none."""
    wanted = WitInterface.parse(name)
    return next((entry for entry in CATALOG if entry.world.serves(wanted)), None)


def suggestions(names: Iterable[str]) -> tuple[str, ...]:
    """Return the lines of code that make the imports `names` served, for the repair of an error, each line once."""
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
    """Return the line that attaches a plugin in a notebook, and the one in a program."""
    return f"%wash attach {word}", f"HostBuilder().with_plugin({plugin})"


def kind_of(place: Backend) -> str:
    """Return the kind of a backend that `backend_of` has returned: `memory`, `file` or `nats`, a key of `FORMS`."""
    if isinstance(place, str):
        return place
    return "file" if isinstance(place, Path) else "nats"


def _others() -> list[RegisteredPlugin]:
    """List the plugins that other packages register, without those whose words the capabilities of washnb have."""
    taken = {word for entry in CATALOG for word in (*entry.words, entry.plugin_id)}
    return [each for each in registered_plugins() if each.word not in taken]
