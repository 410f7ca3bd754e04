"""Everything of WASI 0.2 is served, in every version: proved by components that import all of it."""

from __future__ import annotations

import pytest

from washnb.engine import Bindings, Instance
from washnb.wasi import WasiContext, wasi_interfaces
from washnb.wit import split_version

from .wit import VERSION, read

NOT_NATIVE = "wasi:http"  # is not part of what wasmtime's C API adds to a linker


def importing(wit, *paths: str) -> str:
    """A component that does nothing but import `paths`."""
    return "\n".join(["(component", *wit.importing(*paths), ")"])


async def bound(engine, version: str) -> Bindings:
    """Compile a component that imports all of WASI in `version`, and serve it."""
    wit = read(version)
    component = await engine.compile(importing(wit, *wit.imports).encode(), name="everything")
    bindings = Bindings(component)
    served = wasi_interfaces(WasiContext())
    for name in component.imports:
        bindings.bind(name, served[split_version(name)[0]], provider="wasi", on_fiber=True)
    return bindings


@pytest.mark.parametrize("version", ["0.2.0", "0.2.6", "0.2.10", VERSION])
async def test_a_component_may_import_all_of_wasi(engine, version):
    """Binding checks every function against its Python method, and instantiating finds every import served."""
    bindings = await bound(engine, version)
    assert bindings.unserved() == ()
    async with await Instance.new(bindings.component, bindings):
        pass


def test_nothing_is_served_that_wasi_does_not_have():
    """A misspelled interface would be as good as missing."""
    assert wasi_interfaces(WasiContext()).keys() == read().imports.keys()


async def test_the_list_is_that_of_wasmtime():
    """The WASI of wasmtime takes the same component, so that the list here has no shortened types."""
    import wasmtime
    from wasmtime import component

    wit = read(unstable=False)
    native = wasmtime.Engine()
    linker = component.Linker(native)
    linker.add_wasip2()
    store = wasmtime.Store(native)
    store.set_wasi(wasmtime.WasiConfig())
    paths = [path for path in wit.imports if not path.startswith(NOT_NATIVE)]
    linker.instantiate(store, component.Component(native, importing(wit, *paths)))
    assert len(paths) == 27
