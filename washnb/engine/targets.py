"""Finding what serves each function of an import in a Python object, and saying what is missing."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from washnb.errors import ConfigError

from .abi import hints
from .abi.names import FunctionName, class_name, parse_function, python_name
from .abi.plan import label_of
from .abi.shapes import Function
from .interface import Interface


class Target(NamedTuple):
    """What serves a function; `hints` finds out how its parameters are annotated: slow, so it waits for a call."""

    function: Function
    serve: Callable[..., Any]
    hints: Callable[[], list[Any]]


def find_targets(interface: str, functions: Mapping[str, Function], implementation: Interface) -> list[Target]:
    """What serves the functions of an import. Raises ConfigError where one is missing or takes other parameters."""
    classes = _Classes(implementation)
    return [_target(interface, function, implementation, classes) for function in functions.values()]


class _Classes(dict[str, object]):
    """The classes of an implementation's resources: those that it has as attributes, else those that it mentions."""

    def __init__(self, implementation: Interface) -> None:
        super().__init__()
        self._implementation = implementation

    def __missing__(self, resource: str) -> object:
        owner = getattr(self._implementation, class_name(resource), None)
        self[resource] = owner or hints.resource_classes(self._implementation).get(resource)
        return self[resource]


def _target(interface: str, function: Function, implementation: Interface, classes: _Classes) -> Target:
    parsed = parse_function(function.name)
    count = len(function.params)
    owner = classes[parsed.resource] if parsed.kind else implementation
    if owner is None and parsed.kind == "method":
        # the class of the resource shows when an object comes
        return Target(function, _method(parsed.name), functools.partial(hints.no_hints, count))
    found = owner if parsed.kind == "constructor" else getattr(owner, python_name(parsed.name), None)
    if not callable(found):
        raise _missing(interface, function, implementation, parsed)
    if not hints.accepts(found, count):
        raise _miscounted(interface, function, found)
    serve = _method(parsed.name) if parsed.kind == "method" else found
    return Target(function, serve, functools.partial(hints.parameter_hints, found, count, implementation))


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
