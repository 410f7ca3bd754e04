"""wasi:io: errors, pollables and the two kinds of streams, of which all other WASI packages are made.

Nothing here owns a task. A source that changes calls `Signal.notify`, a guest that waits registers a wake-up with the
signals of its pollables, looks again, and takes the wake-up back; so a cancelled wait leaves nothing behind.

A method that can answer at once returns its answer; one that must wait returns a coroutine. The engine runs the first
kind on the guest's fiber and suspends the guest only for the second.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from washnb.engine import Err, Interface, resource
from washnb.errors import spelled_out

T = TypeVar("T")
Later = Coroutine[Any, Any, T]

READ_LIMIT = 64 * 1024
"""The most bytes that one `read` returns and one `check-write` permits: a value costs the engine time per byte."""

FLUSHED_WRITE_LIMIT = 4096
"""The most bytes that WIT lets a guest pass to blocking-write-and-flush and its sister for zeroes."""


@resource("error")
class Error:
    """What went wrong in a stream. `cause` is what other interfaces turn it into: an error code of theirs, or None."""

    def __init__(self, message: str, cause: object = None) -> None:
        self.message = message
        self.cause = cause

    @classmethod
    def of(cls, exception: BaseException) -> Error:
        """Make an error of an exception; of an `Err`, its value becomes the cause."""
        if isinstance(exception, Err):
            return cls(repr(exception.value), exception.value)
        return cls(spelled_out(exception), exception)

    def to_debug_string(self) -> str:
        """Say what happened, for people."""
        return self.message


@dataclass(frozen=True, slots=True)
class StreamError_LastOperationFailed:  # noqa: N801 - the case of a WIT variant
    """The last operation failed; the stream is closed from now on."""

    value: Error


@dataclass(frozen=True, slots=True)
class StreamError_Closed:  # noqa: N801
    """The stream is closed."""


StreamError = StreamError_LastOperationFailed | StreamError_Closed


def closed() -> Err[StreamError]:
    """Make the error of a stream that is closed."""
    return Err(StreamError_Closed())


def failed(error: Error) -> Err[StreamError]:
    """Make the error of an operation that failed."""
    return Err(StreamError_LastOperationFailed(error))


class Signal:
    """Tells whoever waits that it is worth looking again."""

    __slots__ = ("_watchers",)

    def __init__(self) -> None:
        self._watchers: dict[Callable[[], None], None] = {}

    def watch(self, wake: Callable[[], None]) -> None:
        """Call `wake` at every `notify` from now on."""
        self._watchers[wake] = None

    def unwatch(self, wake: Callable[[], None]) -> None:
        """Take `wake` back; it need not be there."""
        self._watchers.pop(wake, None)

    def notify(self) -> None:
        """Wake everybody who watches."""
        for wake in tuple(self._watchers):
            wake()


@resource("pollable")
class Pollable:
    """An event that has happened or not: `is_ready` says which, `signal` when to look again.

    It may outlive the stream that it came from, unlike in wasmtime, where that ends the guest.
    """

    __slots__ = ("_is_ready", "_signal")

    gives_way: ClassVar[bool] = False
    """Whether the loop gets a turn before a guest hears that this is ready. So it is with a timer, because guests poll
    in a tight loop with a timeout of zero: what they wait for beside it would otherwise hardly ever come about."""

    def __init__(self, is_ready: Callable[[], bool], signal: Signal) -> None:
        self._is_ready = is_ready
        self._signal = signal

    def ready(self) -> bool:
        """Whether the event has happened."""
        return self._is_ready()

    def block(self) -> Later[None] | None:
        """Wait for the event."""
        return self._block() if self.gives_way or not self.ready() else None

    async def _block(self) -> None:
        await (after_a_turn if self.ready() else wait_any)((self,))

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called when the event may have happened."""
        self._signal.watch(wake)

    def unwatch(self, wake: Callable[[], None]) -> None:
        """Take `wake` back."""
        self._signal.unwatch(wake)


Pollables = Sequence[Pollable]


def _ready_indexes(pollables: Pollables) -> list[int]:
    return [index for index, pollable in enumerate(pollables) if pollable.ready()]


async def wait_any(pollables: Pollables) -> list[int]:
    """Wait until at least one is ready; return the indexes of all that are. Leaves nothing behind when cancelled."""
    loop = asyncio.get_running_loop()
    while not (ready := _ready_indexes(pollables)):
        woken = loop.create_future()

        def wake(woken: asyncio.Future[None] = woken) -> None:
            if not woken.done():
                woken.set_result(None)

        for pollable in pollables:
            pollable.watch(wake)
        try:
            await woken
        finally:
            for pollable in pollables:
                pollable.unwatch(wake)
    return ready


async def after_a_turn(pollables: Pollables) -> list[int]:
    """Give the loop a turn, then do as `wait_any`."""
    await asyncio.sleep(0)
    return await wait_any(pollables)


@resource("input-stream")
class InputStream(ABC):
    """A source of bytes. A concrete one says whether it is readable and hands out bytes.

    Whenever `_readable` may have become true it calls `self.changed.notify()`.
    """

    def __init__(self) -> None:
        self.changed = Signal()

    @abstractmethod
    def _readable(self) -> bool:
        """Whether `_pull` would return bytes, or raise."""

    @abstractmethod
    def _pull(self, most: int) -> bytes:
        """Return up to `most` bytes, none if none are there. Raises Err: closed at the end, or the failure, once."""

    def read(self, length: int) -> bytes:
        """Return what is there, up to `length` and 64 KiB. Raises Err at the end and on failure."""
        return self._pull(min(length, READ_LIMIT))

    def blocking_read(self, length: int) -> bytes | Later[bytes]:
        """Like `read`, once there is something to read."""
        return self.read(length) if self._readable() else self._read_later(length)

    async def _read_later(self, length: int) -> bytes:
        await wait_any((self.subscribe(),))
        return self.read(length)

    def skip(self, length: int) -> int:
        """Drop up to `length` bytes that are there; return how many. Raises as `read`."""
        return len(self._pull(length))

    def blocking_skip(self, length: int) -> int | Later[int]:
        """Like `skip`, once there is something to skip."""
        return self.skip(length) if self._readable() else self._skip_later(length)

    async def _skip_later(self, length: int) -> int:
        await wait_any((self.subscribe(),))
        return self.skip(length)

    def subscribe(self) -> Pollable:
        """Return a pollable that is ready when there are bytes, or the end, or a failure."""
        return Pollable(self._readable, self.changed)


@resource("output-stream")
class OutputStream(ABC):
    """A sink of bytes. A concrete one says how much it takes at present, and takes it.

    Whenever `_room` may have become more than zero, or have begun to raise, it calls `self.changed.notify()`.
    """

    def __init__(self) -> None:
        self.changed = Signal()

    @abstractmethod
    def _room(self) -> int:
        """How many bytes may be written now; 0 while full or flushing. Raises Err when closed or failed."""

    @abstractmethod
    def _accept(self, contents: bytes) -> None:
        """Take bytes for which there is room."""

    def _flush(self) -> None:  # noqa: B027 - optional
        """Begin to flush. By default what was accepted counts as flushed: it is in the host's hands.

        Never raises: a failure shows in `_room`.
        """

    def _writable(self) -> bool:
        try:
            return self._room() > 0
        except Err:
            return True

    def check_write(self) -> int:
        """Return how many bytes the next `write` may carry. Raises Err when closed or failed."""
        return min(self._room(), READ_LIMIT)

    def write(self, contents: bytes) -> None:
        """Write what `check-write` permits; more of it ends the guest (ValueError)."""
        self._require_room(len(contents))
        self._accept(contents)

    def write_zeroes(self, length: int) -> None:
        """Write `length` zeroes, under the same rule as `write`."""
        self._require_room(length)
        self._accept(bytes(length))

    def _require_room(self, length: int) -> None:
        permit = self.check_write()
        if length > permit:
            raise ValueError(f"the guest wrote {length} bytes where check-write permits {permit}")

    def blocking_write_and_flush(self, contents: bytes) -> Later[None] | None:
        """Write up to 4096 bytes, flush, and wait until that is done; more of them end the guest (ValueError)."""
        _require_flushable(len(contents))
        if not 0 < self._room() >= len(contents):
            return self._write_later(contents)
        self._accept(contents)
        self._flush()
        if not self._writable():
            return self._settle_later()
        self._settle()
        return None

    def blocking_write_zeroes_and_flush(self, length: int) -> Later[None] | None:
        """Like `blocking_write_and_flush`, with `length` zeroes."""
        _require_flushable(length)  # before so many zeroes take memory
        return self.blocking_write_and_flush(bytes(length))

    async def _write_later(self, contents: bytes) -> None:
        rest = memoryview(contents)
        while True:
            await wait_any((self.subscribe(),))
            taken = min(self.check_write(), len(rest))
            self._accept(bytes(rest[:taken]))
            rest = rest[taken:]
            if not rest:
                break
        self._flush()
        await self._settle_later()

    async def _settle_later(self) -> None:
        await wait_any((self.subscribe(),))
        self._settle()

    def _settle(self) -> None:
        """Raise what a write led to, but not that the stream is closed by it: that is no error of this write."""
        try:
            self._room()
        except Err as error:
            if not isinstance(error.value, StreamError_Closed):
                raise

    def flush(self) -> None:
        """Begin to flush; `check-write` permits nothing until it is done. Raises Err when closed or failed."""
        self._room()
        self._flush()

    def blocking_flush(self) -> Later[None] | None:
        """Flush, and wait until that is done."""
        self.flush()
        return None if self._room() > 0 else self._flush_later()

    async def _flush_later(self) -> None:
        await wait_any((self.subscribe(),))
        self._room()

    def subscribe(self) -> Pollable:
        """Return a pollable that is ready when `check-write` would permit something or raise."""
        return Pollable(self._writable, self.changed)

    def splice(self, source: InputStream, length: int) -> int:
        """Move up to `length` bytes that are there and for which there is room; return how many."""
        length = min(length, self.check_write())
        if not length:
            return 0
        contents = source.read(length)
        if contents:
            self._accept(contents)
        return len(contents)

    def blocking_splice(self, source: InputStream, length: int) -> int | Later[int]:
        """Like `splice`, once there is room and something to read."""
        room, input_ready = self.subscribe(), source.subscribe()
        if room.ready() and (not length or input_ready.ready()):
            return self.splice(source, length)
        return self._splice_later(room, input_ready, source, length)

    async def _splice_later(self, room: Pollable, input_ready: Pollable, source: InputStream, length: int) -> int:
        await wait_any((room,))
        self._room()
        if length:
            await wait_any((input_ready,))
        return self.splice(source, length)


def _require_flushable(length: int) -> None:
    """Raise ValueError for more bytes than WIT lets a blocking write take."""
    if length > FLUSHED_WRITE_LIMIT:
        raise ValueError(f"the guest passed {length} bytes to a blocking write that takes up to {FLUSHED_WRITE_LIMIT}")


class ErrorInterface(Interface, wit="wasi:io/error@0.2.12"):
    """wasi:io/error."""

    Error = Error


class Poll(Interface, wit="wasi:io/poll@0.2.12"):
    """wasi:io/poll."""

    Pollable = Pollable

    def poll(self, pollables: Pollables) -> list[int] | Later[list[int]]:
        """Wait until one is ready and return the indexes of all that are; an empty list ends the guest (ValueError)."""
        if not pollables:
            raise ValueError("the guest called poll with an empty list, which would wait for ever")
        ready = _ready_indexes(pollables)
        if not ready:
            return wait_any(pollables)
        if any(pollables[index].gives_way for index in ready):
            return after_a_turn(pollables)
        return ready


class Streams(Interface, wit="wasi:io/streams@0.2.12"):
    """wasi:io/streams."""

    InputStream = InputStream
    OutputStream = OutputStream
