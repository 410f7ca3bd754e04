"""What a person is told of an error: what happened, beneath it whose code raised what, and what repairs it."""

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
"""Where to look after a failure that no line repairs."""


class Part(Enum):
    """What a line of an explanation is."""

    MESSAGE = "message"
    DETAIL = "detail"
    REPAIR = "repair"


@dataclass(frozen=True)
class Line:
    """One line of an explanation, free of control characters."""

    part: Part
    text: str


def explained(error: WashError) -> list[Line]:
    """Say in a few lines what happened, since what, and what repairs it."""
    message = plain(without_userinfo(error.message)).splitlines()
    lines = [Line(Part.MESSAGE, each) for each in message[:_MESSAGE_LINES]]
    if len(message) > _MESSAGE_LINES:
        lines.append(Line(Part.DETAIL, f"... and {len(message) - _MESSAGE_LINES} more lines, in str(error)"))
    lines += [Line(Part.DETAIL, each) for each in _causes(error)]
    lines += [Line(Part.DETAIL, plain(note)) for note in getattr(error, "__notes__", ())]
    repair = error.repair or next((hint for kind, hint in _HINTS.items() if isinstance(error, kind)), ())
    return lines + [Line(Part.REPAIR, f"  {plain(each)}") for each in repair]


def is_ours(filename: str) -> bool:
    """Whether a file is of washnb, of Python or of an installed package: nothing that the person wrote."""
    package = __file__.rpartition("notebook")[0]
    generated = "<washnb"  # the code that marshals values has no file
    return filename.startswith((package, sys.prefix, sys.base_prefix, "<frozen", generated))


def _causes(error: BaseException) -> Iterator[str]:
    """What lies beneath: each cause that came from code of the person's, a plugin's method mostly, and its line."""
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
