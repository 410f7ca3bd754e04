"""Bytes in, Python callables out: compile a component, link it, run it. The only room that knows wasmtime."""

from .component import CompiledComponent
from .engine import Engine, EngineBuilder
from .interface import Err, Interface, Ok, Some, resource
from .source import SourceBytes, example_names, read_source

__all__ = [
    "CompiledComponent",
    "Engine",
    "EngineBuilder",
    "Err",
    "Interface",
    "Ok",
    "Some",
    "SourceBytes",
    "example_names",
    "read_source",
    "resource",
]
