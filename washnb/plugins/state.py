"""Bases of plugins that have state: for each workload, for each component, in a directory, or on a server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from washnb.errors import ConfigError, WorkloadNotFound
from washnb.wit import WitInterface

from .base import HostPlugin, State, WorkloadContext, WorkloadItem, is_version
from .directory_watch import DirectoryWatch
from .wrapper import unwrapped

S = TypeVar("S")


def in_words(number: int, noun: str) -> str:
    """Return a number and a noun in words: "2 keys", "1 key", and "" for 0."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}" if number else ""


class PerWorkload(HostPlugin, ABC, Generic[S], abstract=True):
    """A plugin that keeps an object for each workload, from the workload's first binding to its last unbinding.

    A reload binds the new version of a workload before it unbinds the old one, so the object outlives the reload. A
    subclass says in `new_state` what the object is, and finds it with `state`. A subclass that overrides
    `on_workload_bind` calls `super().on_workload_bind` first: the bindings are counted there, and the host calls
    `on_workload_unbind` also where a binding has failed.
    """

    @cached_property
    def _states(self) -> dict[str, tuple[S, int]]:
        return {}

    @cached_property
    def _adopted(self) -> dict[str, S]:
        return {}

    def adopt(self, former: HostPlugin) -> None:
        """Take over the state of `former` where its class is an earlier version of this one, from before an edit."""
        if is_version(type(self), type(unwrapped(former))):
            self.take_over(former)

    def take_over(self, former: HostPlugin) -> None:
        """Take over the objects that `former` keeps for its workloads.

        `adopt` calls this for an earlier version of the same class only. A subclass may call it in an `adopt` of its
        own, for a class that keeps objects of the same kind.
        """
        former = unwrapped(former)
        if isinstance(former, PerWorkload):
            self._adopted.update(former.states_by_workload())

    def states_by_workload(self) -> Mapping[str, S]:
        """Return the objects that the plugin keeps, by workload id."""
        return {workload_id: state for workload_id, (state, _) in self._states.items()}

    def amount_of_state(self, state: S) -> str:  # noqa: ARG002
        """Return in words how much is in the object of a workload: "2 keys", or "" where it is empty.

        A session says so of state that is lost when another plugin replaces this one. Here it is always "state".
        """
        return "state"

    @abstractmethod
    def new_state(self, workload: WorkloadContext) -> S:
        """Return the object to keep for a workload that has none yet."""

    def state(self, workload_id: str) -> S:
        """Return the object that is kept for a workload. Raises WorkloadNotFound where it does not use the plugin."""
        try:
            return self._states[workload_id][0]
        except KeyError:
            raise WorkloadNotFound(f"workload {workload_id} does not use plugin {self.id!r}") from None

    async def on_workload_bind(self, workload: WorkloadContext, interfaces: Collection[WitInterface]) -> None:
        """Make the workload's state, or count one more binding of a workload that has state already."""
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
        """Drop the workload's state with its last binding."""
        await super().on_workload_unbind(workload_id, interfaces)
        kept = self._states.pop(workload_id, None)  # None where `new_state` has raised
        if kept is not None and kept[1] > 1:
            self._states[workload_id] = (kept[0], kept[1] - 1)

    async def stop(self) -> None:
        """Drop the state of all workloads: a host that stops does not unbind them."""
        await super().stop()
        self._states.clear()
        self._adopted.clear()


class SharedState(PerWorkload[str], Generic[S], abstract=True):
    """A plugin with one state, outside the process, that all workloads of a host share, perhaps with other hosts.

    The state outlives the workloads and the host: it is in files or on NATS, as in wash-runtime's plugins for these.
    """

    state_is_shared = True

    @property
    @abstractmethod
    def shared(self) -> S:
        """The backend that has the state."""

    @property
    def heard(self) -> bool:
        """Whether anybody would hear of a change: events have a subscriber, and a workload uses the plugin."""
        return bool(self.events) and bool(self._states)

    def backend(self, workload_id: str) -> S:
        """Return the backend that all workloads share. Raises WorkloadNotFound where the workload is not among them."""
        self.state(workload_id)
        return self.shared

    def new_state(self, workload: WorkloadContext) -> str:
        """Return the workload's name: all that is kept for a single workload, for the events of its changes."""
        return workload.workload_name

    def changed(self, path: tuple[str, ...], action: str) -> None:
        """Publish a change of the shared state for each workload that uses the plugin; also a change by another host.

        `path` and `action` are those of `state_changed`.
        """
        for name, _ in tuple(self._states.values()):
            self.state_changed(name, path, action)


class InDirectory(SharedState[S], abstract=True):
    """A plugin whose state is in a directory, and which publishes changes that other processes make there, too."""

    backend_kind = "file"

    def __init__(self, root: Path) -> None:
        """Keep state in the directory `root`. It is made absolute, for the process may change its working directory."""
        self.root = root.absolute()
        self.location = f"file:{self.root}"
        self.watch = DirectoryWatch(self.root, self.changed, lambda: self.heard)
        """Looks for changes by other processes. The backend reports its own changes to `watch.own`."""

    async def start(self) -> None:
        """Begin to look for changes by other processes."""
        await super().start()
        self.watch.begin()

    async def on_workload_bind(self, workload: WorkloadContext, interfaces: Collection[WitInterface]) -> None:
        """Bind the workload, and look at the directory at once: from now on its changes concern somebody."""
        await super().on_workload_bind(workload, interfaces)
        self.watch.soon()

    async def stop(self) -> None:
        """End the looking for changes by other processes."""
        await self.watch.end()
        await super().stop()


class OfManyHosts(HostPlugin, abstract=True):
    """A plugin whose state other hosts may share: it takes no snapshot of the state, and restores none over it."""

    def adopt(self, former: HostPlugin) -> None:
        """Take over nothing: the state is on the server, and not in `former`."""

    async def dump(self, workload_id: str) -> State:  # noqa: ARG002
        """Raise ConfigError: the state is not this host's alone."""
        raise self._refusal()

    async def restore(self, workload_id: str, state: State) -> None:  # noqa: ARG002
        """Raise ConfigError: the state is not this host's alone."""
        raise self._refusal()

    def _refusal(self) -> ConfigError:
        return ConfigError(
            f"{self.id} is on {self.location}, which other hosts share: no snapshot is taken of it, and none restored",
            repair="snapshots are of memory and of files: %wash attach keyvalue=memory",
        )


class PerComponent(PerWorkload[dict[str, S]], abstract=True):
    """A plugin that keeps an object for each component, for as long as the component's workload is bound.

    A subclass says in `new_component_state` what the object is, and finds it with `component_state`.
    """

    @abstractmethod
    def new_component_state(self, item: WorkloadItem) -> S:
        """Return the object to keep for a component that has none yet."""

    def new_state(self, workload: WorkloadContext) -> dict[str, S]:  # noqa: ARG002
        """Return the workload's objects by component, none yet."""
        return {}

    def components(self, workload_id: str) -> tuple[str, ...]:
        """Return the names of the workload's components that use the plugin.

        Raises WorkloadNotFound where the workload does not use it.
        """
        return tuple(self.state(workload_id))

    def component_state(self, workload_id: str, component: str) -> S:
        """Return the object that is kept for a component. Raises WorkloadNotFound where it does not use the plugin."""
        try:
            return self.state(workload_id)[component]
        except KeyError:
            raise WorkloadNotFound(
                f"component {component} of workload {workload_id} does not use plugin {self.id!r}", component=component
            ) from None

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:
        """Make the component's state where it has none, then link; after a reload it has that of the former version."""
        components = self.state(item.workload_id)
        if item.component not in components:
            components[item.component] = self.new_component_state(item)
        await super().on_workload_item_bind(item, interfaces)
