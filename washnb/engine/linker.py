"""Linking: one wasmtime linker for each component, whatever serves its imports.

The linker has the same native callback, a thunk, for every imported function, each under a number, its slot. When a
guest calls, the thunk takes the store whose guest runs, and from that store's table the handler of the slot.
"""

from __future__ import annotations

import ctypes
import dis
import types
import weakref
from typing import Any

from wasmtime import component as wt

from washnb.errors import CompileError

from .abi.handles import type_id
from .abi.layout import (
    CONTINUATION,
    DESTRUCTOR,
    DONE,
    THUNK,
    VIEW,
    WORD,
    add_func_async,
    add_resource,
    error_new,
    error_text,
)
from .abi.plan import ExportPlan, label_of
from .abi.shapes import Function, InterfaceType, Resource
from .component import Code, CompiledComponent
from .store import RUNNING, STORES, suspend

_continue = CONTINUATION.pack_into
_running = RUNNING.get
_RESUMED_AFTER_AWAIT = 3  # the argument of the instruction RESUME with which the interpreter looks for no signals


def _unheeding(function: Any) -> types.FunctionType:
    """Return `function` so changed that no signal handler runs between its entry and its first statement, a `try`.

    A KeyboardInterrupt there would end the function without the continuation that wasmtime waits for, and that ends
    the process. CPython looks for signals in the instruction that a function begins with, RESUME, unless its argument
    says that the function goes on after an await.
    """
    code = function.__code__
    instructions = bytearray(code.co_code)
    position = next(each.offset for each in dis.get_instructions(code) if each.opname == "RESUME")
    instructions[position + 1] = _RESUMED_AFTER_AWAIT
    return types.FunctionType(code.replace(co_code=bytes(instructions)), function.__globals__, function.__name__)


def _serve(slot, _context, _type, arguments, _count, results, _room, error, continuation):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Serve a host call: wasmtime calls this, on the guest's fiber, for every imported function."""
    try:
        _continue(VIEW, continuation, DONE)  # first of all: wasmtime reads it even after a failure
        store = _running()
        if store.slots[slot](store, arguments, results):
            _continue(VIEW, continuation, suspend(store))
    except BaseException as failure:  # noqa: BLE001 - it goes through wasmtime, and the driver raises it again
        _running().failure = failure, slot
        WORD.pack_into(VIEW, error, error_new(b"the host function failed"))


def _destroy(_data, context, rep):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Drop a host object: wasmtime calls this when a guest drops its owned handle."""
    dropped = None
    try:
        dropped = STORES[context].objects.pop(rep, None)
        if hasattr(dropped, "drop"):
            dropped.drop()
    except BaseException as failure:  # noqa: BLE001 - it goes through wasmtime, and the driver raises it again
        STORES[context].failure = failure, f"{type(dropped).__name__}.drop"
        return error_new(b"dropping a host resource failed")
    return 0


# one of each for the whole process, never freed: wasmtime calls them for as long as any store lives
_SERVE = THUNK(_unheeding(_serve))
_DESTROY = DESTRUCTOR(_unheeding(_destroy))


class ComponentLinker:
    """wasmtime's linker for one component, with all that its stores share.

    `functions` are the imported functions in the order of their slots, with the name of their import; `slots` finds a
    slot by import and function. `exports` and `destructors` keep the plans of what was called so far. `address`,
    `component` and `engine` are wasmtime's own objects, as addresses.
    """

    def __init__(self, code: Code) -> None:
        imports = code.types[0]
        self.functions: list[tuple[str, Function]] = []
        self.slots: dict[tuple[str, str], int] = {}
        self.exports: dict[str, tuple[ExportPlan, int]] = {}
        self.destructors: dict[Resource, tuple[ExportPlan, int]] = {}
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

    def label(self, slot: int) -> str:
        """Return `interface#function` of a slot, for messages."""
        interface, function = self.functions[slot]
        return label_of(interface, function.name)

    def keep(self, item: Any) -> None:
        """Let `item` live as long as the linker."""
        self._kept.append(item)

    def _define(self, instance: wt.LinkerInstance, name: str, interface: InterfaceType) -> None:
        address = address_of(instance)
        for resource_name, resource in interface.resources.items():
            text = resource_name.encode()
            with wt.ResourceType.host(type_id(resource.key)) as kind:
                _checked(add_resource(address, text, len(text), address_of(kind), _DESTROY, 0, 0))
        for function in interface.functions.values():
            text = function.name.encode()
            self.slots[name, function.name] = len(self.functions)
            _checked(add_func_async(address, text, len(text), _SERVE, len(self.functions), 0))
            self.functions.append((name, function))


def address_of(managed: Any) -> int:
    """Return the address of the native object behind one of wasmtime-py's."""
    return ctypes.cast(managed.ptr(), ctypes.c_void_p).value or 0


def _checked(error: int) -> None:
    """Raise CompileError where wasmtime returned an error, given as its address."""
    if error:
        raise CompileError(f"wasmtime refuses an import: {error_text(error)}")


_linkers: weakref.WeakKeyDictionary[Code, ComponentLinker] = weakref.WeakKeyDictionary()


def linker_of(component: CompiledComponent) -> ComponentLinker:
    """Return the linker of a component, which is built for the first caller and then kept as long as the code lives."""
    linker = _linkers.get(component.code)
    if linker is None:
        linker = _linkers[component.code] = ComponentLinker(component.code)
    return linker
