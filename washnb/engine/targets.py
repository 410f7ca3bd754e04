"""Finding what serves each function of an import in a Python object, and saying what is missing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from washnb.errors import ConfigError

from .abi import hints
from .abi.names import FunctionName, class_name, parse_function, python_name
from .abi.plan import label_of
from .abi.shapes import Function
from .interface import Interface

Target = tuple[Function, Callable[..., Any], list[Any]]
"""A function, what serves it, and the annotations of its parameters."""


def find_targets(interface: str, functions: Mapping[str, Function], implementation: Interface) -> list[Target]:
    """What serves the functions of an import. Raises ConfigError where one is missing or takes other parameters."""
    resources = hints.resource_classes(implementation)
    return [_target(interface, function, implementation, resources) for function in functions.values()]


def _target(interface: str, function: Function, implementation: Interface, resources: dict[str, type]) -> Target:
    parsed = parse_function(function.name)
    count = len(function.params)
    owner: object = implementation
    if parsed.kind:
        owner = getattr(implementation, class_name(parsed.resource), None) or resources.get(parsed.resource)
    if owner is None and parsed.kind == "method":
        return function, _method(parsed.name), [None] * count  # the class of the resource shows when an object comes
    found = owner if parsed.kind == "constructor" else getattr(owner, python_name(parsed.name), None)
    if not callable(found):
        raise _missing(interface, function, implementation, parsed)
    if not hints.accepts(found, count):
        raise _miscounted(interface, function, found)
    parameters = hints.parameter_hints(found, count, implementation)
    return function, _method(parsed.name) if parsed.kind == "method" else found, parameters


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
        f"{owner} has nothing that serves {label_of(interface, str(function))}",
        interface=interface,
        repair=_signature(function, parsed),
    )


def _miscounted(interface: str, function: Function, found: Callable[..., Any]) -> ConfigError:
    return ConfigError(
        f"{found.__qualname__}{inspect.signature(found)} does not fit {label_of(interface, str(function))}",
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
