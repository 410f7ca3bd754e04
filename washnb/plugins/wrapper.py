"""A plugin around another plugin: it serves calls of some functions in its own way, and passes on all the others."""

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
    """Let a method of a `Wrapper` serve the calls of `functions` in place of the wrapped plugin.

    A function is written `open`, `bucket.get`, or `get` for that of any resource, as WIT or Python spells it. With an
    interface before it, `store#open` or `wasi:keyvalue/store#open`, it is a function of that interface only. `*` stands
    for any text. The method gets a `Call` and the guest's arguments, and what it returns is the result of the call. It
    awaits the `Call` to pass it on. Where several methods are marked with one function, the `Call` of each leads to the
    next in the class, and that of the last to the wrapped plugin.
    """

    def mark(method: F) -> F:
        setattr(method, _PATTERNS, functions)
        return method

    return mark


class Call:
    """A guest's call in the hands of a `Wrapper`. `await call(*arguments)` passes it on, with its arguments or others.

    `interface` is the full name of the import and `function` the function in it, such as `bucket.get`; `workload` and
    `component` are the names of those who call.
    """

    __slots__ = ("_serve", "component", "function", "interface", "workload")

    def __init__(self, interface: str, function: str, item: WorkloadItem, serve: Serve) -> None:
        """Keep what the call is of, and `serve`, to which it is passed on."""
        self.interface = interface
        self.function = function
        self.workload = item.workload_name
        self.component = item.component
        self._serve = serve

    async def __call__(self, *arguments: Any) -> Any:
        """Call what is wrapped, and return its result. Raises what that raises: `Err` for the error of a WIT result."""
        value = self._serve(*arguments)
        return await value if hasattr(value, "__await__") else value

    def __repr__(self) -> str:
        return f"<call of {split_version(self.interface)[0]}#{self.function} by {self.workload}>"


class Wrapper(HostPlugin, abstract=True):
    """A plugin that stands for another plugin, under its id. `around` marks the methods that serve certain functions:

        class ReadOnly(Wrapper):
            @around("bucket.set", "bucket.delete")
            def refuse(self, call: Call, bucket: Any, *rest: Any) -> None:
                raise Err(Error_AccessDenied())

        await host.attach(ReadOnly(InMemoryKeyValue()))

    All other calls go to the wrapped plugin, and so do the steps of its life and the names of its attributes: its state
    is where it was, and views find it there.
    """  # noqa: D400, D415 - the sentence ends in an example

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Ask for no id in the class: a wrapper has that of the plugin that it wraps."""
        super().__init_subclass__(abstract=True, **keywords)

    def __init__(self, plugin: Attachable) -> None:
        """Wrap `plugin`, which need not be attached itself. Raises ConfigError where `around` names no function of it.

        Where `plugin` is wrapped in an earlier version of this class, one from before the cell or the module was run
        again, this wrapper takes the place of that one and wraps the plugin inside.
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
        """Return an attribute of the wrapped plugin: views, other plugins and tests look for it on the wrapper."""
        if name == "wrapped":  # `__init__` has not set it yet: without this, an endless recursion
            raise AttributeError(name)
        return getattr(self.wrapped, name)

    def world(self) -> WitWorld:
        """Return the WIT world of the wrapped plugin."""
        return self.wrapped.world()

    async def start(self) -> None:
        """Start the wrapped plugin, unless it runs already: a plugin that is attached can be wrapped, and replaced."""
        inner = self.wrapped
        inner.events, inner.host_id, inner.siblings = self.events, self.host_id, self.siblings
        if not self._lives_elsewhere():
            await inner.start()
        self.location = inner.location

    def adopt(self, former: HostPlugin) -> None:
        """Let the wrapped plugin take over the state of `former`, which may be a wrapper or none."""
        self.wrapped.adopt(former)

    async def on_workload_bind(self, workload: WorkloadContext, interfaces: Collection[WitInterface]) -> None:
        """Let the wrapped plugin make what it keeps for the workload."""
        await self.wrapped.on_workload_bind(workload, interfaces)

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:
        """Let the wrapped plugin link its interfaces, and put the marked methods around their functions."""
        await self.wrapped.on_workload_item_bind(cast("WorkloadItem", _Item(item, self._around)), interfaces)

    async def on_workload_resolved(self, workload: WorkloadContext, component_id: str) -> None:
        """Tell the wrapped plugin that the component is completely linked."""
        await self.wrapped.on_workload_resolved(workload, component_id)

    async def on_workload_unbind(self, workload_id: str, interfaces: Collection[WitInterface]) -> None:
        """Let the wrapped plugin give back what it keeps for the workload."""
        await self.wrapped.on_workload_unbind(workload_id, interfaces)

    async def stop(self) -> None:
        """Stop the wrapped plugin, unless it is attached without this wrapper now, and goes on."""
        if not self._lives_elsewhere():
            await self.wrapped.stop()

    async def dump(self, workload_id: str) -> State | None:
        """Return the state that the wrapped plugin keeps for the workload."""
        return await self.wrapped.dump(workload_id)

    async def restore(self, workload_id: str, state: State) -> None:
        """Make `state` that of the workload in the wrapped plugin."""
        await self.wrapped.restore(workload_id, state)

    def _around(self, item: WorkloadItem, interface: str, function: Function, serve: Serve) -> Serve:
        """Return what serves `function` of the import `interface`: `serve`, with each method around it that matches.

        Raises ConfigError where a method takes another number of parameters, or is annotated otherwise than WIT.
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
        """Whether the wrapped plugin is attached to the host without this wrapper, by itself or in another one."""
        attached = self.siblings.get(self.id)
        return self not in layers(attached) and unwrapped(self) in layers(attached)

    def _marked(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield name and patterns of each method that `around` marks: base classes first, then as they are written."""
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
    """The `WorkloadItem` that a wrapped plugin gets: what it links is linked with the wrapper's methods around it."""

    def __init__(self, item: WorkloadItem, around: Callable[[WorkloadItem, str, Function, Serve], Serve]) -> None:
        self._item = item
        self._around = around

    def link(self, interface: Interface) -> None:
        """Link `interface`, with the wrapper's methods around its functions."""
        self._item.link(Around(interface, functools.partial(self._around, self._item)))

    def __getattr__(self, name: str) -> Any:
        """Return any other attribute of the component that is being bound."""
        return getattr(self._item, name)


def _is_former(old: type, new: type) -> bool:
    """Whether `new` is `old` defined again. Classes that a function makes may be meant to be two: then False."""
    return is_version(new, old) and "<locals>" not in new.__qualname__


def unwrapped(plugin: HostPlugin) -> HostPlugin:
    """Return the plugin inside all wrappers, or `plugin` itself where it is no wrapper."""
    return [*layers(plugin)][-1]


def holds(outer: HostPlugin | None, plugin: HostPlugin) -> bool:
    """Whether `plugin` is wrapped in `outer`, at any depth; a plugin does not hold itself."""
    return outer is not plugin and plugin in layers(outer)


def layers(plugin: HostPlugin | None) -> Iterator[HostPlugin]:
    """Yield `plugin`, and where it is a wrapper what it wraps, and so on: the plugin inside all wrappers comes last."""
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
    """Return every spelling of a function, folded: by itself, and with each spelling of its interface before it."""
    plain, _ = split_version(interface)
    homes = {interface, plain, plain.rpartition("/")[2]}
    own = {function, function.rpartition(".")[2]}
    return {_folded(each) for each in own | {f"{home}#{name}" for home in homes for name in own}}


def _folded(name: str) -> str:
    """Return the spelling in which names are compared: `bucket.get_many` for `[method]bucket.get-many`."""
    return names.python_name(names.without_kind(name)).lower().rstrip("_")
