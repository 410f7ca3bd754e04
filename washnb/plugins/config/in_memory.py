"""Settings in layers, as in wash-runtime: interface config < the component's config < its environment, if asked for.

There they are frozen when a component is bound. Here they can be edited while it runs; edits are the topmost layer,
and stay when the workload is reloaded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

from washnb.wit import WitInterface

from ..base import BackendKind, Changed, State, WorkloadItem, check_state
from ..state import PerComponent, in_words
from .interface import Config


class LayeredSettings:
    """What a component was given, and the edits on top of it: a value, or None where a setting was taken away."""

    def __init__(self, changed: Changed) -> None:
        """Begin empty, and call `changed` after each edit."""
        self._given: Mapping[str, str] = {}
        self._edits: dict[str, str | None] = {}
        self._changed = changed

    def give(self, *layers: Mapping[str, str]) -> None:
        """Replace everything below the edits; of two layers the later one wins."""
        self._given = {key: value for layer in layers for key, value in layer.items()}

    def layers(self) -> tuple[Mapping[str, str | None], ...]:
        """What the settings are made of, the layer that wins last; None stands for a setting that is taken away."""
        return (self._given, self._edits)

    async def get(self, key: str) -> str | None:
        """Return the value of a setting, None where there is none."""
        return next((layer[key] for layer in reversed(self.layers()) if key in layer), None)

    async def get_all(self) -> Mapping[str, str]:
        """Return all settings, sorted by key."""
        merged = {key: value for layer in self.layers() for key, value in layer.items()}
        return {key: value for key, value in sorted(merged.items()) if value is not None}

    async def set(self, key: str, value: str) -> None:
        """Change a setting; guests see it at their next call."""
        self._edits[key] = value
        self._changed((key,), "set")

    async def delete(self, key: str) -> None:
        """Take a setting away; one that is not there is no error, and no change."""
        if await self.get(key) is not None:
            self.hide(key)
            self._changed((key,), "delete")

    @property
    def edits(self) -> Mapping[str, str | None]:
        """What was edited: the value, or None where a setting was taken away."""
        return self._edits

    async def restore(self, edits: Mapping[str, str | None]) -> None:
        """Let the edits be these, and no others."""
        before = await self.get_all()
        self._edits = dict(edits)
        after = await self.get_all()
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                self._changed((key,), "set" if key in after else "delete")

    def hide(self, key: str) -> None:
        """Let a setting be none, whatever lies below."""
        self._edits[key] = None

    def unhide(self, key: str) -> None:
        """Let what lies below be seen again."""
        self._edits.pop(key, None)


class DynamicConfig(PerComponent[LayeredSettings], Config):
    """wasi:config from what a workload says of each component, and from edits."""

    location = "memory"
    backend_kind: BackendKind = "memory"

    def __init__(self, copy_environment: bool = False) -> None:
        """Choose whether a component's environment variables are settings, too; they win over its config."""
        self.copy_environment = copy_environment

    def new_component_state(self, item: WorkloadItem) -> LayeredSettings:
        """Begin without settings."""
        return LayeredSettings(partial(self._edited, item.workload_name, item.component))

    def backend(self, workload_id: str, component: str) -> LayeredSettings:
        """Return the settings of a component. Raises WorkloadNotFound where it does not use the plugin."""
        return self.component_state(workload_id, component)

    def amount(self, state: dict[str, LayeredSettings]) -> str:
        """Return how many edits there are."""
        return in_words(sum(len(each.edits) for each in state.values()), "edit")

    async def dump(self, workload_id: str) -> State:
        """Return the edits by component and key. Raises WorkloadNotFound where the workload does not use the plugin."""
        kept = self.state(workload_id)
        return {(name, key): value for name, settings in kept.items() for key, value in settings.edits.items()}

    async def restore(self, workload_id: str, state: State) -> None:
        """Let the edits be these. Raises WorkloadNotFound where the workload does not use the plugin."""
        check_state(state, {2: str | None})
        for name, settings in self.state(workload_id).items():
            edits = {path[1]: value for path, value in state.items() if path[0] == name}
            await settings.restore({key: value for key, value in edits.items() if not isinstance(value, bytes)})

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:
        """Link, and lay the layers anew: a reload may have brought other ones."""
        await super().on_workload_item_bind(item, interfaces)
        resources = item.local_resources
        environment = resources.environment if self.copy_environment else {}
        settings = self.backend(item.workload_id, item.component)
        settings.give(*(entry.config for entry in interfaces), resources.config, environment)

    def _edited(self, workload_name: str, component: str, path: tuple[str, ...], action: str) -> None:
        self.state_changed(workload_name, (component, *path), action)
