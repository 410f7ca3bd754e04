"""The line that moves while a component compiles, where there is a terminal."""

from __future__ import annotations

import io
import sys

import pytest

from washnb.events import CompileProgress
from washnb.notebook.progress import ProgressLines


class Terminal(io.StringIO):
    """Standard error, or what stands for it."""

    def __init__(self, *, tty: bool) -> None:
        super().__init__()
        self._tty = tty

    def isatty(self) -> bool:
        """Whether a person is watching."""
        return self._tty


def take(*stages: tuple[str, float]) -> None:
    """Let lines hear of the stages of one compilation."""
    lines = ProgressLines()
    for stage, elapsed in stages:
        lines.take(CompileProgress("guest\x1b", stage, 1024, elapsed))


def test_line_is_written_over_in_a_terminal(monkeypatch: pytest.MonkeyPatch):
    """The line moves, and stays when it is done; the name of a component is only text."""
    terminal = Terminal(tty=True)
    monkeypatch.setattr(sys, "stderr", terminal)
    take(("read", 0), ("compile", 1), ("compile", 2), ("store", 3), ("done", 3))
    first, second, last = terminal.getvalue().split("\r\x1b[K")[1:]
    assert first == "compiling guest␛ (1.0 KiB) ... 1 s"
    assert second.endswith("2 s")
    assert last.startswith("compiled guest␛ (1.0 KiB) in 3 s")
    assert last.endswith("\n")


def test_quick_ones_and_pipes_are_silent(monkeypatch: pytest.MonkeyPatch):
    """Nobody is told of what takes no time, and a log file gets no moving line."""
    terminal = Terminal(tty=True)
    monkeypatch.setattr(sys, "stderr", terminal)
    take(("read", 0), ("compile", 0.1), ("done", 0.2))
    take(("read", 0), ("cached", 0), ("done", 0))
    assert terminal.getvalue() == ""
    pipe = Terminal(tty=False)
    monkeypatch.setattr(sys, "stderr", pipe)
    take(("read", 0), ("compile", 5), ("done", 6))
    assert pipe.getvalue() == ""
