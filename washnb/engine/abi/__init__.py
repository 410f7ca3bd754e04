"""Marshalling between Python values and the canonical ABI, over wasmtime's raw bindings."""
