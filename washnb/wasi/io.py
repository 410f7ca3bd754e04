"""wasi:io: errors, pollables, and input and output streams, which all other WASI packages use.

Waiting takes no task. A stream that changes calls `notify` of its Signal; a guest that waits has registered a callback
with the signals of its pollables, checks them again, and takes the callback back, so that a cancelled wait leaves
nothing behind.

A method that can answer at once returns its answer; one that must wait returns a coroutine, and only then the engine
suspends the guest.
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
"""What a method returns that has to wait for its answer."""

READ_LIMIT = 64 * 1024
"""The most bytes that one `read` returns and one `check-write` permits: each byte takes the engine time."""

FLUSHED_WRITE_LIMIT = 4096
"""The most bytes that WIT lets a guest pass to blocking-write-and-flush or blocking-write-zeroes-and-flush."""


@resource("error")
class Error:
    """What went wrong in a stream: the resource error of wasi:io/error.

    Other interfaces ask for their own error code behind it (`http-error-code`, say): that is `cause`, where it is one.
    """

    def __init__(self, message: str, cause: object = None) -> None:
        self.message = message
        self.cause = cause

    @classmethod
    def of(cls, exception: BaseException) -> Error:
        """Make an Error of an exception, which is its cause; of an `Err` the cause is the value."""
        if isinstance(exception, Err):
            return cls(repr(exception.value), exception.value)
        return cls(spelled_out(exception), exception)

    def to_debug_string(self) -> str:
        """Return a text for people that says what happened."""
        return self.message


@dataclass(frozen=True, slots=True)
class StreamError_LastOperationFailed:  # noqa: N801 - the case of a WIT variant
    """The case last-operation-failed of stream-error; the stream is closed from then on."""

    value: Error


@dataclass(frozen=True, slots=True)
class StreamError_Closed:  # noqa: N801
    """The case closed of stream-error."""


StreamError = StreamError_LastOperationFailed | StreamError_Closed


def closed() -> Err[StreamError]:
    """Return the Err for an operation on a stream that is closed."""
    return Err(StreamError_Closed())


def failed(error: Error) -> Err[StreamError]:
    """Return the Err for an operation on a stream that failed, as `error` says."""
    return Err(StreamError_LastOperationFailed(error))


class Signal:
    """Calls back those who wait for an event, which they then check for themselves."""

    __slots__ = ("_watchers",)

    def __init__(self) -> None:
        self._watchers: dict[Callable[[], None], None] = {}

    def watch(self, wake: Callable[[], None]) -> None:
        """Call `wake` at every `notify` from now on."""
        self._watchers[wake] = None

    def unwatch(self, wake: Callable[[], None]) -> None:
        """Call `wake` no more; it need not be registered."""
        self._watchers.pop(wake, None)

    def notify(self) -> None:
        """Call every `wake` that is registered."""
        for wake in tuple(self._watchers):
            wake()


@resource("pollable")
class Pollable:
    """An event that a guest can wait for: `is_ready` says whether it has happened, `signal` when to ask again.

    It may outlive the stream that it came from; wasmtime ends a guest that lets it.
    """

    __slots__ = ("_is_ready", "_signal")

    gives_way: ClassVar[bool] = False
    """Whether the loop gets a turn before a guest hears that this is ready. True of timers: a guest that polls with a
    timeout of zero, again and again, would otherwise keep the loop from the very events that it polls for."""

    def __init__(self, is_ready: Callable[[], bool], signal: Signal) -> None:
        self._is_ready = is_ready
        self._signal = signal

    def ready(self) -> bool:
        """Whether the event has happened."""
        return self._is_ready()

    def block(self) -> Later[None] | None:
        """Wait until the event has happened."""
        return self._block() if self.gives_way or not self.ready() else None

    async def _block(self) -> None:
        await (after_a_turn if self.ready() else wait_any)((self,))

    def watch(self, wake: Callable[[], None]) -> None:
        """From now on have `wake` called when the event may have happened."""
        self._signal.watch(wake)

    def unwatch(self, wake: Callable[[], None]) -> None:
        """Take `wake` back; it need not be registered."""
        self._signal.unwatch(wake)


Pollables = Sequence[Pollable]


def _ready_indexes(pollables: Pollables) -> list[int]:
    return [index for index, pollable in enumerate(pollables) if pollable.ready()]


async def wait_any(pollables: Pollables) -> list[int]:
    """Wait until a pollable is ready; return the indexes of all that are. Leaves nothing behind when cancelled."""
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
    """Give the loop a turn; then wait until a pollable is ready, and return the indexes of all that are."""
    await asyncio.sleep(0)
    return await wait_any(pollables)


@resource("input-stream")
class InputStream(ABC):
    """A stream that a guest reads from. A subclass defines `_readable` and `_pull`.

    It has to call `self.changed.notify()` whenever `_readable` may have become true.
    """

    def __init__(self) -> None:
        self.changed = Signal()

    @abstractmethod
    def _readable(self) -> bool:
        """Whether `_pull` would return bytes or raise."""

    @abstractmethod
    def _pull(self, most: int) -> bytes:
        """Return up to `most` bytes, b"" where none are there yet.

        Raises Err at the end (closed), and once after a failure (last-operation-failed).
        """

    def read(self, length: int) -> bytes:
        """Return the bytes that are there, up to `length` and 64 KiB. Raises Err at the end and on failure."""
        return self._pull(min(length, READ_LIMIT))

    def blocking_read(self, length: int) -> bytes | Later[bytes]:
        """Wait until there are bytes, or the end, or a failure, and then do as `read`."""
        return self.read(length) if self._readable() else self._read_later(length)

    async def _read_later(self, length: int) -> bytes:
        await wait_any((self.subscribe(),))
        return self.read(length)

    def skip(self, length: int) -> int:
        """Drop up to `length` bytes that are there; return how many. Raises as `read`."""
        return len(self._pull(length))

    def blocking_skip(self, length: int) -> int | Later[int]:
        """Wait until there are bytes, or the end, or a failure, and then do as `skip`."""
        return self.skip(length) if self._readable() else self._skip_later(length)

    async def _skip_later(self, length: int) -> int:
        await wait_any((self.subscribe(),))
        return self.skip(length)

    def subscribe(self) -> Pollable:
        """Return a pollable that is ready when there are bytes, or the end, or a failure."""
        return Pollable(self._readable, self.changed)


@resource("output-stream")
class OutputStream(ABC):
    """A stream that a guest writes to. A subclass defines `_room` and `_accept`, and may define `_flush`.

    It has to call `self.changed.notify()` whenever `_room` may have become more than 0, or may raise from now on.
    """

    def __init__(self) -> None:
        self.changed = Signal()

    @abstractmethod
    def _room(self) -> int:
        """Return how many bytes may be written now, 0 while full or flushing. Raises Err when closed or failed."""

    @abstractmethod
    def _accept(self, contents: bytes) -> None:
        """Take `contents`, for which `_room` has said that there is room."""

    def _flush(self) -> None:  # noqa: B027 - optional
        """Begin to flush; `_room` is 0 until that is done. By default there is nothing to do: the host has the bytes.

        Must not raise: `_room` raises after a failure.
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
        """Write `contents`. More bytes than `check-write` permits end the guest (ValueError)."""
        self._require_room(len(contents))
        self._accept(contents)

    def write_zeroes(self, length: int) -> None:
        """Write `length` zeroes. More than `check-write` permits end the guest (ValueError)."""
        self._require_room(length)
        self._accept(bytes(length))

    def _require_room(self, length: int) -> None:
        permit = self.check_write()
        if length > permit:
            raise ValueError(f"the guest wrote {length} bytes where check-write permits {permit}")

    def blocking_write_and_flush(self, contents: bytes) -> Later[None] | None:
        """Write, flush, and wait until that is done. More than 4096 bytes end the guest (ValueError)."""
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
        """Write zeroes, flush, and wait until that is done. More than 4096 of them end the guest (ValueError)."""
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
        """Raise the failure of a write that is done. That the stream has closed is not one: it took the bytes."""
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
        """Flush, and wait until that is done. Raises Err when closed or failed."""
        self.flush()
        return None if self._room() > 0 else self._flush_later()

    async def _flush_later(self) -> None:
        await wait_any((self.subscribe(),))
        self._room()

    def subscribe(self) -> Pollable:
        """Return a pollable that is ready when `check-write` would permit something or raise."""
        return Pollable(self._writable, self.changed)

    def splice(self, source: InputStream, length: int) -> int:
        """Move up to `length` bytes from `source`, as many as are there and have room here; return how many.

        Raises as `check_write` and `InputStream.read`.
        """
        length = min(length, self.check_write())
        if not length:
            return 0
        contents = source.read(length)
        if contents:
            self._accept(contents)
        return len(contents)

    def blocking_splice(self, source: InputStream, length: int) -> int | Later[int]:
        """Wait until there is room here and something to read in `source`, and then do as `splice`."""
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
    """wasi:io/error: the resource alone."""

    Error = Error


class Poll(Interface, wit="wasi:io/poll@0.2.12"):
    """wasi:io/poll: waiting for several pollables at once."""

    Pollable = Pollable

    def poll(self, pollables: Pollables) -> list[int] | Later[list[int]]:
        """Wait until a pollable is ready; return the indexes of all that are. An empty list ends the guest."""
        if not pollables:
            raise ValueError("the guest called poll with an empty list, which would wait for ever")
        ready = _ready_indexes(pollables)
        if not ready:
            return wait_any(pollables)
        if any(pollables[index].gives_way for index in ready):
            return after_a_turn(pollables)
        return ready


class Streams(Interface, wit="wasi:io/streams@0.2.12"):
    """wasi:io/streams: the resources alone."""

    InputStream = InputStream
    OutputStream = OutputStream
