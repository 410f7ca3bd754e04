"""wasi:io without a guest: pollables, waiting, and the rules that all streams share."""

from __future__ import annotations

import asyncio

import pytest

from washnb.engine import Err
from washnb.wasi import Error, OutputStream, Pollable, Signal, StreamError_Closed, StreamError_LastOperationFailed
from washnb.wasi.filesystem import ErrorCode, Types
from washnb.wasi.io import FLUSHED_WRITE_LIMIT, READ_LIMIT, Poll, closed, failed

from .asking import error_of, settle


class Switch(Pollable):
    """A pollable that the test turns on."""

    def __init__(self) -> None:
        self.on = False
        self.signal = Signal()
        super().__init__(lambda: self.on, self.signal)

    def turn_on(self) -> None:
        self.on = True
        self.signal.notify()


class SlowOutput(OutputStream):
    """An output stream whose room, flush and failure the test decides."""

    def __init__(self, room: int = READ_LIMIT, *, flushes: bool = True) -> None:
        super().__init__()
        self.room = room
        self.flushes = flushes
        self.flushing = False
        self.error: Err | None = None
        self.written = b""

    def _room(self) -> int:
        if self.error is not None:
            raise self.error
        return 0 if self.flushing else self.room

    def _accept(self, contents: bytes) -> None:
        self.written += contents
        self.room -= len(contents)

    def _flush(self) -> None:
        self.flushing = not self.flushes

    def change(self, **attributes: object) -> None:
        for name, value in attributes.items():
            setattr(self, name, value)
        self.changed.notify()


def test_poll_traps_on_an_empty_list():
    """Nothing to wait for would be for ever, so WIT has poll trap."""
    with pytest.raises(ValueError, match="empty list"):
        Poll().poll([])


def test_poll_answers_at_once_with_every_index_that_is_ready():
    """No coroutine where nobody waits; an index for each entry, also for one that is there twice."""
    on, off = Switch(), Switch()
    on.turn_on()
    assert Poll().poll([off, on, off, on]) == [1, 3]


async def test_poll_waits_for_the_first_and_returns_all_that_are_ready_then():
    """Two pollables that become ready in one turn of the loop are both in the answer."""
    switches = [Switch() for _ in range(5)]
    waiting = asyncio.ensure_future(Poll().poll(switches))
    await asyncio.sleep(0)
    assert not waiting.done()
    switches[3].turn_on()
    switches[1].turn_on()
    assert await waiting == [1, 3]


async def test_a_false_alarm_does_not_end_a_wait():
    """A signal says only that it is worth looking again."""
    switch = Switch()
    waiting = asyncio.ensure_future(switch.block())
    for _ in range(3):
        await asyncio.sleep(0)
        switch.signal.notify()
    assert not waiting.done()
    switch.turn_on()
    assert await waiting is None


@pytest.mark.parametrize("cancel", [False, True])
async def test_a_wait_leaves_nothing_behind(cancel):
    """Whether it ends well or is cancelled, the signals know nobody afterwards and no task is left."""
    switches = [Switch() for _ in range(3)]
    waiting = asyncio.ensure_future(Poll().poll(switches))
    await asyncio.sleep(0)
    assert all(switch.signal._watchers for switch in switches)
    waiting.cancel() if cancel else switches[0].turn_on()
    await asyncio.wait([waiting])
    assert not any(switch.signal._watchers for switch in switches)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_block_of_a_ready_pollable_is_no_coroutine():
    """The fast path costs no suspension of the guest."""
    switch = Switch()
    switch.turn_on()
    assert switch.block() is None


async def test_two_who_wait_for_one_pollable_both_wake():
    """A signal may have several watchers, as when two guests share a pipe."""
    switch = Switch()
    waiting = [asyncio.ensure_future(switch.block()) for _ in range(2)]
    await asyncio.sleep(0)
    switch.turn_on()
    await asyncio.wait_for(asyncio.gather(*waiting), 1)


def test_an_error_tells_people_what_happened_and_other_interfaces_what_it_was():
    """An Err's value stays reachable as the cause; of other exceptions the type is in the text."""
    error = Error.of(Err(ErrorCode.NO_ENTRY))
    assert error.cause is ErrorCode.NO_ENTRY
    assert Types().filesystem_error_code(error) is ErrorCode.NO_ENTRY
    assert Error.of(OSError("disk on fire")).to_debug_string() == "OSError: disk on fire"
    assert Types().filesystem_error_code(Error("of another kind")) is None


def test_write_beyond_the_permit_traps():
    """WIT: more than check-write permitted is the guest's mistake, and nothing of it is written."""
    stream = SlowOutput(room=10)
    assert stream.check_write() == 10
    for write in (lambda: stream.write(b"x" * 11), lambda: stream.write_zeroes(11)):
        with pytest.raises(ValueError, match="wrote 11 bytes where check-write permits 10"):
            write()
    assert stream.written == b""
    stream.write(b"x" * 6)
    stream.write_zeroes(4)
    assert stream.written == b"xxxxxx\0\0\0\0"


def test_check_write_permits_no_more_than_a_value_may_weigh():
    """However much room there is, one write carries 64 KiB at most."""
    stream = SlowOutput(room=1 << 30)
    assert stream.check_write() == READ_LIMIT
    with pytest.raises(ValueError, match="permits 65536"):
        stream.write_zeroes(READ_LIMIT + 1)


@pytest.mark.parametrize("length", [FLUSHED_WRITE_LIMIT + 1, 1 << 40])
def test_blocking_writes_take_4096_bytes(length):
    """WIT's bound holds for contents and for zeroes, and costs no memory."""
    stream = SlowOutput()
    with pytest.raises(ValueError, match=f"passed {length} bytes .* up to 4096"):
        stream.blocking_write_zeroes_and_flush(length)
    with pytest.raises(ValueError, match="4096"):
        stream.blocking_write_and_flush(bytes(FLUSHED_WRITE_LIMIT + 1))
    assert stream.written == b""


async def test_a_blocking_write_goes_on_as_room_appears():
    """It writes what there is room for, waits, and returns when the rest is written and flushed."""
    stream = SlowOutput(room=3, flushes=False)
    writing = asyncio.ensure_future(stream.blocking_write_and_flush(b"0123456789"))
    await asyncio.sleep(0)
    assert (stream.written, writing.done()) == (b"012", False)
    stream.change(room=100)
    await asyncio.sleep(0)
    assert (stream.written, stream.flushing, writing.done()) == (b"0123456789", True, False)
    stream.change(flushing=False)
    assert await writing is None
    assert not stream.changed._watchers


async def test_nothing_may_be_written_while_a_flush_is_under_way():
    """check-write permits nothing, the pollable is not ready, and both end with the flush."""
    stream = SlowOutput(flushes=False)
    stream.flush()
    pollable = stream.subscribe()
    assert (stream.check_write(), pollable.ready()) == (0, False)
    with pytest.raises(ValueError, match="permits 0"):
        stream.write(b"x")
    stream.change(flushing=False)
    assert pollable.ready()


async def test_a_blocking_flush_reports_what_became_of_it():
    """It returns when the flush is done and raises where the flush failed."""
    stream = SlowOutput(flushes=False)
    flushing = asyncio.ensure_future(stream.blocking_flush())
    await asyncio.sleep(0)
    stream.change(flushing=False)
    assert await flushing is None
    flushing = asyncio.ensure_future(stream.blocking_flush())
    await asyncio.sleep(0)
    stream.change(error=failed(Error("disk full")))
    with pytest.raises(Err) as caught:
        await flushing
    assert isinstance(caught.value.value, StreamError_LastOperationFailed)
    assert SlowOutput().blocking_flush() is None


@pytest.mark.parametrize("waits", [False, True])
async def test_a_write_that_closes_the_stream_has_succeeded(waits):
    """WIT: that writing and flushing closed the stream shows only at the next call."""
    stream = SlowOutput(flushes=not waits)
    stream._accept = lambda contents: stream.change(error=None if waits else closed())
    writing = stream.blocking_write_and_flush(b"last words")
    if waits:
        writing = asyncio.ensure_future(writing)
        await asyncio.sleep(0)
        stream.change(error=closed())
        writing = await writing
    assert writing is None
    assert error_of(stream.check_write) == StreamError_Closed()


@pytest.mark.parametrize("waits", [False, True])
async def test_a_write_whose_flush_fails_has_failed(waits):
    """Only being closed is forgiven: the failure is the error of the write that led to it."""
    stream = SlowOutput(flushes=not waits)
    failure = failed(Error("disk full"))
    stream._accept = lambda contents: stream.change(error=None if waits else failure)

    async def write() -> None:
        await settle(stream.blocking_write_and_flush(b"last words"))

    writing = asyncio.ensure_future(write())
    await asyncio.sleep(0)
    stream.change(error=failure)
    with pytest.raises(Err) as caught:
        await writing
    assert caught.value.value.value.message == "disk full"


@pytest.mark.parametrize("operation", ["check_write", "flush", "blocking_flush", "write", "blocking_write_and_flush"])
def test_a_closed_output_says_so_whatever_is_asked(operation):
    """All operations on it raise closed, its pollable is ready, and nothing waits."""
    stream = SlowOutput()
    stream.error = closed()
    assert stream.subscribe().ready()
    contents = (b"x",) if operation in {"write", "blocking_write_and_flush"} else ()
    assert error_of(getattr(stream, operation), *contents) == StreamError_Closed()
