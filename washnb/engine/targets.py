"""Finding the method that serves each function of an import in a Python object, and saying what is missing."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from washnb.errors import ConfigError

from .abi import hints
from .abi.annotations import Disagreement, disagreement, has_class, returned
from .abi.classes import Classes
from .abi.names import FunctionName, class_name, parse_function, python_name
from .abi.plan import label_of
from .abi.shapes import Enum, Flags, Function, Record, Result, Variant
from .interface import Around, Interface


class Target(NamedTuple):
    """The Python callable that serves a function of WIT.

    `hints` reads the annotations of its parameters. That is slow, so it is called before the function's first call.
    """

    function: Function
    serve: Callable[..., Any]
    hints: Callable[[], list[Any]]


def find_targets(
    interface: str,
    functions: Mapping[str, Function],
    implementation: Interface,
    named: Callable[[], Classes],
    *,
    compare: bool = True,
) -> list[Target]:
    """Find what serves each of `functions`, those of the import `interface`, in `implementation`.

    `named` makes the classes of the import's types, whose names are used in errors. Raises ConfigError where a function
    is missing, takes another number of parameters, or, unless `compare` is off, has annotations that contradict WIT.
    """
    if isinstance(implementation, Around):
        inner = find_targets(interface, functions, implementation.implementation, named, compare=compare)
        return [each._replace(serve=implementation.around(interface, each.function, each.serve)) for each in inner]
    search = _Search(interface, implementation, named)
    return [search.target(function, compare) for function in functions.values()]


def offered(implementation: object) -> set[str]:
    """Return the functions and resources that an implementation seems to serve, in Python's spelling.

    A free function is `open`, a resource `bucket`, a function of it `bucket.get`.
    """
    classes = hints.resource_classes(implementation)
    found = {name for name in dir(implementation) if not name.startswith("_") and name != "wit"}
    inner = {f"{python_name(name)}.{each}" for name, cls in classes.items() for each in dir(cls) if each[0] != "_"}
    return found | inner | {python_name(name) for name in classes}


class _ResourceClasses(dict[str, object]):
    """An implementation's resource classes by WIT name, None for a resource that it has no class for.

    A class is looked for among the attributes first, then among the annotations of methods.
    """

    def __init__(self, implementation: Interface) -> None:
        super().__init__()
        self._implementation = implementation

    def __missing__(self, resource: str) -> object:
        owner = getattr(self._implementation, class_name(resource), None)
        self[resource] = owner or hints.resource_classes(self._implementation).get(resource)
        return self[resource]


def require_annotated(
    interface: str,
    function: Function,
    found: Callable[..., Any],
    named: Callable[[], Classes],
    owner: Interface | None = None,
) -> None:
    """Raise ConfigError where the annotations of `found`, which serves `function`, contradict the types of WIT.

    `named` makes the classes of the interface's types, for the message. `owner`, the implementation, is where names of
    annotations are looked up, besides the scope of `found`.
    """
    wrong = _contradiction(function, found, owner)
    if wrong is None:
        return
    classes = named()
    written = found.func if isinstance(found, functools.partial) else found
    defined = wrong.shape if isinstance(wrong.shape, Record | Variant | Enum | Flags) else None
    own = f"%wash plugin new {interface}  # writes the classes of this interface"
    fitting = f"{wrong.place}: {classes.annotation(wrong.shape)}"
    raise ConfigError(
        f"{written.__qualname__} does not fit {label_of(interface, classes.wit(function))}\n{wrong.said(classes.wit)}",
        interface=interface,
        repair=[
            *([classes.definition(defined)] if defined else []),
            fitting.removeprefix("parameter ").replace("its result:", "->"),
            *([own] if has_class(wrong.shape) else []),
        ],
    )


def _contradiction(function: Function, found: Callable[..., Any], owner: Interface | None) -> Disagreement | None:
    annotated, answer = hints.signature_hints(found, len(function.params), owner)
    for (name, shape), hint in zip(function.params, annotated, strict=True):
        if wrong := disagreement(shape, hint, f"parameter {python_name(name)}", incoming=True):
            return wrong
    if isinstance(found, type):  # what a class returns is its object
        return None
    result = function.result.ok if isinstance(function.result, Result) else function.result
    return disagreement(result, returned(answer), "its result", incoming=False)


class _Search:
    """Looks in one implementation for what serves the functions of one import."""

    def __init__(self, interface: str, implementation: Interface, named: Callable[[], Classes]) -> None:
        self._interface = interface
        self._implementation = implementation
        self._classes = _ResourceClasses(implementation)
        self._named = named

    def target(self, function: Function, compare: bool) -> Target:
        """Find what serves `function`. Raises ConfigError where nothing does, or where it does not fit."""
        parsed = parse_function(function.name)
        count = len(function.params)
        owner = self._classes[parsed.resource] if parsed.kind else self._implementation
        if owner is None and parsed.kind == "method":
            # no class is known: the method is looked up on each object that the guest passes
            return Target(function, _method(parsed.name), functools.partial(hints.no_hints, count))
        found = owner if parsed.kind == "constructor" else getattr(owner, python_name(parsed.name), None)
        if not callable(found):
            raise self._missing(function, parsed)
        if not hints.accepts(found, count):
            said = f"{found.__qualname__}{inspect.signature(found)} does not fit {self._label(function)}"
            raise self._error(said, _signature(function, parsed))
        if compare:
            require_annotated(self._interface, function, found, self._named, self._implementation)
        serve = _method(parsed.name) if parsed.kind == "method" else found
        return Target(function, serve, functools.partial(hints.parameter_hints, found, count, self._implementation))

    def _missing(self, function: Function, parsed: FunctionName) -> ConfigError:
        owner = type(self._implementation).__name__
        if parsed.kind:
            owner = f"{owner}.{class_name(parsed.resource)}"
        said = f"{owner} has nothing that serves {self._label(function)}"
        return self._error(said, _signature(function, parsed))

    def _label(self, function: Function) -> str:
        return label_of(self._interface, self._named().wit(function))

    def _error(self, said: str, repair: str) -> ConfigError:
        return ConfigError(said, interface=self._interface, repair=repair)


def _method(name: str) -> Callable[..., Any]:
    attribute = python_name(name)

    def call(receiver: Any, *arguments: Any) -> Any:
        return getattr(receiver, attribute)(*arguments)

    return call


def _signature(function: Function, parsed: FunctionName) -> str:
    names = [python_name(name) for name, _ in function.params]
    if parsed.kind == "constructor":
        return f"{class_name(parsed.resource)} = ...   # a class with def __init__({', '.join(['self', *names])})"
    if parsed.kind == "method":
        return f"def {python_name(parsed.name)}({', '.join(['self', *names[1:]])}): ..."
    if parsed.kind == "static":
        return f"@staticmethod def {python_name(parsed.name)}({', '.join(names)}): ..."
    return f"def {python_name(parsed.name)}({', '.join(['self', *names])}): ..."
