"""Linking: one wasmtime linker for each component, and the tables that say which Python object serves which import.

The linker knows nothing of implementations. It defines every function of every import as one and the same thunk under
a number, the slot; the thunk finds the store by its context, and what serves the slot in the table of that store.
"""

from __future__ import annotations

import ctypes
import types
import weakref
from collections.abc import Callable
from typing import Any

from wasmtime import WasmtimeError
from wasmtime import component as wt

from washnb.errors import CompileError, ConfigError, GuestError

from .abi import hints
from .abi.handles import type_id
from .abi.layout import (
    CONTINUATION,
    CONTINUE,
    DESTRUCTOR,
    DONE,
    MEMORY,
    THUNK,
    WORD,
    add_func_async,
    add_resource,
    error_new,
)
from .abi.names import FunctionName, class_name, parse_function, python_name
from .abi.plan import ExportPlan, Handler, ImportPlan
from .abi.shapes import Enum, Function, Primitive, Result, Variant
from .component import Code, CompiledComponent
from .interface import Err, Interface
from .store import STORES, Store, suspend

Slot = tuple[str, Function]


def _unheeding(function: types.FunctionType) -> types.FunctionType:
    """Let no signal handler run between a function's entry and its first statement, which is its `try`.

    A KeyboardInterrupt there would end the function without the continuation that wasmtime waits for, and that ends
    the process. Python looks for signals in the RESUME instruction unless its argument says that the function goes on
    after an await (3).
    """
    code = function.__code__
    instructions = bytearray(code.co_code)
    import dis

    position = next(each.offset for each in dis.get_instructions(code) if each.opname == "RESUME")
    instructions[position + 1] = 3
    return types.FunctionType(code.replace(co_code=bytes(instructions)), function.__globals__, function.__name__)


_continue = CONTINUATION.pack_into


def _serve(slot, context, _type, arguments, _count, results, _room, error, continuation):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    try:
        store = STORES[context]
        if store.slots[slot](store, arguments, results):
            _continue(MEMORY, continuation, CONTINUE, suspend(store))
        else:
            _continue(MEMORY, continuation, CONTINUE, DONE)
    except BaseException as failure:  # noqa: BLE001 - it goes through wasmtime, and the driver raises it again
        STORES[context].failure = failure, slot
        _continue(MEMORY, continuation, CONTINUE, DONE)
        WORD.pack_into(MEMORY, error, error_new(b"the host function failed"))


def _destroy(_data, context, rep):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    try:
        store = STORES[context]
        dropped = store.objects.pop(rep, None)
        if hasattr(dropped, "drop"):
            dropped.drop()
    except BaseException as failure:  # noqa: BLE001 - as above
        store.failure = failure, f"{type(dropped).__name__}.drop"
        return error_new(b"dropping a host resource failed")
    return 0


# one thunk for everything, for ever: wasmtime calls them for as long as a store lives
_SERVE = THUNK(_unheeding(_serve))
_DESTROY = DESTRUCTOR(_unheeding(_destroy))


class ComponentLinker:
    """wasmtime's linker for one component: every function that it imports, under its slot."""

    def __init__(self, code: Code) -> None:
        imports = code.types[0]
        self.slots: list[Slot] = []
        self.numbers: dict[tuple[str, str], int] = {}
        self.exports: dict[str, tuple[ExportPlan, int]] = {}
        self._kept: list[Any] = []
        self._linker = wt.Linker(code.runtime.raw)
        with self._linker.root() as root:
            for interface in imports.values():
                if not interface.name:
                    self._define(root, "", interface)
                else:
                    with root.add_instance(interface.name) as instance:
                        self._define(instance, interface.name, interface)
        self.address = address_of(self._linker)
        self.component = address_of(code.raw)
        self.engine = address_of(code.runtime.raw)

    @property
    def labels(self) -> list[str]:
        """Interface and function by slot, for messages."""
        return [f"{interface}#{function.name}" if interface else function.name for interface, function in self.slots]

    def keep(self, item: Any) -> None:
        """Let `item` live as long as the linker."""
        self._kept.append(item)

    def _define(self, instance: wt.LinkerInstance, name: str, interface: Any) -> None:
        address = address_of(instance)
        for resource_name, resource in interface.resources.items():
            text = resource_name.encode()
            with wt.ResourceType.host(type_id(resource.key)) as kind:
                _checked(add_resource(address, text, len(text), address_of(kind), _DESTROY, 0, 0))
        for function in interface.functions.values():
            text = function.name.encode()
            self.numbers[name, function.name] = len(self.slots)
            _checked(add_func_async(address, text, len(text), _SERVE, len(self.slots), 0))
            self.slots.append((name, function))


def address_of(managed: Any) -> int:
    """The address behind one of wasmtime-py's objects."""
    return ctypes.cast(managed.ptr(), ctypes.c_void_p).value or 0


def _checked(error: int) -> None:
    if error:
        from wasmtime import _ffi as ffi

        raise CompileError(str(WasmtimeError._from_ptr(ctypes.cast(error, ctypes.POINTER(ffi.wasmtime_error_t)))))


_linkers: weakref.WeakKeyDictionary[Code, ComponentLinker] = weakref.WeakKeyDictionary()


def linker_of(component: CompiledComponent) -> ComponentLinker:
    """The linker of a component: built when it is first needed, then kept with its code."""
    linker = _linkers.get(component.code)
    if linker is None:
        linker = _linkers[component.code] = ComponentLinker(component.code)
    return linker


class Bindings:
    """The binding table of one component: which Python object serves which import.

    All instances of a component in a workload share one. A change takes effect at the next call.
    """

    def __init__(self, component: CompiledComponent) -> None:
        """Begin with nothing bound: every call of an import ends the guest."""
        self.component = component
        self.linker = linker_of(component)
        self.handlers: list[Handler] = [
            _unserved(interface, function, component.name) for interface, function in self.linker.slots
        ]
        self._bound: dict[str, str] = {}

    def bind(self, import_name: str, implementation: Interface, *, provider: str, on_fiber: bool = False) -> None:
        """Let `implementation` serve the import of this name, in the component's own spelling.

        `provider` is who serves it, for traces. With `on_fiber` its functions run at once, on the guest's stack: only
        for short ones that cannot recurse. Raises ConfigError where a function is missing or takes another number of
        parameters than the import.
        """
        functions = self._functions(import_name)
        found = hints.resource_classes(implementation)
        targets = {name: _target(import_name, each, implementation, found) for name, each in functions.items()}
        for name, (target, parameters) in targets.items():
            self._bind(import_name, functions[name], target, parameters, provider, on_fiber)
        self._bound[import_name] = provider

    def _bind(
        self,
        interface: str,
        function: Function,
        target: Callable[..., Any],
        parameters: list[Any],
        provider: str,
        on_fiber: bool,
    ) -> None:
        slot, handlers = self.linker.numbers[interface, function.name], self.handlers

        def first(store: Store, arguments: int, results: int) -> object:
            plan = ImportPlan(interface, function, target, parameters, provider=provider, on_fiber=on_fiber)
            for table in (handlers, store.slots):
                if table[slot] is first:
                    table[slot] = plan.handle
            return plan.handle(store, arguments, results)

        handlers[slot] = first

    def unbind(self, import_name: str, reason: str) -> None:
        """Take the import back: the next call gets `access-denied` where the function has that error, else it ends
        the guest with a GuestError that says `reason`."""
        for function in self._functions(import_name).values():
            self.handlers[self.linker.numbers[import_name, function.name]] = _refused(import_name, function, reason)
        self._bound.pop(import_name, None)

    def unserved(self) -> tuple[str, ...]:
        """The imports that hold a function and that nobody serves."""
        return tuple(
            name
            for name, interface in self.component.imports.items()
            if interface.functions and name not in self._bound
        )

    def copy(self) -> Bindings:
        """An independent table with the same entries."""
        twin = Bindings(self.component)
        twin.handlers[:] = self.handlers
        twin._bound.update(self._bound)
        return twin

    def _functions(self, import_name: str) -> dict[str, Function]:
        interface = self.component.imports.get(import_name)
        if interface is None:
            raise ConfigError(
                f"{self.component.name} does not import {import_name}",
                component=self.component.name,
                interface=import_name,
                repair=[f"it imports {name}" for name in self.component.imports],
            )
        return interface.functions


def _unserved(interface: str, function: Function, component: str) -> Handler:
    def handle(_store: Store, _arguments: int, _results: int) -> object:
        raise GuestError(
            f"{component} called {interface}#{function.name}, which nobody serves",
            component=component,
            interface=interface,
        )

    return handle


def _refused(interface: str, function: Function, reason: str) -> Handler:
    denial = _denial(function, reason)

    def target(*_arguments: Any) -> Any:
        raise (
            denial if denial is not None else GuestError(f"{interface}#{function.name}: {reason}", interface=interface)
        )

    plan: list[ImportPlan] = []

    def handle(store: Store, arguments: int, results: int) -> object:
        if not plan:
            plan.append(
                ImportPlan(interface, function, target, [None] * len(function.params), provider="", on_fiber=True)
            )
        return plan[0].handle(store, arguments, results)

    return handle


def _denial(function: Function, reason: str) -> Err[Any] | None:
    """The function's own error for a caller that may not, if it has one."""
    error = function.result.err if isinstance(function.result, Result) else None
    if isinstance(error, Enum) and "access-denied" in error.names:
        return Err("access-denied")
    if isinstance(error, Variant):
        cases = dict(error.cases)
        if "access-denied" in cases:
            payload = cases["access-denied"]
            if payload is None:
                return Err(type("AccessDenied", (), {})())
            if payload == Primitive("string"):
                return Err(type("AccessDenied", (), {"value": reason})())
    return None


def _target(
    interface: str, function: Function, implementation: Interface, resources: dict[str, type]
) -> tuple[Callable[..., Any], list[Any]]:
    """What serves a function, and the annotations of its parameters. Raises ConfigError where nothing fits."""
    parsed = parse_function(function.name)
    found = _found(parsed, implementation, resources)
    count = len(function.params)
    if found is None and parsed.kind == "method":
        return _method(parsed.name), [None] * count  # the class of the resource is known when an object comes
    if found is None or not callable(found):
        raise _missing(interface, function, implementation, parsed)
    if not hints.accepts(found, count):
        raise _miscounted(interface, function, found)
    target = _method(parsed.name) if parsed.kind == "method" else found
    described = found.__init__ if isinstance(found, type) else found
    skip = 1 if isinstance(found, type) else 0
    return target, hints.parameter_hints(described, count + skip, implementation)[skip:]


def _found(parsed: FunctionName, implementation: Interface, resources: dict[str, type]) -> Any:
    if not parsed.kind:
        return getattr(implementation, python_name(parsed.name), None)
    cls = getattr(implementation, class_name(parsed.resource), None) or resources.get(parsed.resource)
    if parsed.kind == "constructor" or cls is None:
        return cls
    return getattr(cls, python_name(parsed.name), False)  # False: the class is known and has no such method


def _method(name: str) -> Callable[..., Any]:
    attribute = python_name(name)

    def call(receiver: Any, *arguments: Any) -> Any:
        return getattr(receiver, attribute)(*arguments)

    return call


def _missing(interface: str, function: Function, implementation: Interface, parsed: FunctionName) -> ConfigError:
    owner = type(implementation).__name__
    if parsed.kind:
        owner = f"{owner}.{class_name(parsed.resource)}"
    return ConfigError(
        f"{owner} has nothing that serves {interface}#{function}",
        interface=interface,
        repair=_signature(function, parsed),
    )


def _miscounted(interface: str, function: Function, found: Callable[..., Any]) -> ConfigError:
    import inspect

    return ConfigError(
        f"{found.__qualname__}{inspect.signature(found)} does not fit {interface}#{function}",
        interface=interface,
        repair=_signature(function, parse_function(function.name)),
    )


def _signature(function: Function, parsed: FunctionName) -> str:
    names = [python_name(name) for name, _ in function.params]
    if parsed.kind == "constructor":
        return f"{class_name(parsed.resource)} = ...   # a class with def __init__({', '.join(['self', *names])})"
    if parsed.kind == "method":
        return f"def {python_name(parsed.name)}({', '.join(['self', *names[1:]])}): ..."
    if parsed.kind == "static":
        return f"@staticmethod def {python_name(parsed.name)}({', '.join(names)}): ..."
    return f"def {python_name(parsed.name)}({', '.join(['self', *names])}): ..."
