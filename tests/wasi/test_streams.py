"""Sources, sinks and pipes: no byte is lost, doubled or held back, however the two sides take turns."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from washnb.engine import Err
from washnb.wasi import (
    AsyncInputStream,
    BytesInputStream,
    Error,
    Pipe,
    PipeInputStream,
    PipeOutputStream,
    StreamError_Closed,
    StreamError_LastOperationFailed,
)
from washnb.wasi.io import FLUSHED_WRITE_LIMIT, READ_LIMIT
from washnb.wasi.streams import SharedInputStream

from .asking import error_of, settle

chunks = st.lists(st.binary(max_size=300), max_size=12)
lengths = st.lists(st.integers(0, 200), min_size=1, max_size=8)


async def drain(stream, lengths=(READ_LIMIT,)):
    """Read a stream to its end with the lengths in turn; a length of zero must not be mistaken for the end."""
    received = b""
    try:
        while True:
            for length in (*lengths, 1):
                contents = await settle(stream.blocking_read(length))
                assert len(contents) <= length
                received += contents
    except Err as error:
        if error.value != StreamError_Closed():
            raise
    return received


async def yielding(pieces, pause=False):
    """Yield the pieces, perhaps with a turn of the loop between them."""
    for piece in pieces:
        if pause:
            await asyncio.sleep(0)
        yield piece


def test_bytes_are_read_in_pieces_and_then_the_stream_is_closed():
    """A read returns at most what was asked for; zero bytes of an open stream are no end."""
    stream = BytesInputStream(b"hello")
    assert [stream.read(2), stream.read(0), stream.skip(1), stream.read(9)] == [b"he", b"", 1, b"lo"]
    assert error_of(stream.read, 1) == error_of(stream.read, 0) == error_of(stream.skip, 1) == StreamError_Closed()
    assert stream.subscribe().ready()


def test_a_read_returns_no_more_than_64_kib():
    """A guest that asks for everything gets a piece that the engine can carry in good time."""
    assert len(BytesInputStream(bytes(1 << 20)).read(2**64 - 1)) == READ_LIMIT


def test_handles_to_one_source_share_its_position_and_outlive_each_other():
    """Standard input may be asked for again and again."""
    source = BytesInputStream(b"abcdef")
    first, second = SharedInputStream(source), SharedInputStream(source)
    assert (first.read(2), second.read(2)) == (b"ab", b"cd")
    del first
    assert second.blocking_read(9) == b"ef"


@given(chunks, lengths, st.integers(1, 400))
async def test_a_pipe_carries_what_is_written_and_holds_no_more_than_its_capacity(pieces, lengths, capacity):
    """Random chunks through a random capacity, read with random lengths, equal the input."""
    pipe = Pipe(capacity)
    output, source = PipeOutputStream(pipe), PipeInputStream(pipe)

    async def write():
        rest = b"".join(pieces)
        while rest:
            await settle(output.subscribe().block())
            permit = output.check_write()
            assert 0 < permit <= capacity
            output.write(rest[:permit])
            assert len(pipe._buffer) <= capacity
            rest = rest[permit:]
        output.drop()

    _, received = await asyncio.gather(write(), drain(source, lengths))
    assert received == b"".join(pieces)


@given(chunks, st.integers(1, 400))
async def test_a_blocking_write_into_a_pipe_equals_the_input(pieces, capacity):
    """Blocking writes wait for the reader where the pipe is full, and lose nothing; host code reads the other end."""
    pipe = Pipe(capacity)
    output = PipeOutputStream(pipe)

    async def write():
        for piece in pieces:
            await settle(output.blocking_write_and_flush(piece))
            await settle(output.blocking_write_zeroes_and_flush(len(piece)))
        output.drop()

    async def read():
        return b"".join([piece async for piece in pipe])

    _, received = await asyncio.gather(write(), read())
    assert received == b"".join(piece + bytes(len(piece)) for piece in pieces)


@given(chunks, lengths, st.integers(1, 400), st.booleans(), st.booleans())
async def test_splice_moves_everything_from_source_to_sink(pieces, lengths, capacity, blocking, pause):
    """Splicing with random lengths equals the input, and moves no more than asked for."""
    source = AsyncInputStream(yielding(pieces, pause), capacity=capacity)
    pipe = Pipe(capacity)
    output = PipeOutputStream(pipe)

    async def splice():
        try:
            while True:
                for length in (*lengths, 7):
                    if blocking:
                        moved = await settle(output.blocking_splice(source, length))
                        assert (moved > 0) == (length > 0)
                    else:
                        moved = output.splice(source, length)
                        await asyncio.sleep(0)
                    assert moved <= length
        except Err as error:
            if error.value != StreamError_Closed():
                raise
        output.drop()

    _, received = await asyncio.gather(splice(), drain(PipeInputStream(pipe)))
    assert received == b"".join(pieces)


@given(chunks, lengths, st.booleans())
async def test_an_async_iterator_is_read_to_its_end(pieces, lengths, pause):
    """Whatever the chunks and pauses, the guest reads their concatenation, and empty chunks are no end."""
    stream = AsyncInputStream(yielding(pieces, pause))
    assert await drain(stream, lengths) == b"".join(pieces)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_async_iterator_is_not_read_ahead_of_the_guest_without_bound():
    """It is asked only when the guest wants to read, and then no further than the capacity and one chunk."""
    asked = []

    async def source():
        for number in range(1000):
            asked.append(number)
            yield bytes(100)

    stream = AsyncInputStream(source(), capacity=250)
    await asyncio.sleep(0.01)
    assert asked == []
    assert stream.read(10) == b""
    await asyncio.sleep(0.01)
    assert len(asked) == 4
    for _ in range(10):
        await settle(stream.blocking_read(100))
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    assert len(asked) <= 15
    stream.drop()
    await asyncio.sleep(0)


class Source:
    """An async iterator that never ends and says whether it was closed."""

    closed = 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        await asyncio.sleep(3600)

    async def aclose(self):
        self.closed += 1


@pytest.mark.parametrize("turns", [None, 0, 1, 5])
async def test_dropping_the_stream_closes_its_source(turns):
    """Never read, read in the same turn, or waiting for long: the source is closed once and no task is left."""
    source = Source()
    stream = AsyncInputStream(source)
    if turns is not None:
        stream.read(1)
        for _ in range(turns):
            await asyncio.sleep(0)
    stream.drop()
    for _ in range(3):
        await asyncio.sleep(0)
    assert source.closed == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_a_source_raises_is_the_guests_last_operation_failed():
    """First comes what was there before, then the failure with its cause, then closed."""

    async def source():
        yield b"so far"
        raise Err("no more")

    stream = AsyncInputStream(source())
    assert await settle(stream.blocking_read(100)) == b"so far"
    with pytest.raises(Err) as caught:
        await settle(stream.blocking_read(100))
    assert isinstance(caught.value.value, StreamError_LastOperationFailed)
    assert caught.value.value.value.cause == "no more"
    assert error_of(stream.read, 1) == StreamError_Closed()
    assert error_of(stream.blocking_skip, 1) == StreamError_Closed()


async def test_a_source_that_cannot_be_iterated_is_a_failure_of_the_stream():
    """A body that is a list instead of an async iterable reaches the guest as an error; it does not wait for ever."""
    stream = AsyncInputStream([b"not async"])  # type: ignore[arg-type]  # what is tested
    with pytest.raises(Err) as caught:
        await asyncio.wait_for(settle(stream.blocking_read(1)), 5)
    assert "async iterable" in caught.value.value.value.to_debug_string()


async def test_a_source_that_fails_to_close_is_a_failure_of_the_stream():
    """An exception of aclose is not lost in a task that nobody looks at."""

    class Broken(Source):
        async def __anext__(self):
            raise StopAsyncIteration

        async def aclose(self):
            raise OSError("still busy")

    stream = AsyncInputStream(Broken())
    with pytest.raises(Err) as caught:
        await settle(stream.blocking_read(1))
    assert "still busy" in caught.value.value.value.to_debug_string()


async def test_a_full_pipe_makes_its_writer_wait_for_the_reader():
    """check-write permits nothing until something was read, and then just that much."""
    pipe = Pipe(10)
    output = PipeOutputStream(pipe)
    output.write(b"x" * 10)
    pollable = output.subscribe()
    assert (output.check_write(), pollable.ready()) == (0, False)
    assert output.splice(BytesInputStream(b"y"), 1) == 0
    waiting = asyncio.ensure_future(pollable.block())
    await asyncio.sleep(0)
    assert pipe.pull(4) == b"xxxx"
    await asyncio.wait_for(waiting, 1)
    assert output.check_write() == 4


async def test_a_pipe_ends_in_good_order():
    """After close the reader gets what is left, then closed; the writer finds the stream closed at once."""
    pipe = Pipe()
    output, source = PipeOutputStream(pipe), PipeInputStream(pipe)
    output.write(b"rest")
    output.drop()
    assert pipe.ended
    assert error_of(output.check_write) == error_of(output.write, b"") == StreamError_Closed()
    assert source.read(2) == b"re"
    assert source.blocking_read(9) == b"st"
    assert error_of(source.blocking_read, 9) == StreamError_Closed()
    assert await pipe.take() == b""
    assert await pipe.put(b"late") is False


async def test_a_pipe_that_fails_tells_its_reader_once():
    """What was written comes first; a second failure, or a close, changes nothing; host code gets it as Err."""
    for source in (PipeInputStream(pipe := Pipe()).read, None):
        pipe = pipe if source else Pipe()
        pipe.push(b"rest")
        pipe.fail(Error("cut"))
        pipe.fail(Error("again"))
        pipe.close()
        if source:
            assert source(9) == b"rest"
            failure = error_of(source, 9)
        else:
            assert await pipe.take() == b"rest"
            with pytest.raises(Err) as caught:
                await pipe.take()
            failure = caught.value.value
        assert failure.value.message == "cut"
        assert await pipe.take() == b""


async def test_a_reader_that_goes_away_closes_the_pipe_for_its_writers():
    """A waiting guest wakes with closed, a waiting host with False, and what was unread is dropped."""
    pipe = Pipe(4)
    output, source = PipeOutputStream(pipe), PipeInputStream(pipe)
    output.write(b"full")
    guest = asyncio.ensure_future(output.blocking_write_and_flush(b"more"))
    host = asyncio.ensure_future(pipe.put(b"more"))
    await asyncio.sleep(0)
    source.drop()
    assert await host is False
    with pytest.raises(Err) as caught:
        await guest
    assert caught.value.value == StreamError_Closed()
    assert (pipe.abandoned, pipe._buffer) == (True, b"")


async def test_host_code_that_stops_reading_closes_the_pipe():
    """aclose, the way of async iterators, is an abandoned pipe."""
    pipe = Pipe()
    pipe.push(b"one")
    assert await anext(aiter(pipe)) == b"one"
    await pipe.aclose()
    assert error_of(PipeOutputStream(pipe).check_write) == StreamError_Closed()


async def test_a_pollable_that_outlives_its_stream_is_ready():
    """WIT lets a host trap here; this one says that there is nothing to wait for."""
    pipe = Pipe()
    reading = PipeInputStream(pipe)
    pollable = reading.subscribe()
    assert not pollable.ready()
    waiting = asyncio.ensure_future(pollable.block())
    await asyncio.sleep(0)
    reading.drop()
    await asyncio.wait_for(waiting, 1)
    assert pollable.ready()


async def test_a_cancelled_read_can_be_asked_again():
    """Cancelling takes no bytes and leaves no watcher."""
    pipe = Pipe()
    source = PipeInputStream(pipe)
    for operation in (source.blocking_read, source.blocking_skip):
        waiting = asyncio.ensure_future(operation(5))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
    assert not pipe.changed._watchers
    pipe.push(b"there")
    assert source.blocking_skip(2) == 2
    assert source.blocking_read(5) == b"ere"


async def test_a_skip_that_waits_counts_what_came():
    """blocking-skip is blocking-read without the bytes."""
    pipe = Pipe()
    waiting = asyncio.ensure_future(PipeInputStream(pipe).blocking_skip(5))
    await asyncio.sleep(0)
    pipe.push(b"abc")
    assert await waiting == 3


async def test_blocking_splice_of_nothing_asks_only_for_room():
    """A length of zero moves nothing and does not touch the source, as in wasmtime."""
    output = PipeOutputStream(Pipe())
    assert output.blocking_splice(PipeInputStream(Pipe()), 0) == 0
    at_its_end = BytesInputStream(b"")
    assert output.blocking_splice(at_its_end, 0) == output.splice(at_its_end, 0) == 0
    assert error_of(output.splice, at_its_end, 1) == error_of(output.blocking_splice, at_its_end, 1)


def test_splice_moves_what_is_there():
    """From a source that is open and has nothing it moves nothing."""
    assert PipeOutputStream(Pipe()).splice(PipeInputStream(Pipe()), FLUSHED_WRITE_LIMIT) == 0
