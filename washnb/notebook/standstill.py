"""Naming the method of a plugin that holds up the host, because it works or sleeps where it should await.

The host does everything on one loop, so that such a method stops all other guests and the cells that follow. A thread
that waits for the host looks whether its loop goes on, and finds the method in the frames of the loop's thread.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType

STANDS_STILL = 0.9
"""Seconds after which a loop that does not answer is reported: less than the time between two looks."""

_OURS = __name__.partition(".")[0]
_LOOP = "asyncio"


class Standstill:
    """Looks whether a loop in another thread goes on, and reports, once each time, that it stands still."""

    def __init__(self, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
        """Watch `loop`, which runs in `thread`; `look` looks once."""
        self._loop = loop
        self._thread = thread
        self._asked: float | None = None
        self._told = False

    def look(self) -> None:
        """Give the loop a callback to run, or see how long it has not run. Raises RuntimeError where it is closed."""
        asked, now = self._asked, time.monotonic()
        if asked is None:
            self._asked = now
            self._loop.call_soon_threadsafe(self._goes_on)
        elif now - asked > STANDS_STILL and not self._told:
            self._told = True
            frame = sys._current_frames().get(self._thread.ident or 0)  # noqa: SLF001 - public, but for its name
            if said := _holder(frame):
                sys.stderr.write(f"{said}\n")

    def _goes_on(self) -> None:
        self._asked, self._told = None, False


def _holder(frame: FrameType | None) -> str:
    """The message that names the plugin's method in which a thread is; empty where it is in none."""
    method = None
    for each in _callers(frame):
        if _module(each) in {_OURS, _LOOP}:
            break
        method = each
    if method is None or _module(method) in sys.stdlib_module_names:
        return ""
    from washnb.engine import serving_in  # `%load_ext` loads no engine

    code = method.f_code
    plugin, call = serving_in(method) or ("", "")
    serving = f"plugin {plugin!r}, {call}: {code.co_qualname}" if plugin else code.co_qualname
    keyword = "" if code.co_flags & inspect.CO_COROUTINE else f"async def {code.co_name}(...):  "
    return (
        f"{serving} has neither returned nor awaited for a second ({code.co_filename}, line {method.f_lineno})\n"
        "  meanwhile the host stands still, for other guests and cells, too\n"
        f"  {keyword}await asyncio.to_thread(WORK)  # what takes time"
    )


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _module(frame: FrameType) -> str:
    """The top-level package of the function in a frame."""
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0]
