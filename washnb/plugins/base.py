"""What a plugin is: the piece of a host that serves WIT interfaces to the guests of its workloads.

The life of a plugin, in the order of wash-runtime:

    start                       once, when it is attached to a host that runs, or the host starts
    adopt                       only where it replaces an attached plugin with the same id: take over that one's state
      on_workload_bind          a workload that uses the plugin starts
        on_workload_item_bind   for each component of the workload that uses the plugin: link its interfaces
        on_workload_resolved    for each of these components, once everything is linked
      on_workload_unbind        once for each on_workload_bind, also for one that failed; not where the host stops
    stop                        once, when it is detached or the host stops; bounded in time by the host

A reload binds the new version of a workload, under the same workload id, before it unbinds the old version. So a plugin
keeps the state of a workload until each binding of its id is unbound (`PerWorkload` counts them). A `WashError` from
one of these methods is the message with which the host, the attaching or the workload fails; from `on_workload_unbind`
and `stop` it is logged.

A plugin around another plugin is a `Wrapper`: it serves some functions in its own way, and passes on everything else.
A plugin finds the other plugins of its host, by their ids, in `siblings`.
"""

from __future__ import annotations

import inspect
import logging
import re
import time
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from types import MappingProxyType, UnionType
from typing import Any, Literal, Protocol, TypeVar

from washnb.engine import Err, Interface, InterfaceType, Surface
from washnb.errors import AccessDenied, BackendError, ConfigError
from washnb.events import EventBus, LogLine, StateChanged
from washnb.types import LocalResources
from washnb.wit import WitInterface, WitWorld, gathered

T = TypeVar("T")

BackendKind = Literal["", "memory", "file", "nats", "ask"]
"""What keeps a plugin's state: this process, a directory or a NATS server; with `ask` a person answers each call."""

_log = logging.getLogger(__name__)

Changed = Callable[[tuple[str, ...], str], None]
"""What a backend calls after each change of its state, with the path of what changed, such as `(bucket, key)`, and the
action, `set` or `delete`."""

State = Mapping[tuple[str, ...], bytes | str | None]
"""The state that a plugin keeps for a workload: values by their paths, such as `(bucket, key)`, as in `StateChanged`.
None as a value stands for something that has only a name, such as an empty container."""


def check_state(state: State, kinds: Mapping[int, type | UnionType]) -> None:
    """Raise ConfigError where a plugin cannot keep `state`, which may come from a file that somebody has edited.

    Plugins call this before they change anything. `kinds` says which types of values they keep at paths of each length:
    `{2: bytes}` where all state is bytes at paths such as `(bucket, key)`.
    """
    for path, value in state.items():
        if not isinstance(value, kinds.get(len(path), ())):
            kind = "empty value" if value is None else type(value).__name__
            raise ConfigError(f"it keeps no {kind} at {' / '.join(path)!r}")


class WorkloadContext(Protocol):
    """A workload as its plugins see it."""

    @property
    def workload_id(self) -> str:
        """The key of the workload in its host. A workload that is reloaded keeps its id."""

    @property
    def workload_name(self) -> str:
        """The name of the workload that views, events and verbs use."""

    @property
    def namespace(self) -> str:
        """The namespace of the workload."""


class WorkloadItem(WorkloadContext, Protocol):
    """One component of a workload that is being bound."""

    @property
    def component(self) -> str:
        """The component's name in its workload."""

    @property
    def local_resources(self) -> LocalResources:
        """What the component may use, as the workload's manifest says: memory, config, environment, allowed hosts."""

    @property
    def imports(self) -> Mapping[str, InterfaceType]:
        """The functions that the component declares of each import that the plugin serves, by the import's name."""

    @property
    def surfaces(self) -> Mapping[str, Surface]:
        """Each import of the component that the plugin serves as Python classes, by the import's name."""

    def link(self, interface: Interface) -> None:
        """Let `interface` serve every import of the component that its `wit` covers.

        Raises:
            ConfigError: `interface` lacks a function of the import, or has it with another number of parameters.

        """

    @property
    def bound(self) -> bool:
        """Whether this version of the component is bound to the plugin. False as soon as its unbinding begins."""

    async def deliver(self, export: str, *arguments: object, request: int | None = None, wait: float = 0.0) -> Any:
        """Call the export `interface@version#function` of the component in a fresh instance, and return its result.

        The call counts as a request to the workload does: among those in flight, against the same deadline, and it ends
        when the workload stops. After a reload it goes to the new version of the component. `request` is the number
        that the host calls of the guest carry in the trace (from `events.number()`); `wait` is how many seconds the
        call may wait for a place where the workload has too many in flight.

        Raises:
            Err: the export returned the error case of its WIT result.
            GuestError: the guest trapped, took too long or was cancelled.
            WorkloadFailed: the workload is stopped, or has too many calls in flight.

        """


def _is_interface(entry: object) -> bool:
    return isinstance(entry, Interface) or (isinstance(entry, type) and issubclass(entry, Interface))


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).replace("_", "-").lower()


class HostPlugin:
    """A capability of a host: it serves WIT interfaces to guests. Most plugins have an `id`, and `interfaces` to serve:

        class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
            def roll(self, sides: int) -> int:
                return random.randint(1, sides)

        class Dice(HostPlugin):
            id = "dice"
            interfaces = (Roll,)

    A class in `interfaces` is called without arguments, and makes one object for each component; an object in
    `interfaces` serves all components. A plugin that makes its interfaces in another way, with arguments for one,
    overrides `on_workload_item_bind` and calls `item.link` for each of them.

    The methods from `start` to `stop` are the steps of a plugin's life. The host calls them, in the order in which they
    stand here; one that is not overridden does nothing, but for `on_workload_item_bind`.
    """  # noqa: D400, D415 - the sentence ends in an example

    id: str
    """The plugin's name in its host, unique there. The ids of wash-runtime are `namespace-package`: `wasi-keyvalue`."""

    interfaces: tuple[type[Interface] | Interface, ...] = ()
    """The WIT interfaces that the plugin serves to guests."""

    location: str = ""
    """Where the plugin keeps its state, for views: `memory`, `file:DIR`, `nats://HOST:PORT`. Empty for a plugin without
    state. Views show it to everybody, so it never holds a password."""

    backend_kind: BackendKind = ""
    """The kind of backend that keeps the plugin's state; empty for any other kind, and without state."""

    state_is_shared: bool = False
    """Whether all workloads share one state, which a snapshot then takes once, and not once for each workload."""

    loop: Literal["host", "kernel"] = "host"
    """On which loop a notebook's session runs the methods of the plugin and of its interfaces.

    `host` is the loop of the host, in a thread of its own. `kernel` is the kernel's loop, in the main thread: for
    clients that were made with top-level `await`, and for code that draws or displays. An `Interface` may have the
    attribute, too: it then holds for the plugin that serves it.
    """

    host_id: str = ""
    """The id of the host that the plugin is attached to. The host sets it before it calls `start`."""

    siblings: Mapping[str, HostPlugin] = MappingProxyType({})
    """The plugins that are attached to the same host at the moment, by their ids. The host sets it before `start`."""

    def __init_subclass__(cls, *, abstract: bool = False, **keywords: Any) -> None:
        """Check `id` and `interfaces` of a subclass; `abstract=True` is for a base class, which needs no id.

        Raises ConfigError where the id is missing, or `interfaces` is not a tuple of WIT interfaces.
        """
        super().__init_subclass__(**keywords)
        if not (abstract or isinstance(getattr(cls, "id", None), str)):
            raise ConfigError(
                f"plugin class {cls.__name__} has no id", repair=f'write id = "{_kebab(cls.__name__)}" into the class'
            )
        if not (isinstance(cls.interfaces, tuple) and all(map(_is_interface, cls.interfaces))):
            raise ConfigError(
                f"interfaces of plugin class {cls.__name__} is not a tuple of WIT interfaces: {cls.interfaces!r}",
                repair=(
                    "interfaces = (Roll,)  # a tuple of classes made like this:",
                    'class Roll(Interface, wit="workshop:dice/roll@0.1.0"):',
                ),
            )

    @cached_property
    def events(self) -> EventBus:
        """The bus on which the plugin publishes events. The host puts its own bus here before it calls `start`."""
        return EventBus()

    def world(self) -> WitWorld:
        """Return the plugin's WIT world, seen from the guest.

        `imports` are the interfaces that the plugin serves to guests, `exports` those of guests that the plugin calls.
        """
        return WitWorld(imports=gathered(WitInterface.parse(entry.wit) for entry in self.interfaces))

    async def start(self) -> None:
        """Get ready to serve: connect, open files, start tasks. The host calls this once."""

    def adopt(self, former: HostPlugin) -> None:
        """Take over the state of `former`, the plugin with the same id that this plugin is about to replace.

        The host calls this after `start`, before any workload goes over to this plugin. Calls that `former` has begun
        end on `former`, so share the objects that hold its state and do not copy them. Where a workload cannot go over,
        all workloads go back to `former`, and the host calls `former.adopt` with this plugin.
        """

    async def on_workload_bind(self, workload: WorkloadContext, interfaces: Collection[WitInterface]) -> None:
        """Make what the plugin keeps for `workload`, which is about to start and uses the plugin.

        `interfaces` are the interfaces of the plugin that its components import, or export for the plugin to call; each
        has the `config` of the workload's manifest.
        """

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:  # noqa: ARG002
        """Link the plugin's interfaces into `item`, one component of a workload.

        `interfaces` are those of the component. As it stands here, the method links each entry of `self.interfaces`.
        """
        for entry in self.interfaces:
            made = _without_arguments(entry, f"plugin {self.id!r}")() if isinstance(entry, type) else entry
            item.link(made)

    async def on_workload_resolved(self, workload: WorkloadContext, component_id: str) -> None:
        """Begin what needs a component that can be called: `component_id` names one whose imports are all linked."""

    async def on_workload_unbind(self, workload_id: str, interfaces: Collection[WitInterface]) -> None:
        """Give back what `on_workload_bind` took for a workload, with the same `interfaces`."""

    async def stop(self) -> None:
        """Give back everything that `start` took, and what is kept for workloads. The host calls this once.

        A host that stops calls this without `on_workload_unbind` for the workloads that it still has. Where a host
        cannot start, this is called for the plugin whose `start` has failed, too.
        """

    async def dump(self, workload_id: str) -> State | None:  # noqa: ARG002
        """Return the state that the plugin keeps for a workload, for a snapshot; None where the plugin has no state.

        Raises ConfigError where the plugin has state but takes no snapshot of it.
        """
        return None

    async def restore(self, workload_id: str, state: State) -> None:
        """Make the state of a workload the same as `state`, which `dump` returned, and publish each change.

        Raises ConfigError where the plugin cannot keep `state`.
        """

    def state_changed(self, workload_name: str, path: tuple[str, ...], action: str) -> None:
        """Publish `StateChanged` for what is at `path` in the state of a workload; `action` is `set` or `delete`.

        Views and `%wash trace` learn of changes by this event.
        """
        if self.events:
            self.events.publish(StateChanged(workload_name, self.id, path, action))

    def warn(self, text: str) -> None:
        """Publish `text` as a warning among the log lines: for trouble outside the host that fails no single call."""
        _log.warning("%s: %s", self.id, text)
        self.events.publish(LogLine("", self.id, "host", "warn", "", text, time.time()))

    def __repr__(self) -> str:
        """Show id and interfaces only: a plugin's settings may be secret."""
        served = ", ".join(str(entry) for entry in self.world().imports)
        return f"<{type(self).__name__} {self.id!r} serves {served or 'nothing'}>"


class InterfacePlugin(HostPlugin):
    """The plugin made of an `Interface` that is attached by itself. Its id is the name of that class in kebab-case."""

    id = "interface"

    def __init__(self, interface: type[Interface] | Interface) -> None:
        """Serve `interface`: a class makes one object for each component, an object serves all components."""
        cls = interface if isinstance(interface, type) else type(interface)
        self.id = _kebab(cls.__name__)
        self.interfaces = (interface,)


Attachable = HostPlugin | Interface | type[HostPlugin] | type[Interface]
"""What can be attached to a host: a plugin or an interface, as an object or as a class without arguments."""


def as_plugin(subject: object) -> HostPlugin:
    """Return the plugin for `subject`: a plugin or an interface, each as an object or as its class.

    Raises:
        ConfigError: `subject` is neither, or a class that needs arguments.

    """
    if isinstance(subject, HostPlugin):
        return subject
    if isinstance(subject, type) and issubclass(subject, HostPlugin):
        return _without_arguments(subject, "attach")()
    if isinstance(subject, Interface):
        return InterfacePlugin(subject)
    if isinstance(subject, type) and issubclass(subject, Interface):
        return InterfacePlugin(_without_arguments(subject, "attach"))
    raise ConfigError(
        f"{subject!r} is neither a plugin nor a WIT interface",
        repair=(
            "attach a class or an object that is one of these:",
            'class Roll(Interface, wit="workshop:dice/roll@0.1.0"): ...',
            'class Dice(HostPlugin): id = "dice"; interfaces = (Roll,)',
        ),
    )


class told_to_guest:  # noqa: N801 - read as a verb: `with told_to_guest(...)`, around every call of a guest
    """Raise `Err` for each BackendError in the block, so that the guest gets the error case of the function's result.

    `case` makes the value of that error from the failure's message; `denied` makes it for AccessDenied, for interfaces
    that have an error for that.
    """

    __slots__ = ("_case", "_denied")

    def __init__(self, case: Callable[[str], object], denied: Callable[[], object] | None = None) -> None:
        """Keep the two functions that make the error's value."""
        self._case = case
        self._denied = denied

    def __enter__(self) -> None:
        """Do nothing; `__exit__` has the work."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Raise `Err` in place of a BackendError; every other exception passes."""
        if isinstance(error, BackendError):
            denied = self._denied if isinstance(error, AccessDenied) else None
            raise Err(self._case(error.message) if denied is None else denied()) from error


def is_version(new: type, old: type) -> bool:
    """Whether class `new` is `old` defined again, by a cell or a module that was run again: same name, same module."""
    return new is not old and (new.__module__, new.__qualname__) == (old.__module__, old.__qualname__)


def _without_arguments(cls: type[T], who: str) -> type[T]:
    """Return `cls`, checked by its signature to be callable without arguments. Raises ConfigError, which names `who`.

    `cls` is not called here: what its own `__init__` raises is to be seen as it is.
    """
    signature = inspect.signature(cls)
    try:
        signature.bind()
    except TypeError as error:
        needed = ", ".join(name for name, each in signature.parameters.items() if each.default is each.empty)
        raise ConfigError(
            f"{who} cannot make an object of class {cls.__name__}: {error}",
            repair=f"give an object instead of the class: {cls.__name__}({needed})",
        ) from error
    return cls
