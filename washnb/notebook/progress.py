"""The progress line of a component that compiles: shown in a notebook and in a terminal, and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from washnb.events import CompileProgress

from .text import Text, one_line, size

_WORTH_SHOWING = 0.5
"""Seconds of compiling after which the line appears: most components take less."""


class ProgressLines:
    """Shows a line for each component that is being compiled. Called on the host's loop."""

    def __init__(self) -> None:
        """Begin with no lines."""
        self._lines: dict[str, Callable[[str, bool], None]] = {}

    def take(self, event: CompileProgress) -> None:
        """Update the line of the component that `event` is about."""
        if event.stage == "read":
            self._lines.pop(event.component, None)  # left by a compilation that was given up
        what = f"{one_line(event.component, 40)} ({size(event.size)})"
        if event.stage == "compile" and event.elapsed > _WORTH_SHOWING:
            line = self._lines.get(event.component) or self._begin(event.component)
            line(f"compiling {what} ... {event.elapsed:.0f} s", False)
        elif event.stage == "done" and event.component in self._lines:
            self._lines.pop(event.component)(f"compiled {what} in {event.elapsed:.0f} s; the next load is quick", True)

    def _begin(self, component: str) -> Callable[[str, bool], None]:
        self._lines[component] = line = _page_line() or _terminal_line()
        return line


def _page_line() -> Callable[[str, bool], None] | None:
    """Return the function that writes the line into the current cell; None where there is no notebook."""
    if "IPython" not in sys.modules:
        return None
    from IPython import display, get_ipython

    if not hasattr(get_ipython(), "kernel"):
        return None
    handle: Any = None

    def write(text: str, last: bool) -> None:  # noqa: ARG001 - a page needs no end of a line
        nonlocal handle
        if handle is None:
            handle = display.display(Text(text), display_id=True)  # type: ignore[no-untyped-call]
        else:
            handle.update(Text(text))

    return write


def _terminal_line() -> Callable[[str, bool], None]:
    """Return the function that writes the line over itself on standard error, if that is a terminal."""

    def write(text: str, last: bool) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{text}" + ("\n" if last else ""))
            sys.stderr.flush()

    return write
