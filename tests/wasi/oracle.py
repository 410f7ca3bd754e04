"""Runs commands on wasmtime's own WASI and reports how they went: a program of its own, JSON in and JSON out.

In: a list of {"guest", "env", "args", "stdin"}, the guest as the bytes of WAT or of a component. Out: for each,
{"end", "stdout", "stderr"}. Bytes are hexadecimal. `end`
is "ok", "err", "exit N" or "trap". It is a process of its own because wasmtime's WASI starts threads that are at odds
with the end of the interpreter.
"""

from __future__ import annotations

import ctypes
import json
import sys
import tempfile
from pathlib import Path

import wasmtime
from wasmtime import _bindings as raw
from wasmtime import component


def configured(case: dict, folder: Path) -> wasmtime.WasiConfig:
    """Give the guest its environment, and files for its output."""
    config = wasmtime.WasiConfig()
    config.env = list(case["env"].items())
    config.argv = case["args"]
    config.stdout_file = str(folder / "stdout")
    config.stderr_file = str(folder / "stderr")
    stdin = bytes.fromhex(case["stdin"])
    vector = raw.wasm_byte_vec_t()
    raw.wasm_byte_vec_new(ctypes.byref(vector), len(stdin), (ctypes.c_ubyte * len(stdin)).from_buffer_copy(stdin))
    raw.wasi_config_set_stdin_bytes(config.ptr(), ctypes.byref(vector))
    return config


def run(engine: wasmtime.Engine, case: dict) -> dict:
    """Run one command to its end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        linker = component.Linker(engine)
        linker.add_wasip2()
        store = wasmtime.Store(engine)
        store.set_wasi(configured(case, folder))
        guest = component.Component(engine, bytes.fromhex(case["guest"]))
        instance = linker.instantiate(store, guest)
        (export,) = guest.type.exports(engine)
        function = instance.get_func(
            store, instance.get_export_index(store, "run", instance.get_export_index(store, export))
        )
        try:
            result = function(store)
            end = "ok" if not isinstance(result, component.Variant) or result.tag == "ok" else "err"
        except wasmtime.ExitTrap as trap:
            end = f"exit {trap.code}"
        except wasmtime.WasmtimeError as error:
            end = "trap"
            print(error, file=sys.stderr)
        del store
        return {
            "end": end,
            "stdout": (folder / "stdout").read_bytes().hex(),
            "stderr": (folder / "stderr").read_bytes().hex(),
        }


def main() -> None:
    """Run every case of standard input."""
    config = wasmtime.Config()
    # the release in use counts a call's borrows wrongly while these are on
    raw.wasmtime_config_concurrency_support_set(config.ptr(), False)
    raw.wasmtime_config_wasm_component_model_async_set(config.ptr(), False)
    engine = wasmtime.Engine(config)
    json.dump([run(engine, case) for case in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    main()
