"""The workloads of a session: each name with its source and settings, running on the host or waiting for a plugin.

Everything here runs on the host's loop. A workload with an import that nobody serves has failed to start for the host;
here it waits, and the attach that completes it starts it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from washnb.engine import CompiledComponent, GuestResource, Instance, Source, read_source
from washnb.errors import ConfigError, UnsatisfiedImportError, WashError, WorkloadNotFound
from washnb.host import Host
from washnb.plugins import HostPlugin, LocalNats, NatsServer, catalog, to_its_end
from washnb.types import Component, LocalResources, Workload, WorkloadStartRequest
from washnb.wit import WitInterface

from ..arguments import closest
from .exports import CALLING, Exports
from .history import History
from .questions import Questions

ObjectOf = Callable[[Instance, GuestResource], object]
"""Makes the object that stands for a guest's resource, of its instance and its handle."""

NAMESPACE = "notebook"


@dataclass
class Deployment:
    """One workload by its name: the source of its component, its settings, and whether it runs.

    `functions` are the names of the exported functions, by interface; `exports` are the exports as objects, made when
    they are first asked for. `awaited` are the imports that nobody served when a start last failed for that.
    """

    name: str
    source: Source
    resources: LocalResources
    workload_id: str = field(default_factory=lambda: str(uuid4()))
    error: WashError | None = None
    awaited: tuple[str, ...] = ()
    size: int = 0
    functions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    exports: Exports | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """The imports that nobody serves, where these keep the workload from running."""
        if not isinstance(self.error, UnsatisfiedImportError):
            return ()
        return tuple(sorted({name for names in self.error.missing.values() for name in names}))

    @property
    def waiting(self) -> bool:
        """Whether an error keeps the workload from running; the next attach tries to start it again."""
        return self.error is not None

    @property
    def answers_http(self) -> bool:
        """Whether the workload exports the handler of wasi:http."""
        return any(name.startswith("wasi:http/incoming-handler") for name in self.functions)

    @property
    def state(self) -> str:
        """running, or waiting for a plugin."""
        return "waiting" if self.waiting else "running"


class Deployments:
    """The workloads of a session, in the order in which they were last used."""

    def __init__(self, host: Host) -> None:
        """Begin with nothing loaded on `host`."""
        self.host = host
        self._named: dict[str, Deployment] = {}
        self.history = History()
        self.questions = Questions(host.events().publish)
        self.local_nats = LocalNats()
        self.servers: dict[tuple[str, bool, bool], NatsServer] = {}
        """The NATS servers of plugins, each by its URL, and whether it is written to and joined."""
        self.registered: dict[str, str] = {}
        """The ids of plugins of other packages, by the words that they were attached by."""
        self._kept: dict[str, Instance] = {}
        self._calling: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._turn = asyncio.Lock()

    def __iter__(self) -> Iterator[Deployment]:
        """Each deployment; the one used last comes last."""
        return iter(tuple(self._named.values()))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all deployments; the one used last comes last."""
        return tuple(self._named)

    def get(self, name: str | None = None) -> Deployment:
        """Find the deployment `name`, or the one used last. Raises WorkloadNotFound."""
        if not self._named:
            raise WorkloadNotFound(
                f"no workload {name!r}: nothing is loaded" if name else "nothing is loaded",
                repair=("%wash load PATH_OF_A_COMPONENT", "%wash load example:NAME  # TAB completes the names"),
            )
        if name is None:
            return next(reversed(self._named.values()))
        if name not in self._named:
            near = closest(name, self._named)
            raise WorkloadNotFound(
                f"no workload {name!r}; loaded: {', '.join(self._named)}",
                workload=name,
                repair=f"did you mean {near!r}?" if near else f"%wash load SOURCE --as {name}",
            )
        return self._named[name]

    def answering(self, name: str | None) -> Deployment:
        """Find the deployment that answers a request: `name`, or the one used last that exports wasi:http's handler."""
        running = [one for one in self if one.error is None and one.answers_http and name in {None, one.name}]
        if running:
            return self.use(running[-1].name)
        latest = self.use(name)
        raise ConfigError(
            f"workload {latest.name!r} answers no HTTP: it does not export wasi:http/incoming-handler",
            workload=latest.name,
            repair=(f"%wash inspect {latest.name}", f"%wash call {latest.name}.FUNCTION(...)"),
        )

    def use(self, name: str | None) -> Deployment:
        """Find a running deployment, and make it the one used last. Raises what keeps it from running."""
        deployment = self.running(name)
        self._named[deployment.name] = self._named.pop(deployment.name)
        return deployment

    def running(self, name: str | None) -> Deployment:
        """Find a running deployment. Raises what keeps it from running."""
        deployment = self.get(name)
        if deployment.error is not None:
            raise deployment.error.with_traceback(None)
        return deployment

    async def load(self, name: str, source: Source, resources: LocalResources) -> Deployment:
        """Start `source` as the workload `name`, in place of the one of that name, whose state it keeps.

        Raises WashError where it does not start. It is kept, and waits, where nobody serves an import; where an older
        version runs, that one goes on.
        """
        async with self._turn:
            previous = self._named.get(name)
            if previous is not None and not previous.waiting:
                return await self._replace(previous, source, resources)
            deployment = Deployment(name, source, resources)
            await self._start(deployment)
            if isinstance(deployment.error, UnsatisfiedImportError):
                deployment.error.add_note(f"{name} waits: the attach that completes it starts it")
            elif deployment.error is not None:
                raise deployment.error
            self._named[name] = deployment
        return self.running(name)

    async def reload(self, name: str | None) -> Deployment:
        """Read the source of a workload again, and start it in place of the running version; its state is kept."""
        deployment = self.get(name)
        return await self.load(deployment.name, deployment.source, deployment.resources)

    async def unload(self, name: str | None) -> str:
        """Stop a workload and forget its name, which is returned."""
        deployment = self.get(name)
        async with self._turn:
            await self._forget(self._named.pop(deployment.name, None))
        return deployment.name

    async def unload_all(self) -> list[str]:
        """Stop every workload and forget their names, which are returned."""
        return [await self.unload(name) for name in self.names]

    async def attach(self, plugins: Sequence[HostPlugin], to: str | None = None) -> tuple[str, ...]:
        """Attach plugins, all or none, each in place of the one with its id, and start workloads that waited for them.

        They are granted to all workloads, or to the one named `to`. Returns the names of the workloads that started.
        Raises ConfigError for a plugin that does not fit a workload, running or waiting, and any other error by which
        these plugins keep a waiting workload from running: then nothing has changed, and it waits on.
        """
        async with self._turn:
            waited = [deployment for deployment in self if deployment.waiting]
            async with self.host.attaching(*plugins, to=to, replace=True):
                before = [(deployment, deployment.error) for deployment in waited]
                try:
                    for deployment in waited:
                        await self._start_with(plugins, deployment)
                except BaseException:
                    await to_its_end(self._stop_again(before))
                    raise
        return tuple(deployment.name for deployment in waited if not deployment.waiting)

    async def _start_with(self, plugins: Sequence[HostPlugin], deployment: Deployment) -> None:
        """Start a waiting deployment. Raises what keeps it from running, if that is about what `plugins` serve."""
        await self._start(deployment)
        error = deployment.error
        if error is None or isinstance(error, UnsatisfiedImportError):
            return
        if any(_serving(plugins, each) for each in ([error.interface] if error.interface else deployment.awaited)):
            error.add_note(self._way_out(deployment.name, error.interface))
            raise error

    async def _stop_again(self, before: Sequence[tuple[Deployment, WashError | None]]) -> None:
        for deployment, error in before:
            if not deployment.waiting:
                await self.host.workload_stop(deployment.workload_id)
            deployment.error = error

    def _way_out(self, name: str, interface: str | None) -> str:
        """Say that a workload could not start, and which plugins are in each other's way, serving one interface."""
        serving = [] if interface is None else _serving(self.host.plugins.values(), interface)
        first = f"; {serving[0]} is asked first: %wash detach {serving[0]}" if len(serving) > 1 else ""
        return f"{name} could not start, so nothing was changed, and it waits as before{first}"

    async def detach(self, plugin: str, from_: str | None = None) -> str:
        """Take a plugin away, by its word or id, from all workloads or from one, also while it is in use.

        Returns its id. Raises ConfigError.
        """
        attached = tuple(self.host.plugins)
        entry = catalog.by_word(plugin)
        plugin_id = plugin if entry is None or plugin in attached else entry.plugin_id
        if plugin_id not in attached:
            near = closest(plugin, attached)
            raise ConfigError(
                f"no plugin {plugin!r} is attached; there is {', '.join(attached) or 'none'}",
                repair=f"%wash detach {near}" if near else "%wash plugins",
            )
        async with self._turn:
            await self.host.detach(plugin_id, from_=from_)
        return plugin_id

    async def close(self) -> None:
        """Stop the host and everything on it."""
        for name in tuple(self._kept):
            self._drop_instance(name)
        try:
            await self.host.stop()
        finally:
            await self.local_nats.stop()

    async def call(
        self, name: str, export: str, arguments: Sequence[object], object_of: ObjectOf, inside: frozenset[str]
    ) -> Any:
        """Call an export in the instance that is kept for the calls of a workload, until it is loaded again.

        `object_of` makes what stands for a resource, of its instance and its handle. Calls go one after the other, but
        for those that are made `inside` one of the same workload, which are refused. Raises what the engine raises; a
        guest that failed is replaced by a fresh instance at the next call.
        """
        async with self._turn_of(name, inside):
            deployment = self.use(name)
            instance = self._kept.get(deployment.name)
            if instance is None:
                instance = self._kept[deployment.name] = await self.host.instantiate(deployment.workload_id)
                instance.represent(partial(object_of, instance))
            try:
                return await instance.call(export, *arguments)
            finally:
                self._replace_ended(deployment.name, instance)

    async def drop(self, name: str, instance: Instance, handle: GuestResource, inside: frozenset[str]) -> None:
        """Drop a guest's resource, in the instance that is kept for the calls of a workload. Raises as `call` does."""
        async with self._turn_of(name, inside):
            try:
                await instance.drop(handle)
            finally:
                self._replace_ended(name, instance)

    @asynccontextmanager
    async def _turn_of(self, name: str, inside: frozenset[str]) -> AsyncIterator[None]:
        """Wait for the turn of a call. One that would wait for itself does not: the engine says that it is too much."""
        CALLING.set(inside | {name})  # for this task, which is that of one call
        async with nullcontext() if name in inside else self._calling[name]:
            yield

    def _replace_ended(self, name: str, instance: Instance) -> None:
        if instance.ended is not None and self._kept.get(name) is instance:
            self._drop_instance(name)

    def _drop_instance(self, name: str) -> None:
        instance = self._kept.pop(name, None)
        if instance is not None:
            instance.close()

    async def _start(self, deployment: Deployment) -> None:
        """Start a deployment; `error` keeps what keeps it from running."""
        try:
            request = await _request(deployment)
        except WashError as error:
            deployment.error = error
            return
        response = await self.host.workload_start(request)
        deployment.error = response.error
        if response.error is None:
            deployment.functions = self._functions(deployment)
        else:
            deployment.awaited = deployment.missing or deployment.awaited
            await self.host.workload_stop(deployment.workload_id)  # the id is free for another try

    async def _replace(self, running: Deployment, source: Source, resources: LocalResources) -> Deployment:
        """Start a new version in place of one that runs; where the new one fails, the running one goes on."""
        newer = Deployment(running.name, source, resources, running.workload_id)
        response = await self.host.workload_reload(await _request(newer))
        if response.error is not None:
            response.error.add_note(f"the version of {running.name} that was loaded before goes on")
            raise response.error
        self._drop_instance(running.name)
        newer.functions = self._functions(newer)
        self._named.pop(running.name)
        self._named[running.name] = newer
        return newer

    def _functions(self, deployment: Deployment) -> dict[str, tuple[str, ...]]:
        exports = self.host.component(deployment.workload_id).exports
        return {
            name: tuple(each for each in interface.functions if not each.startswith("["))
            for name, interface in exports.items()
        }

    def uncalled(self, name: str) -> tuple[str, ...]:
        """The exports of a running workload that wait for a plugin to call them, such as a handler of messages."""
        return self.host.uncalled(self._named[name].workload_id)

    async def compiled(self, subject: Source) -> CompiledComponent:
        """Return the component of a running workload, or compile a source that is no workload's name."""
        if isinstance(subject, str) and subject in self._named:
            deployment = self._named[subject]
            if deployment.error is None:
                return self.host.component(deployment.workload_id)
            subject = deployment.source
        return await self.host.engine.compile(subject, on_progress=self.host.events().publish)

    async def _forget(self, deployment: Deployment | None) -> None:
        if deployment is not None and not deployment.waiting:
            self._drop_instance(deployment.name)
            await self.host.workload_stop(deployment.workload_id)


async def _request(deployment: Deployment) -> WorkloadStartRequest:
    component = await asyncio.to_thread(_component, deployment)
    deployment.size = len(component.bytes)
    return WorkloadStartRequest(deployment.workload_id, Workload(NAMESPACE, deployment.name, components=(component,)))


def _component(deployment: Deployment) -> Component:
    read = read_source(deployment.source, deployment.name)
    return Component(deployment.name, read.data, local_resources=deployment.resources)


def _serving(plugins: Iterable[HostPlugin], interface: str) -> list[str]:
    """The ids of the plugins that serve an interface; of several, the first one gets the calls."""
    wanted = WitInterface.parse(interface)
    return sorted(plugin.id for plugin in plugins if plugin.world().serves(wanted))
