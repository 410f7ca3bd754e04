"""Plugins that belong to the kernel's loop: they use a client made with top-level `await`, or draw into the cell.

Cells run in the main thread, on the kernel's loop, and the host on a thread of its own. Such a plugin serves guests of
that host, and its code runs in the main thread: where that waits for a verb, the verb re-enters the loop.
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
    """Whether a plugin, an interface, or a class of these says so, or an interface of the plugin.

    Raises ConfigError for a loop that there is not.
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
    """The loop of the kernel, ready to be re-entered, and the plugins that belong to it."""

    def __init__(self) -> None:
        """Take the loop that runs in this thread. Raises ConfigError where none does."""
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
        """Put a plugin that belongs to the kernel onto its loop, each once; another one stays as it is."""
        if not belongs_to_kernel(wanted):
            return wanted
        if wanted.made is not None:
            return replace(wanted, made=OnKernel(wanted.made, self.loop))
        if wanted.subject not in self._plugins:
            self._plugins[wanted.subject] = OnKernel(as_plugin(wanted.subject), self.loop)
        return replace(wanted, made=self._plugins[wanted.subject])


class OnKernel(Wrapper):
    """Runs the methods of a plugin, and of its interfaces and resources, on the kernel's loop.

    Only `drop` of a resource is called where the host is: a guest that goes away waits for nobody.
    """

    def __init__(self, plugin: HostPlugin, loop: asyncio.AbstractEventLoop) -> None:
        """Wrap `plugin`."""
        super().__init__(plugin)
        self._loop = loop

    @around("*")
    async def there(self, call: Call, *arguments: Any) -> Any:
        """Run a call of a guest there, in the context of the request: what it shows lands in the cell that sent it."""
        return await self._run(lambda: call(*arguments))

    async def _run(self, work: Callable[[], Awaitable[Any]]) -> Any:
        if not self._loop.is_running():  # the kernel goes down: there is nobody else
            return await work()

        host = getattr(HERE, "host", None)

        async def begun_there() -> Any:
            SERVING.set(host)
            return await work()

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(begun_there(), self._loop))

    async def start(self) -> None:
        """Start the plugin there."""
        await self._run(super().start)

    async def on_workload_bind(self, workload: WorkloadContext, interfaces: Collection[WitInterface]) -> None:
        """Let it meet the workload there."""
        await self._run(lambda: self.wrapped.on_workload_bind(workload, interfaces))

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:
        """Let it make its interfaces there; they are linked here, where the host's tables are."""
        made = _Made(item)
        bind = super().on_workload_item_bind
        await self._run(lambda: bind(cast("WorkloadItem", made), interfaces))
        for interface in made.linked:
            item.link(interface)

    async def on_workload_resolved(self, workload: WorkloadContext, component_id: str) -> None:
        """Let it know there."""
        await self._run(lambda: self.wrapped.on_workload_resolved(workload, component_id))

    async def on_workload_unbind(self, workload_id: str, interfaces: Collection[WitInterface]) -> None:
        """Let it part from the workload there."""
        await self._run(lambda: self.wrapped.on_workload_unbind(workload_id, interfaces))

    async def stop(self) -> None:
        """Stop the plugin there."""
        await self._run(super().stop)


class _Made:
    """A component that is being bound, which keeps what is to be linked."""

    def __init__(self, item: WorkloadItem) -> None:
        self._item = item
        self.linked: list[Interface] = []

    def link(self, interface: Interface) -> None:
        """Keep it for later."""
        self.linked.append(interface)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the component's own."""
        return getattr(self._item, name)
