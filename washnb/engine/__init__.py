"""Bytes in, Python callables out: compile a component, link it, run it. The only room that knows wasmtime."""

from .interface import Err, Interface, Ok, Some, resource

__all__ = ["Err", "Interface", "Ok", "Some", "resource"]
