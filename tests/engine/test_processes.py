"""The engine in processes of its own: beside others on one cache, under odd streams, inside a kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest


def run_python(code: str, *arguments: str, **environment: str) -> dict:
    """What a process of its own prints as JSON, after `engine` and the usual imports."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


LOADER = """
    import asyncio, json, sys, time
    from washnb.engine import Engine
    async def load():
        told = []
        with Engine.builder().with_cache_dir(sys.argv[1]).build() as engine:
            time.sleep(max(0.0, float(sys.argv[2]) - time.time()))
            component = await engine.compile("example:counter", on_progress=told.append)
            print(json.dumps({"stages": [each.stage for each in told], "exports": list(component.exports)}))
    asyncio.run(load())
"""


@pytest.mark.slow
def test_processes_that_load_the_same_component_at_once_all_get_it(tmp_path):
    """Two processes begin at the same moment, on one directory: each has the component, one entry stays, sealed."""
    start = str(time.time() + 0.8)
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(run_python(LOADER, str(tmp_path), start))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each["exports"] for each in results] == [["wasi:http/incoming-handler@0.2.0"]] * 2
    assert len(list(tmp_path.iterdir())) == 1
    assert run_python(LOADER, str(tmp_path), "0")["stages"] == ["read", "cached", "done"]


FAULTHANDLER = """
    import faulthandler, io, json, sys
    assert not faulthandler.is_enabled()
    if sys.argv[1] == "notebook":
        sys.stderr = io.StringIO()
    elif sys.argv[1] == "windowless":
        sys.stderr = sys.__stderr__ = None
    from washnb.engine import Engine
    Engine.builder().with_cache_dir(None).build().close()
    print(json.dumps(faulthandler.is_enabled()))
"""


@pytest.mark.parametrize("surroundings", ["terminal", "notebook", "windowless"])
def test_the_fault_handler_comes_first(surroundings):
    """It is on before wasmtime's own, also where `sys.stderr` is a notebook's stream, or nothing at all."""
    assert run_python(FAULTHANDLER, surroundings, PYTHONFAULTHANDLER="") is True


def test_importing_the_engine_starts_nothing():
    """An import costs no thread, no engine and no fault handler; those come with `build`."""
    code = """
        import faulthandler, json, threading
        import washnb.engine
        print(json.dumps([threading.active_count(), faulthandler.is_enabled()]))
    """
    assert run_python(code, PYTHONFAULTHANDLER="") == [1, False]


TRAPS_IN_A_KERNEL = """
import faulthandler
from washnb.engine import Bindings, Engine, Instance
from washnb.errors import TrapError

engine = Engine.builder().with_cache_dir(None).build()
component = await engine.compile(
    b'(component (core module $m (func (export "go") unreachable)) (core instance $i (instantiate $m))'
    b' (func $go (canon lift (core func $i "go"))) (export "go" (func $go)))'
)
for _ in range(2):
    async with await Instance.new(component, Bindings(component)) as instance:
        try:
            await instance.call("go")
        except TrapError:
            print("trapped")
    faulthandler.enable()
"""


@pytest.mark.slow
def test_a_trap_does_not_end_a_kernel():
    """In a real kernel, a guest that traps is an error, also after somebody enables the fault handler once more."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", extra_arguments=["--log-level=ERROR"])
    try:
        printed = []
        reply = client.execute_interactive(
            TRAPS_IN_A_KERNEL, timeout=60, output_hook=lambda message: printed.append(message["content"])
        )
        assert reply["content"]["status"] == "ok", printed
        assert "".join(each.get("text", "") for each in printed) == "trapped\ntrapped\n"
        assert manager.is_alive()
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
