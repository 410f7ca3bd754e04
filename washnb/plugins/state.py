"""What plugins keep for workloads and components, and for how long."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from washnb.errors import ConfigError, WorkloadNotFound
from washnb.wit import WitInterface

from .base import HostPlugin, State, WorkloadContext, WorkloadItem, is_version
from .directory_watch import DirectoryWatch
from .wrapper import unwrapped

S = TypeVar("S")


class PerWorkload(HostPlugin, ABC, Generic[S], abstract=True):
    """A plugin that keeps something for each workload: made at its first binding, gone with its last one.

    A reload binds the new version before it unbinds the old one, so that it keeps what the workload has. A subclass
    that overrides `on_workload_bind` calls this one first: the host unbinds also what failed to bind.
    """

    @cached_property
    def _states(self) -> dict[str, tuple[S, int]]:
        return {}

    @cached_property
    def _adopted(self) -> dict[str, S]:
        return {}

    def adopt(self, former: HostPlugin) -> None:
        """Keep the state of an earlier version of the same class, one that was edited and defined again."""
        former = unwrapped(former)
        if isinstance(former, PerWorkload) and is_version(type(self), type(former)):
            self._adopted.update((each, state) for each, (state, _) in former._states.items())  # noqa: SLF001

    @abstractmethod
    def new_state(self, workload: WorkloadContext) -> S:
        """Make what is kept for a workload that is not bound yet."""

    def state(self, workload_id: str) -> S:
        """Return what is kept for a workload. Raises WorkloadNotFound where it does not use the plugin."""
        try:
            return self._states[workload_id][0]
        except KeyError:
            raise WorkloadNotFound(f"workload {workload_id} does not use plugin {self.id!r}") from None

    async def on_workload_bind(self, workload: WorkloadContext, interfaces: Collection[WitInterface]) -> None:
        """Make the workload's state, or keep the one it has from the version that is being replaced."""
        workload_id = workload.workload_id
        if workload_id in self._states:
            state, bindings = self._states[workload_id]
        elif workload_id in self._adopted:
            state, bindings = self._adopted[workload_id], 0
        else:
            state, bindings = self.new_state(workload), 0
        self._states[workload_id] = (state, bindings + 1)
        self._adopted.pop(workload_id, None)
        await super().on_workload_bind(workload, interfaces)

    async def on_workload_unbind(self, workload_id: str, interfaces: Collection[WitInterface]) -> None:
        """Drop the state with the last binding."""
        await super().on_workload_unbind(workload_id, interfaces)
        kept = self._states.pop(workload_id, None)  # nothing, where the making of it failed
        if kept is not None and kept[1] > 1:
            self._states[workload_id] = (kept[0], kept[1] - 1)

    async def stop(self) -> None:
        """Drop everything: a host that stops does not unbind its workloads."""
        await super().stop()
        self._states.clear()
        self._adopted.clear()


class SharedState(PerWorkload[str], Generic[S], abstract=True):
    """A plugin whose state all workloads of a host share, perhaps with other hosts: what is there outlives them all.

    It has one backend for all of them, as wash-runtime's plugins on files and on NATS.
    """

    state_is_shared = True

    @property
    @abstractmethod
    def shared(self) -> S:
        """What keeps the state."""

    @property
    def heard(self) -> bool:
        """Whether a change would be heard of: somebody listens, and some workload can see what is kept here."""
        return bool(self.events) and bool(self._states)

    def backend(self, workload_id: str) -> S:
        """Return what all workloads share. Raises WorkloadNotFound where this one does not use the plugin."""
        self.state(workload_id)
        return self.shared

    def new_state(self, workload: WorkloadContext) -> str:
        """Keep the name of a workload that uses the plugin, for its events."""
        return workload.workload_name

    def changed(self, path: tuple[str, ...], action: str) -> None:
        """Tell of a change, whoever made it, in the name of each workload that can see it."""
        for name, _ in tuple(self._states.values()):
            self.state_changed(name, path, action)


class InDirectory(SharedState[S], abstract=True):
    """A plugin whose state is in a directory, perhaps with other processes: what these change is told, too."""

    backend_kind = "file"

    def __init__(self, root: Path) -> None:
        """Keep state in the directory `root`, the one that it is now: the process may go elsewhere."""
        self.root = root.absolute()
        self.location = f"file:{self.root}"
        self.watch = DirectoryWatch(self.root, self.changed, lambda: self.heard)
        """What the backend tells its own changes to."""

    async def start(self) -> None:
        """Look for what others change."""
        await super().start()
        self.watch.begin()

    async def on_workload_bind(self, workload: WorkloadContext, interfaces: Collection[WitInterface]) -> None:
        """Know a workload that can see what others change."""
        await super().on_workload_bind(workload, interfaces)
        self.watch.soon()

    async def stop(self) -> None:
        """Look no more."""
        await self.watch.end()
        await super().stop()


class OfManyHosts(HostPlugin, abstract=True):
    """A plugin whose state other hosts may share: no snapshot of it is taken, and none goes there."""

    def adopt(self, former: HostPlugin) -> None:
        """Keep nothing: what is kept is not here."""

    async def dump(self, workload_id: str) -> State:  # noqa: ARG002
        """Refuse."""
        raise self._refusal()

    async def restore(self, workload_id: str, state: State) -> None:  # noqa: ARG002
        """Refuse."""
        raise self._refusal()

    def _refusal(self) -> ConfigError:
        return ConfigError(
            f"{self.id} is on {self.location}, which other hosts share: no snapshot is taken of it, and none restored",
            repair="snapshots are of memory and of files: %wash attach keyvalue=memory",
        )


class PerComponent(PerWorkload[dict[str, S]], abstract=True):
    """A plugin that keeps something for each component, as long as for its workload."""

    @abstractmethod
    def new_component_state(self, item: WorkloadItem) -> S:
        """Make what is kept for a component that is not known yet."""

    def new_state(self, workload: WorkloadContext) -> dict[str, S]:  # noqa: ARG002
        """Begin with no component."""
        return {}

    def components(self, workload_id: str) -> tuple[str, ...]:
        """Return the names of the components that something is kept for. Raises WorkloadNotFound."""
        return tuple(self.state(workload_id))

    def component_state(self, workload_id: str, component: str) -> S:
        """Return what is kept for a component. Raises WorkloadNotFound where it does not use the plugin."""
        try:
            return self.state(workload_id)[component]
        except KeyError:
            raise WorkloadNotFound(
                f"component {component} of workload {workload_id} does not use plugin {self.id!r}", component=component
            ) from None

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:
        """Make the component's state, where it has none from the version that is being replaced, then link."""
        components = self.state(item.workload_id)
        if item.component not in components:
            components[item.component] = self.new_component_state(item)
        await super().on_workload_item_bind(item, interfaces)
