"""Plugins that belong to the kernel's loop: they use a client made with top-level `await`, or draw into the cell.

Cells run in the main thread, on the kernel's loop, and the host in a thread of its own. The methods of such a plugin
run in the main thread; a verb that waits in that thread re-enters the kernel's loop, so that they can run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from typing import Any, cast

import nest_asyncio2

from washnb.engine import Interface
from washnb.errors import ConfigError
from washnb.plugins import Call, HostPlugin, WorkloadContext, WorkloadItem, Wrapper, around, as_plugin
from washnb.wit import WitInterface

from ..backends import Wanted
from ..debugging import HERE, SERVING
from ..thread import HostThread

_LOOPS = ("kernel", "host")


def belongs_to_kernel(wanted: Wanted) -> bool:
    """Whether a plugin or interface, or one of the plugin's interfaces, says `loop = "kernel"`.

    Raises ConfigError for a loop of another name.
    """
    subject = wanted.subject if wanted.made is None else wanted.made
    interfaces = getattr(subject, "interfaces", ())
    served = interfaces if isinstance(interfaces, tuple) else ()
    said = [each.loop for each in (subject, *served) if isinstance(getattr(each, "loop", None), str)]
    for each in said:
        if each not in _LOOPS:
            raise ConfigError(f"{subject!r:.60} says loop = {each!r}", repair=[f'loop = "{known}"' for known in _LOOPS])
    return "kernel" in said and not isinstance(subject, OnKernel)


class KernelLoop:
    """The kernel's loop, made re-enterable, and the plugins that belong to it."""

    def __init__(self) -> None:
        """Make the loop that runs in this thread re-enterable. Raises ConfigError where no loop runs."""
        try:
            self.loop = asyncio.get_running_loop()
            nest_asyncio2.apply(self.loop)
            HostThread.kernel_loop = self.loop
        except (RuntimeError, ValueError) as error:
            raise ConfigError(
                f'a plugin with loop = "kernel" is attached in a cell of a kernel: {error}',
                repair='loop = "host"  # it runs on the loop of the host, whatever thread that is on',
            ) from error
        self._plugins: dict[object, OnKernel] = {}

    def plugin(self, wanted: Wanted) -> Wanted:
        """Wrap a plugin that belongs to the kernel's loop, each only once; return any other as it is."""
        if not belongs_to_kernel(wanted):
            return wanted
        if wanted.made is not None:
            return replace(wanted, made=OnKernel(wanted.made, self.loop))
        if wanted.subject not in self._plugins:
            self._plugins[wanted.subject] = OnKernel(as_plugin(wanted.subject), self.loop)
        return replace(wanted, made=self._plugins[wanted.subject])


class OnKernel(Wrapper):
    """Runs the methods of a plugin, and of its interfaces and resources, on the kernel's loop.

    Only the `drop` of a resource runs on the host's loop: a guest that ends waits for nobody.
    """

    def __init__(self, plugin: HostPlugin, loop: asyncio.AbstractEventLoop) -> None:
        """Wrap `plugin`."""
        super().__init__(plugin)
        self._loop = loop

    @around("*")
    async def there(self, call: Call, *arguments: Any) -> Any:
        """Run a guest's call on the kernel's loop, in the context of its request, so that it displays in the cell."""
        return await self._run(lambda: call(*arguments))

    async def _run(self, work: Callable[[], Awaitable[Any]]) -> Any:
        if not self._loop.is_running():  # the kernel shuts down, and its loop will not run again
            return await work()

        host = getattr(HERE, "host", None)

        async def begun_there() -> Any:
            SERVING.set(host)
            return await work()

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(begun_there(), self._loop))

    async def start(self) -> None:
        """Start the plugin on the kernel's loop."""
        await self._run(super().start)

    async def on_workload_bind(self, workload: WorkloadContext, interfaces: Collection[WitInterface]) -> None:
        """Bind the plugin to a workload, on the kernel's loop."""
        await self._run(lambda: self.wrapped.on_workload_bind(workload, interfaces))

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:
        """Let the plugin make its interfaces on the kernel's loop; link them on the host's, which has the tables."""
        made = _Made(item)
        bind = super().on_workload_item_bind
        await self._run(lambda: bind(cast("WorkloadItem", made), interfaces))
        for interface in made.linked:
            item.link(interface)

    async def on_workload_resolved(self, workload: WorkloadContext, component_id: str) -> None:
        """Tell the plugin, on the kernel's loop, that a component is ready."""
        await self._run(lambda: self.wrapped.on_workload_resolved(workload, component_id))

    async def on_workload_unbind(self, workload_id: str, interfaces: Collection[WitInterface]) -> None:
        """Unbind the plugin from a workload, on the kernel's loop."""
        await self._run(lambda: self.wrapped.on_workload_unbind(workload_id, interfaces))

    async def stop(self) -> None:
        """Stop the plugin on the kernel's loop."""
        await self._run(super().stop)


class _Made:
    """Stands for a component that is being bound, and keeps the interfaces that are to be linked into it."""

    def __init__(self, item: WorkloadItem) -> None:
        self._item = item
        self.linked: list[Interface] = []

    def link(self, interface: Interface) -> None:
        """Keep an interface, to be linked on the host's loop."""
        self.linked.append(interface)

    def __getattr__(self, name: str) -> Any:
        """Return any other attribute of the component itself."""
        return getattr(self._item, name)
