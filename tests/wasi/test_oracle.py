"""The same guests on wasmtime's own WASI and on ours: what they see, print and end with is the same."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from washnb.engine import Bindings, Engine, Err, Instance
from washnb.errors import GuestError
from washnb.wasi import ExitRequested, WasiContext, wasi_interfaces
from washnb.wit import split_version

from .guest import command, do
from .wit import VERSION

MILLISECOND = 1_000_000


@dataclass
class Case:
    """A guest, what it is given, and how it ends."""

    body: str | list[str]
    end: str = "ok"
    stdin: bytes = b""
    env: dict[str, str] = field(default_factory=dict)
    args: list[str] = field(default_factory=list)
    version: str = VERSION

    @property
    def wat(self) -> str:
        """The guest."""
        return command("\n".join(self.body) if isinstance(self.body, list) else self.body, self.version)


STDIN = do("get-stdin", note="keep in")
STDOUT = do("get-stdout", note="keep out")
FILL = "(memory.fill (i32.const 2048) (i32.const 65) (i32.const 8192))"
READ_ALL = [
    STDIN,
    do("read", "in", 5, note="bytes"),
    do("read", "in", 0, note="bytes"),
    do("blocking-skip", "in", 2, note="count"),
    do("skip", "in", 0, note="count"),
    do("blocking-read", "in", 500, note="bytes"),
    do("read", "in", 5, note="bytes"),
    do("blocking-read", "in", 5, note="bytes"),
    do("skip", "in", 5, note="count"),
    do("blocking-skip", "in", 5, note="count"),
    do("subscribe-input", "in", note="keep a"),
    do("ready", "a", note="i32"),
    do("block", "a"),
    do("drop-pollable", "a"),
    do("drop-input", "in"),
]


def wait_for(*nanoseconds: int) -> list[str]:
    """Poll timers of these durations and note which are ready first."""
    lines = []
    for index, duration in enumerate(nanoseconds):
        timer = do("subscribe-duration", duration)
        lines.append(f"(i32.store (i32.const {4096 + 4 * index}) {timer})")
    return [*lines, do("poll", 4096, len(nanoseconds), note="list")]


CASES = {
    "standard input is read to its end": Case(READ_ALL, stdin=b"hello, world"),
    "empty standard input is closed": Case(READ_ALL),
    "two handles read one standard input": Case(
        [
            STDIN,
            do("get-stdin", note="keep a"),
            do("read", "in", 3, note="bytes"),
            do("read", "a", 3, note="bytes"),
            do("drop-input", "a"),
            do("read", "in", 3, note="bytes"),
        ],
        stdin=b"abcdefgh",
    ),
    "environment, arguments and working directory": Case(
        # the lists lie where realloc has put them: the same places, for both hosts ask for the same memory
        [
            do("get-environment", note="8"),
            do("get-arguments", note="8"),
            "(call $note (i32.const 131072) (i32.const 512))",
            do("initial-cwd", note="1"),
        ],
        env={"NAME": "wärme", "EMPTY": ""},
        args=["prog", "--flag", ""],
    ),
    "no environment at all": Case([do("get-environment", note="8"), do("get-arguments", note="8")]),
    "nothing is a terminal": Case([do(f"terminal-{name}", note="1") for name in ("stdin", "stdout", "stderr")]),
    "exit with ok": Case([do("exit", 0)], end="exit 0"),
    "exit with err": Case([do("exit", 1)], end="exit 1"),
    "exit with a code": Case([do("exit-with-code", 42)], end="exit 42"),
    "exit with code 0": Case([do("exit-with-code", 0)], end="exit 0"),
    "run returns an error": Case("(return (i32.const 1))", end="err"),
    "a trap of the guest": Case("(unreachable)", end="trap"),
    "what was printed before an exit is there": Case(
        [STDOUT, FILL, do("blocking-write", "out", 2048, 10), do("exit", 1)], end="exit 1"
    ),
    "printing in all ways": Case(
        [
            STDOUT,
            FILL,
            do("check-write", "out", note="1"),
            "(call $note-i32 (i64.ge_u (i64.load offset=8 (local.get $ret)) (i64.const 4096)))",
            do("write", "out", 2048, 3, note="unit"),
            do("flush", "out", note="unit"),
            do("blocking-flush", "out", note="unit"),
            do("blocking-write", "out", 2048, 4096, note="unit"),
            do("blocking-write", "out", 2048, 0, note="unit"),
            do("check-write", "out"),
            do("write-zeroes", "out", 5, note="unit"),
            do("blocking-zeroes", "out", 4096, note="unit"),
            do("blocking-zeroes", "out", 0, note="unit"),
            do("subscribe-output", "out", note="keep a"),
            do("block", "a"),
            do("ready", "a", note="i32"),
            do("drop-pollable", "a"),
            do("drop-output", "out"),
        ]
    ),
    "errors have their own stream": Case(
        [do("get-stderr", note="keep out"), FILL, do("blocking-write", "out", 2048, 7, note="unit")]
    ),
    "a blocking write of 4097 bytes": Case([STDOUT, do("blocking-write", "out", 2048, 4097)], end="trap"),
    "a blocking write of 4097 zeroes": Case([STDOUT, do("blocking-zeroes", "out", 4097)], end="trap"),
    "more zeroes than check-write permits": Case([STDOUT, do("write-zeroes", "out", 1 << 40)], end="trap"),
    "standard input spliced to standard output": Case(
        [
            STDIN,
            STDOUT,
            do("splice", "out", "in", 0, note="count"),
            do("splice", "out", "in", 5, note="count"),
            do("blocking-splice", "out", "in", 0, note="count"),
            do("blocking-splice", "out", "in", 3, note="count"),
            do("blocking-splice", "out", "in", 4000, note="count"),
            do("splice", "out", "in", 1, note="count"),
            do("blocking-splice", "out", "in", 1, note="count"),
        ],
        stdin=bytes(range(256)) * 4,
    ),
    "poll of nothing": Case([do("poll", 0, 0)], end="trap"),
    "poll names the timer that is done": Case(wait_for(3600 * 10**9, MILLISECOND)),
    "poll names all that are done": Case([*wait_for(MILLISECOND), *wait_for(0, 2**62, 0), *wait_for(0)]),
    "poll of a stream and a timer": Case(
        [
            STDIN,
            f"(i32.store (i32.const 4096) {do('subscribe-input', 'in')})",
            f"(i32.store (i32.const 4100) {do('subscribe-duration', 2**62)})",
            "(i32.store (i32.const 4104) (i32.load (i32.const 4096)))",
            do("poll", 4096, 3, note="list"),
        ],
        stdin=b"x",
    ),
    "time passes": Case(
        [
            f"(local.set $t {do('now')})",
            do("subscribe-duration", 5 * MILLISECOND, note="keep a"),
            do("ready", "a", note="i32"),
            do("block", "a"),
            do("ready", "a", note="i32"),
            f"(call $note-i32 (i64.ge_u (i64.sub {do('now')} (local.get $t)) (i64.const {5 * MILLISECOND})))",
            f"(call $note-i32 (i64.lt_u (i64.sub {do('now')} (local.get $t)) (i64.const {10**10})))",
            f"(local.set $a (call $subscribe-instant (i64.add {do('now')} (i64.const {MILLISECOND}))))",
            do("block", "a"),
            do("subscribe-instant", 0, note="keep b"),
            do("block", "b"),
            do("ready", "b", note="i32"),
            f"(call $note-i32 (i64.gt_u {do('resolution')} (i64.const 0)))",
            do("drop-pollable", "a"),
            do("drop-pollable", "b"),
        ]
    ),
    "the end of time is not now": Case(
        [
            do("subscribe-duration", -1, note="keep a"),
            do("ready", "a", note="i32"),
            do("subscribe-instant", -1, note="keep b"),
            do("ready", "b", note="i32"),
        ]
    ),
    "the time of day": Case(
        [
            do("wall-now"),
            "(call $note-i32 (i64.gt_u (i64.load (local.get $ret)) (i64.const 1700000000)))",
            "(call $note-i32 (i32.lt_u (i32.load offset=8 (local.get $ret)) (i32.const 1000000000)))",
            do("wall-resolution"),
            "(call $note-i32 (i32.gt_u (i32.load offset=8 (local.get $ret)) (i32.const 0)))",
        ]
    ),
    "random bytes and numbers": Case(
        [
            line
            for kind in ("random", "insecure")
            for line in (
                do(f"{kind}-bytes", 0),
                "(call $note (i32.add (local.get $ret) (i32.const 4)) (i32.const 4))",
                do(f"{kind}-bytes", 300),
                "(call $note (i32.add (local.get $ret) (i32.const 4)) (i32.const 4))",
                f"(call $note-i32 (i64.eq {do(f'{kind}-u64')} {do(f'{kind}-u64')}))",
            )
        ]
    ),
    "too many random bytes": Case([do("random-bytes", 1 << 40)], end="trap"),
    "too many insecure random bytes": Case([do("insecure-bytes", 1 << 40)], end="trap"),
    "no directories and no names": Case(
        [
            do("get-directories"),
            "(call $note (i32.add (local.get $ret) (i32.const 4)) (i32.const 4))",
            "(i32.store (i32.const 2048) (i32.const 0x2e612e61))",
            do("instance-network", note="keep a"),
            do("resolve", "a", 2048, 4, note="1"),
            "(call $note (i32.add (local.get $ret) (i32.const 4)) (i32.const 1))",
            do("drop-network", "a"),
        ]
    ),
    **{f"the oldest WASI, {version}": Case(READ_ALL, stdin=b"old", version=version) for version in ("0.2.0", "0.2.3")},
}


@pytest.fixture(scope="module")
def native() -> dict[str, dict[str, str]]:
    """How every case goes on wasmtime's own WASI."""
    cases = [
        {"wat": case.wat, "env": case.env, "args": case.args, "stdin": case.stdin.hex()} for case in CASES.values()
    ]
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "oracle.py")],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(CASES, json.loads(done.stdout), strict=True))


@pytest.fixture(scope="module")
def engine():
    """An engine without a cache: each guest is used once."""
    with Engine.builder().with_cache_dir(None).build() as engine:
        yield engine


async def run_here(engine: Engine, case: Case) -> dict[str, str]:
    """How a case goes on our WASI."""
    written = {"stdout": b"", "stderr": b""}

    def write(stream: str, contents: bytes) -> None:
        written[stream] += contents

    component = await engine.compile(case.wat.encode(), name="guest")
    served = wasi_interfaces(WasiContext(case.env, case.args, stdin=case.stdin, on_write=write))
    bindings = Bindings(component)
    for name in component.imports:
        bindings.bind(name, served[split_version(name)[0]], provider="wasi", on_fiber=True)
    async with await Instance.new(component, bindings) as instance:
        end = await ending(instance)
    return {"end": end, **{stream: contents.hex() for stream, contents in written.items()}}


async def ending(instance: Instance) -> str:
    """Run the command and say how it ended."""
    try:
        await instance.call("wasi:cli/run#run")
    except Err:
        return "err"
    except GuestError as error:
        return f"exit {error.__cause__.code}" if isinstance(error.__cause__, ExitRequested) else "trap"
    return "ok"


@pytest.mark.parametrize("name", CASES)
async def test_a_guest_sees_what_it_sees_on_wasmtime(engine, native, name):
    """End, standard output with the log of all results, and standard error are equal, and the end is the expected."""
    here = await run_here(engine, CASES[name])
    assert here["end"] == CASES[name].end
    assert here == native[name]
