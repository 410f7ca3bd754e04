"""Bytes in, Python callables out: compile a component, link it, run it. The only room that knows wasmtime."""

from .abi import names, shapes
from .abi.check import find as find_mismatch
from .abi.check import mismatch_error
from .abi.classes import case_class
from .abi.handles import GuestResource
from .abi.hints import accepts
from .abi.plan import Callee, Injection, Intercept
from .abi.shapes import Function, InterfaceType
from .abi.typed import typed
from .bindings import Bindings, denial
from .component import CompiledComponent
from .driver import running_task, serving_in
from .engine import Engine, EngineBuilder
from .guest_time import GuestTime
from .instance import Instance
from .interface import Around, Err, Interface, Ok, Serve, Some, resource
from .observer import INJECTOR, CallObserver
from .skeletons import Skeleton, skeleton
from .source import Source, SourceBytes, example_names, read_source
from .store import Limits
from .surfaces import Surface, surface
from .targets import offered, require_annotated

__all__ = [
    "INJECTOR",
    "Around",
    "Bindings",
    "CallObserver",
    "Callee",
    "CompiledComponent",
    "Engine",
    "EngineBuilder",
    "Err",
    "Function",
    "GuestResource",
    "GuestTime",
    "Injection",
    "Instance",
    "Intercept",
    "Interface",
    "InterfaceType",
    "Limits",
    "Ok",
    "Serve",
    "Skeleton",
    "Some",
    "Source",
    "SourceBytes",
    "Surface",
    "accepts",
    "case_class",
    "denial",
    "example_names",
    "find_mismatch",
    "mismatch_error",
    "names",
    "offered",
    "read_source",
    "require_annotated",
    "resource",
    "running_task",
    "serving_in",
    "shapes",
    "skeleton",
    "surface",
    "typed",
]
