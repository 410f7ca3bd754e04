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
    """A host in the words of wash-runtime, on the asyncio loop that awaits it.

    `HostBuilder` makes it; `async with` starts and stops it.
    """

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
        """Put the parts together; nothing runs until `start`."""
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
        """Whether the host was started, and was not stopped since."""
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
        """The faults of the host: calls of guests, or to guests, that fail, wait or lie on purpose."""
        return self._registry.faults

    @property
    def tracing(self) -> bool:
        """Whether the guests' host calls are recorded: in `Response.trace`, and as `HostCall` events."""
        return self._dispatcher.tracing

    @tracing.setter
    def tracing(self, on: bool) -> None:
        self._dispatcher.tracing = on

    @property
    def slow_motion(self) -> SlowMotion:
        """Slow motion, in which recorded host calls are held so that people can watch: `slow_motion.speed = 0.5`."""
        return self._dispatcher.slow_motion

    def events(self) -> EventBus:
        """Return the bus on which the host and its plugins publish their events."""
        return self._events

    async def start(self) -> Self:
        """Start the HTTP handler, then the plugins in the order of their ids; where one fails, stop all again.

        Raises the WashError of the plugin that fails, and ConfigError around any other exception of it.
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
        """Stop the HTTP handler, cancel every call, and stop each plugin in bounded time; what plugins raise is logged.

        Workloads are not unbound from their plugins, as in wash-runtime. Does nothing where the host does not run.
        """
        if self.running:
            await self._shut_down()

    async def attach(self, *plugins: Attachable, to: str | None = None, replace: bool = False) -> None:
        """Attach plugins, while the host runs too, and grant them to all workloads or to those named `to`: all or none.

        The plugins serve workloads that start from now on, and running ones that lost the interfaces. A plugin that is
        attached already keeps its grants and gets this one besides. With `replace`, a plugin takes the place of the one
        with its id: it has the grants of that one, and what it keeps of it (`HostPlugin.adopt`). Calls of exports that
        begin afterwards use the new plugin; those in flight have five seconds to finish on the former one.

        Where a plugin cannot start, or cannot serve a workload, everything is as before, and a note of the error names
        the plugin. Raises ConfigError where an id is attached already, and what `start` of a plugin raises.
        """
        async with self.attaching(*plugins, to=to, replace=replace):
            pass

    def attaching(
        self, *plugins: Attachable, to: str | None = None, replace: bool = False
    ) -> AbstractAsyncContextManager[None]:
        """Attach plugins as `attach` does, and keep them only if the block succeeds.

        The plugins serve workloads in the block. Where it raises, everything is as before `attaching`. Replaced plugins
        are unbound and stopped after the block.
        """
        return self._attaching.attaching([as_plugin(each) for each in plugins], to, replace=replace)

    async def detach(self, plugin_id: str, *, from_: str | None = None) -> None:
        """Detach a plugin, or revoke it only from workloads named `from_`. The next call of a guest that uses it fails.

        A plugin whose last grant is revoked stays attached. Raises ConfigError where the plugin is not attached, or not
        granted to `from_`.
        """
        await self._attaching.detach(plugin_id, from_)

    def granted(self, plugin_id: str, workload_name: str | None = None) -> bool:
        """Return whether workloads of that name, or without a name all, may use a plugin; False if not attached."""
        return self._plugins.granted(plugin_id, workload_name)

    def grants(self, plugin_id: str) -> str:
        """Return in words which workloads may use a plugin: `all`, `all but shop`, `shop, counter`, `nobody`."""
        return self._plugins.grants(plugin_id)

    def intersect_interfaces(self, component: CompiledComponent) -> dict[str, str | None]:
        """Return for each import of a component what would serve it on this host: a plugin's id, `wasi`, or None."""
        return providers(component, self._plugins.values())

    def uncalled(self, workload: str) -> tuple[str, ...]:
        """Return sentences on exports of a workload that no plugin calls, each with the line that attaches a plugin."""
        return tuple(text for _, text in uncalled(self._registry.find(workload), self._plugins))

    async def heartbeat(self) -> HostHeartbeat:
        """Return who the host is, what its machine does, and how much runs on it."""
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
        """Start a workload. One that cannot start raises nothing: the response has the state Error, and the `error`."""
        require_running(self.running)
        return await self._registry.start(request)

    async def workload_reload(self, request: WorkloadStartRequest) -> WorkloadStartResponse:
        """Start a new version of a workload in the place of the one with its id; plugins keep its state.

        The old version answers until the new one is ready. Where the new one cannot start, the old one goes on, and the
        response has the state Error. An id that does not run is started as by `workload_start`.
        """
        require_running(self.running)
        return await self._registry.reload(request)

    async def workload_status(self, workload_id: str) -> WorkloadStatus:
        """Return the status of the workload of that id; for an unknown id its state is NotFound."""
        return self._registry.status(workload_id)

    async def workload_stop(self, workload_id: str) -> WorkloadStatus:
        """Stop a workload: calls in flight are cancelled, plugins drop the state kept for it, and the id is free."""
        return await self._registry.stop(workload_id)

    def workloads(self) -> tuple[WorkloadSummary, ...]:
        """Return a summary of each workload that was started and not stopped, in the order of their starts."""
        return tuple(self._registry)

    async def call(
        self,
        workload: str,
        export: str,
        *args: Any,
        timeout: float | None = REQUEST_SECONDS,  # noqa: ASYNC109 - the scope of the call is more than a timeout
    ) -> Any:
        """Call an exported function in a fresh instance and return its result. `workload` is an id or a name.

        `export` is `interface@version#function`, or as much of that as is unambiguous. `timeout` is in seconds, None
        for no limit. Raises Err where the WIT result is an error, GuestError where the guest ends otherwise, and
        WorkloadError where the workload does not run.
        """
        require_seconds(timeout)
        return await self._dispatcher.call(self._registry.find(workload), export, args, seconds=timeout)

    def component(self, workload: str, component: str | None = None) -> CompiledComponent:
        """Return the code of a component of a workload, by default of the first one, and its interfaces' types."""
        return self._registry.find(workload).component(component).compiled

    async def instantiate(self, workload: str, component: str | None = None) -> Instance:
        """Return an instance of a component of a workload, by default of the first one, for calls that share its state.

        The instance lives until it is closed or the workload stops.
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
        """Run the first component of a workload as a command, with `arguments` and `stdin`, and return what it printed.

        `timeout` is in seconds, None for no limit. A failure by exit code is a result. Raises GuestError where the
        guest ends otherwise, ConfigError where the component is no command or an argument is not a str.
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
        """Send a request the way that the HTTP server does, without a socket, and return the response.

        `path` includes the query. `to`, an id or a name, chooses a workload past the router. `timeout`, in seconds,
        bounds the whole answer; without it the guest has 30 s to begin one. For a guest that fails, the response is the
        one that a client would see, with the `error`. Raises GuestError where an answer breaks off, and ConfigError for
        a request that HTTP cannot carry.
        """
        require_running(self.running)
        require_seconds(timeout)
        request = request_of(method, path, headers, body)
        target = None if to is None else self._registry.find(to).workload_id
        return await self._dispatcher.send(request, to=target, seconds=timeout)

    async def __aenter__(self) -> Self:
        """Start the host, unless it runs: `async with await host.start()` is as good as `async with host`."""
        return self if self.running else await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the host."""
        await self.stop()

    def __del__(self) -> None:
        """Warn of a host that nobody stopped."""
        if getattr(self, "started_at", None) is not None:
            warnings.warn(f"{self!r} was never stopped", ResourceWarning, source=self, stacklevel=2)

    def __repr__(self) -> str:
        """Return the host's name, its state and its plugins as text."""
        state = "running" if self.running else "stopped"
        return f"<Host {self.friendly_name!r} {state}, plugins: {', '.join(sorted(self._plugins)) or 'none'}>"

    async def _shut_down(self) -> None:
        self.started_at, self._attaching.running = None, False
        if self.http is not None:
            await self.http.stop()
        await self._registry.close()
        for plugin_id in sorted(self._plugins):
            if plugin_id in self._plugins:  # one may be detached while another one stops
                await self._attaching.stop(self._plugins[plugin_id])
        if self._owns_engine:
            self.engine.close()
