"""Bytes in, Python callables out: compile a component, link it, run it. The only room that knows wasmtime."""
