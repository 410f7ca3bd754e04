"""The same guests on wasmtime's own WASI and on ours: what they see, print and end with is the same."""

from __future__ import annotations

import pytest

from .commands import Case, run_here, run_natively
from .guest import command, do
from .wit import VERSION

MILLISECOND = 1_000_000


def case(body: str | list[str], end: str = "ok", *, version: str = VERSION, **given: object) -> Case:
    """A guest with this body, and how it ends."""
    return Case(command("\n".join(body) if isinstance(body, list) else body, version).encode(), end, **given)


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
    "standard input is read to its end": case(READ_ALL, stdin=b"hello, world"),
    "empty standard input is closed": case(READ_ALL),
    "two handles read one standard input": case(
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
    "environment, arguments and working directory": case(
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
    "no environment at all": case([do("get-environment", note="8"), do("get-arguments", note="8")]),
    "nothing is a terminal": case([do(f"terminal-{name}", note="1") for name in ("stdin", "stdout", "stderr")]),
    "exit with ok": case([do("exit", 0)], end="exit 0"),
    "exit with err": case([do("exit", 1)], end="exit 1"),
    "exit with a code": case([do("exit-with-code", 42)], end="exit 42"),
    "exit with code 0": case([do("exit-with-code", 0)], end="exit 0"),
    "run returns an error": case("(return (i32.const 1))", end="err"),
    "a trap of the guest": case("(unreachable)", end="trap"),
    "what was printed before an exit is there": case(
        [STDOUT, FILL, do("blocking-write", "out", 2048, 10), do("exit", 1)], end="exit 1"
    ),
    "printing in all ways": case(
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
    "errors have their own stream": case(
        [do("get-stderr", note="keep out"), FILL, do("blocking-write", "out", 2048, 7, note="unit")]
    ),
    "a blocking write of 4097 bytes": case([STDOUT, do("blocking-write", "out", 2048, 4097)], end="trap"),
    "a blocking write of 4097 zeroes": case([STDOUT, do("blocking-zeroes", "out", 4097)], end="trap"),
    "more zeroes than check-write permits": case([STDOUT, do("write-zeroes", "out", 1 << 40)], end="trap"),
    "standard input spliced to standard output": case(
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
            do("splice", "out", "in", 0, note="count"),
            do("blocking-splice", "out", "in", 0, note="count"),
        ],
        stdin=bytes(range(256)) * 4,
    ),
    "poll of nothing": case([do("poll", 0, 0)], end="trap"),
    "poll names the timer that is done": case(wait_for(3600 * 10**9, MILLISECOND)),
    "poll names all that are done": case([*wait_for(MILLISECOND), *wait_for(0, 2**62, 0), *wait_for(0)]),
    "poll of a stream and a timer": case(
        [
            STDIN,
            f"(i32.store (i32.const 4096) {do('subscribe-input', 'in')})",
            f"(i32.store (i32.const 4100) {do('subscribe-duration', 2**62)})",
            "(i32.store (i32.const 4104) (i32.load (i32.const 4096)))",
            do("poll", 4096, 3, note="list"),
        ],
        stdin=b"x",
    ),
    "time passes": case(
        [
            f"(local.set $t {do('now')})",
            do("subscribe-duration", 50 * MILLISECOND, note="keep a"),
            do("ready", "a", note="i32"),
            do("block", "a"),
            do("ready", "a", note="i32"),
            f"(call $note-i32 (i64.ge_u (i64.sub {do('now')} (local.get $t)) (i64.const {50 * MILLISECOND})))",
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
    "the end of time is not now": case(
        [
            do("subscribe-duration", -1, note="keep a"),
            do("ready", "a", note="i32"),
            do("subscribe-instant", -1, note="keep b"),
            do("ready", "b", note="i32"),
        ]
    ),
    "the time of day": case(
        [
            do("wall-now"),
            "(call $note-i32 (i64.gt_u (i64.load (local.get $ret)) (i64.const 1700000000)))",
            "(call $note-i32 (i32.lt_u (i32.load offset=8 (local.get $ret)) (i32.const 1000000000)))",
            do("wall-resolution"),
            "(call $note-i32 (i32.gt_u (i32.load offset=8 (local.get $ret)) (i32.const 0)))",
        ]
    ),
    "random bytes and numbers": case(
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
    "too many random bytes": case([do("random-bytes", 1 << 40)], end="trap"),
    "too many insecure random bytes": case([do("insecure-bytes", 1 << 40)], end="trap"),
    "no directories and no names": case(
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
    **{f"the oldest WASI, {version}": case(READ_ALL, stdin=b"old", version=version) for version in ("0.2.0", "0.2.3")},
}


@pytest.fixture(scope="module")
def native() -> dict[str, dict[str, str]]:
    """How every case goes on wasmtime's own WASI."""
    return dict(zip(CASES, run_natively(CASES.values()), strict=True))


@pytest.mark.parametrize("name", CASES)
async def test_a_guest_sees_what_it_sees_on_wasmtime(engine, native, name):
    """End, standard output with the log of all results, and standard error are equal, and the end is the expected."""
    here = await run_here(engine, CASES[name])
    assert here["end"] == CASES[name].end
    assert here == native[name]
