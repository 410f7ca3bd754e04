"""`breakpoint()` in a method of a plugin: a prompt of pdb in the cell whose verb waits for the guest.

The loop that the method runs on stands still at the prompt, and with it the clock of the host: nobody's time runs out.
What is typed is read in the main thread, where an interrupt ends the prompt, and with it the call, and nothing else.
"""

from __future__ import annotations

import contextlib
import dis
import gc
import os
import pdb  # noqa: T100 - the debugger itself, for who asks for it
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import FrameType, TracebackType
from typing import Any, Protocol

_PROMPT = "(Pdb) "
_OURS = ["washnb.*", "asyncio.*", "nest_asyncio2", "bdb", "contextlib"]
"""Modules that nobody means to step through."""
_LOOP = "asyncio.events"
"""The module whose handles call what a loop has to do."""


class HostClock:
    """The time of the host's loop, in seconds: that of `time.monotonic`, less what passed at prompts."""

    def __init__(self) -> None:
        """Begin with nothing left out."""
        self._left_out = 0.0
        self._stopped_at: float | None = None

    def time(self) -> float:
        """Return the time."""
        now = time.monotonic() if self._stopped_at is None else self._stopped_at
        return now - self._left_out

    @property
    def stands(self) -> bool:
        """Whether it is stopped."""
        return self._stopped_at is not None

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Let no time pass in the block."""
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
    """The host whose plugins are debugged."""

    clock: HostClock

    def ask(self, question: Callable[[], str]) -> str:
        """Have the main thread answer. Raises ConfigError where it does not wait for this host."""


HERE = threading.local()
"""In the thread of a host, `host` is that host."""

SERVING: ContextVar[Debugged | None] = ContextVar("SERVING", default=None)
"""The host for which a plugin of the kernel's loop serves a call."""


class _Prompt(pdb.Pdb):
    """pdb, which reads where the host says, and stops its clock."""

    def __init__(self, host: Debugged) -> None:
        super().__init__(completekey=None, stdin=self, stdout=sys.stdout, skip=_OURS, nosigint=True, readrc=False)  # type: ignore[arg-type]
        self.prompt = ""
        self._host = host
        self._interrupted = False
        self._method: FrameType | None = None

    def readline(self) -> str:
        """Read a line; an end of the input quits."""
        try:
            return f"{self._host.ask(lambda: input(_PROMPT))}\n"
        except EOFError:
            return ""

    def interaction(self, frame: FrameType | None, *arguments: Any) -> None:
        """Ask what to do, for as long as it takes; an interrupt in the main thread ends the verb that waits there."""
        self._method = frame and self._entered(frame)
        try:
            with self._host.clock.stopped():
                super().interaction(frame, *arguments)
        except BaseException:
            self.set_quit()  # who cannot be asked is not asked again
            raise
        if self._interrupted and threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt

    def _entered(self, frame: FrameType) -> FrameType:
        """Return the frame where the plugin began: of a method, mostly, and what called that is ours."""
        while (caller := frame.f_back) and not self._is_ours(caller):
            frame = caller
        return frame

    def get_stack(self, f: FrameType | None, t: TracebackType | None) -> tuple[list[tuple[FrameType, int]], int]:
        """Show the plugin's frames: not those of ours, nor what is before the loop began with them."""
        stack, at = super().get_stack(f, t)
        begun = max((index for index in range(at) if _module(stack[index][0]) == _LOOP), default=-1)
        shown = [each for each in stack[begun + 1 :] if each is stack[at] or not self._is_ours(each[0])]
        return shown, shown.index(stack[at])

    def _is_ours(self, frame: FrameType) -> bool:
        return self.is_skipped_module(_module(frame))

    def stop_here(self, frame: FrameType) -> bool:
        """Step through the method and what it calls, and not through what the loop does while it waits."""
        if self._is_ours(frame) or (self._method and self._method not in _callers(frame)):
            return False
        return super().stop_here(frame)

    def dispatch_call(self, frame: FrameType, argument: Any) -> Any:
        """Begin in the method that asked for a prompt, and step into nothing that runs in the midst of anything.

        What the garbage collector calls is not part of the method, and a prompt there could end nothing.
        """
        if self._method is None or _is_collecting(frame):
            return None
        return super().dispatch_call(frame, argument)

    def dispatch_return(self, frame: FrameType, argument: Any) -> Any:
        """Who steps out of the method goes on: what it returns to is ours."""
        following = super().dispatch_return(frame, argument)
        if frame is self._method and not _is_suspended(frame):
            self.set_continue()
        return following

    def set_continue(self) -> None:
        """Go on, and trace nothing more, unless there are breakpoints."""
        super().set_continue()
        if not self.breaks:
            _forget()

    def set_quit(self) -> None:
        """End the call, and trace nothing more."""
        super().set_quit()
        _forget()

    def _cmdloop(self) -> None:
        """Pdb goes on after an interrupt; here it ends the call."""
        try:
            self.cmdloop()
        except KeyboardInterrupt:
            self._interrupted = True
            self.set_quit()


def install() -> None:
    """Let `breakpoint()` in plugins open a prompt; elsewhere it does what it did."""
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
    """Whether a function was called because something went, not because somebody called it."""
    code = frame.f_code
    return code.co_name == "__del__" or any(getattr(each, "__code__", None) is code for each in gc.callbacks)


def _is_suspended(frame: FrameType) -> bool:
    """Whether a function that leaves comes back, for it awaits something: since 3.13 it stands where it goes on."""
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] in {"YIELD_VALUE", "RESUME"}


def _module(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame, who called it, and so on."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def _forget() -> None:
    """Take the debugger out of what runs here: the loop does for ever, and would keep all that it has looked at."""
    for frame in _callers(sys._getframe()):  # noqa: SLF001 - as below
        del frame.f_trace


def _caller() -> FrameType:
    return sys._getframe(2)  # noqa: SLF001 - of who called breakpoint()
