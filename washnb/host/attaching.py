"""Attaching and detaching plugins: several at once are attached all or none, and each is stopped when it is unused."""

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
    """Starts plugins, binds workloads to them, and stops those that no workload uses any more."""

    def __init__(self, host_id: str, plugins: AttachedPlugins, registry: WorkloadRegistry, events: EventBus) -> None:
        """Take the parts of the host that attaching needs: its id, its plugins, its workloads, and its bus."""
        self.running = False
        """Whether the host runs. A plugin that is attached before that is started with the host.

        The host sets it. A reference to the host instead would be a cycle, and a host that is lost without being
        stopped would be collected late, and its warning with it.
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
        """Attach all of `plugins`, to all workloads or to those named `to`; where the block fails, attach none.

        The block may use the plugins already. Raises the error of the plugin that failed, with a note that names it,
        and ConfigError where two plugins keep their state in one directory.
        """
        require_own_directories({**self._plugins, **{plugin.id: plugin for plugin in plugins}}.values())
        async with contextlib.AsyncExitStack() as stack:
            for plugin in plugins:
                with _blamed(plugin, plugins):
                    await stack.enter_async_context(self._started(plugin, replace=replace))
            async with self._granted(plugins, to, replace=replace):
                yield

    async def detach(self, plugin_id: str, from_: str | None) -> None:
        """Detach a plugin, or revoke it only from workloads named `from_`. Raises ConfigError for an unknown id."""
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
        """Start a plugin, unless it runs already, inside an attached `Wrapper`. Raises what its `start` raises."""
        plugin.events, plugin.host_id = self._events, self._host_id
        plugin.siblings = MappingProxyType(self._plugins)
        self._begun.add(id(plugin))
        if not holds(self._plugins.get(plugin.id), plugin):
            await steps.start(plugin)

    async def stop(self, plugin: HostPlugin) -> None:
        """Stop a plugin that was started; further calls do nothing."""
        if id(plugin) in self._begun:
            self._begun.remove(id(plugin))
            await steps.stop(plugin)

    async def _leave(self, plugin: HostPlugin) -> None:
        """Unbind every workload from a plugin that has just been detached, then stop the plugin."""
        async with self._stopping(plugin):
            await self._registry.settle()

    @contextlib.asynccontextmanager
    async def _started(self, plugin: HostPlugin, *, replace: bool) -> AsyncIterator[None]:
        """Start a plugin that is not attached yet; after the block, stop it unless the block has attached it."""
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
        """Grant `plugins`, one after the other, and bind the workloads to each.

        Where a workload cannot be bound, or the block fails, the former plugins and grants are put back.
        """
        done: list[tuple[HostPlugin, HostPlugin | None, Callable[[], None]]] = []
        async with contextlib.AsyncExitStack() as stack:
            try:
                for plugin in plugins:
                    with _blamed(plugin, plugins):
                        if id(plugin) in self._begun:
                            require_running(self.running)  # the host may have been stopped meanwhile
                        former = self._plugins.get(plugin.id) if replace else None  # None, too, if detached
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
        """Attach the former plugins again, with the grants that they had, and bind the workloads to them."""
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
        """Stop a plugin after the block, unless the host still runs and the plugin is attached to it."""
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
    """Add to an error of the block a note that names `plugin`, where several are attached at once."""
    try:
        yield
    except WashError as error:
        if len(plugins) > 1:
            asked = ", ".join(each.id for each in plugins)
            error.add_note(f"plugin {plugin.id!r} failed, so nothing was changed: of {asked} all are attached or none")
        raise
