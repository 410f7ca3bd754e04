"""The front door: what `import washnb` offers, what it costs, and that the documented example runs."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import washnb
from washnb.notebook import hosted

STUB = Path(washnb.__file__).with_suffix(".pyi")

EXAMPLE = """
from uuid import uuid4

from washnb import DevRouter, Engine, HostBuilder, HttpServer
from washnb.plugins import DynamicConfig
from washnb.types import Workload, WorkloadStartRequest

engine = Engine.builder().build()
http = await HttpServer.new(DevRouter(), "127.0.0.1:8080")
host = HostBuilder().with_engine(engine).with_http_handler(http).with_plugin(DynamicConfig(False)).build()
host = await host.start()
await host.workload_start(WorkloadStartRequest(workload_id=str(uuid4()), workload=Workload(namespace="example", name="my-workload")))
"""  # noqa: E501 - it stands as it is documented


async def test_the_documented_example_runs():
    """wash-runtime's example, line for line; only the port is another."""
    code = compile(EXAMPLE.replace(":8080", ":0"), "<example>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, object] = {}
    running = eval(code, names)
    if inspect.isawaitable(running):
        await running
    host = names["host"]
    try:
        (workload,) = host.workloads()
        assert (workload.name, workload.namespace, workload.message) == (
            "my-workload",
            "example",
            "Workload is Running",
        )
        assert names["http"].port > 0
        assert list(host.plugins) == ["wasi-config"]
    finally:
        await host.stop()
        names["engine"].close()


@pytest.mark.parametrize("name", sorted(washnb.__all__))
def test_every_public_name_is_there(name):
    """Each name of `__all__` can be had, and stays the same object."""
    value = getattr(washnb, name)
    assert getattr(washnb, name) is value


def test_an_unknown_name_is_an_attribute_error():
    """The lazy door is no open door."""
    with pytest.raises(AttributeError, match="no attribute 'Hots'"):
        _ = washnb.Hots
    assert set(washnb.__all__) <= set(dir(washnb))


def imported_by(tree: ast.Module) -> dict[str, str]:
    """Return the names that a stub imports, each with the module that it is from."""
    return {alias.asname: node.module for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}


def test_type_checkers_see_the_same_names():
    """The stub offers what the module offers, from the same rooms."""
    tree = ast.parse(STUB.read_text())
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    public = {name: room for name, room in imported_by(tree).items() if room != "typing"}
    assert public == washnb._HOMES
    assert set(public) | functions == set(washnb.__all__)


def test_type_checkers_see_the_same_names_of_the_session():
    """So does the stub of what lives on the host's loop, besides two names that only annotations use."""
    stub = imported_by(ast.parse(Path(hosted.__file__).with_suffix(".pyi").read_text()))
    assert {name: stub.pop(name) for name in ("Host", "Source")} == {"Host": "washnb.host", "Source": "washnb.engine"}
    assert stub == hosted._HOMES
    assert [name for name in stub if not hasattr(hosted, name)] == []


def test_rooms_keep_their_promises():
    """Every name in a room's `__all__` exists."""
    for room in ("engine", "wasi", "plugins", "host", "presets", "errors", "types", "wit", "events"):
        module = importlib.import_module(f"washnb.{room}")
        missing = [name for name in getattr(module, "__all__", ()) if not hasattr(module, name)]
        assert missing == [], room


def test_importing_loads_nothing_heavy():
    """`import washnb` brings none of wasmtime, aiohttp and Jupyter, which cost most of a second."""
    heavy = "('wasmtime', 'aiohttp', 'IPython', 'ipywidgets', 'anywidget', 'asyncio')"
    program = f"import sys, washnb; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=STUB.parent.parent
    )
    assert done.stdout.strip() == "[]"
