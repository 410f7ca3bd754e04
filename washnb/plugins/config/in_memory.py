"""Settings in memory, in layers, as in wash-runtime. Where two layers have the same key, the later one wins.

    the config of the interface in the workload's manifest
    the config of the component
    the environment variables of the component, if `copy_environment` says so
    edits, which washnb adds

In wash-runtime settings are fixed when the component is bound. In washnb they can be edited while the component runs,
and the edits stay when the workload is reloaded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

from washnb.wit import WitInterface

from ..base import BackendKind, Changed, State, WorkloadItem, check_state
from ..state import PerComponent, in_words
from .interface import Config


class LayeredSettings:
    """The settings of one component: those that its workload gives, and over them the edits."""

    def __init__(self, changed: Changed) -> None:
        """Begin without settings, and call `changed` after each edit."""
        self._given: Mapping[str, str] = {}
        self._edits: dict[str, str | None] = {}
        self._changed = changed

    def give(self, *layers: Mapping[str, str]) -> None:
        """Replace everything below the edits by `layers`; where two have the same key the later one wins."""
        self._given = {key: value for layer in layers for key, value in layer.items()}

    def layers(self) -> tuple[Mapping[str, str | None], ...]:
        """Return the layers of the settings, the one that wins last. None as a value says that a setting is removed."""
        return (self._given, self._edits)

    async def get(self, key: str) -> str | None:
        """Return the value of the setting `key`, None where there is none."""
        return next((layer[key] for layer in reversed(self.layers()) if key in layer), None)

    async def get_all(self) -> Mapping[str, str]:
        """Return the values of all settings, sorted by key."""
        merged = {key: value for layer in self.layers() for key, value in layer.items()}
        return {key: value for key, value in sorted(merged.items()) if value is not None}

    async def set(self, key: str, value: str) -> None:
        """Set the value of the setting `key`. The next call of a guest reads it."""
        self._edits[key] = value
        self._changed((key,), "set")

    async def delete(self, key: str) -> None:
        """Remove the setting `key`; a setting that does not exist is no error, and no change is reported."""
        if await self.get(key) is not None:
            self.hide(key)
            self._changed((key,), "delete")

    @property
    def edits(self) -> Mapping[str, str | None]:
        """The edits by key: the value that was set, or None where the setting was removed."""
        return self._edits

    async def restore(self, edits: Mapping[str, str | None]) -> None:
        """Replace all edits by `edits`, and report each setting that has another value then."""
        before = await self.get_all()
        self._edits = dict(edits)
        after = await self.get_all()
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                self._changed((key,), "set" if key in after else "delete")

    def hide(self, key: str) -> None:
        """Remove the setting `key`, whatever the layers below the edits have for it."""
        self._edits[key] = None

    def unhide(self, key: str) -> None:
        """Drop the edit of the setting `key`, so that the layers below show."""
        self._edits.pop(key, None)


class DynamicConfig(PerComponent[LayeredSettings], Config):
    """wasi:config from the workload's manifest, and from edits while the workload runs. State is in memory."""

    location = "memory"
    backend_kind: BackendKind = "memory"

    def __init__(self, copy_environment: bool = False) -> None:
        """With `copy_environment` a component's environment variables are settings, too, and win over its config."""
        self.copy_environment = copy_environment

    def new_component_state(self, item: WorkloadItem) -> LayeredSettings:
        """Return the settings of a component that has none yet."""
        return LayeredSettings(partial(self._edited, item.workload_name, item.component))

    def backend(self, workload_id: str, component: str) -> LayeredSettings:
        """Return the settings of a component. Raises WorkloadNotFound where the component does not use the plugin."""
        return self.component_state(workload_id, component)

    def amount_of_state(self, state: dict[str, LayeredSettings]) -> str:
        """Return how many edits the settings of a workload have, such as "2 edits"."""
        return in_words(sum(len(each.edits) for each in state.values()), "edit")

    async def dump(self, workload_id: str) -> State:
        """Return the edits of the workload's settings, by `(component, key)`, None for a setting that was removed.

        Raises WorkloadNotFound where the workload does not use the plugin.
        """
        kept = self.state(workload_id)
        return {(name, key): value for name, settings in kept.items() for key, value in settings.edits.items()}

    async def restore(self, workload_id: str, state: State) -> None:
        """Make the edits of the workload's settings the same as `state`, which `dump` returned.

        Raises WorkloadNotFound where the workload does not use the plugin, ConfigError where `state` is none of its.
        """
        check_state(state, {2: str | None})
        for name, settings in self.state(workload_id).items():
            edits = {path[1]: value for path, value in state.items() if path[0] == name}
            await settings.restore({key: value for key, value in edits.items() if not isinstance(value, bytes)})

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:
        """Link both interfaces, and take the settings that the manifest gives now; edits stay over them."""
        await super().on_workload_item_bind(item, interfaces)
        resources = item.local_resources
        environment = resources.environment if self.copy_environment else {}
        settings = self.backend(item.workload_id, item.component)
        settings.give(*(entry.config for entry in interfaces), resources.config, environment)

    def _edited(self, workload_name: str, component: str, path: tuple[str, ...], action: str) -> None:
        self.state_changed(workload_name, (component, *path), action)
