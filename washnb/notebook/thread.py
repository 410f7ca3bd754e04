"""The thread on which a session's host runs, and the synchronous way to it.

This is the only file that starts a thread with a loop. A notebook's kernel blocks its own loop while a cell runs, and
the host must answer all the same, so it has a loop and a thread of its own. Any other thread hands it a coroutine with
`wait`, and is interrupted promptly: the coroutine is cancelled, and with it the guest that it waits for.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent import futures
from typing import Any, ClassVar, TypeVar

from washnb.errors import ConfigError, GuestCancelled

from .debugging import HERE, HostClock, install
from .standstill import Standstill

T = TypeVar("T")

_GRACE = 1.0
"""Seconds that an interrupted caller waits for its guest to end, and `stop` for the thread to end."""

_GLANCE = 1.0
"""Seconds after which a waiting caller looks whether the thread is still alive."""

_TURN = 0.2
"""Seconds between these looks where the caller runs the kernel's loop: only they find a question of the host, too."""

_MOMENT = 0.02
"""Seconds after which the host, with a question, looks again whether the main thread waits for it and can answer."""

_PATIENCE = 0.1
"""Seconds for which the main thread must have waited before `prompt` asks it."""

_CLOSED = "the session was closed before the answer came"
_CANCELLED = "it was cancelled, and nobody has asked for that: a plugin has cancelled the task that called it"


class Interrupted(KeyboardInterrupt):
    """The person interrupted a verb; the coroutine that it waited for has been cancelled."""


class HostThread:
    """A daemon thread with a running event loop, on which a host lives."""

    kernel_loop: ClassVar[asyncio.AbstractEventLoop | None] = None
    """The kernel's loop once it is re-enterable: a caller in its thread runs it while it waits."""

    def __init__(self) -> None:
        """Make the loop and the thread; `start` starts the thread."""
        self.clock = HostClock()
        self._question: futures.Future[tuple[Callable[[], Any], futures.Future[Any]]] = futures.Future()
        self._endings: list[Callable[[], object]] = []
        self._listeners = 0
        self._since = 0.0
        self._process = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._loop.time = self.clock.time  # type: ignore[method-assign]  # every timeout is measured by it
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(target=self._live, name="washnb host", daemon=True)
        self._standstill = Standstill(self._loop, self._thread)
        install()

    def start(self) -> None:
        """Start the thread. A caller that is interrupted here must call `stop`: the thread may have started, or not."""
        self._thread.start()

    def _live(self) -> None:
        # not asyncio.run: it ends by starting a thread, which an interpreter that shuts down refuses since 3.12
        HERE.host = self
        with contextlib.closing(self._loop) as loop:
            living = loop.create_task(self._run())
            while not (living.done() or loop.is_closed()):
                # raised in a plugin's task, which alone it ends; RuntimeError: a plugin has stopped the loop
                with contextlib.suppress(SystemExit, KeyboardInterrupt, RuntimeError):
                    loop.run_until_complete(living)
            loop.run_until_complete(loop.shutdown_asyncgens())

    async def _run(self) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(asyncio.CancelledError):  # a plugin may cancel all tasks, this one included
                await self._stopped.wait()
        for task in (left := asyncio.all_tasks() - {asyncio.current_task()}):
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    @property
    def forked(self) -> bool:
        """Whether this process is a fork of the one that started the thread: threads do not come along."""
        return os.getpid() != self._process

    def wait(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run the coroutine that `work` makes on the loop, and return what it returns.

        The coroutine runs with the caller's context variables, so that what it prints lands in the caller's cell.
        Raises what the coroutine raises; Interrupted on a KeyboardInterrupt, after the coroutine was cancelled;
        ConfigError in the thread of the loop itself, and in a fork of the process.
        """
        __tracebackhide__ = True
        self._refuse_impossible()
        outcome: futures.Future[T] = futures.Future()
        task: asyncio.Task[T] | None = None

        async def done_here() -> T:
            return await work()  # inside the task, so that the caller also gets what `work` itself raises

        def begin() -> None:
            nonlocal task
            task = self._loop.create_task(done_here())
            task.add_done_callback(lambda done: _hand_over(done, outcome))

        try:
            with _interruptible(), self._listening():
                self._submit(begin)
                while not outcome.done():
                    self._look()
                    self._glance(outcome)
                    if not self._thread.is_alive() and not outcome.done():
                        raise GuestCancelled(_CLOSED)
            return _result_of(outcome)
        except KeyboardInterrupt:
            # without a task the interrupt came before the loop was told of the work: nothing has begun
            self._submit(lambda: task.cancel() if task else outcome.set_exception(futures.CancelledError()))
            ended, _ = futures.wait([outcome], timeout=_GRACE)
            raise Interrupted("it was cancelled" if ended else "it is being cancelled") from None
        except futures.CancelledError:
            raise GuestCancelled(_CLOSED if self._stopped.is_set() else _CANCELLED) from None

    def _look(self) -> None:
        """Look whether the loop goes on, unless it stands still on purpose: at a prompt, where the clock stands."""
        if not self.clock.stands:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._standstill.look()

    def _glance(self, outcome: futures.Future[Any]) -> None:
        """Wait a moment for the outcome, by running the kernel's loop where this is its thread; answer a question."""
        loop, question = self.kernel_loop, self._question
        answers = threading.current_thread() is threading.main_thread()
        if loop is not None and asyncio._get_running_loop() is loop:  # noqa: SLF001 - public, but for its name
            loop.run_until_complete(asyncio.wait([_end_of(outcome)], timeout=_TURN))
        else:
            awaited = [outcome, question] if answers else [outcome]
            futures.wait(awaited, timeout=_GLANCE, return_when=futures.FIRST_COMPLETED)
        if answers and question.done():
            self._answer(*question.result())

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        """For the time of the block, count the main thread as one that can answer the host."""
        listens = threading.current_thread() is threading.main_thread()
        if listens and not self._listeners:
            self._since = time.monotonic()
        self._listeners += listens
        try:
            yield
        finally:
            self._listeners -= listens
            if listens and not self._listeners and self._question.done():  # no other caller will answer the question
                _, answer = self._question.result()
                self._question = futures.Future()
                answer.set_exception(KeyboardInterrupt())
            while listens and not self._listeners and self._endings:
                self._endings.pop()()

    def _answer(self, question: Callable[[], Any], answer: futures.Future[Any]) -> None:
        self._question = futures.Future()
        try:
            answer.set_result(question())
        except KeyboardInterrupt as interrupt:
            if not answer.done():  # the interrupt may have come after the answer
                answer.set_exception(interrupt)
            raise
        except BaseException as error:  # noqa: BLE001 - it is raised where the question was asked
            answer.set_exception(error)

    def ask(self, question: Callable[[], str]) -> str:
        """Have the main thread, which waits for this host, answer `question`; the host stands still until it has.

        Raises what `question` raises, and ConfigError where the main thread does not wait for this host.
        """
        if threading.current_thread() is not self._thread:
            return question()
        if not self._listeners:
            raise ConfigError(
                "a plugin asks, and no cell waits that could answer", repair="wash.send(...) in a cell gets there, too"
            )
        while self._question.done():  # a question of `prompt`, which the main thread is about to take
            time.sleep(_MOMENT)
        answer: futures.Future[str] = futures.Future()
        self._question.set_result((question, answer))
        return answer.result()

    async def prompt(self, question: Callable[[], T]) -> T:
        """Have the main thread answer `question` as soon as it waits for this host; the host goes on meanwhile.

        Raises what `question` raises, and KeyboardInterrupt where the main thread stopped waiting before it answered.
        """
        while not self._listens_patiently() or self._question.done():  # noqa: ASYNC110 - another thread's doing
            await asyncio.sleep(_MOMENT)
        answer: futures.Future[T] = futures.Future()
        self._question.set_result((question, answer))
        return await asyncio.shield(asyncio.wrap_future(answer))

    def at_end(self, act: Callable[[], object]) -> bool:
        """Have the main thread call `act` once it no longer waits for this host; False where it does not wait now."""
        if self._listeners:
            self._endings.append(act)
        return self._listeners > 0

    def tell(self, act: Callable[[], object]) -> None:
        """Have the loop call `act`, without waiting for it. Does nothing where the loop is closed."""
        with contextlib.suppress(GuestCancelled):
            self._submit(act)

    def _listens_patiently(self) -> bool:
        """Whether the main thread has waited for `_PATIENCE`: a verb that returns at once is not asked."""
        return self._listeners > 0 and time.monotonic() - self._since > _PATIENCE

    def _submit(self, callback: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(callback)
        except RuntimeError:  # the loop is closed
            raise GuestCancelled(_CLOSED) from None

    def _refuse_impossible(self) -> None:
        if self.forked:
            raise ConfigError(
                "this process is a fork of the one that the session belongs to: its host did not come along",
                repair=("wash.reset()  # a host for this process", "or start processes with the method `spawn`"),
            )
        if threading.current_thread() is self._thread:
            raise ConfigError(
                "a verb was called from the host's own thread, which would wait for itself for ever",
                repair="in a plugin, await the methods of the host instead",
            )

    def stop(self) -> None:
        """Cancel the tasks that still run, and end the thread. Does nothing in a fork, nor the second time."""
        if self.forked:
            return
        with contextlib.suppress(GuestCancelled):
            self._submit(self._stopped.set)
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(_GRACE)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let an interrupt raise KeyboardInterrupt in the block, also in the thread of a running loop.

    For a cell with an `await` of its own, the front end's handler only schedules a callback on the kernel's loop, which
    runs when the verb has returned.
    """
    handler = signal.getsignal(signal.SIGINT)
    in_loop = asyncio._get_running_loop() is not None  # noqa: SLF001 - public, but for its name
    if not in_loop or not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield
        return
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _end_of(outcome: futures.Future[Any]) -> asyncio.Future[None]:
    """A future of the running loop that is done when `outcome` is. It has no error: `outcome.result()` raises that."""
    end: futures.Future[None] = futures.Future()
    outcome.add_done_callback(lambda _: end.set_result(None))
    return asyncio.wrap_future(end)


def _result_of(outcome: futures.Future[T]) -> T:
    """Return or raise what came; Python 3.11's own `result` takes an exception that is false for none."""
    error = outcome.exception()
    if error is None:
        return outcome.result()
    try:
        raise error
    finally:
        del error  # its traceback leads to this frame, which would keep it


def _hand_over(task: asyncio.Task[T], outcome: futures.Future[T]) -> None:
    if task.cancelled():
        outcome.cancel()
        outcome.set_running_or_notify_cancel()
    elif (error := task.exception()) is not None:
        outcome.set_exception(error)
    else:
        outcome.set_result(task.result())
