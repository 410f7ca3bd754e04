"""A C program, built by Debian's clang and wasi-libc, on wasmtime's own WASI and on ours."""

from __future__ import annotations

import pytest

from ..components.build import build
from .commands import Case, run_here, run_natively

ENDS = {"return": "ok", "fail": "exit 1", "exit": "exit 1", "quick": "exit 0", "abort": "trap"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def posix() -> bytes:
    """The program; skipped where there is no clang for wasm."""
    try:
        return build("posix").read_bytes()
    except FileNotFoundError as absent:
        pytest.skip(f"{absent.filename} is not installed: apt install clang lld wasi-libc libclang-rt-dev-wasm32, npm")


@pytest.mark.parametrize("end", ENDS)
async def test_a_c_program_runs_as_on_wasmtime(engine, posix, end):
    """Input, output, environment, clocks, entropy, poll, and every way to end a program."""
    case = Case(
        posix,
        stdin="".join(f"line {number}, über\n" for number in range(5000)).encode(),
        env={"HOME": "/nowhere", "LANG": "de_DE.UTF-8"},
        args=["posix", end, "more"],
    )
    here = await run_here(engine, case)
    assert here == run_natively([case])[0]
    assert here["end"] == ENDS[end]
