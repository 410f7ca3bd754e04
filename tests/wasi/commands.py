"""Runs commands on our WASI and, in a process of its own, on wasmtime's, and says in one form how they went."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from washnb.engine import Bindings, Engine, Err, Instance
from washnb.errors import GuestError
from washnb.wasi import ExitRequested, WasiContext, wasi_interfaces
from washnb.wit import split_version


@dataclass
class Case:
    """A guest (WAT or a component), how it ends, and what it is given."""

    guest: bytes
    end: str = "ok"
    stdin: bytes = b""
    env: dict[str, str] = field(default_factory=dict)
    args: list[str] = field(default_factory=list)


async def run_here(engine: Engine, case: Case) -> dict[str, str]:
    """Run a command on our WASI: `end` is "ok", "err", "exit N" or "trap"; what it wrote is in hexadecimal."""
    written = {"stdout": b"", "stderr": b""}

    def write(stream: str, contents: bytes) -> None:
        written[stream] += contents

    component = await engine.compile(case.guest, name="guest")
    served = wasi_interfaces(WasiContext(case.env, case.args, stdin=case.stdin, on_write=write))
    bindings = Bindings(component)
    for name in component.imports:
        bindings.bind(name, served[split_version(name)[0]], provider="wasi", on_fiber=True)
    async with await Instance.new(component, bindings) as instance:
        end = await _end_of(instance)
    return {"end": end, **{stream: contents.hex() for stream, contents in written.items()}}


async def _end_of(instance: Instance) -> str:
    try:
        await instance.call("wasi:cli/run#run")
    except Err:
        return "err"
    except GuestError as error:
        return f"exit {error.__cause__.code}" if isinstance(error.__cause__, ExitRequested) else "trap"
    return "ok"


def run_natively(cases: Iterable[Case]) -> list[dict[str, str]]:
    """Run commands on wasmtime's WASI; the answers are those of `run_here`."""
    given = [
        {"guest": case.guest.hex(), "env": case.env, "args": case.args, "stdin": case.stdin.hex()} for case in cases
    ]
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "oracle.py")],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, str]] = json.loads(done.stdout)
    return answers
