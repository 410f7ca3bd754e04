"""The view `config`: the settings of a workload, to look at and to edit. A guest sees an edit at its next call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from washnb.errors import ConfigError
from washnb.events import Event, PluginChanged, StateChanged, WorkloadChanged

from .. import hosted
from ..text import HIDDEN, Table, is_secret, one_line, redacted, size
from ..widgets import Wish
from .base import View

_PLUGIN = "wasi-config"
_EMPTY = "no settings"


class ConfigView(View):
    """Settings by key; itself a mapping that can be written. `.data` is a plain mapping from key to text."""

    widget = "state"

    def __call__(self, *, of: str | None = None) -> ConfigView:
        """Look at another workload: what `%wash config` does."""
        return ConfigView(self.door, of or self.of)

    def __getitem__(self, key: str) -> str:
        """Return a setting. Raises KeyError."""
        settings: Mapping[str, str] = self.data
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
        """How many settings there are."""
        return len(self.data)

    async def read(self, deployments: hosted.Deployments) -> Mapping[str, str]:
        """Read all settings."""
        backend = hosted.config_of(deployments, self.of)
        return {} if backend is None else await backend.get_all()

    def table(self, look: Mapping[str, str]) -> Table:
        """One row for each setting."""
        rows = [(key, one_line(value, 200)) for key, value in redacted(look)]
        return Table(("key", "value"), rows, empty=_EMPTY, title="config")

    def picture(self, look: Mapping[str, str]) -> dict[str, Any]:
        """One group without a name."""
        entries = [
            {
                "key": key,
                "kind": "secret" if is_secret(key) else "text",
                "text": HIDDEN if is_secret(key) else value,
                "preview": HIDDEN if is_secret(key) else one_line(value, 200),
                "note": "",
                "size": size(len(value)),
                "whole": True,
                "hex": "",
            }
            for key, value in look.items()
        ]
        group = {"name": "", "more": 0, "entries": entries}
        return {"title": "config", "word": "", "groups": [group], "empty": _EMPTY, "new_groups": False}

    def concerns(self, event: Event) -> bool:
        """Changes of settings, and of who has them."""
        if isinstance(event, StateChanged):
            return event.plugin == _PLUGIN
        return isinstance(event, WorkloadChanged | PluginChanged)

    async def change(self, deployments: hosted.Deployments, wish: Wish) -> None:
        """Change or take away a setting, as the widget asks."""
        if wish["do"] == "delete":
            await self.delete(deployments, str(wish["key"]))
        else:
            await self.set(deployments, str(wish["key"]), str(wish["text"]))

    async def set(self, deployments: hosted.Deployments, key: str, value: str) -> None:
        """Change a setting. Raises ConfigError where the workload does not use wasi:config."""
        backend = hosted.config_of(deployments, self.of)
        if backend is None:
            raise ConfigError(
                "no workload here uses wasi:config",
                repair=("%wash attach config", f"%wash load SOURCE --config {key}=..."),
            )
        await backend.set(key, value)

    async def delete(self, deployments: hosted.Deployments, key: str) -> None:
        """Take a setting away. Raises KeyError where there is none."""
        backend = hosted.config_of(deployments, self.of)
        if backend is None or await backend.get(key) is None:
            raise KeyError(key)
        await backend.delete(key)
