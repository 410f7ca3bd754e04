"""The exports of a workload as Python objects: functions with signatures, classes for resources and types."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import cached_property
from typing import Any, ClassVar, Self

from washnb.engine import CompiledComponent, Function, GuestResource, Instance, InterfaceType, Surface, names, shapes
from washnb.errors import ConfigError, GuestError, MismatchError

from ..arguments import closest
from ..door import Caller

CALLING: ContextVar[frozenset[str]] = ContextVar("CALLING", default=frozenset())
"""The workloads in whose calls something is done, by a plugin: it cannot wait for another call of one of them."""


class NoSuchExport(ConfigError, AttributeError):  # noqa: N818 - beside WorkloadNotFound
    """A workload exports nothing of that name."""

    def __init__(self, workload: str, name: str, known: list[str], within: Sequence[str] = ()) -> None:
        """Name the exports `within` the interface called `name`, or else the closest of the `known` exports, or all."""
        near = closest(name, known)
        hint = f"did you mean {near}?" if near else f"it exports {', '.join(known) or 'nothing'}"
        if within:
            hint = f"that is an interface; leave it out, and say {' or '.join(within)}"
        super().__init__(f"{workload} exports nothing called {name}", workload=workload, repair=hint)


class GuestObject:
    """A resource that a guest defines, in the instance that is kept for the calls of its workload.

    The object can be used until a function takes ownership of it, or to the end of a `with` block, which drops the
    resource: the guest's destructor runs there (in a guest of componentize-py it does nothing, and the resource stays).
    It also ends with its instance, without a destructor: when the workload is loaded again or unloaded, and when a call
    traps or runs out of time.
    """

    _caller: ClassVar[Caller]
    _workload: ClassVar[str]
    _makers: ClassVar[Sequence[str]]
    _instance: Instance
    _handle: GuestResource
    _dropped = False

    def __new__(cls, *_: object, **__: object) -> Self:
        """Refuse to make one: the resource has no constructor in WIT, so objects come from functions."""
        raise MismatchError(f"{cls.__name__} has no constructor in WIT", repair=cls._repair())

    @classmethod
    def _of(cls, instance: Instance, handle: GuestResource) -> Self:
        made = object.__new__(cls)
        made._instance, made._handle = instance, handle
        return made

    @property
    def wit_handle(self) -> GuestResource:
        """The handle that the engine passes to the guest. Raises GuestError where the resource is gone."""
        if (lost := self._lost) is not None:
            raise GuestError(f"{self._shown} is gone: {lost}", workload=self._workload, repair=self._repair())
        return self._handle

    @classmethod
    def _repair(cls) -> list[str]:
        """The repairing lines: calls that make another object of this class."""
        return [f'wash["{cls._workload}"].{each}(...)  # makes another one' for each in cls._makers]

    @property
    def _shown(self) -> str:
        return f"{self._handle.resource.name} of {self._workload}"

    @property
    def _lost(self) -> str | None:
        """Why the resource is gone; None where it is not."""
        ended = self._instance.ended
        if ended is not None:
            closed = f"{self._workload} was loaded again, or unloaded"
            return closed if ended == Instance.CLOSED else f"its instance ended when {ended}"
        if self._dropped:
            return "its `with` block has ended"
        return "a function has taken it" if self._handle.used_up else None

    def __dir__(self) -> list[str]:
        """The names for completion: the functions of the resource, and nothing that is only for the engine."""
        return [name for name in super().__dir__() if name != "wit_handle"]

    def __enter__(self) -> Self:
        """Use the resource in a `with` block, which drops it. Raises GuestError where it is gone already."""
        _ = self.wit_handle
        return self

    def __exit__(self, *_: object) -> None:
        """Drop the resource, unless it is gone. Raises GuestError where its destructor ends the guest."""
        __tracebackhide__ = True
        if self._lost is None:
            what = self._workload, self._instance, self._handle, CALLING.get()
            self._caller.on_host(lambda deployments: deployments.drop(*what))
            self._dropped = True

    def __repr__(self) -> str:
        lost = self._lost
        return f"<{self._shown}{'' if lost is None else f', gone: {lost}'}>"


class Exported:
    """One exported interface: its functions, and the classes of its resources and types, as attributes."""

    def __init__(self, caller: Caller, workload: str, component: CompiledComponent, interface: InterfaceType) -> None:
        """Keep the interface of `component`; functions and classes are made when they are first asked for."""
        self._caller = caller
        self._workload = workload
        self._component = component
        self._interface = interface

    @property
    def _surface(self) -> Surface:
        return self._component.export_surfaces[self._interface.name]

    @cached_property
    def _members(self) -> dict[str, Any]:
        functions = [(names.parse_function(each.name), each) for each in self._interface.functions.values()]
        free = {
            names.python_name(parsed.name): self._function(each, parsed)
            for parsed, each in functions
            if not parsed.kind
        }
        classes = {each.__name__: each for each in self._objects.values()}
        return {**self._surface.types, **classes, **free}

    @cached_property
    def _objects(self) -> dict[str, type[GuestObject]]:
        """The classes of the resources that the interface defines, by the keys of their WIT types."""
        found = {}
        for resource in self._interface.resources.values():
            served = self._surface.types.get(self._class_name(resource.name))
            if getattr(served, "wit_resource", None) == resource.name:
                found[resource.key] = self._object(served, resource.name)
        return found

    def _class_name(self, resource: str) -> str:
        """The name of a resource's class in Python, which is not always its own: `any` is `Any2`."""
        return self._surface.type_names.resources[self._interface.resources[resource]]

    def _object(self, served: Any, resource: str) -> type[GuestObject]:
        body: dict[str, Any] = {
            "_caller": self._caller,
            "_workload": self._workload,
            "_makers": self._makers(resource),
            "__doc__": f"{served.__doc__}\n\n{inspect.getdoc(GuestObject)}",
        }
        for each in self._interface.functions.values():
            parsed = names.parse_function(each.name)
            if parsed.resource != resource:
                continue
            made = self._function(each, parsed)
            if parsed.kind == "constructor":
                body |= {
                    "__new__": lambda _cls, *arguments, _made=made, **named: _made(*arguments, **named),
                    "__signature__": made.__signature__,
                    "__doc__": f"{served.__doc__}\n\n{made.__doc__}\n\n{inspect.getdoc(GuestObject)}",
                }
            else:
                body[names.python_name(parsed.name)] = staticmethod(made) if parsed.kind == "static" else made
        return type(served.__name__, (GuestObject,), body)

    def _makers(self, resource: str) -> list[str]:
        """The constructor of a resource, or else the functions of the interface that return one."""
        found = []
        for each in self._interface.functions.values():
            parsed = names.parse_function(each.name)
            if parsed.kind == "constructor" and parsed.resource == resource:
                return [self._class_name(resource)]
            if parsed.kind in {"", "static"} and _returned_by(each) == resource:
                owner = f"{self._class_name(parsed.resource)}." if parsed.kind else ""
                found.append(f"{owner}{names.python_name(parsed.name)}")
        return found

    def _function(self, function: Function, parsed: names.FunctionName) -> Any:
        """Make the Python function that calls an export; the surface has its name, signature and documentation."""
        served = self._surface.served
        owner = getattr(served, self._class_name(parsed.resource)) if parsed.kind else served
        template = inspect.unwrap(getattr(owner, names.python_name(parsed.name) if parsed.name else "__init__"))
        signature = self._surface.signature(template)
        if parsed.kind in {"", "constructor"}:
            signature = signature.replace(parameters=list(signature.parameters.values())[1:])
        if parsed.kind == "constructor":
            signature = signature.replace(return_annotation=inspect.Signature.empty)
        export = f"{self._interface.name}#{function.name}".removeprefix("#")
        is_method = parsed.kind == "method"

        def call(*arguments: Any, **named: Any) -> Any:
            __tracebackhide__ = True
            if named:
                arguments = _in_order(signature, arguments, named, export, template.__doc__)
            if is_method and arguments:  # a resource that is gone raises here, before another instance is made
                arguments = (getattr(arguments[0], "wit_handle", arguments[0]), *arguments[1:])
            return self._caller.call(self._workload, export, *arguments)

        call.__name__ = template.__name__
        call.__qualname__ = template.__qualname__
        call.__doc__ = template.__doc__
        call.__signature__ = signature  # type: ignore[attr-defined]  # what `inspect` looks for
        return call

    def wit(self, function: str) -> str | None:
        """The declaration of a function in WIT; None where the interface has no function of that name."""
        found = self._interface.functions.get(function)
        return None if found is None else self._surface.wit(found)

    def object_of(self, instance: Instance, handle: GuestResource) -> GuestObject | None:
        """The object that stands for a guest's resource; None where another interface defines it."""
        cls = self._objects.get(handle.resource.key)
        return None if cls is None else cls._of(instance, handle)

    def __getattr__(self, name: str) -> Any:
        """Return the function, resource or type of that name, in Python's spelling or in WIT's."""
        if name.startswith("_"):
            raise AttributeError(name)
        members = self._members
        for spelled in (name, names.python_name(name), names.class_name(name)):
            if spelled in members:
                return members[spelled]
        raise NoSuchExport(self._workload, name, dir(self))

    def __dir__(self) -> list[str]:
        """The names for completion: functions, resources and types."""
        return list(self._members)

    def __repr__(self) -> str:
        shown = [self._interface.name or "exports at the root"]
        shown += [f"  resource {name}" for name in self._interface.resources]
        return "\n".join([*shown, *(f"  {self._surface.wit(each)}" for each in self._interface.functions.values())])


def _returned_by(function: Function) -> str:
    """The name of the resource that a function returns; empty where it returns none."""
    result = function.result
    shape = result.ok if isinstance(result, shapes.Result) else result
    return shape.resource.name if isinstance(shape, shapes.Own) else ""


def _in_order(
    signature: inspect.Signature, arguments: tuple[Any, ...], named: dict[str, Any], export: str, wit: str | None
) -> tuple[Any, ...]:
    try:
        return signature.bind(*arguments, **named).args
    except TypeError as error:
        raise MismatchError(f"{export}: {error}", repair=wit or ()) from None


def _is_of_a_tool(interface: InterfaceType) -> bool:
    """Whether componentize-py exports the interface for itself; it was called when the component was built."""
    return interface.name == "exports" and [*interface.functions] == ["init"]


class Exports(Mapping[str, Exported]):
    """The exported interfaces of a workload, by name, with or without version."""

    def __init__(self, caller: Caller, workload: str, component: CompiledComponent) -> None:
        """Keep the exported interfaces of `component`."""
        self._workload = workload
        self._made = {
            name: Exported(caller, workload, component, interface)
            for name, interface in component.exports.items()
            if interface.functions
        }
        self._short = {name: each for name, each in self._made.items() if not _is_of_a_tool(component.exports[name])}

    def __getitem__(self, name: str) -> Exported:
        """Return the interface `name`. Raises KeyError, which names the exported interfaces."""
        if name in self._made:
            return self._made[name]
        matching = [each for each in self._made if each.partition("@")[0] == name]
        if len(matching) != 1:
            raise KeyError(f"{name}; there is {', '.join(filter(None, self._made)) or 'none'}")
        return self._made[matching[0]]

    def find(self, name: str) -> Any:
        """Return the export called `name`, in whichever interface it is.

        Raises ConfigError where several interfaces have one of this name, NoSuchExport where none has. A type that
        several interfaces use is one class, and so one export.
        """
        homes = [home for home, each in self._short.items() if {name, names.python_name(name)} & {*dir(each)}]
        if len({id(getattr(self._made[home], name)) for home in homes}) > 1:
            raise ConfigError(
                f"{self._workload} exports {name} in {' and '.join(homes)}",
                workload=self._workload,
                repair=[f'wash["{self._workload}"].exports["{home}"].{name}' for home in homes],
            )
        if not homes:
            raise NoSuchExport(self._workload, name, self.known(), self._within(name))
        return getattr(self._made[homes[0]], name)

    def _within(self, name: str) -> list[str]:
        """The exports of the interface called `name`, or of the one that `name` begins with, before a dot."""
        asked, _, member = name.partition(".")
        homes = [
            each
            for home, each in self._short.items()
            if names.python_name(home.partition("@")[0].rpartition("/")[2]) == names.python_name(asked)
        ]
        found = [each for home in homes for each in dir(home)]
        return [each for each in found if each == names.python_name(member)] or found

    def known(self) -> list[str]:
        """The names that `find` finds, for completion."""
        return [*dict.fromkeys(name for each in self._short.values() for name in dir(each))]

    def wit(self, export: str) -> str:
        """The WIT declaration of `interface#function`, or of a function at the root; `export` where there is none."""
        interface, _, function = export.rpartition("#")
        homes = [
            each
            for name, each in self._made.items()
            if not interface or name.partition("@")[0] == interface.partition("@")[0]
        ]
        return next((found for each in homes if (found := each.wit(function)) is not None), function)

    def object_of(self, instance: Instance, handle: GuestResource) -> object:
        """The object that stands for a resource of an instance; the handle itself where no class does."""
        found = (each.object_of(instance, handle) for each in self._made.values())
        return next((each for each in found if each is not None), handle)

    def __iter__(self) -> Iterator[str]:
        """The names of the interfaces, with versions."""
        return iter(self._made)

    def __len__(self) -> int:
        """The number of exported interfaces."""
        return len(self._made)

    def _ipython_key_completions_(self) -> list[str]:
        return list(filter(None, self._made))

    def __repr__(self) -> str:
        return "\n".join(map(repr, self._made.values())) or "no exports"
