"""How a WashError looks in a notebook: a few lines, with the one that repairs. `%tb` shows the whole traceback."""

from __future__ import annotations

import ast
import linecache
import re
import sys
import traceback
from types import TracebackType
from typing import Any

from washnb.errors import WashError, WitError
from washnb.secrecy import without_userinfo

from .explaining import Part, explained, is_ours
from .text import one_line, plain
from .thread import Interrupted

_OURS = (WashError, Interrupted, WitError)
_MAGIC = re.compile(r"get_ipython\(\)\.run_(line|cell)_magic\((.*)\)")
# No colour: pages lay errors on a ground of their own, on which red cannot be read in a dark theme
_BOLD, _DIM, _END = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_STYLES = {Part.MESSAGE: "", Part.DETAIL: _DIM, Part.REPAIR: _BOLD}


def lines_of(error: BaseException, trace: TracebackType | None = None) -> list[str]:
    """The lines that a cell shows of an error: what happened, what repairs it, and the line of the cell that raised."""
    if isinstance(error, Interrupted):
        return [f"{_BOLD}interrupted{_END}: {error}"]
    lines = _explained(error) if isinstance(error, WashError) else _answered(error)
    place = _cell_line(trace)
    return [*lines, f"{_DIM}{place}{_END}"] if place else lines


def _explained(error: WashError) -> list[str]:
    first, *others = explained(error)
    head = f"{_BOLD}{type(error).__name__}{_END} ({error.code}): {first.text}"
    return [head, *(f"{_STYLES[line.part]}{line.text}{_END}" for line in others)]


def _answered(error: BaseException) -> list[str]:
    """The lines of an `Err`, the error of a WIT result, with the function that returned it."""
    notes = [f"{_DIM}{one_line(each, 300)}{_END}" for each in getattr(error, "__notes__", ())]
    return [f"{_BOLD}{type(error).__name__}{_END}: {one_line(without_userinfo(str(error)), 1_000)}", *notes]


def _is_short(error: BaseException, trace: TracebackType) -> bool:
    """Whether a few lines are shown: an Err that code of the person's raised is shown with its traceback."""
    *_, (innermost, _) = traceback.walk_tb(trace)
    return not isinstance(error, WitError) or is_ours(innermost.f_code.co_filename)


def _cell_line(trace: TracebackType | None) -> str:
    """The line of the cell that raised, with its number; empty in a cell of one line."""
    for frame, number in traceback.walk_tb(trace):
        name = frame.f_code.co_filename
        if frame.f_code.co_name == "<module>" and not is_ours(name):
            source = linecache.getlines(name)
            return f"line {number}: {_as_typed(source[number - 1])}" if len(source) > 1 else ""
    return ""


def _as_typed(source: str) -> str:
    """A line of a cell as the person wrote it: IPython has rewritten its magics to calls."""
    call = _MAGIC.search(source)
    if call is None:
        return one_line(without_userinfo(source.strip()), 120)
    name, line = ast.literal_eval(f"({call[2]})")[:2]
    return one_line(without_userinfo(f"{'%%' if call[1] == 'cell' else '%'}{name} {line}".strip()), 120)


def install(shell: Any) -> None:
    """Let `shell` show errors of washnb in a few lines; its handlers for other exceptions stay."""
    earlier, show_earlier = shell.custom_exceptions, shell.CustomTB

    def handle(
        shell: Any, kind: type[BaseException], error: BaseException, trace: TracebackType, tb_offset: int | None = None
    ) -> list[str]:
        try:
            return shown(shell, kind, error, trace, tb_offset)
        except KeyboardInterrupt:  # a second interrupt, after which IPython would never call this handler again
            return []

    def shown(
        shell: Any, kind: type[BaseException], error: BaseException, trace: TracebackType, tb_offset: int | None
    ) -> list[str]:
        if not isinstance(error, _OURS):
            stack: list[str] = show_earlier(kind, error, trace, tb_offset)
            return stack
        if not _is_short(error, trace):
            stack = shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset=tb_offset)
            shell._showtraceback(kind, error, stack)  # noqa: SLF001 - as below
            return stack
        sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace  # what %tb shows
        lines = lines_of(error, trace)
        shell._showtraceback(kind, plain(without_userinfo(str(error))), lines)  # noqa: SLF001 - what IPython's own handlers call
        return lines

    shell.set_custom_exc((*earlier, *_OURS), handle)


def uninstall(shell: Any) -> None:
    """Show errors of washnb like every other exception again."""
    shell.custom_exceptions = tuple(each for each in shell.custom_exceptions if each not in _OURS)
