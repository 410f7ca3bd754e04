"""The view `config`: the settings of a workload, to look at and to edit. A guest sees an edit at its next call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from washnb.errors import ConfigError
from washnb.secrecy import redacted

from .. import hosted
from ..text import Table, one_line
from ..widgets import Answer, Wish
from .base import NotThere, View, titled
from .values import entry

_TITLE = "config"
_EMPTY = "no settings"
_FORMS = ("text", "json", "hex")


@dataclass(frozen=True)
class Look:
    """What the view shows: the settings, and the place where they are kept."""

    settings: Mapping[str, str]
    place: str = ""


class ConfigView(View):
    """The settings of a workload, live and editable: `wash.config["greeting"] = "Ahoy"`.

    The view is a mapping from key to text; `.data` is a plain copy of it.
    """

    widget = "state"
    plugin = "wasi-config"

    def __call__(self, *, of: str | None = None) -> ConfigView:
        """Return a view of the settings of the workload `of`: what `%wash config` shows."""
        return ConfigView(self.door, of or self.of)

    def __getitem__(self, key: str) -> str:
        """Return a setting as text. Raises NotThere, a KeyError that names the settings there are."""
        __tracebackhide__ = True
        settings: Mapping[str, str] = self.data
        if key not in settings:
            raise NotThere("setting", key, sorted(settings))
        return settings[key]

    def __setitem__(self, key: str, value: object) -> None:
        """Change a setting."""
        self.door.on_host(lambda deployments: self.set(deployments, key, str(value)))

    def __delitem__(self, key: str) -> None:
        """Take a setting away."""
        self.door.on_host(lambda deployments: self.delete(deployments, key))

    def __iter__(self) -> Iterator[str]:
        """The keys, sorted."""
        return iter(self.data)

    def __len__(self) -> int:
        """The number of settings."""
        return len(self.data)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    async def read(self, deployments: hosted.Deployments) -> Mapping[str, str]:
        """Read all settings."""
        return (await self.look(deployments)).settings

    async def look(self, deployments: hosted.Deployments) -> Look:
        """Read all settings, and the place where they are kept."""
        kept = hosted.config_of(deployments, self.of)
        return Look({}) if kept is None else Look(await kept.backend.get_all(), kept.place)

    def still(self, look: Look) -> Table:
        """Show a row for each setting."""
        rows = [(key, one_line(value, 200)) for key, value in redacted(look.settings)]
        return Table(("key", "value"), rows, empty=_EMPTY, title=titled(_TITLE, look.place))

    def picture(self, look: Look) -> dict[str, Any]:
        """Show the settings to the widget as one group without a name."""
        entries = [entry(key, value.encode(), _FORMS) for key, value in look.settings.items()]
        groups = [{"name": "", "more": False, "entries": entries}] if entries else []
        shown = {"title": _TITLE, "place": look.place, "word": "", "groups": groups, "empty": _EMPTY}
        return {**shown, "new_groups": False, "forms": _FORMS}

    async def grant(self, deployments: hosted.Deployments, wish: Wish, value: bytes) -> Answer:
        """Change or take away a setting, as the widget asks."""
        if wish["do"] == "delete":
            await self.delete(deployments, wish["key"])
        else:
            await self.set(deployments, wish["key"], value.decode())
        return Answer()

    async def set(self, deployments: hosted.Deployments, key: str, value: str) -> None:
        """Change a setting. Raises ConfigError where the workload does not use wasi:config."""
        kept = hosted.config_of(deployments, self.of)
        if kept is None:
            raise ConfigError(
                "no workload here uses wasi:config",
                repair=("%wash attach config", f"%wash load SOURCE --config {key}=..."),
            )
        await kept.backend.set(key, value)

    async def delete(self, deployments: hosted.Deployments, key: str) -> None:
        """Take a setting away. Raises NotThere where there is none."""
        kept = hosted.config_of(deployments, self.of)
        if kept is None or await kept.backend.get(key) is None:
            raise NotThere("setting", key, () if kept is None else sorted(await kept.backend.get_all()))
        await kept.backend.delete(key)
