"""A plugin around another one: it has a say in some functions, and passes on the rest."""

from __future__ import annotations

import difflib
import fnmatch
import functools
import inspect
from collections.abc import Callable, Collection, Iterator
from typing import Any, TypeVar, cast

from washnb.engine import Around, Function, Interface, Serve, accepts, names, offered, require_annotated
from washnb.errors import ConfigError
from washnb.wit import WitInterface, WitWorld, split_version

from .base import Attachable, HostPlugin, State, WorkloadContext, WorkloadItem, as_plugin, is_version

F = TypeVar("F", bound=Callable[..., Any])

_PATTERNS = "wit_around"


def around(*functions: str) -> Callable[[F], F]:
    """Let a method of a `Wrapper` have its say in calls of `functions`.

    A function is `open`, `bucket.get` or `get` (of any resource), as WIT or Python spells it; behind an interface as in
    `store#open` or `wasi:keyvalue/store#open`, it is of that one only. `*` stands for anything. The method gets the
    `Call`, then the arguments, and what it returns is the result. Where several methods are about a function, the first
    in the class is asked first, and its call goes to the next.
    """

    def mark(method: F) -> F:
        setattr(method, _PATTERNS, functions)
        return method

    return mark


class Call:
    """A call on its way: await it, with the same arguments or others, to pass it on.

    `interface` is the import, `function` its function (`bucket.get`); `workload` and `component` are who calls.
    """

    __slots__ = ("_serve", "component", "function", "interface", "workload")

    def __init__(self, interface: str, function: str, item: WorkloadItem, serve: Serve) -> None:
        """Pass on to `serve`."""
        self.interface = interface
        self.function = function
        self.workload = item.workload_name
        self.component = item.component
        self._serve = serve

    async def __call__(self, *arguments: Any) -> Any:
        """Call what is wrapped, and return what it returns. Raises what it raises, Err mostly."""
        value = self._serve(*arguments)
        return await value if hasattr(value, "__await__") else value

    def __repr__(self) -> str:
        return f"<call of {split_version(self.interface)[0]}#{self.function} by {self.workload}>"


class Wrapper(HostPlugin, abstract=True):
    """A plugin that serves what another one serves, under its id and with its state. `around` marks where it has a say:

        class ReadOnly(Wrapper):
            @around("bucket.set", "bucket.delete")
            def refuse(self, call: Call, bucket: Any, *rest: Any) -> None:
                raise Err(Error_AccessDenied())

        await host.attach(ReadOnly(InMemoryKeyValue()))

    Everything else, its life and its attributes too, is passed on.
    """  # noqa: D400, D415 - the sentence ends in an example

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Take the id from what is wrapped."""
        super().__init_subclass__(abstract=True, **keywords)

    def __init__(self, plugin: Attachable) -> None:
        """Wrap `plugin`, which the host is not told of. Raises ConfigError where a function is not one of its own.

        Where that is a wrapper of this very class, as it was before a cell or a module defined it again, this one takes
        its place, and is around what is inside of it.
        """
        self.wrapped = as_plugin(plugin)
        while isinstance(self.wrapped, Wrapper) and _is_former(type(self.wrapped), type(self)):
            self.wrapped = self.wrapped.wrapped
        self.id, self.interfaces = self.wrapped.id, self.wrapped.interfaces
        self.location, self.backend_kind = self.wrapped.location, self.wrapped.backend_kind
        self.state_is_shared = self.wrapped.state_is_shared
        if self.wrapped.loop == "kernel":
            self.loop = "kernel"
        self._require_known()

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of what is wrapped: views, siblings and tests find there what they look for."""
        if name == "wrapped":  # not made yet
            raise AttributeError(name)
        return getattr(self.wrapped, name)

    def world(self) -> WitWorld:
        """Serve what the wrapped plugin serves."""
        return self.wrapped.world()

    async def start(self) -> None:
        """Start the wrapped plugin, unless it is attached already: then this one is about to take its place."""
        inner = self.wrapped
        inner.events, inner.host_id, inner.siblings = self.events, self.host_id, self.siblings
        if not self._lives_elsewhere():
            await inner.start()
        self.location = inner.location

    def adopt(self, former: HostPlugin) -> None:
        """Let the wrapped plugin take over, also from one that nothing is wrapped around."""
        self.wrapped.adopt(former)

    async def on_workload_bind(self, workload: WorkloadContext, interfaces: Collection[WitInterface]) -> None:
        """Pass it on."""
        await self.wrapped.on_workload_bind(workload, interfaces)

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:
        """Let the wrapped plugin link its interfaces, with this one around them."""
        await self.wrapped.on_workload_item_bind(cast("WorkloadItem", _Item(item, self._around)), interfaces)

    async def on_workload_resolved(self, workload: WorkloadContext, component_id: str) -> None:
        """Pass it on."""
        await self.wrapped.on_workload_resolved(workload, component_id)

    async def on_workload_unbind(self, workload_id: str, interfaces: Collection[WitInterface]) -> None:
        """Pass it on."""
        await self.wrapped.on_workload_unbind(workload_id, interfaces)

    async def stop(self) -> None:
        """Stop the wrapped plugin, unless it goes on without this one."""
        if not self._lives_elsewhere():
            await self.wrapped.stop()

    async def dump(self, workload_id: str) -> State | None:
        """Return what the wrapped plugin keeps."""
        return await self.wrapped.dump(workload_id)

    async def restore(self, workload_id: str, state: State) -> None:
        """Bring back what the wrapped plugin kept."""
        await self.wrapped.restore(workload_id, state)

    def _around(self, item: WorkloadItem, interface: str, function: Function, serve: Serve) -> Serve:
        """Return what serves a function of an import: `serve`, with every method around it that is about it.

        Raises ConfigError where one of these takes another number of parameters, or is annotated otherwise than WIT.
        """
        plain = names.without_kind(function.name)
        spellings = _spellings(interface, plain)
        for name, patterns in reversed([*self._marked()]):
            if any(fnmatch.fnmatchcase(each, pattern) for pattern in map(_folded, patterns) for each in spellings):
                serve = functools.partial(getattr(self, name), Call(interface, plain, item, serve))
                if not accepts(serve, len(function.params)):
                    raise _miscounted(getattr(type(self), name), interface, function)
                require_annotated(interface, function, serve, lambda: item.surfaces[interface])
        return serve

    def _lives_elsewhere(self) -> bool:
        """Whether what is attached under the id has the same plugin inside, and not through this one."""
        attached = self.siblings.get(self.id)
        return self not in layers(attached) and unwrapped(self) in layers(attached)

    def _marked(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The methods that are around something, bases first, in the order of their classes."""
        names_of = dict.fromkeys(name for cls in reversed(type(self).__mro__) for name in vars(cls))
        for name in names_of:
            if patterns := getattr(getattr(type(self), name, None), _PATTERNS, None):
                yield name, patterns

    def _require_known(self) -> None:
        known = {f"{entry.wit}#{each}" for entry in self.interfaces for each in offered(entry)}
        spelled = {each for full in known for each in _spellings(*full.split("#"))}
        for _, patterns in self._marked():
            for pattern in patterns:
                if known and not fnmatch.filter(spelled, _folded(pattern)):
                    near = difflib.get_close_matches(_folded(pattern), sorted(spelled), n=1)
                    raise ConfigError(
                        f"{type(self).__name__} is around {pattern!r}, which plugin {self.id!r} does not serve",
                        repair=f'@around("{near[0]}")' if near else f"it serves {', '.join(sorted(known))}",
                    )


class _Item:
    """A component that is being bound, in the hands of a plugin that is wrapped."""

    def __init__(self, item: WorkloadItem, around: Callable[[WorkloadItem, str, Function, Serve], Serve]) -> None:
        self._item = item
        self._around = around

    def link(self, interface: Interface) -> None:
        """Link with the wrapper around."""
        self._item.link(Around(interface, functools.partial(self._around, self._item)))

    def __getattr__(self, name: str) -> Any:
        """Everything else is the component's own."""
        return getattr(self._item, name)


def _is_former(old: type, new: type) -> bool:
    """Whether a class was defined again since. What functions define may be meant to differ."""
    return is_version(new, old) and "<locals>" not in new.__qualname__


def unwrapped(plugin: HostPlugin) -> HostPlugin:
    """Return the plugin inside, where something is wrapped around it."""
    return [*layers(plugin)][-1]


def holds(outer: HostPlugin | None, plugin: HostPlugin) -> bool:
    """Whether `plugin` is inside of `outer`, and not `outer` itself."""
    return outer is not plugin and plugin in layers(outer)


def layers(plugin: HostPlugin | None) -> Iterator[HostPlugin]:
    """What is wrapped around a plugin, from the outside in, and the plugin itself last."""
    while isinstance(plugin, Wrapper):
        yield plugin
        plugin = plugin.wrapped
    if plugin is not None:
        yield plugin


def _miscounted(method: Callable[..., Any], interface: str, function: Function) -> ConfigError:
    resource = names.parse_function(function.name).resource
    given = (resource if each == "self" else each for each, _ in function.params)
    takes = ", ".join(["self", "call", *map(names.python_name, given)])
    return ConfigError(
        f"{method.__qualname__}{inspect.signature(method)} does not fit "
        f"{interface}#{names.without_kind(function.name)}, which it is around",
        interface=interface,
        repair=[
            f"def {method.__name__}({takes}): ...",
            f"def {method.__name__}(self, call, *arguments): ...  # of any",
        ],
    )


def _spellings(interface: str, function: str) -> set[str]:
    """What a function goes by: alone, and behind its interface."""
    plain, _ = split_version(interface)
    homes = {interface, plain, plain.rpartition("/")[2]}
    own = {function, function.rpartition(".")[2]}
    return {_folded(each) for each in own | {f"{home}#{name}" for home in homes for name in own}}


def _folded(name: str) -> str:
    """A spelling without what WIT and Python differ in."""
    return names.python_name(names.without_kind(name)).lower().rstrip("_")
