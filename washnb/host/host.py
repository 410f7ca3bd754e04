"""The host: plugins that live as long as it does, workloads that come and go."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType, TracebackType
from typing import Any, Self

from washnb.engine import CompiledComponent, Engine, Instance
from washnb.errors import ConfigError
from washnb.events import EventBus
from washnb.plugins import Attachable, HostPlugin, as_plugin
from washnb.types import Response, WorkloadStartRequest, WorkloadStartResponse, WorkloadStatus

from .asked import Headers, request_of, require_running, require_seconds, require_texts
from .assembly import Assembler, providers, uncalled
from .attaching import Attaching
from .command import CommandResult
from .dispatch import Dispatcher
from .faults import Faults
from .grants import AttachedPlugins
from .heartbeat import HostHeartbeat, Machine
from .invoke import REQUEST_SECONDS
from .recording import SlowMotion
from .registry import WorkloadRegistry, WorkloadSummary
from .routers import DevRouter
from .server import HttpServer


class Host:
    """A host of wash-runtime, on the loop that awaits it. Made by `HostBuilder`; `async with` starts and stops it."""

    def __init__(
        self,
        engine: Engine,
        plugins: Mapping[str, HostPlugin],
        http: HttpServer | None,
        *,
        owns_engine: bool,
        hostname: str,
        friendly_name: str,
        labels: Mapping[str, str],
    ) -> None:
        """Put the parts together; nothing runs yet."""
        self.id = str(uuid.uuid4())
        self.hostname = hostname
        self.friendly_name = friendly_name
        self.labels = labels
        self.engine = engine
        self.http = http
        self.started_at: datetime | None = None
        self._owns_engine = owns_engine
        self._plugins = AttachedPlugins(plugins)
        self._events = EventBus()
        self._dispatcher = Dispatcher(DevRouter() if http is None else http.router, self._events)
        assembler = Assembler(engine, self._events, self._dispatcher.deliver, http_client=http is not None)
        self._registry = WorkloadRegistry(assembler, self._dispatcher, self._events, self._plugins)
        self._attaching = Attaching(self.id, self._plugins, self._registry, self._events)

    @property
    def running(self) -> bool:
        """Whether the host has started and not stopped."""
        return self.started_at is not None

    @property
    def version(self) -> str:
        """The version of washnb; `source` where it runs from a checkout that is not installed."""
        try:
            return version("washnb")
        except PackageNotFoundError:
            return "source"

    @property
    def plugins(self) -> Mapping[str, HostPlugin]:
        """The attached plugins by their ids."""
        return MappingProxyType(self._plugins)

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose."""
        return self._registry.faults

    @property
    def tracing(self) -> bool:
        """Whether host calls are recorded: in `Response.trace`, and as `HostCall` events."""
        return self._dispatcher.tracing

    @tracing.setter
    def tracing(self, on: bool) -> None:
        self._dispatcher.tracing = on

    @property
    def slow_motion(self) -> SlowMotion:
        """Whether recorded calls are held for people to watch: `host.slow_motion.speed = 0.5`."""
        return self._dispatcher.slow_motion

    def events(self) -> EventBus:
        """Where the host tells what happens."""
        return self._events

    async def start(self) -> Self:
        """Start the HTTP handler, then each plugin in the order of their ids. Where one fails, all are stopped again.

        Raises WashError as the plugin raised it, ConfigError around anything else.
        """
        if self.running:
            raise ConfigError("the host runs already", repair="build another one: HostBuilder().build()")
        self.started_at, self._attaching.running = datetime.now(UTC), True
        try:
            if self.http is not None:
                await self.http.start(self._dispatcher.handle)
            for plugin_id in sorted(self._plugins):
                await self._attaching.start(self._plugins[plugin_id])
        except BaseException:
            await self._shut_down()
            raise
        return self

    async def stop(self) -> None:
        """Stop the HTTP handler, end every call, and stop each plugin, bounded in time; what they raise is logged.

        Workloads are not unbound from their plugins, as in wash-runtime. A host that does not run is left alone.
        """
        if self.running:
            await self._shut_down()

    async def attach(self, *plugins: Attachable, to: str | None = None, replace: bool = False) -> None:
        """Add plugins, while the host runs too, and grant them to all workloads or to those named `to`: all or none.

        They serve the workloads that start from now on, and those that lost what they serve. A plugin that is attached
        already gets the grant besides those that it has. With `replace` one takes the place of another one with its id,
        and its grants, and what it wants to keep of it (`adopt`): the next calls of exports go to it, those that have
        begun finish on the other one, for five seconds. Where one cannot start or serve a workload, all is as it was
        before: what was attached comes back with its grants, and a note of the error says which one it was. Raises
        ConfigError where an id is attached already, and whatever `start` raises.
        """
        async with self.attaching(*plugins, to=to, replace=replace):
            pass

    def attaching(
        self, *plugins: Attachable, to: str | None = None, replace: bool = False
    ) -> AbstractAsyncContextManager[None]:
        """Attach as `attach` does, for as long as it takes to see whether they are of use.

        They serve in the block; where that raises, all is as it was before. What another one takes the place of is let
        go after it.
        """
        return self._attaching.attaching([as_plugin(each) for each in plugins], to, replace=replace)

    async def detach(self, plugin_id: str, *, from_: str | None = None) -> None:
        """Take a plugin away, or only from workloads named `from_`, also where it is in use: their next call fails.

        A plugin that is left without any grant stays attached. Raises ConfigError.
        """
        await self._attaching.detach(plugin_id, from_)

    def granted(self, plugin_id: str, workload_name: str | None = None) -> bool:
        """Whether workloads of that name may use a plugin, or all where none is given; not where it is not attached."""
        return self._plugins.granted(plugin_id, workload_name)

    def grants(self, plugin_id: str) -> str:
        """Who may use an attached plugin, in words: `all`, `all but shop`, `shop, counter`, `nobody`."""
        return self._plugins.grants(plugin_id)

    def intersect_interfaces(self, component: CompiledComponent) -> dict[str, str | None]:
        """Say for each import of a component who would serve it here: a plugin's id, `wasi`, or None."""
        return providers(component, self._plugins.values())

    def uncalled(self, workload: str) -> tuple[str, ...]:
        """Say which exports of a workload wait for a plugin to call them, each with the line that attaches one."""
        return tuple(text for _, text in uncalled(self._registry.find(workload), self._plugins))

    async def heartbeat(self) -> HostHeartbeat:
        """Say who the host is and how much runs on it."""
        machine = Machine.now()
        worlds = [plugin.world() for plugin in self._plugins.values()]
        return HostHeartbeat(
            id=self.id,
            hostname=self.hostname,
            friendly_name=self.friendly_name,
            version=self.version,
            labels=self.labels,
            started_at=self.started_at,
            os_arch=machine.arch,
            os_name=machine.name,
            os_kernel=machine.kernel,
            system_cpu_usage=machine.cpu_usage,
            system_memory_total=machine.memory_total,
            system_memory_free=machine.memory_free,
            http_port=0 if self.http is None else self.http.port,
            component_count=sum(len(workload.components) for workload in self._registry.running()),
            workload_count=len(self._registry),
            imports=tuple(entry for world in worlds for entry in world.imports),
            exports=tuple(entry for world in worlds for entry in world.exports),
        )

    async def workload_start(self, request: WorkloadStartRequest) -> WorkloadStartResponse:
        """Start a workload. Never raises for a bad one: the state of the response is Error, its `error` says why."""
        require_running(self.running)
        return await self._registry.start(request)

    async def workload_reload(self, request: WorkloadStartRequest) -> WorkloadStartResponse:
        """Start a workload in the place of the one that has its id, keeping what its plugins keep for it.

        The old version answers until the new one is ready, and goes on where the new one fails: then the state of the
        response is Error. An id that does not run is started as with `workload_start`.
        """
        require_running(self.running)
        return await self._registry.reload(request)

    async def workload_status(self, workload_id: str) -> WorkloadStatus:
        """Say how a workload does; the state of an unknown id is NotFound."""
        return self._registry.status(workload_id)

    async def workload_stop(self, workload_id: str) -> WorkloadStatus:
        """Stop a workload: calls in flight are cancelled, plugins let go of what they keep for it, the id is free."""
        return await self._registry.stop(workload_id)

    def workloads(self) -> tuple[WorkloadSummary, ...]:
        """Every workload that was started and not stopped, in that order."""
        return tuple(self._registry)

    async def call(
        self,
        workload: str,
        export: str,
        *args: Any,
        timeout: float | None = REQUEST_SECONDS,  # noqa: ASYNC109 - the scope of the call is more than a timeout
    ) -> Any:
        """Call an exported function in a fresh instance. `workload` is an id or a name.

        `export` is `interface@version#function`, or as much of it as is unambiguous. Raises what the engine raises:
        the Err of a WIT result, and GuestError; WorkloadError where the workload does not run.
        """
        require_seconds(timeout)
        return await self._dispatcher.call(self._registry.find(workload), export, args, seconds=timeout)

    def component(self, workload: str, component: str | None = None) -> CompiledComponent:
        """Return the code of a component of a workload (the first one), and with it the types of its interfaces."""
        return self._registry.find(workload).component(component).compiled

    async def instantiate(self, workload: str, component: str | None = None) -> Instance:
        """Make an instance of a component of a workload (the first one), for calls that share its state.

        It lives until it is closed, or the workload stops.
        """
        target = self._registry.find(workload)
        return await self._dispatcher.keep(target, target.component(component))

    async def run(
        self,
        workload: str,
        *arguments: str,
        stdin: bytes = b"",
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> CommandResult:
        """Run the command that a workload's first component is; its arguments, input and output are those of the run.

        Raises ConfigError where it is none or an argument is no text, GuestError where it fails other than by exiting.
        """
        require_seconds(timeout)
        require_texts(arguments)
        return await self._dispatcher.run(self._registry.find(workload), arguments, stdin, seconds=timeout)

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: Headers = (),
        body: bytes = b"",
        to: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> Response:
        """Send a request the way that the HTTP server does, without a socket.

        `path` carries the query; `to` names a workload by id or name, past the router. `timeout` in seconds bounds the
        whole answer; without it the guest has 30 to begin. A guest that fails is an answer too, as a client would see
        it, with `Response.error`; only where an answer breaks off is GuestError raised. Raises ConfigError for what
        could not be on the wire.
        """
        require_running(self.running)
        require_seconds(timeout)
        request = request_of(method, path, headers, body)
        target = None if to is None else self._registry.find(to).workload_id
        return await self._dispatcher.send(request, to=target, seconds=timeout)

    async def __aenter__(self) -> Self:
        """Start, where that is still to do: `host = await host.start()` may have come before."""
        return self if self.running else await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        await self.stop()

    def __del__(self) -> None:
        """Warn of a host that nobody stopped."""
        if getattr(self, "started_at", None) is not None:
            warnings.warn(f"{self!r} was never stopped", ResourceWarning, source=self, stacklevel=2)

    def __repr__(self) -> str:
        """Name, state and what is attached."""
        state = "running" if self.running else "stopped"
        return f"<Host {self.friendly_name!r} {state}, plugins: {', '.join(sorted(self._plugins)) or 'none'}>"

    async def _shut_down(self) -> None:
        self.started_at, self._attaching.running = None, False
        if self.http is not None:
            await self.http.stop()
        await self._registry.close()
        for plugin_id in sorted(self._plugins):
            if plugin_id in self._plugins:  # it may go meanwhile
                await self._attaching.stop(self._plugins[plugin_id])
        if self._owns_engine:
            self.engine.close()
