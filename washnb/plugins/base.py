"""What a plugin is: the piece of a host that serves WIT interfaces to the guests of its workloads.

The life of a plugin, in the order of wash-runtime:

    start                       once, before the first workload
    adopt                       where it replaces another plugin of its id: what it keeps of that one
      on_workload_bind          a workload comes that uses the plugin
        on_workload_item_bind   for each of its components that imports something of it: link it here
        on_workload_resolved    for each of these components, once everything is linked
      on_workload_unbind        once for each on_workload_bind, also where that one failed
    stop                        once, after the last workload; bounded by a timeout of the host

A reload binds the new version of a workload under the id of the old one before it unbinds the old one: what is kept
for a workload lives as long as one binding of its id does (`PerWorkload` counts). A `WashError` raised in one of
these methods fails the workload, or the start of the host, with its message.

A plugin around another one is a `Wrapper`: it has a say in some functions, and passes on the rest, the life included.
The others of the host are found by their ids in `siblings`.
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
"""What keeps a plugin's state: this process, a directory, a NATS server, or nothing, since somebody is asked."""

_log = logging.getLogger(__name__)

Changed = Callable[[tuple[str, ...], str], None]
"""What a backend calls after each change of its content: the path that leads to it, and `set` or `delete`."""

State = Mapping[tuple[str, ...], bytes | str | None]
"""What a plugin keeps for a workload: values by the paths that lead to them, those of `StateChanged`."""


def check_state(state: State, kinds: Mapping[int, type | UnionType]) -> None:
    """Raise ConfigError for a state that a plugin cannot keep, before it changes anything: it may be from a file.

    `kinds` are the types of its values, by the lengths of their paths.
    """
    for path, value in state.items():
        if not isinstance(value, kinds.get(len(path), ())):
            kind = "empty value" if value is None else type(value).__name__
            raise ConfigError(f"it keeps no {kind} at {' / '.join(path)!r}")


class WorkloadContext(Protocol):
    """A workload as its plugins see it."""

    @property
    def workload_id(self) -> str:
        """The host's key; the new version of a workload that is reloaded has it, too."""

    @property
    def workload_name(self) -> str:
        """The name for people, in views and events."""

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
        """What the workload grants to the component."""

    @property
    def imports(self) -> Mapping[str, InterfaceType]:
        """The imports of the component that the plugin serves, by their names: what it declares of them."""

    @property
    def surfaces(self) -> Mapping[str, Surface]:
        """The imports of the component that the plugin serves, by their names, as Python classes."""

    def link(self, interface: Interface) -> None:
        """Let `interface` serve every import of the component that its `wit` covers.

        Raises:
            ConfigError: a function of the import is missing in `interface`, or has another number of parameters.

        """

    @property
    def bound(self) -> bool:
        """Whether this version of the component is bound to the plugin; no more once its unbinding has begun."""

    async def deliver(self, export: str, *arguments: object, request: int | None = None, wait: float = 0.0) -> Any:
        """Call an export of the component, `interface@version#function`, in a fresh instance.

        The call is one of the workload's, as a request is: counted, bounded in time, ended when the workload stops.
        It goes to the version that runs now, also where this one has been replaced by a reload. `request` is the number
        that its host calls carry, `events.number()` made; `wait` says how many seconds it may wait for its turn
        where the workload has too many calls in flight.

        Raises:
            Err: the export returned the error of its WIT result.
            GuestError: the guest ended otherwise.
            WorkloadFailed: the workload is stopped, or takes no more calls.

        """


def _is_interface(entry: object) -> bool:
    return isinstance(entry, Interface) or (isinstance(entry, type) and issubclass(entry, Interface))


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).replace("_", "-").lower()


class HostPlugin:
    """A capability of a host. Most plugins say `id` and `interfaces`, and that is all:

        class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
            def roll(self, sides: int) -> int:
                return random.randint(1, sides)

        class Dice(HostPlugin):
            id = "dice"
            interfaces = (Roll,)

    An entry of `interfaces` that is a class is called without arguments for each component; an entry that is an
    object serves all of them. A plugin whose interfaces need more overrides `on_workload_item_bind`.
    """  # noqa: D400, D415 - the sentence ends in an example

    id: str
    """Unique in a host; reference ids are `namespace-package`, such as `wasi-keyvalue`."""

    interfaces: tuple[type[Interface] | Interface, ...] = ()
    """What the plugin serves to guests."""

    location: str = ""
    """Where its state is, for views: `memory`, `file:DIR`, `nats://HOST:PORT`. Never holds a secret; may be empty."""

    backend_kind: BackendKind = ""
    """Which kind of backend keeps its state; empty where it is none of these, or where there is no state."""

    state_is_shared: bool = False
    """Whether all workloads have the same state: snapshots take it once."""

    loop: Literal["host", "kernel"] = "host"
    """Where its methods run when a session attaches it: on the loop of the host, which has a thread of its own, or on
    that of the kernel, in the main thread: for clients made with top-level `await`, and to draw and display. An
    interface says it in the same way, for itself where it is attached alone, and for the plugin that serves it.
    """

    host_id: str = ""
    """The id of the host, which puts it here before it calls `start`."""

    siblings: Mapping[str, HostPlugin] = MappingProxyType({})
    """The plugins of the host by their ids, as they come and go. The host puts it here before it calls `start`."""

    def __init_subclass__(cls, *, abstract: bool = False, **keywords: Any) -> None:
        """Refuse a class without id, unless it is only a base of others, and interfaces that are none."""
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
        """Where the plugin tells what happens. The host puts its own bus here before it calls `start`."""
        return EventBus()

    def world(self) -> WitWorld:
        """What the plugin serves (`imports`) and what it calls on guests (`exports`), seen from the guest."""
        return WitWorld(imports=gathered(WitInterface.parse(entry.wit) for entry in self.interfaces))

    async def start(self) -> None:
        """Get ready: connect, open, start tasks. Once per host."""

    def adopt(self, former: HostPlugin) -> None:
        """Take over from `former`, which this plugin is about to replace, what is to be kept of it.

        This is called once this plugin has started, and before workloads go over to it. Until then `former` serves, and
        calls that have begun finish on it: share the objects that hold its state instead of copying them. Where a
        workload cannot go over, all come back, and `former` adopts this one.
        """

    async def on_workload_bind(self, workload: WorkloadContext, interfaces: Collection[WitInterface]) -> None:
        """Meet a workload. `interfaces` are the entries of it that the plugin serves, with their `config`."""

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:  # noqa: ARG002
        """Link the interfaces of the plugin into one component of a workload."""
        for entry in self.interfaces:
            made = _without_arguments(entry, f"plugin {self.id!r}")() if isinstance(entry, type) else entry
            item.link(made)

    async def on_workload_resolved(self, workload: WorkloadContext, component_id: str) -> None:
        """Know that `component_id` is completely linked and could be called."""

    async def on_workload_unbind(self, workload_id: str, interfaces: Collection[WitInterface]) -> None:
        """Part from a workload: give back what `on_workload_bind` took."""

    async def stop(self) -> None:
        """Let go of everything that `start` took. Once per host."""

    async def dump(self, workload_id: str) -> State | None:  # noqa: ARG002
        """Return what is kept for a workload, for a snapshot; None for a plugin that keeps nothing.

        Raises ConfigError where the plugin cannot.
        """
        return None

    async def restore(self, workload_id: str, state: State) -> None:
        """Let what is kept for a workload be what `dump` returned once, and tell of what changes (`state_changed`).

        Raises ConfigError where the plugin cannot.
        """

    def state_changed(self, workload_name: str, path: tuple[str, ...], action: str) -> None:
        """Tell that `path` in the state of a workload was changed; `action` is `set` or `delete`."""
        if self.events:
            self.events.publish(StateChanged(workload_name, self.id, path, action))

    def warn(self, text: str) -> None:
        """Tell people what is wrong outside, and is no failure of a single call: a line of the host among the logs."""
        _log.warning("%s: %s", self.id, text)
        self.events.publish(LogLine("", self.id, "host", "warn", "", text, time.time()))

    def __repr__(self) -> str:
        """Id and interfaces: what a plugin's settings hold may be secret."""
        served = ", ".join(str(entry) for entry in self.world().imports)
        return f"<{type(self).__name__} {self.id!r} serves {served or 'nothing'}>"


class InterfacePlugin(HostPlugin):
    """The plugin that serves a single interface, for those who have written only that.

    Its id is the name of the interface's class in kebab-case.
    """

    id = "interface"

    def __init__(self, interface: type[Interface] | Interface) -> None:
        """Serve `interface`: a class makes one object for each component, an object is shared by all of them."""
        cls = interface if isinstance(interface, type) else type(interface)
        self.id = _kebab(cls.__name__)
        self.interfaces = (interface,)


Attachable = HostPlugin | Interface | type[HostPlugin] | type[Interface]
"""What `as_plugin` makes a plugin of."""


def as_plugin(subject: object) -> HostPlugin:
    """Make a plugin of what somebody wants to attach: a plugin or an interface, each as an object or as its class.

    Raises:
        ConfigError: `subject` is something else, or a class that needs arguments.

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
    """Turn the failure of a backend into the error of a WIT result: `case` makes it from the message.

    `denied` makes the one for AccessDenied, where the interface has an error for that.
    """

    __slots__ = ("_case", "_denied")

    def __init__(self, case: Callable[[str], object], denied: Callable[[], object] | None = None) -> None:
        """Make errors with these."""
        self._case = case
        self._denied = denied

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Raise Err in place of a BackendError; every other one passes."""
        if isinstance(error, BackendError):
            denied = self._denied if isinstance(error, AccessDenied) else None
            raise Err(self._case(error.message) if denied is None else denied()) from error


def is_version(new: type, old: type) -> bool:
    """Whether a class is another one's next version: of the same name and place, and not the same."""
    return new is not old and (new.__module__, new.__qualname__) == (old.__module__, old.__qualname__)


def _without_arguments(cls: type[T], who: str) -> type[T]:
    """Return `cls`, which can be called without arguments. What its own code may raise then is its affair."""
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
