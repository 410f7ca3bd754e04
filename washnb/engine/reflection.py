"""The types of a component as shapes: what it imports and exports, read from the compiled component.

Resource types have no names of their own in wasmtime, only identity (`==`). The first import that holds a resource
type defines it; every later import or export with an equal type is an alias of that one. That is the order in which the
component model demands them, because an alias can only refer to what was declared before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from wasmtime import Engine as WasmtimeEngine
from wasmtime import component as wt

from washnb.errors import NotAComponentError
from washnb.wit import split_version

from .abi.shapes import (
    Borrow,
    Enum,
    Flags,
    Function,
    InterfaceType,
    List,
    Option,
    Own,
    Primitive,
    Record,
    Resource,
    Result,
    Shape,
    Tuple,
    Variant,
)

Interfaces = dict[str, InterfaceType]

_PRIMITIVES: dict[type, Primitive] = {
    kind: Primitive(kind.__name__.lower())
    for kind in (
        wt.Bool,
        wt.S8,
        wt.S16,
        wt.S32,
        wt.S64,
        wt.U8,
        wt.U16,
        wt.U32,
        wt.U64,
        wt.F32,
        wt.F64,
        wt.Char,
        wt.String,
    )
}


def reflect(
    component: wt.Component, engine: WasmtimeEngine, *, name: str, digest: str
) -> tuple[Interfaces, Interfaces]:
    """Walk all imports and exports of a component; functions at its root are collected under the name "".

    `digest` makes the keys of the resources that the guest defines unique. Raises NotAComponentError where a type is
    one of WASI 0.3, which has no shape.
    """
    walk = _Walk(name, digest)
    kind = component.type
    imports = _interfaces(kind.imports(engine), engine, walk.imported)
    exports = _interfaces(kind.exports(engine), engine, walk.exported)
    return imports, exports


def _interfaces(
    externs: dict[str, Any],
    engine: WasmtimeEngine,
    interface: Callable[[str, list[tuple[str, Any]]], InterfaceType],
) -> Interfaces:
    found: Interfaces = {}
    root: list[tuple[str, Any]] = []
    for name, extern in externs.items():
        item = extern.ty
        if isinstance(item, wt.ComponentInstanceType):
            found[name] = interface(name, [(each, inner.ty) for each, inner in item.exports(engine).items()])
        else:
            root.append((name, item))
    at_root = interface("", root)
    if at_root.functions or at_root.resources:
        found[""] = at_root
    return found


class _Walk:
    """Turns wasmtime's types into shapes and remembers every resource type it has met."""

    def __init__(self, component: str, digest: str) -> None:
        self._component = component
        self._digest = digest
        self._resources: list[tuple[wt.ResourceType, Resource]] = []
        self._shapes: dict[type, Callable[[Any], Shape]] = {
            wt.ListType: lambda kind: List(self.shape(kind.element)),
            wt.OptionType: lambda kind: Option(self.shape(kind.payload)),
            wt.ResultType: lambda kind: Result(self._payload(kind.ok), self._payload(kind.err)),
            wt.TupleType: lambda kind: Tuple(tuple(self.shape(each) for each in kind.elements)),
            wt.RecordType: lambda kind: Record(self._fields(kind.fields)),
            wt.VariantType: lambda kind: Variant(tuple((case, self._payload(of)) for case, of in kind.cases)),
            wt.EnumType: lambda kind: Enum(tuple(kind.names)),
            wt.FlagsType: lambda kind: Flags(tuple(kind.names)),
            wt.OwnType: lambda kind: Own(self._resource(kind.ty)),
            wt.BorrowType: lambda kind: Borrow(self._resource(kind.ty)),
        }

    def imported(self, name: str, items: list[tuple[str, Any]]) -> InterfaceType:
        plain = split_version(name)[0]
        return self._interface(name, items, lambda each: Resource(f"{plain}/{each}", each, host=True))

    def exported(self, name: str, items: list[tuple[str, Any]]) -> InterfaceType:
        return self._interface(name, items, lambda each: Resource(f"{name}/{each}#{self._digest}", each, host=False))

    def shape(self, kind: Any) -> Shape:
        primitive = _PRIMITIVES.get(type(kind))
        if primitive is not None:
            return primitive
        make = self._shapes.get(type(kind))
        if make is None:
            raise NotAComponentError(
                f"{self._component} uses the type {type(kind).__name__}, which WASI 0.2 does not have",
                component=self._component,
                repair="washnb runs components of WASI 0.2: build it against a 0.2 world",
            )
        return make(kind)

    def _interface(self, name: str, items: list[tuple[str, Any]], define: Callable[[str], Resource]) -> InterfaceType:
        resources = {
            each: self._known(kind) or self._add(kind, define(each))
            for each, kind in items
            if isinstance(kind, wt.ResourceType)
        }
        functions = {each: self._function(each, kind) for each, kind in items if isinstance(kind, wt.FuncType)}
        return InterfaceType(name, functions, resources)

    def _function(self, name: str, kind: wt.FuncType) -> Function:
        return Function(name, self._fields(kind.params), self._payload(kind.result))

    def _fields(self, fields: Iterable[tuple[str, Any]]) -> tuple[tuple[str, Shape], ...]:
        return tuple((name, self.shape(kind)) for name, kind in fields)

    def _payload(self, kind: Any) -> Shape | None:
        return None if kind is None else self.shape(kind)

    def _resource(self, kind: wt.ResourceType) -> Resource:
        known = self._known(kind)
        assert known is not None, "a handle refers to a resource that was declared before it"
        return known

    def _known(self, kind: wt.ResourceType) -> Resource | None:
        for position, (known, resource) in enumerate(self._resources):
            if known == kind:
                # functions of one interface name the same few resources: the next search finds this one at once
                self._resources.insert(0, self._resources.pop(position))
                return resource
        return None

    def _add(self, kind: wt.ResourceType, resource: Resource) -> Resource:
        self._resources.insert(0, (kind, resource))
        return resource
