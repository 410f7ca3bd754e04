"""What people read of a WashError: what happened, which code of theirs raised the cause, and the repairing lines."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from washnb.errors import GuestTimeout, TrapError, WashError, said_by, spelled_out
from washnb.secrecy import without_userinfo

from .text import one_line, plain

_MESSAGE_LINES = 12

_HINTS: dict[type[WashError], tuple[str, ...]] = {
    TrapError: ("%wash logs  # what it wrote before, such as the message of a panic",),
    GuestTimeout: ("%wash trace last  # what it was doing", "--timeout SECONDS gives it more time"),
}
"""The lines that say where to look, for errors without a repairing line of their own."""


class Part(Enum):
    """The kind of a line of an explanation."""

    MESSAGE = "message"
    DETAIL = "detail"
    REPAIR = "repair"


@dataclass(frozen=True)
class Line:
    """One line of an explanation, free of control characters."""

    part: Part
    text: str


def explained(error: WashError) -> list[Line]:
    """Explain an error in a few lines: what happened, its causes in code of the person's, and what repairs it."""
    message = plain(without_userinfo(error.message)).splitlines()
    lines = [Line(Part.MESSAGE, each) for each in message[:_MESSAGE_LINES]]
    if len(message) > _MESSAGE_LINES:
        lines.append(Line(Part.DETAIL, f"... and {len(message) - _MESSAGE_LINES} more lines, in str(error)"))
    lines += [Line(Part.DETAIL, each) for each in _causes(error)]
    lines += [Line(Part.DETAIL, plain(note)) for note in getattr(error, "__notes__", ())]
    repair = error.repair or next((hint for kind, hint in _HINTS.items() if isinstance(error, kind)), ())
    return lines + [Line(Part.REPAIR, f"  {plain(each)}") for each in repair]


def is_ours(filename: str) -> bool:
    """Whether a file is part of washnb, of Python or of an installed package, and so not code of the person's."""
    package = __file__.rpartition("notebook")[0]
    generated = "<washnb"  # the code that marshals values has no file
    return filename.startswith((package, sys.prefix, sys.base_prefix, "<frozen", generated))


def _causes(error: BaseException) -> Iterator[str]:
    """The causes that code of the person's raised, mostly a method of a plugin, each with its file and line."""
    seen = {id(error)}
    cause = error.__cause__
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        theirs = [frame for frame in traceback.extract_tb(cause.__traceback__) if not is_ours(frame.filename)]
        if theirs:
            last = theirs[-1]
            if said_by(cause) not in str(error):
                yield one_line(without_userinfo(spelled_out(cause)), 300)
            yield f"  in {last.name}, line {last.lineno}: {one_line(without_userinfo(last.line or ''), 120)}"
        cause = cause.__cause__
