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
    """What one package, or by mistake several, registers under a word. Nothing of it is imported before `create`."""

    word: str
    entry_points: tuple[EntryPoint, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The only word for it."""
        return (self.word,)

    @property
    def package(self) -> str:
        """The name and the version of the package that registers it."""
        return " and ".join(f"{each.dist.name} {each.dist.version}" for each in self.entry_points if each.dist)

    @cached_property
    def plugin_id(self) -> str:
        """The id of the plugin. Raises ConfigError as `create`."""
        return self.create().id

    def create(self, backend: object = "memory", **options: object) -> HostPlugin:
        """Import it and make the plugin.

        Raises ConfigError, which names the package, where that fails, where several packages register the word, and
        where a backend is asked for: they are a matter of the capabilities that come with washnb.
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
    """List what the installed packages register, by word. Packages that come while Python runs are seen, too."""
    found: dict[str, list[EntryPoint]] = {}
    for each in entry_points(group=GROUP):
        found.setdefault(each.name, []).append(each)
    return tuple(RegisteredPlugin(word, tuple(points)) for word, points in sorted(found.items()))


def _made(subject: object) -> HostPlugin:
    if callable(subject) and not isinstance(subject, type | HostPlugin | Interface):
        return as_plugin(subject())
    return as_plugin(subject)
