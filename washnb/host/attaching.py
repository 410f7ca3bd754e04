"""Plugins that come to a host and go: all that are attached at once or none, each stopped when nobody uses it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from types import MappingProxyType

from washnb.errors import ConfigError, WashError
from washnb.events import EventBus, PluginChanged
from washnb.plugins import HostPlugin, holds, to_its_end

from . import steps
from .asked import require_running
from .grants import AttachedPlugins, require_own_directories, require_unique
from .registry import WorkloadRegistry


class Attaching:
    """Starts plugins, lets workloads go over to them, and stops those that nobody uses any more."""

    def __init__(self, host_id: str, plugins: AttachedPlugins, registry: WorkloadRegistry, events: EventBus) -> None:
        """Know the host by its parts."""
        self.running = False
        """Whether the host runs; a plugin that comes before is attached, and started with the host.

        The host sets it. With a reference to the host there would be a cycle, and a host that is lost without being
        stopped would not be collected, and warn, at once.
        """
        self._host_id = host_id
        self._plugins = plugins
        self._registry = registry
        self._events = events
        self._coming: dict[str, HostPlugin] = {}
        self._begun: set[int] = set()  # plugins by their identity, for they need not be hashable
        self._leaving: set[int] = set()

    @contextlib.asynccontextmanager
    async def attaching(self, plugins: Sequence[HostPlugin], to: str | None, *, replace: bool) -> AsyncIterator[None]:
        """Attach all of `plugins`, or none: also where the block fails, which may use them already.

        Raises what the one has raised that failed, and a note says which; ConfigError where two have one directory.
        """
        require_own_directories({**self._plugins, **{plugin.id: plugin for plugin in plugins}}.values())
        async with contextlib.AsyncExitStack() as stack:
            for plugin in plugins:
                with _blamed(plugin, plugins):
                    await stack.enter_async_context(self._started(plugin, replace=replace))
            async with self._granted(plugins, to, replace=replace):
                yield

    async def detach(self, plugin_id: str, from_: str | None) -> None:
        """Take a plugin away, or only from workloads named `from_`. Raises ConfigError where it is not attached."""
        plugin = self._plugins.get(plugin_id)
        if plugin is None:
            attached = ", ".join(sorted(self._plugins)) or "nothing"
            raise ConfigError(f"no plugin {plugin_id!r} is attached", repair=f"attached: {attached}")
        if from_ is None:
            self._plugins.remove(plugin_id)
            await to_its_end(self._leave(plugin))
        else:
            self._plugins.revoke(plugin_id, from_)
            await to_its_end(self._registry.settle())
        self._events.publish(PluginChanged(plugin_id, "detach", from_ or ""))

    async def start(self, plugin: HostPlugin) -> None:
        """Start a plugin, unless one that is attached has it inside. Raises as the plugin does, ConfigError mostly."""
        plugin.events, plugin.host_id = self._events, self._host_id
        plugin.siblings = MappingProxyType(self._plugins)
        self._begun.add(id(plugin))
        if not holds(self._plugins.get(plugin.id), plugin):
            await steps.start(plugin)

    async def stop(self, plugin: HostPlugin) -> None:
        """Stop a plugin that was started, once, whoever comes first."""
        if id(plugin) in self._begun:
            self._begun.remove(id(plugin))
            await steps.stop(plugin)

    async def _leave(self, plugin: HostPlugin) -> None:
        """Part every workload from a plugin that is not attached any more, then stop it."""
        async with self._stopping(plugin):
            await self._registry.settle()

    @contextlib.asynccontextmanager
    async def _started(self, plugin: HostPlugin, *, replace: bool) -> AsyncIterator[None]:
        """Start a plugin that is not attached yet, and stop it after the block, unless it is attached then."""
        if self._plugins.get(plugin.id) is plugin:
            yield
            return
        require_unique(plugin, self._coming if replace else {**self._plugins, **self._coming})
        self._coming[plugin.id] = plugin
        try:
            if self.running:
                await self._begin(plugin)
            async with self._stopping(plugin):
                yield
        finally:
            self._came(plugin)

    async def _begin(self, plugin: HostPlugin) -> None:
        if id(plugin) in self._leaving:
            raise ConfigError(f"plugin {plugin.id!r} is being detached", repair="attach it when it is gone")
        try:
            await self.start(plugin)
        except BaseException:
            self._begun.discard(id(plugin))
            raise

    def _came(self, plugin: HostPlugin) -> None:
        if self._coming.get(plugin.id) is plugin:
            del self._coming[plugin.id]

    @contextlib.asynccontextmanager
    async def _granted(self, plugins: Sequence[HostPlugin], to: str | None, *, replace: bool) -> AsyncIterator[None]:
        """Let all workloads go over to `plugins`, one after the other.

        Where one cannot serve them, or the block fails, all come back.
        """
        done: list[tuple[HostPlugin, HostPlugin | None, Callable[[], None]]] = []
        async with contextlib.AsyncExitStack() as stack:
            try:
                for plugin in plugins:
                    with _blamed(plugin, plugins):
                        if id(plugin) in self._begun:
                            require_running(self.running)  # it may have been stopped meanwhile
                        former = self._plugins.get(plugin.id) if replace else None  # it may have been detached by now
                        done.append((plugin, former, self._plugins.grant(plugin, to)))
                        self._came(plugin)
                        self._events.publish(PluginChanged(plugin.id, "attach", to or ""))
                        if former is not None and former is not plugin:
                            await stack.enter_async_context(self._stopping(former))
                            steps.adopt(plugin, former)
                        await to_its_end(self._registry.settle(restore=(plugin.id,)))
                yield
            except BaseException:
                await to_its_end(self._take_back(done))
                raise
            finally:
                await to_its_end(self._registry.part())

    async def _take_back(self, done: Sequence[tuple[HostPlugin, HostPlugin | None, Callable[[], None]]]) -> None:
        """Bring back what was attached before, with its grants, and let the workloads go back to it."""
        restored = []
        for plugin, former, undo in reversed(done):
            undo()
            if former is None:
                self._events.publish(PluginChanged(plugin.id, "detach"))
                continue
            restored.append(plugin.id)
            self._events.publish(PluginChanged(former.id, "attach"))
            if former is not plugin:
                with contextlib.suppress(ConfigError):
                    steps.adopt(former, plugin)
        await self._registry.settle(restore=restored)

    @contextlib.asynccontextmanager
    async def _stopping(self, plugin: HostPlugin) -> AsyncIterator[None]:
        """Stop a plugin after the block, unless it is attached then: also where the host stops meanwhile."""
        self._leaving.add(id(plugin))
        try:
            yield
        finally:
            attached = self._plugins.get(plugin.id)
            if not self.running or (attached is not plugin and not holds(attached, plugin)):
                await self.stop(plugin)
            self._leaving.discard(id(plugin))


@contextlib.contextmanager
def _blamed(plugin: HostPlugin, plugins: Sequence[HostPlugin]) -> Iterator[None]:
    """Say of an error which of several plugins it is about, and that all is as it was."""
    try:
        yield
    except WashError as error:
        if len(plugins) > 1:
            asked = ", ".join(each.id for each in plugins)
            error.add_note(f"plugin {plugin.id!r} failed, so nothing was changed: of {asked} all are attached or none")
        raise
