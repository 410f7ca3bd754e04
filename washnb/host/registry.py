"""The workloads of a host by their ids, and the states that they go through, named as in wash-runtime."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import partial

from washnb.errors import ConfigError, WashError, WorkloadFailed, WorkloadNotFound, said_by, spelled_out
from washnb.events import EventBus, WorkloadChanged
from washnb.types import Workload, WorkloadStartRequest, WorkloadStartResponse, WorkloadState, WorkloadStatus

from .assembly import Assembler
from .dispatch import Dispatcher
from .faults import Faults
from .grants import AttachedPlugins
from .workload import BoundWorkload

RELOAD_GRACE = 5.0
"""Seconds that calls in flight in the old version of a workload have to end when a new one takes its place."""

_STARTED = "Workload started successfully"
_STOPPED_EARLY = "Workload was stopped while starting"


@dataclass(eq=False)
class _Entry:
    """The workload of one id. `starting` is the task of its start, `running` what is bound; `changing` guards both."""

    manifest: Workload
    state: WorkloadState = WorkloadState.STARTING
    error: WashError | None = None
    running: BoundWorkload | None = None
    starting: asyncio.Task[None] | None = None
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def message(self) -> str:
        if self.error is not None:
            return f"Error: {cause_chain(self.error)}"
        return f"Workload is {self.state.value}"


@dataclass(frozen=True)
class WorkloadSummary:
    """A workload as the host sees it: its state, its components, the plugins that serve it, its calls in flight.

    `lost` are the interfaces that a plugin has served and that nothing serves now.
    """

    workload_id: str
    name: str
    namespace: str
    state: WorkloadState
    message: str
    components: tuple[str, ...]
    plugins: tuple[str, ...]
    lost: tuple[str, ...]
    in_flight: int


class WorkloadRegistry:
    """Starts, reloads and stops workloads, and knows the state of each."""

    def __init__(
        self, assembler: Assembler, dispatcher: Dispatcher, events: EventBus, plugins: AttachedPlugins
    ) -> None:
        """Begin without workloads; `plugins` are those of the host, which change with time."""
        self._assembler = assembler
        self._dispatcher = dispatcher
        self._events = events
        self._plugins = plugins
        self.faults = Faults(self.running)
        self._entries: dict[str, _Entry] = {}

    async def start(self, request: WorkloadStartRequest) -> WorkloadStartResponse:
        """Start a workload. A start that fails, and an id that is taken, are answered with the state Error.

        A workload whose start failed keeps its id until it is stopped.
        """
        workload_id = request.workload_id
        if (known := self._entries.get(workload_id)) is not None:
            message = f"Workload ID [{workload_id}] already exists ({known.state.value})"
            error = WorkloadFailed(message, repair=f'await host.workload_stop("{workload_id}")  # or choose another id')
            return _response(workload_id, WorkloadState.ERROR, message, error)
        entry = self._entries[workload_id] = _Entry(request.workload)
        self._tell(workload_id, entry)
        starting = entry.starting = asyncio.create_task(self._begin(workload_id, entry))
        try:
            await asyncio.wait([starting])
        except asyncio.CancelledError:
            self._forget(workload_id, entry)
            await _abandon(entry, starting)
            raise
        finally:
            entry.starting = None
        if entry.state is WorkloadState.STOPPING:
            await _abandon(entry, starting)
            return _response(workload_id, entry.state, _STOPPED_EARLY)
        try:
            starting.result()
        except WashError as error:
            entry.state, entry.error = WorkloadState.ERROR, error
            self._tell(workload_id, entry)
            return _response(workload_id, entry.state, cause_chain(error), error)
        self._run(workload_id, entry)
        return _response(workload_id, entry.state, _STARTED)

    async def reload(self, request: WorkloadStartRequest) -> WorkloadStartResponse:
        """Start a new version of a workload in the place of the one with its id; what plugins keep for the id stays.

        The old version answers until the new one is bound, and goes on where the new one fails.
        """
        workload_id = request.workload_id
        entry = self._entries.get(workload_id)
        if entry is None or entry.running is None:
            await self.stop(workload_id)
            return await self.start(request)
        async with entry.changing:
            old = entry.running
            try:
                new = await self._assemble(workload_id, request.workload)
            except WashError as error:
                return _response(workload_id, WorkloadState.ERROR, cause_chain(error), error)
            if self._entries.get(workload_id) is not entry:  # the workload or the host was stopped meanwhile
                await new.lifecycle.unbind()
                return _response(workload_id, WorkloadState.STOPPING, _STOPPED_EARLY)
            entry.running, entry.manifest = new, request.workload
            self._run(workload_id, entry)
            await old.retire(_stopped(old, "was loaded again"), grace=RELOAD_GRACE)
        return _response(workload_id, entry.state, _STARTED)

    def status(self, workload_id: str) -> WorkloadStatus:
        """Return the status of the workload of that id; for an unknown id its state is NotFound."""
        entry = self._entries.get(workload_id)
        if entry is None:
            return WorkloadStatus(workload_id, WorkloadState.NOT_FOUND, f"Workload not found: {workload_id}")
        return WorkloadStatus(workload_id, entry.state, entry.message, entry.error)

    async def stop(self, workload_id: str) -> WorkloadStatus:
        """Stop a workload: it gets no more requests, its calls are cancelled, its plugins unbound, its id is free."""
        entry = self._entries.get(workload_id)
        if entry is None:
            return WorkloadStatus(workload_id, WorkloadState.NOT_FOUND, "Workload not found")
        async with entry.changing:
            if self._entries.get(workload_id) is not entry:  # another stop has ended it meanwhile
                return await self.stop(workload_id)
            entry.state = WorkloadState.STOPPING
            self._tell(workload_id, entry)
            if entry.starting is not None:
                entry.starting.cancel()
                await asyncio.wait([entry.starting])
            self._dispatcher.remove(workload_id)
            try:
                if entry.running is not None:
                    await entry.running.retire(_stopped(entry.running, "was stopped"), grace=0.0)
            finally:
                self._forget(workload_id, entry)
        return WorkloadStatus(workload_id, WorkloadState.STOPPING, "Workload stopped successfully")

    async def settle(self, *, restore: Collection[str] = ()) -> None:
        """Let each running workload be served by the plugins that are granted to it now, and by no others.

        Plugins of the ids `restore` serve again the workloads that lost them; replaced plugins stay bound until `part`.
        Raises the first error of a binding, after all workloads have been seen to.
        """
        running = self.running()
        for workload in running:  # all calls are refused at once; unbinding may take its time
            workload.lifecycle.withdraw(self._plugins.granted_to(workload.workload_name))
        settling = (self._settle(workload, restore=restore) for workload in running)
        for outcome in await asyncio.gather(*settling, return_exceptions=True):
            if outcome is not None:
                raise outcome

    async def part(self) -> None:
        """Unbind the replaced plugins from each running workload."""
        await asyncio.gather(*(workload.lifecycle.part() for workload in self.running()))

    async def close(self) -> None:
        """Cancel every start and every call. Nothing is unbound: the host stops, and its plugins with it."""
        for workload_id, entry in self._entries.items():
            if entry.starting is not None:
                entry.state = WorkloadState.STOPPING
                entry.starting.cancel()
            self._dispatcher.remove(workload_id)
        await asyncio.gather(*(each.close(_stopped(each, "was stopped"), grace=0.0) for each in self.running()))
        self._entries.clear()

    def running(self) -> tuple[BoundWorkload, ...]:
        """The workloads that run."""
        return tuple(entry.running for entry in self._entries.values() if entry.running is not None)

    def find(self, name: str) -> BoundWorkload:
        """Find a running workload by its id or, where only one has it, its name. Raises WorkloadError."""
        entry = self._entries.get(name)
        named = [each for each in self._entries.values() if each.manifest.name == name]
        if entry is None and len(named) > 1:
            raise ConfigError(f"{len(named)} workloads are named {name!r}", repair="use the id of one of them")
        entry = entry or (named[0] if named else None)
        if entry is None:
            names = ", ".join(sorted(each.manifest.name for each in self._entries.values()))
            raise WorkloadNotFound(f"no workload is named {name!r}", repair=f"there are: {names or 'none'}")
        if entry.running is None:
            raise WorkloadFailed(f"workload {name!r} does not run: {entry.message}", workload=name)
        return entry.running

    def __iter__(self) -> Iterator[WorkloadSummary]:
        """Yield a summary of each workload, in the order of their starts."""
        for workload_id, entry in self._entries.items():
            running = entry.running
            yield WorkloadSummary(
                workload_id=workload_id,
                name=entry.manifest.name,
                namespace=entry.manifest.namespace,
                state=entry.state,
                message=entry.message,
                components=tuple(component.name for component in entry.manifest.components),
                plugins=() if running is None else running.plugin_ids,
                lost=() if running is None else running.lost,
                in_flight=0 if running is None else len(running.admission),
            )

    def __len__(self) -> int:
        """Return the number of ids that are taken, by workloads in any state."""
        return len(self._entries)

    async def _begin(self, workload_id: str, entry: _Entry) -> None:
        entry.running = await self._assemble(workload_id, entry.manifest)

    async def _assemble(self, workload_id: str, manifest: Workload) -> BoundWorkload:
        """Return a bound workload, which by then has the plugins that were attached or detached meanwhile."""
        try:
            workload = await self._assembler.assemble(workload_id, manifest, self._plugins)
            try:
                await self._settle(workload, restore=self._plugins)
                await workload.lifecycle.part()
            except BaseException:
                await workload.lifecycle.unbind()
                raise
        except WashError:
            raise
        except Exception as error:
            raise WorkloadFailed(
                f"workload {manifest.name!r} cannot start: {spelled_out(error)}", workload=manifest.name
            ) from error
        self.faults.install(workload)  # no await until the workload runs, or a fault set then would miss it
        return workload

    async def _settle(self, workload: BoundWorkload, *, restore: Collection[str]) -> None:
        granted = partial(self._plugins.granted_to, workload.workload_name)
        await workload.lifecycle.settle(granted, restore=restore)

    def _forget(self, workload_id: str, entry: _Entry) -> None:
        if self._entries.get(workload_id) is entry:
            del self._entries[workload_id]

    def _run(self, workload_id: str, entry: _Entry) -> None:
        assert entry.running is not None
        entry.state = WorkloadState.RUNNING
        self._dispatcher.add(entry.running)
        self._tell(workload_id, entry)

    def _tell(self, workload_id: str, entry: _Entry) -> None:
        self._events.publish(WorkloadChanged(workload_id, entry.manifest.name, entry.state, entry.message))


async def _abandon(entry: _Entry, starting: asyncio.Task[None]) -> None:
    """Cancel a start that nobody waits for any more, and unbind the workload where the start was complete."""
    starting.cancel()
    await asyncio.wait([starting])
    if entry.running is not None:
        await entry.running.lifecycle.unbind()


def cause_chain(error: BaseException) -> str:
    """Return an error and its causes as one text, joined as in wash-runtime."""
    message = error.message if isinstance(error, WashError) else said_by(error) or type(error).__name__
    cause = error.__cause__
    if cause is None or cause_chain(cause) in message:
        return message
    return f"{message}: {cause_chain(cause)}"


def _stopped(workload: BoundWorkload, why: str) -> WashError:
    return WorkloadFailed(f"workload {workload.workload_name!r} {why}", workload=workload.workload_name)


def _response(
    workload_id: str, state: WorkloadState, message: str, error: WashError | None = None
) -> WorkloadStartResponse:
    return WorkloadStartResponse(WorkloadStatus(workload_id, state, message, error))
