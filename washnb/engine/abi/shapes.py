"""The types of WIT as Python values, which marshalling code is generated from: shapes.

A shape is hashable. Equal shapes are one type to the canonical ABI, in which records and variants have no names.
`str()` writes the type in WIT.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Primitive:
    """bool, s8 to u64, f32, f64, char or string."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class List:
    """list<element>."""

    element: Shape

    def __str__(self) -> str:
        return f"list<{self.element}>"


@dataclass(frozen=True, slots=True)
class Option:
    """option<some>."""

    some: Shape

    def __str__(self) -> str:
        return f"option<{self.some}>"


@dataclass(frozen=True, slots=True)
class Result:
    """result<ok, err>; either payload may be absent."""

    ok: Shape | None
    err: Shape | None

    def __str__(self) -> str:
        if self.err is None:
            return "result" if self.ok is None else f"result<{self.ok}>"
        return f"result<{'_' if self.ok is None else self.ok}, {self.err}>"


@dataclass(frozen=True, slots=True)
class Tuple:
    """tuple<items>."""

    items: tuple[Shape, ...]

    def __str__(self) -> str:
        return f"tuple<{', '.join(map(str, self.items))}>"


@dataclass(frozen=True, slots=True)
class Record:
    """record { fields }: names in kebab-case, in order."""

    fields: tuple[tuple[str, Shape], ...]

    def __str__(self) -> str:
        return f"record {{ {', '.join(f'{name}: {shape}' for name, shape in self.fields)} }}"


@dataclass(frozen=True, slots=True)
class Variant:
    """variant { cases }: a case may have a payload."""

    cases: tuple[tuple[str, Shape | None], ...]

    def __str__(self) -> str:
        cases = (name if payload is None else f"{name}({payload})" for name, payload in self.cases)
        return f"variant {{ {', '.join(cases)} }}"


@dataclass(frozen=True, slots=True)
class Enum:
    """enum { names }."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"enum {{ {', '.join(self.names)} }}"


@dataclass(frozen=True, slots=True)
class Flags:
    """flags { names }."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"flags {{ {', '.join(self.names)} }}"


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource type. `host` says whether the host defines it; otherwise the guest does.

    `key` identifies it: `interface/name` without version for one of the host, for one of a guest with a digest of the
    component behind it.
    """

    key: str
    name: str
    host: bool

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Own:
    """own<resource>: the handle moves to the receiver."""

    resource: Resource

    def __str__(self) -> str:
        return str(self.resource)


@dataclass(frozen=True, slots=True)
class Borrow:
    """borrow<resource>: the handle is lent for the call."""

    resource: Resource

    def __str__(self) -> str:
        return f"borrow<{self.resource}>"


VALUES = (bool, int, float, str, bytes, bytearray, memoryview, list, tuple, set, frozenset)
"""Python classes whose objects are never a record, a variant, an enum or a resource."""

PLAIN = frozenset({*VALUES, dict, type(None)})
"""Python classes whose own objects are never a resource. An object of a class derived from one may be."""

Shape = Primitive | List | Option | Result | Tuple | Record | Variant | Enum | Flags | Own | Borrow


@dataclass(frozen=True, slots=True)
class Function:
    """A function of an interface: its name as in WIT (`[method]bucket.get`), its parameters and its result."""

    name: str
    params: tuple[tuple[str, Shape], ...]
    result: Shape | None

    def __str__(self) -> str:
        params = ", ".join(f"{name}: {shape}" for name, shape in self.params)
        arrow = "" if self.result is None else f" -> {self.result}"
        return f"{self.name}: func({params}){arrow}"


@dataclass(frozen=True)
class InterfaceType:
    """The functions and resources, by WIT name, that a component imports or exports under one name.

    `name` carries the version (`wasi:io/streams@0.2.6`); functions at the root of a component have the name "".
    """

    name: str
    functions: dict[str, Function]
    resources: dict[str, Resource]

    def __str__(self) -> str:
        body = [f"  resource {name};" for name in self.resources]
        body += [f"  {function};" for function in self.functions.values()]
        return "\n".join([f"interface {self.name} {{", *body, "}"])
