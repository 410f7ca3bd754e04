"""The plugins that come with washnb, as data: what errors suggest and what `attach` understands."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass

from washnb.errors import ConfigError
from washnb.wit import WitInterface, WitWorld

from .base import HostPlugin


@dataclass(frozen=True)
class CatalogEntry:
    """One capability: the words for it, the long one first, and the plugin that serves it in memory.

    `class_path` is `module:class`, imported when it is wanted; `extra` is the extra of washnb that it needs, if any.
    """

    words: tuple[str, ...]
    plugin_id: str
    world: WitWorld
    class_path: str
    extra: str | None = None

    @property
    def word(self) -> str:
        """The word that messages use."""
        return self.words[0]

    @property
    def class_name(self) -> str:
        """The name of the plugin's class, as `washnb.plugins` exports it."""
        return self.class_path.partition(":")[2]

    def create(self) -> HostPlugin:
        """Make the plugin with its defaults. Raises ConfigError where its extra is not installed."""
        module, _, name = self.class_path.partition(":")
        try:
            plugin: HostPlugin = getattr(importlib.import_module(module), name)()
        except ModuleNotFoundError as error:
            if self.extra is None:
                raise
            raise ConfigError(
                f"plugin {self.word} needs a package that is not installed: {error.name}",
                repair=f'pip install "washnb[{self.extra}]"',
            ) from error
        return plugin


CATALOG = (
    CatalogEntry(
        ("keyvalue", "kv"),
        "wasi-keyvalue",
        WitWorld.of(imports=["wasi:keyvalue/store,atomics,batch@0.2.0-draft"]),
        "washnb.plugins.keyvalue:InMemoryKeyValue",
    ),
    CatalogEntry(
        ("config",),
        "wasi-config",
        WitWorld.of(imports=["wasi:config/store@0.2.0-rc.1"]),
        "washnb.plugins.config:DynamicConfig",
    ),
    CatalogEntry(
        ("logging", "logs"),
        "wasi-logging",
        WitWorld.of(imports=["wasi:logging/logging@0.1.0-draft"]),
        "washnb.plugins.logging:TracingLogger",
    ),
)


def words() -> tuple[str, ...]:
    """Return every word that `by_word` knows, for completion and closest matches."""
    return tuple(word for entry in CATALOG for word in entry.words)


def by_word(word: str) -> CatalogEntry | None:
    """Find a capability by any of its words or by the id of its plugin."""
    return next((entry for entry in CATALOG if word.lower() in (*entry.words, entry.plugin_id)), None)


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
    return (own, *_attach(class_name, class_name))


def _attach(word: str, plugin: str) -> tuple[str, str]:
    """The same in a notebook and in a program."""
    return f"%wash attach {word}", f"HostBuilder().with_plugin({plugin})"
