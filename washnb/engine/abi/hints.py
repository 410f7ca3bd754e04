"""Reading the annotations and signatures of an implementation, as far as Python knows them."""

from __future__ import annotations

import functools
import inspect
import sys
import typing
from collections.abc import Callable
from typing import Any

from . import classes


def annotations_of(function: Callable[..., Any], owner: object = None) -> dict[str, Any]:
    """Return a function's annotations by parameter, "return" included; those that do not resolve are left out.

    Names are looked up in the function's module and closure, and among the attributes of `owner`, the implementation:
    a class that was defined inside a function, as in tests, is found in no module.
    """
    whole = function.func if isinstance(function, functools.partial) else function
    plain = inspect.unwrap(getattr(whole, "__func__", whole))
    raw = dict(getattr(plain, "__annotations__", {}))
    module = sys.modules.get(getattr(plain, "__module__", ""), None)
    scope = {**vars(module)} if module is not None else {}
    scope.update(getattr(plain, "__globals__", {}))
    if getattr(plain, "__closure__", None):
        scope.update(_closure(plain))
    local = {} if owner is None else _public(owner)
    found = {}
    for name, annotation in raw.items():
        resolved = _resolve(annotation, scope, local)
        if resolved is not None:
            found[name] = resolved
    return found


def _closure(function: Any) -> dict[str, Any]:
    names, cells = function.__code__.co_freevars, function.__closure__
    found = {}
    for name, cell in zip(names, cells, strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    return found


def _resolve(annotation: Any, scope: dict[str, Any], local: dict[str, Any]) -> Any:
    if annotation is None:
        return type(None)
    if not isinstance(annotation, str):
        return annotation
    holder = type("_Holder", (), {"__annotations__": {"it": annotation}})
    try:
        return typing.get_type_hints(holder, scope, local, include_extras=True)["it"]
    except Exception:  # noqa: BLE001 - an annotation is any expression, and one that fails says nothing
        return None


def no_hints(count: int) -> list[Any]:
    """Return the annotations of `count` parameters that have none: a list of None."""
    return [None] * count


def parameter_hints(function: Callable[..., Any], count: int, owner: object = None) -> list[Any]:
    """Return the annotations of the first `count` positional parameters; None for one without an annotation."""
    return signature_hints(function, count, owner)[0]


def signature_hints(function: Callable[..., Any], count: int, owner: object = None) -> tuple[list[Any], Any]:
    """Return the annotations of the first `count` positional parameters, and the return annotation.

    None stands for one that is missing. For a class they are those of its `__init__`.
    """
    described: Any = inspect.getattr_static(function, "__init__") if isinstance(function, type) else function
    known = annotations_of(described, owner)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return no_hints(count), None
    hints: list[Any] = []
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            hints += [known.get(parameter.name)] * (count - len(hints))
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            hints.append(known.get(parameter.name))
    return (hints + no_hints(count))[:count], known.get("return")


def accepts(function: Callable[..., Any], count: int) -> bool:
    """Whether a callable takes `count` positional arguments; True where its signature is not known to Python."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def resource_classes(implementation: object) -> dict[str, type]:
    """Return the `@resource` classes of an implementation, by WIT name: its attributes, and those in annotations."""
    found: dict[str, type] = {}
    waiting: list[Any] = list(_public(implementation).values())
    while waiting:
        item = waiting.pop()
        if isinstance(item, type):
            name = vars(item).get("wit_resource") or getattr(item, "wit_resource", None)
            if name is not None and name not in found:
                found[name] = item
                waiting += [each for key, each in vars(item).items() if not key.startswith("_") or key == "__init__"]
        elif inspect.isfunction(item) or inspect.ismethod(item):
            for hint in annotations_of(item, implementation).values():
                waiting += _classes_in(hint)
    return found


def _public(owner: object) -> dict[str, Any]:
    """The public attributes as they are stored, so that no property is evaluated."""
    found = {name: inspect.getattr_static(owner, name, None) for name in dir(owner) if not name.startswith("_")}
    return {name: getattr(each, "__func__", each) for name, each in found.items()}


def _classes_in(hint: Any) -> list[type]:
    found: list[type] = []
    for each in classes.alternatives(hint):
        if isinstance(each, type) and not typing.get_args(each):
            found.append(each)
        for argument in typing.get_args(each):
            found += _classes_in(argument)
    return found
