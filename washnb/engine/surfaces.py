"""A WIT interface in Python: the classes of its types and resources, and the functions with their annotations.

They are what `skeleton` writes, so that whoever calls an interface, answers for it or serves it meets the same names.
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
"""What stands for the name of functions at the root, which have none, and for one that is no interface's."""

_OURS = re.compile(r"\bwashnb\.engine\.\w+\.|\btyping\.|\bbuiltins\.")
_VALUES = {"Err": Err, "Ok": Ok, "Some": Some}


@dataclass(frozen=True)
class Surface:
    """`served` has the functions and resource classes of an interface, which do nothing; `types` are its classes.

    A variant is in `types` as the union of its cases, each of which is there, too: `Shape_Circle`.
    """

    interface: InterfaceType
    served: type[Interface]
    types: Mapping[str, Any]
    type_names: TypeNames

    @property
    def names(self) -> dict[str, Any]:
        """What an expression needs to make any value of the interface: the types, and `Ok`, `Err`, `Some`.

        Resources are made without arguments, whatever their constructors take.
        """
        resources = {
            name: functools.partial(object.__new__, each)
            for name, each in self.types.items()
            if hasattr(each, "wit_resource")
        }
        return {**_VALUES, **self.types, **resources}

    def class_of(self, shape: Record | Enum | Flags) -> Any:
        """The class of a type."""
        return self.types[self.type_names.types[shape]]

    def case_of(self, variant: Variant, case: str) -> Any:
        """The class of one case of a variant."""
        return self.types[f"{self.type_names.types[variant]}_{class_name(case)}"]

    def wit(self, subject: Shape | Function) -> str:
        """A type or a function in WIT, with the names of types."""
        return self.type_names.wit(subject)

    def definition(self, shape: Shape) -> str:
        """What a type is in WIT, with its name: `enum color { red, green }`."""
        return self.type_names.definition(shape)

    def annotation(self, shape: Shape | None) -> str:
        """How a type is annotated."""
        return normal_form(shape, self._class_of)

    def _class_of(self, shape: Named) -> str:
        if isinstance(shape, Own | Borrow):
            return self.type_names.resources.get(shape.resource, "Any")
        return self.type_names.types[shape]

    def examples(self, shape: Shape | None) -> list[str]:
        """Expressions that have a value of a type: one for each case, where there are some, else one."""
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
        """The signature of a function of it, with annotations that show as they are written."""
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
"""The classes of types by name and shape: interfaces of a component that use the same type have the same class."""


def surface(
    interface: InterfaceType, declared: Mapping[str, Shape] | None = None, shared: Shared | None = None
) -> Surface:
    """Make the classes of an interface; `declared` are its types by their names in WIT.

    Those that are `shared` are taken from there, and what is new is put there.
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
    """The classes of a type: those of a variant's cases, or its own."""
    return typing.get_args(made) or (made,)


def _document(made: Surface, shape: Shape, classes: Iterable[Any]) -> None:
    for cls in classes:
        cls.__doc__ = made.definition(shape)
        if isinstance(shape, Record | Variant):
            cls.__signature__ = made.signature(cls)  # what `inspect` looks for


class Surfaces(dict[str, Surface]):
    """The surfaces of interfaces by their names, each made when it is first asked for, which takes milliseconds.

    `declared` reads the types of one by their names in WIT.
    """

    def __init__(
        self, interfaces: Mapping[str, InterfaceType], declared: Callable[[str], Mapping[str, Shape]], shared: Shared
    ) -> None:
        super().__init__()
        self._interfaces = interfaces
        self._declared = declared
        self._shared = shared

    def __missing__(self, name: str) -> Surface:
        with _MAKING:  # of two threads that ask at once both get the same classes
            if name not in self:
                self[name] = surface(self._interfaces[name], self._declared(name), self._shared)
        return self[name]

    def later(self, name: str) -> Callable[[], Surface]:
        """What makes the surface of an interface, or finds it."""
        return functools.partial(self.__getitem__, name)


def _text(annotation: Any) -> str:
    if annotation is None or isinstance(annotation, str):
        return str(annotation)
    plain = isinstance(annotation, type) and not hasattr(annotation, "__args__")
    return annotation.__name__ if plain else _OURS.sub("", repr(annotation))


class _Written(str):
    """An annotation as text, which `inspect` shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
