"""Plugins of other packages: entry points of the group `washnb.plugins`, loaded when somebody attaches them.

    [project.entry-points."washnb.plugins"]
    dice = "workshop_dice:Dice"

The object is a plugin or an interface, or the class of one, or a function without parameters that makes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points

from washnb.engine import Interface
from washnb.errors import ConfigError, spelled_out

from .base import HostPlugin, as_plugin

GROUP = "washnb.plugins"


@dataclass(frozen=True)
class RegisteredPlugin:
    """A plugin that an installed package registers under a word. Nothing of it is imported before `create`.

    Where several packages register the same word, they are all here, and `create` refuses.
    """

    word: str
    entry_points: tuple[EntryPoint, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The words by which `attach` knows the plugin: it has only one."""
        return (self.word,)

    @property
    def package(self) -> str:
        """Name and version of the package that registers the plugin."""
        return " and ".join(f"{each.dist.name} {each.dist.version}" for each in self.entry_points if each.dist)

    @cached_property
    def plugin_id(self) -> str:
        """The id of the plugin, which has to be made for that. Raises ConfigError as `create` does."""
        return self.create().id

    def create(self, backend: object = "memory", **options: object) -> HostPlugin:
        """Import the entry point and make the plugin.

        Raises ConfigError, which names the package, where that fails, where several packages register the word, and
        for a backend other than `memory` or for options: only the capabilities of washnb have backends to choose from.
        """
        if backend != "memory" or options:
            raise ConfigError(
                f"plugin {self.word!r} of package {self.package} has no backends to choose from",
                repair=f"%wash attach {self.word}",
            )
        if len(self.entry_points) > 1:
            raise ConfigError(
                f"plugin {self.word!r} is registered by several packages: {self.package}",
                repair="pip uninstall one of them",
            )
        try:
            return _made(self.entry_points[0].load())
        except ConfigError as error:
            raise ConfigError(
                f"plugin {self.word!r} of package {self.package}: {error.message}", repair=error.repair
            ) from error
        except (Exception, SystemExit) as error:  # a module may be a script that ends when it is imported
            raise ConfigError(
                f"plugin {self.word!r} of package {self.package} cannot be loaded: {spelled_out(error)}",
                repair=f"mend or uninstall package {self.package.partition(' ')[0]}",
            ) from error


def registered_plugins() -> tuple[RegisteredPlugin, ...]:
    """List the plugins that installed packages register, sorted by word; also packages installed while Python runs."""
    found: dict[str, list[EntryPoint]] = {}
    for each in entry_points(group=GROUP):
        found.setdefault(each.name, []).append(each)
    return tuple(RegisteredPlugin(word, tuple(points)) for word, points in sorted(found.items()))


def _made(subject: object) -> HostPlugin:
    if callable(subject) and not isinstance(subject, type | HostPlugin | Interface):
        return as_plugin(subject())
    return as_plugin(subject)
