"""What an expression such as `wash["shop"].Cart` stands for: IPython by itself calls nothing to find that out."""

from __future__ import annotations

import inspect
import re
from typing import Any

from washnb.errors import WashError

from .session import Session

_STEP = r"\.[^\W\d]\w*|\[(?:\"[^\"]*\"|'[^']*')\]"
_EXPRESSION = re.compile(rf"\bwash\[(?P<quote>[\"'])(?P<name>.+?)(?P=quote)\](?P<path>(?:{_STEP})*)$")
_ATTRIBUTE = re.compile(r"\.(?P<word>\w*)$")
_KEY = re.compile(r"\[[\"'](?P<word>[^\"'\]]*)$")


def completions(text: str, session: Session) -> tuple[str, list[str]] | None:
    """The word at the end of `text`, and what it could become; None where that is nothing of a workload's."""
    for ending, offers in ((_ATTRIBUTE, dir), (_KEY, _keys)):
        match = ending.search(text)
        subject = None if match is None else _reached(text[: match.start()], session)
        if match is not None and subject is not None:
            return match["word"], [each for each in offers(subject) if each.startswith(match["word"])]
    return None


def _keys(subject: Any) -> list[str]:
    return list(getattr(subject, "_ipython_key_completions_", list)())


def documentation(code: str, cursor: int, session: Session) -> str | None:
    """Signature and documentation of the export at the cursor, or of the call around it."""
    end = cursor + len(re.match(r"\w*", code[cursor:])[0])  # type: ignore[index]  # it matches anything
    for text in (code[:end], _called(code[:cursor])):
        subject = _reached(text, session)
        if callable(subject):
            name = getattr(subject, "__name__", "")
            return f"{name}{_signature(subject)}\n\n{inspect.getdoc(subject) or ''}".rstrip()
    return None


def _called(text: str) -> str:
    """What stands before the parenthesis that is open at the end of `text`."""
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        depth += (text[at] == ")") - (text[at] == "(")
        if depth < 0:
            return text[:at]
    return ""


def _signature(subject: Any) -> str:
    try:
        return str(inspect.signature(subject))
    except (TypeError, ValueError):
        return ""


def _reached(text: str, session: Session) -> Any:
    match = _EXPRESSION.search(text)
    if match is None or match["name"] not in session.known().workloads:
        return None
    found: Any = session[match["name"]]
    try:
        for step in re.findall(_STEP, match["path"]):
            found = getattr(found, step[1:]) if step[0] == "." else found[step[2:-2]]
    except (AttributeError, KeyError, WashError):
        return None
    return found
