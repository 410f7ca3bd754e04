"""The types of a component as shapes: what it imports and exports, read from the compiled component.

Resource types have no names of their own in wasmtime, only identity (`==`). The first import that holds a resource
type defines it; every later import or export with an equal type is an alias of it. The component model guarantees this
order: an alias can refer only to what was declared before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, ClassVar

from wasmtime import Engine as WasmtimeEngine
from wasmtime import component as wt

from washnb.errors import ComponentError, NotAComponentError
from washnb.wit import split_version

from .abi import shapes

Interfaces = dict[str, shapes.InterfaceType]
"""Imports or exports by full name with version; functions at the root are under the name ""."""

Declared = dict[str, shapes.Shape]
"""The types that an interface declares, by their names in WIT."""

_LABEL = "[A-Za-z][0-9A-Za-z]*(?:-[0-9A-Za-z]+)*"
_INTERFACE = re.compile(rf"{_LABEL}(?:(?::{_LABEL})+(?:/{_LABEL})+(?:@[0-9A-Za-z.+-]+)?)?")
_INSIDE = re.compile(rf"(?:\[[a-z]+\])?{_LABEL}(?:\.{_LABEL})?")

_MOST_PARTS = 10_000
"""The most parts that the types of one function may have, since each part becomes generated code.

The largest function of WASI has two hundred. A short WIT file can have millions: in each of its types the one before it
occurs twice.
"""

_PRIMITIVES: dict[type, shapes.Primitive] = {
    kind: shapes.Primitive(kind.__name__.lower())
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
    """Return imports and exports of a component, by full name; functions at its root are under the name "".

    `name` is the component's, for errors; `digest` makes the keys of the resources that the guest defines unique.
    Raises NotAComponentError for a type of WASI 0.3, and for an import or export whose name is not one of WIT: names
    become part of generated code. Raises ComponentError for a function whose types have more than 10,000 parts.
    """
    walk = _Walk(name)
    return walk.imports(component, engine), walk.exports(component, engine, digest)


class NamedTypes:
    """The records, variants, enums and flags that the interfaces of a component declare, by their names in WIT.

    Calls do not need the names, so that these are read when they are first asked for, in a walk of their own.
    """

    def __init__(self, component: wt.Component, engine: WasmtimeEngine, *, name: str, digest: str) -> None:
        """Remember what to read; the arguments are those of `reflect`."""
        self._component = component
        self._engine = engine
        self._name = name
        self._digest = digest

    def of(self, interface: str) -> Declared:
        """Return the named types of the import or export `interface`, then those that only other interfaces declare.

        A function at the root may use types without declaring them. Raises as `reflect`.
        """
        imports, exports = self._read
        own = imports.get(interface, {}), exports.get(interface, {})
        found: Declared = {}
        for declared in (*own, *imports.values(), *exports.values()):
            for each, shape in declared.items():
                found.setdefault(each, shape)
        return found

    @cached_property
    def _read(self) -> tuple[dict[str, Declared], dict[str, Declared]]:
        """The named types by import, and by export."""
        walk = _Walk(self._name)
        walk.imports(self._component, self._engine)
        imports = walk.named()
        walk.exports(self._component, self._engine, self._digest)
        return imports, walk.named()


_NAMED = (wt.RecordType, wt.VariantType, wt.EnumType, wt.FlagsType)


class _Walk:
    """Turns wasmtime's types into shapes and remembers every resource type it has met."""

    # not bound to an instance: a walk that held itself would leave its resource types to the garbage collector, which
    # frees them in the midst of a cell, and an interrupt that comes just then is lost
    _SHAPES: ClassVar[dict[type, Callable[[_Walk, Any], shapes.Shape]]] = {
        wt.ListType: lambda self, kind: shapes.List(self.shape(kind.element)),
        wt.OptionType: lambda self, kind: shapes.Option(self.shape(kind.payload)),
        wt.ResultType: lambda self, kind: shapes.Result(self._payload(kind.ok), self._payload(kind.err)),
        wt.TupleType: lambda self, kind: shapes.Tuple(tuple(self.shape(each) for each in kind.elements)),
        wt.RecordType: lambda self, kind: shapes.Record(self._fields(kind.fields)),
        wt.VariantType: lambda self, kind: shapes.Variant(tuple((case, self._payload(of)) for case, of in kind.cases)),
        wt.EnumType: lambda _, kind: shapes.Enum(tuple(kind.names)),
        wt.FlagsType: lambda _, kind: shapes.Flags(tuple(kind.names)),
        wt.OwnType: lambda self, kind: shapes.Own(self._resource(kind.ty)),
        wt.BorrowType: lambda self, kind: shapes.Borrow(self._resource(kind.ty)),
    }

    def __init__(self, component: str) -> None:
        self.declared: dict[str, dict[str, Any]] = {}
        self._component = component
        self._parts = 0
        self._resources: list[tuple[wt.ResourceType, shapes.Resource]] = []

    def imports(self, component: wt.Component, engine: WasmtimeEngine) -> Interfaces:
        """Read the imports; their resources are the host's."""
        return self.interfaces(
            component.type.imports(engine),
            engine,
            lambda name, each: shapes.Resource(f"{split_version(name)[0]}/{each}", each, host=True),
        )

    def exports(self, component: wt.Component, engine: WasmtimeEngine, digest: str) -> Interfaces:
        """Read the exports. Call `imports` first: an export may use a resource that an import defines."""
        return self.interfaces(
            component.type.exports(engine),
            engine,
            lambda name, each: shapes.Resource(f"{name}/{each}#{digest}", each, host=False),
        )

    def interfaces(
        self, externs: dict[str, Any], engine: WasmtimeEngine, define: Callable[[str, str], shapes.Resource]
    ) -> Interfaces:
        """Read all imports, or all exports.

        `define` makes the Resource for a type that no interface had before, of the interface's name and the type's.
        """
        contents: dict[str, dict[str, Any]] = {}
        self.declared = contents
        for name, extern in externs.items():
            item = extern.ty
            if isinstance(item, wt.ComponentInstanceType):
                self._require(name, _INTERFACE)
                inside, kinds = name, {each: inner.ty for each, inner in item.exports(engine).items()}
            else:
                inside, kinds = "", {name: item}
            for each in kinds:
                self._require(each, _INSIDE)
            # resources first, in the order of declaration: functions at the root and in interfaces may share them
            for each, kind in kinds.items():
                if isinstance(kind, wt.ResourceType) and self._known(kind) is None:
                    self._resources.insert(0, (kind, define(inside, each)))
            contents.setdefault(inside, {}).update(kinds)
        found = {name: self._interface(name, kinds) for name, kinds in contents.items()}
        return {name: each for name, each in found.items() if name or each.functions or each.resources}

    def _require(self, name: str, form: re.Pattern[str]) -> None:
        """Raise NotAComponentError where `name` is not of `form`: `url=<...>`, say, may have any text in it."""
        if form.fullmatch(name) is None:
            raise NotAComponentError(
                f"{self._component} has an import or export {name!r:.80}, which is no name in WIT",
                component=self._component,
                repair="put what it depends on into it first: wac plug, or wasm-tools compose",
            )

    def named(self) -> dict[str, Declared]:
        """Return the named types of each interface that `interfaces` has read last."""
        return {
            interface: {each: self._whole(kind) for each, kind in kinds.items() if isinstance(kind, _NAMED)}
            for interface, kinds in self.declared.items()
        }

    def _whole(self, kind: Any) -> shapes.Shape:
        """Return the shape of a type outside of a function; its parts are counted anew, as those of a function are."""
        self._parts = 0
        return self.shape(kind)

    def shape(self, kind: Any) -> shapes.Shape:
        """Return the shape of one of wasmtime's types. Raises as `reflect`."""
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise ComponentError(
                f"{self._component} has a function whose types have more than {_MOST_PARTS:,} parts",
                component=self._component,
                repair="give it types that hold each other less often, or a list of one of them",
            )
        primitive = _PRIMITIVES.get(type(kind))
        if primitive is not None:
            return primitive
        make = self._SHAPES.get(type(kind))
        if make is None:
            raise NotAComponentError(
                f"{self._component} uses the type {type(kind).__name__}, which WASI 0.2 does not have",
                component=self._component,
                repair="washnb runs components of WASI 0.2: build it against a 0.2 world",
            )
        return make(self, kind)

    def _interface(self, name: str, kinds: dict[str, Any]) -> shapes.InterfaceType:
        return shapes.InterfaceType(
            name,
            functions={
                each: self._function(each, kind) for each, kind in kinds.items() if isinstance(kind, wt.FuncType)
            },
            resources={each: self._resource(kind) for each, kind in kinds.items() if isinstance(kind, wt.ResourceType)},
        )

    def _function(self, name: str, kind: wt.FuncType) -> shapes.Function:
        self._parts = 0
        return shapes.Function(name, self._fields(kind.params), self._payload(kind.result))

    def _fields(self, fields: Iterable[tuple[str, Any]]) -> tuple[tuple[str, shapes.Shape], ...]:
        return tuple((name, self.shape(kind)) for name, kind in fields)

    def _payload(self, kind: Any) -> shapes.Shape | None:
        return None if kind is None else self.shape(kind)

    def _resource(self, kind: wt.ResourceType) -> shapes.Resource:
        known = self._known(kind)
        assert known is not None, "a handle refers to a resource that was declared before it"
        return known

    def _known(self, kind: wt.ResourceType) -> shapes.Resource | None:
        for position, (known, resource) in enumerate(self._resources):
            if known == kind:
                # functions of one interface name the same few resources: the next search finds this one at once
                self._resources.insert(0, self._resources.pop(position))
                return resource
        return None
