"""A WIT interface as Python classes: its types, its resources, and a class with its functions and their annotations.

They are made by running the module that `skeleton` writes, so that callers of an export, plugins and people who answer
for an import all see the same names.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
import threading
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any

from .abi.annotations import Named, normal_form
from .abi.names import class_name, member_name, python_name
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
    Result,
    Shape,
    Tuple,
    Variant,
)
from .interface import Err, Interface, Ok, Some
from .skeletons import TAKEN, TypeNames, skeleton

_ROOT = "root:root/root"
"""The name that `skeleton` gets for functions at the root, whose own is no interface's."""

_OURS = re.compile(r"\bwashnb\.engine\.\w+\.|\btyping\.|\bbuiltins\.")
_VALUES = {"Err": Err, "Ok": Ok, "Some": Some}


@dataclass(frozen=True)
class Surface:
    """The Python classes of one WIT interface.

    `served` is a class with its functions, for signatures and docstrings: calling them raises NotImplementedError.
    `types` are the classes of types and resources by name; a variant is there as the union of its cases, and each case
    has a class of its own, such as `Shape_Circle`.
    """

    interface: InterfaceType
    served: type[Interface]
    types: Mapping[str, Any]
    type_names: TypeNames

    @property
    def names(self) -> dict[str, Any]:
        """The names for evaluating an expression that makes a value of the interface: types, `Ok`, `Err` and `Some`.

        The name of a resource makes an object without arguments, whatever the resource's constructor takes.
        """
        resources = {
            name: functools.partial(object.__new__, each)
            for name, each in self.types.items()
            if hasattr(each, "wit_resource")
        }
        return {**_VALUES, **self.types, **resources}

    def class_of(self, shape: Record | Enum | Flags) -> Any:
        """Return the dataclass, Enum or Flag of a type."""
        return self.types[self.type_names.types[shape]]

    def case_of(self, variant: Variant, case: str) -> Any:
        """Return the dataclass of one case of a variant, given by its name in WIT."""
        return self.types[f"{self.type_names.types[variant]}_{class_name(case)}"]

    def wit(self, subject: Shape | Function) -> str:
        """Write a type or a function in WIT, with names for the declared types in it."""
        return self.type_names.wit(subject)

    def definition(self, shape: Shape) -> str:
        """Write the definition of a type in WIT: `enum color { red, green }`."""
        return self.type_names.definition(shape)

    def annotation(self, shape: Shape | None) -> str:
        """Write the Python annotation for values of a type."""
        return normal_form(shape, self._class_of)

    def _class_of(self, shape: Named) -> str:
        if isinstance(shape, Own | Borrow):
            return self.type_names.resources.get(shape.resource, "Any")
        return self.type_names.types[shape]

    def examples(self, shape: Shape | None) -> list[str]:
        """Return Python expressions with values of a type: one for each of its cases, or one where it has no cases."""
        match shape:
            case Primitive("bool"):
                return ["True", "False"]
            case Primitive(name):
                return [{"string": '""', "char": '"?"', "f32": "0.0", "f64": "0.0"}.get(name, "0")]
            case List(element):
                return ['b""'] if element == Primitive("u8") else ["[]", f"[{self.examples(element)[0]}]"]
            case Option(some):
                inner = [f"Some({each})" if isinstance(some, Option) else each for each in self.examples(some)]
                return ["None", *inner]
            case Result(ok, err):
                return [f"Ok({self.examples(ok)[0]})", *(f"Err({each})" for each in self.examples(err))]
            case Tuple(items):
                return [f"({', '.join(self.examples(each)[0] for each in items)},)"]
            case Record(fields):
                values = (f"{python_name(name)}={self.examples(field)[0]}" for name, field in fields)
                return [f"{self._class_of(shape)}({', '.join(values)})"]
            case Variant(cases):
                return [f"{self._class_of(shape)}_{class_name(name)}({self._payload(of)})" for name, of in cases]
            case Enum(names):
                return [f"{self._class_of(shape)}.{member_name(name)}" for name in names]
            case Flags(names):
                return [f"{self._class_of(shape)}(0)", *(f"{self._class_of(shape)}.{member_name(n)}" for n in names)]
            case Own() | Borrow():
                return [f"{self._class_of(shape)}()"]
        return ["None"]

    def _payload(self, shape: Shape | None) -> str:
        return "" if shape is None else self.examples(shape)[0]

    def signature(self, function: Callable[..., Any]) -> inspect.Signature:
        """Return the signature of a function of this surface; its annotations show as they are in the source."""
        raw = inspect.signature(function)
        parameters = [each.replace(annotation=self._written(each.annotation)) for each in raw.parameters.values()]
        return raw.replace(parameters=parameters, return_annotation=self._written(raw.return_annotation))

    def _written(self, annotation: Any) -> Any:
        if annotation is inspect.Parameter.empty:
            return annotation
        text = _text(annotation)
        for name, each in self.types.items():
            if isinstance(each, UnionType):
                text = text.replace(_text(each), name)
        return _Written(text)


_MAKING = threading.Lock()

Shared = dict[tuple[str, Shape], Any]
"""Classes by type name and shape, filled as surfaces are made: interfaces with the same type get the same class."""


def surface(
    interface: InterfaceType, declared: Mapping[str, Shape] | None = None, shared: Shared | None = None
) -> Surface:
    """Make the classes of an interface; `declared` are its types by their names in WIT.

    A type that is in `shared` gets the class from there; classes of other types are put there.
    """
    named = interface if "/" in interface.name else dataclasses.replace(interface, name=_ROOT)
    names, shared = TypeNames(named, declared or {}), {} if shared is None else shared
    given = {shape: shared[name, shape] for shape, name in names.types.items() if (name, shape) in shared}
    served_name, text = skeleton(named, declared, home=interface.name, given=given)
    scope: dict[str, Any] = {"__name__": __name__}  # a module that is there: dataclasses look into it
    for shape, known in given.items():
        scope |= {names.types[shape]: known, **{each.__name__: each for each in _classes(known)}}
    exec(compile(text, f"<washnb {interface.name}>", "exec", dont_inherit=True), scope)  # noqa: S102 - text of ours
    served = scope.pop(served_name)
    types = {name: each for name, each in scope.items() if name[0] != "_" and name not in TAKEN}
    made = Surface(interface, served, types, names)
    for shape, name in names.types.items():
        if shape not in given:
            _document(made, shape, _classes(types[name]))
        shared.setdefault((name, shape), types[name])
    return made


def _classes(made: Any) -> tuple[Any, ...]:
    """The classes of a variant's cases, or the one class of any other type."""
    return typing.get_args(made) or (made,)


def _document(made: Surface, shape: Shape, classes: Iterable[Any]) -> None:
    for cls in classes:
        cls.__doc__ = made.definition(shape)
        if isinstance(shape, Record | Variant):
            cls.__signature__ = made.signature(cls)  # what `inspect` looks for


class Surfaces(dict[str, Surface]):
    """Surfaces by the interface's full name; each is made when it is first asked for, which takes milliseconds.

    `declared(name)` returns the types of an interface by their names in WIT. Raises KeyError for an unknown interface.
    """

    def __init__(
        self, interfaces: Mapping[str, InterfaceType], declared: Callable[[str], Mapping[str, Shape]], shared: Shared
    ) -> None:
        super().__init__()
        self._interfaces = interfaces
        self._declared = declared
        self._shared = shared

    def __missing__(self, name: str) -> Surface:
        with _MAKING:  # two threads that ask at once have to get the same classes
            if name not in self:
                self[name] = surface(self._interfaces[name], self._declared(name), self._shared)
        return self[name]

    def later(self, name: str) -> Callable[[], Surface]:
        """Return a function without parameters that returns the surface of an interface, made by then or not."""
        return functools.partial(self.__getitem__, name)


def _text(annotation: Any) -> str:
    if annotation is None or isinstance(annotation, str):
        return str(annotation)
    plain = isinstance(annotation, type) and not hasattr(annotation, "__args__")
    return annotation.__name__ if plain else _OURS.sub("", repr(annotation))


class _Written(str):
    """The text of an annotation, which `inspect` shows without quotes, because its repr has none."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
