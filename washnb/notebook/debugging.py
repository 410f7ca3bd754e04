"""`breakpoint()` in a method of a plugin: a prompt of pdb in the cell whose verb waits for the guest.

At the prompt the host's loop stands still, and so does its clock, so that no request runs out of time. Lines are read
in the main thread, where an interrupt ends the prompt and the guest's call, and nothing else.
"""

from __future__ import annotations

import contextlib
import dis
import gc
import os
import pdb  # noqa: T100 - the debugger itself, for a `breakpoint()` in a plugin
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import FrameType, TracebackType
from typing import Any, Protocol

_PROMPT = "(Pdb) "
_OURS = ["washnb.*", "asyncio.*", "nest_asyncio2", "bdb", "contextlib"]
"""Modules that the debugger does not step through: those of washnb, of the loop, and of the debugger."""
_LOOP = "asyncio.events"
"""The module of the frame from which a loop calls its callbacks and tasks."""


class HostClock:
    """The clock of the host's loop, in seconds: `time.monotonic` less the time that passed at prompts."""

    def __init__(self) -> None:
        """Begin in step with `time.monotonic`."""
        self._left_out = 0.0
        self._stopped_at: float | None = None

    def time(self) -> float:
        """Return the time in seconds."""
        now = time.monotonic() if self._stopped_at is None else self._stopped_at
        return now - self._left_out

    @property
    def stands(self) -> bool:
        """Whether the clock is stopped, at a prompt."""
        return self._stopped_at is not None

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the clock for the time of the block."""
        if self._stopped_at is not None:
            yield
            return
        self._stopped_at = begun = time.monotonic()
        try:
            yield
        finally:
            self._left_out += time.monotonic() - begun
            self._stopped_at = None


class Debugged(Protocol):
    """What a prompt needs of the host whose plugin is debugged."""

    clock: HostClock

    def ask(self, question: Callable[[], str]) -> str:
        """Have the main thread answer `question`. Raises ConfigError where it does not wait for this host."""


HERE = threading.local()
"""A thread-local: in the thread of a host, `HERE.host` is that host."""

SERVING: ContextVar[Debugged | None] = ContextVar("SERVING", default=None)
"""On the kernel's loop, the host whose guest's call a plugin serves there."""


class _Prompt(pdb.Pdb):
    """A prompt of pdb, which reads its lines in the main thread, and stops the clock of the host."""

    def __init__(self, host: Debugged) -> None:
        super().__init__(completekey=None, stdin=self, stdout=sys.stdout, skip=_OURS, nosigint=True, readrc=False)  # type: ignore[arg-type]
        self.prompt = ""
        self._host = host
        self._interrupted = False
        self._method: FrameType | None = None

    def readline(self) -> str:
        """Read a line in the main thread; the end of the input quits the debugger."""
        try:
            return f"{self._host.ask(lambda: input(_PROMPT))}\n"
        except EOFError:
            return ""

    def interaction(self, frame: FrameType | None, *arguments: Any) -> None:
        """Prompt until the person goes on or quits; an interrupt in the main thread ends the verb that waits there."""
        self._method = frame and self._entered(frame)
        try:
            with self._host.clock.stopped():
                super().interaction(frame, *arguments)
        except BaseException:
            self.set_quit()  # a prompt that cannot be shown is not shown again
            raise
        if self._interrupted and threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt

    def _entered(self, frame: FrameType) -> FrameType:
        """Return the outermost frame of the plugin's code, mostly a method: its caller is a module of washnb."""
        while (caller := frame.f_back) and not self._is_ours(caller):
            frame = caller
        return frame

    def get_stack(self, f: FrameType | None, t: TracebackType | None) -> tuple[list[tuple[FrameType, int]], int]:
        """Return the frames that `where` lists: those of the plugin, without washnb's own and the loop's callers."""
        stack, at = super().get_stack(f, t)
        begun = max((index for index in range(at) if _module(stack[index][0]) == _LOOP), default=-1)
        shown = [each for each in stack[begun + 1 :] if each is stack[at] or not self._is_ours(each[0])]
        return shown, shown.index(stack[at])

    def _is_ours(self, frame: FrameType) -> bool:
        return self.is_skipped_module(_module(frame))

    def stop_here(self, frame: FrameType) -> bool:
        """Stop in the method and in what it calls, not in what the loop does while the method waits."""
        if self._is_ours(frame) or (self._method and self._method not in _callers(frame)):
            return False
        return super().stop_here(frame)

    def dispatch_call(self, frame: FrameType, argument: Any) -> Any:
        """Begin in the method that called `breakpoint()`, and do not step into what the garbage collector calls.

        A finalizer may run in the midst of any line: it is no part of the method, and a prompt there could end nothing.
        """
        if self._method is None or _is_collecting(frame):
            return None
        return super().dispatch_call(frame, argument)

    def dispatch_return(self, frame: FrameType, argument: Any) -> Any:
        """Go on, without a prompt, where a step leaves the method: its caller is washnb."""
        following = super().dispatch_return(frame, argument)
        if frame is self._method and not _is_suspended(frame):
            self.set_continue()
        return following

    def set_continue(self) -> None:
        """Go on; without breakpoints, also stop tracing."""
        super().set_continue()
        if not self.breaks:
            _forget()

    def set_quit(self) -> None:
        """End the guest's call, and stop tracing."""
        super().set_quit()
        _forget()

    def _cmdloop(self) -> None:
        """Read commands; an interrupt, after which pdb would go on, ends the guest's call."""
        try:
            self.cmdloop()
        except KeyboardInterrupt:
            self._interrupted = True
            self.set_quit()


def install() -> None:
    """Let `breakpoint()` in a plugin open a prompt; elsewhere it calls the hook that was there before."""
    before = sys.breakpointhook
    if getattr(before, "of_washnb", False):
        return

    def hook(*arguments: Any, **keywords: Any) -> Any:
        host: Debugged | None = getattr(HERE, "host", None) or SERVING.get()
        if host is None or os.environ.get("PYTHONBREAKPOINT") is not None:
            return before(*arguments, **keywords)
        _Prompt(host).set_trace(_caller())
        return None

    hook.of_washnb = True  # type: ignore[attr-defined]  # a mark, so that it is installed once
    sys.breakpointhook = hook


def _is_collecting(frame: FrameType) -> bool:
    """Whether a frame belongs to a finalizer, called by the garbage collector and not by the code around it."""
    code = frame.f_code
    return code.co_name == "__del__" or any(getattr(each, "__code__", None) is code for each in gc.callbacks)


def _is_suspended(frame: FrameType) -> bool:
    """Whether a function that is left only awaits, and so comes back: since Python 3.13 it stands at its RESUME."""
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] in {"YIELD_VALUE", "RESUME"}


def _module(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame, its caller, the caller of that, and so on."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def _forget() -> None:
    """Remove the debugger from every frame of this thread: the loop's frames never end, and would keep it alive."""
    for frame in _callers(sys._getframe()):  # noqa: SLF001 - as below
        del frame.f_trace


def _caller() -> FrameType:
    return sys._getframe(2)  # noqa: SLF001 - the frame that called breakpoint()
