"""Guests that wait, print, exit and are cut off: what WASI does for them, and what it leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from washnb.engine import Bindings, Instance
from washnb.errors import GuestError, GuestTimeout
from washnb.wasi import AsyncInputStream, ExitRequested, Pipe, PipeInputStream, WasiContext, wasi_interfaces
from washnb.wit import split_version

from .guest import command, do

SECOND = 1_000_000_000
SLEEP_AN_HOUR = [do("subscribe-duration", 3600 * SECOND, note="keep a"), do("block", "a")]
STDIN, STDOUT = do("get-stdin", note="keep in"), do("get-stdout", note="keep out")


def text(address: int, contents: bytes) -> str:
    """Put bytes into the guest's memory, one by one."""
    return "\n".join(f"(i32.store8 (i32.const {address + at}) (i32.const {byte}))" for at, byte in enumerate(contents))


async def bound(engine, body: list[str], context: WasiContext) -> Bindings:
    """A guest with this body, served by WASI."""
    component = await engine.compile(command("\n".join(body)).encode(), name="guest")
    bindings, served = Bindings(component), wasi_interfaces(context)
    for name in component.imports:
        bindings.bind(name, served[split_version(name)[0]], provider="wasi", on_fiber=True)
    return bindings


@contextlib.asynccontextmanager
async def running(engine, body: list[str], context: WasiContext | None = None):
    """An instance of such a guest."""
    bindings = await bound(engine, body, context or WasiContext())
    async with await Instance.new(bindings.component, bindings) as instance:
        yield instance


async def test_a_guest_that_sleeps_too_long_is_cut_off(engine):
    """A timeout ends the wait, and neither task nor timer is left."""
    async with running(engine, SLEEP_AN_HOUR) as instance:
        with pytest.raises(GuestTimeout):
            await instance.call("wasi:cli/run#run", timeout=0.02)
    await asyncio.sleep(0.01)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not [timer for timer in asyncio.get_running_loop()._scheduled if timer.when() > time.monotonic() + 3000]


async def test_a_guest_that_is_cancelled_in_a_poll_leaves_nothing(engine):
    """Neither a watcher of the stream nor the timer that it waited for."""
    pipe = Pipe()
    body = [
        STDIN,
        f"(i32.store (i32.const 4096) {do('subscribe-input', 'in')})",
        f"(i32.store (i32.const 4100) {do('subscribe-duration', 3600 * SECOND)})",
        do("poll", 4096, 2),
    ]
    async with running(engine, body, WasiContext(stdin=PipeInputStream(pipe))) as instance:
        call = asyncio.ensure_future(instance.call("wasi:cli/run#run"))
        await asyncio.sleep(0.02)
        assert pipe.changed._watchers
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
    assert not pipe.changed._watchers
    assert not [timer for timer in asyncio.get_running_loop()._scheduled if not timer.cancelled()]


async def test_a_guest_that_traps_has_its_unfinished_line_printed(engine):
    """The last words are often the ones that matter."""
    lines: list[tuple[str, str]] = []
    body = [STDOUT, text(2048, b"bye"), do("blocking-write", "out", 2048, 3), "(unreachable)"]
    async with running(engine, body, WasiContext(on_output=lambda *line: lines.append(line))) as instance:
        with pytest.raises(GuestError, match="unreachable"):
            await instance.call("wasi:cli/run#run")
    await asyncio.sleep(0)
    assert lines == [("stdout", "bye")]


@pytest.mark.parametrize(("status", "ok"), [(0, True), (1, False)])
async def test_an_exit_ends_the_call_and_is_its_cause(engine, status, ok):
    """A runner of commands finds the guest's own verdict behind the GuestError."""
    async with running(engine, [do("exit", status)]) as instance:
        with pytest.raises(GuestError, match=r"wasi:cli/exit.*#exit raised ExitRequested") as caught:
            await instance.call("wasi:cli/run#run")
    assert isinstance(caught.value.__cause__, ExitRequested)
    assert (caught.value.__cause__.ok, caught.value.__cause__.code) == (ok, status)


async def test_a_line_printed_in_parts_through_handles_of_their_own_is_one(engine):
    """As Rust's standard library prints."""
    lines: list[tuple[str, str]] = []
    body = [
        line
        for part in (b"one ", b"line\nan", b"other", b" one\n")
        for line in (STDOUT, text(2048, part), do("blocking-write", "out", 2048, len(part)), do("drop-output", "out"))
    ]
    async with running(engine, body, WasiContext(on_output=lambda *line: lines.append(line))) as instance:
        await instance.call("wasi:cli/run#run")
    assert lines == [("stdout", "one line"), ("stdout", "another one")]


async def test_a_guest_that_polls_in_a_tight_loop_still_hears_of_the_world(engine):
    """Between two polls with a timeout of zero the loop has a turn, in which the other pollable can become ready."""
    pipe = Pipe()
    body = [
        STDIN,
        f"(i32.store (i32.const 4096) {do('subscribe-input', 'in')})",
        f"(i32.store (i32.const 4100) {do('subscribe-duration', 0)})",
        "(loop $again",
        do("poll", 4096, 2),
        "(br_if $again (i32.eq (i32.load offset=4 (local.get $ret)) (i32.const 1))))",
    ]
    async with running(engine, body, WasiContext(stdin=PipeInputStream(pipe))) as instance:
        call = asyncio.ensure_future(instance.call("wasi:cli/run#run"))
        for _ in range(50):
            await asyncio.sleep(0)
        assert not call.done()
        pipe.push(b"here")
        await asyncio.wait_for(call, 1)


async def test_many_guests_sleep_at_once(engine):
    """A hundred instances that wait 100 ms each take little more than one."""
    body = [do("subscribe-duration", SECOND // 10, note="keep a"), do("block", "a")]
    bindings = await bound(engine, body, WasiContext())

    async def sleep() -> None:
        async with await Instance.new(bindings.component, bindings) as instance:
            await instance.call("wasi:cli/run#run")

    started = time.monotonic()
    await asyncio.gather(*(sleep() for _ in range(100)))
    assert time.monotonic() - started < 3


async def test_a_megabyte_goes_through_a_guest_that_splices(engine):
    """From an async source to standard output, in the order it came, without crossing into the guest's memory."""
    contents = bytes(range(256)) * 4096
    written: list[bytes] = []

    async def source():
        for start in range(0, len(contents), 100_000):
            await asyncio.sleep(0)
            yield contents[start : start + 100_000]

    body = [
        STDIN,
        STDOUT,
        "(loop $again",
        do("blocking-splice", "out", "in", 1 << 40),
        "(br_if $again (i32.eqz (i32.load8_u (local.get $ret)))))",
    ]
    context = WasiContext(stdin=AsyncInputStream(source()), on_write=lambda _, piece: written.append(piece))
    async with running(engine, body, context) as instance:
        await instance.call("wasi:cli/run#run")
    assert b"".join(written) == contents
