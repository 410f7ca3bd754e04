"""Finding what serves each function of an import in a Python object, and saying what is missing."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from washnb.errors import ConfigError

from .abi import hints
from .abi.annotations import Disagreement, Named, disagreement, normal_form, returned
from .abi.names import FunctionName, class_name, parse_function, python_name
from .abi.plan import label_of
from .abi.shapes import Borrow, Function, Own, Result
from .interface import Around, Interface


class Target(NamedTuple):
    """What serves a function; `hints` finds out how its parameters are annotated: slow, so it waits for a call."""

    function: Function
    serve: Callable[..., Any]
    hints: Callable[[], list[Any]]


def find_targets(
    interface: str, functions: Mapping[str, Function], implementation: Interface, *, compare: bool = True
) -> list[Target]:
    """What serves the functions of an import.

    Raises ConfigError where one is missing, takes another number of parameters, or, unless `compare` is off, is
    annotated with what contradicts the types of WIT.
    """
    if isinstance(implementation, Around):
        inner = find_targets(interface, functions, implementation.implementation, compare=compare)
        return [each._replace(serve=implementation.around(interface, each.function, each.serve)) for each in inner]
    classes = _Classes(implementation)
    return [_target(interface, function, implementation, classes, compare) for function in functions.values()]


def offered(implementation: object) -> set[str]:
    """The functions that an implementation seems to serve, as `open` and `bucket.get`, in Python's spelling."""
    classes = hints.resource_classes(implementation)
    found = {name for name in dir(implementation) if not name.startswith("_") and name != "wit"}
    inner = {f"{python_name(name)}.{each}" for name, cls in classes.items() for each in dir(cls) if each[0] != "_"}
    return found | inner | {python_name(name) for name in classes}


class _Classes(dict[str, object]):
    """The classes of an implementation's resources: those that it has as attributes, else those that it mentions."""

    def __init__(self, implementation: Interface) -> None:
        super().__init__()
        self._implementation = implementation

    def __missing__(self, resource: str) -> object:
        owner = getattr(self._implementation, class_name(resource), None)
        self[resource] = owner or hints.resource_classes(self._implementation).get(resource)
        return self[resource]


def _target(interface: str, function: Function, implementation: Interface, classes: _Classes, compare: bool) -> Target:
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
    if compare and (wrong := _contradiction(function, found, implementation)):
        raise _misannotated(interface, function, found, wrong)
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


def _contradiction(function: Function, found: Callable[..., Any], implementation: Interface) -> Disagreement | None:
    """Where the annotations of a function contradict its types."""
    annotated, answer = hints.signature_hints(found, len(function.params), implementation)
    for (name, shape), hint in zip(function.params, annotated, strict=True):
        if wrong := disagreement(shape, hint, f"parameter {python_name(name)}", incoming=True):
            return wrong
    if isinstance(found, type):  # what a class returns is its object
        return None
    result = function.result.ok if isinstance(function.result, Result) else function.result
    return disagreement(result, returned(answer), "its result", incoming=False)


def _misannotated(interface: str, function: Function, found: Callable[..., Any], wrong: Disagreement) -> ConfigError:
    classes: list[Named] = []

    def name_of(shape: Named) -> str:
        classes.append(shape)
        return class_name(shape.resource.name) if isinstance(shape, Own | Borrow) else type(shape).__name__

    fitting = f"{wrong.place}: {normal_form(wrong.shape, name_of)}"
    own = f"%wash plugin new {interface}  # writes the classes of this interface"
    return ConfigError(
        f"{found.__qualname__} does not fit {label_of(interface, str(function))}\n{wrong}",
        interface=interface,
        repair=[fitting.removeprefix("parameter ").replace("its result:", "->"), *([own] if classes else [])],
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
