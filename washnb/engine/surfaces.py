"""A WIT interface in Python: the classes of its types and resources, and the functions with their annotations.

They are what `skeleton` writes, so that whoever calls an interface, answers for it or serves it meets the same names.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .abi.shapes import InterfaceType, Shape
from .interface import Err, Interface, Ok, Some
from .skeletons import TAKEN, skeleton

_ROOT = "root:root/root"
"""What stands for the name of functions at the root, which have none."""

_OURS = re.compile(r"\bwashnb\.engine\.\w+\.|\btyping\.|\bbuiltins\.")
_VALUES = {"Err": Err, "Ok": Ok, "Some": Some}


@dataclass(frozen=True)
class Surface:
    """`served` has the functions and resource classes of an interface, which do nothing; `types` are its classes.

    A variant is in `types` as the union of its cases, each of which is there, too: `Shape_Circle`.
    """

    served: type[Interface]
    types: Mapping[str, Any]

    @property
    def names(self) -> dict[str, Any]:
        """What an expression needs to make any value of the interface: the types, and `Ok`, `Err`, `Some`."""
        return {**_VALUES, **self.types}

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
            if isinstance(each, types.UnionType):
                text = text.replace(_text(each), name)
        return _Written(text)


def surface(interface: InterfaceType, declared: Mapping[str, Shape] | None = None) -> Surface:
    """Make the classes of an interface; `declared` are its types by their names in WIT."""
    named = interface if interface.name else dataclasses.replace(interface, name=_ROOT)
    class_name, text = skeleton(named, declared)
    scope: dict[str, Any] = {"__name__": __name__}  # a module that is there: dataclasses look into it
    exec(compile(text, f"<washnb {interface.name}>", "exec", dont_inherit=True), scope)  # noqa: S102 - text of ours
    served = scope.pop(class_name)
    return Surface(served, {name: each for name, each in scope.items() if name[0] != "_" and name not in TAKEN})


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
