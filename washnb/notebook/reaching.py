"""TAB and `?` behind `wash["shop"].` and `wash.kv[`: IPython alone calls nothing to find out what these stand for."""

from __future__ import annotations

import inspect
import re
from enum import EnumType
from typing import Any, get_args

from IPython import get_ipython
from IPython.core.oinspect import OInfo

from washnb.errors import WashError

from .session import Session

_INDEX = r"\[(?:\"[^\"]*\"|'[^']*')\]"
_STEP = rf"\.[^\W\d]\w*|{_INDEX}"
_REACHED = rf"\bwash\[(?P<quote>[\"'])(?P<name>[^\"']+)(?P=quote)\](?P<path>(?:{_STEP})*)"
_EXPRESSION = re.compile(f"{_REACHED}$")
_VIEW = re.compile(rf"\bwash\.(?P<view>kv|blobs|config)(?P<path>(?:{_INDEX})*)$")
_ASKED = re.compile(rf"\s*(?P<subject>{_REACHED})(?P<marks>\?\??)\s*")
_ATTRIBUTE = re.compile(r"\.(?P<word>\w*)$")
_KEY = re.compile(r"\[[\"'](?P<word>[^\"'\]]*)$")


def asked(lines: list[str]) -> list[str]:
    """Rewrite a cell that ends in `wash["NAME"].EXPORT?` so that it shows the export: IPython stops at the bracket."""
    match = _ASKED.fullmatch(lines[-1]) if lines else None
    if match is None:
        return lines
    subject, marks = match["subject"], match["marks"]
    return [*lines[:-1], f"__import__({__name__!r}, fromlist=['*']).show({subject}, {subject!r}, {len(marks) - 1})\n"]


def show(subject: object, name: str, detail: int) -> None:
    """Show what IPython knows of an object, as its `?` does, or with `detail` its `??`."""
    info = OInfo(ismagic=False, isalias=False, found=True, namespace="Interactive", parent=None, obj=subject)
    get_ipython().inspector.pinfo(subject, name, info=info, detail_level=detail)


def completions(text: str, session: Session) -> tuple[str, list[str]] | None:
    """The word at the end of `text`, and what it could become: an export of a workload, or a key of a view.

    None where `text` ends in neither. IPython completes keys of variables only, not of properties such as `wash.kv`.
    """
    for ending, offers, reached in ((_ATTRIBUTE, dir, _reached), (_KEY, _keys, _reached), (_KEY, _keys, _viewed)):
        match = ending.search(text)
        subject = None if match is None else reached(text[: match.start()], session)
        if match is not None and subject is not None:
            return match["word"], [each for each in offers(subject) if each.startswith(match["word"])]
    return None


def _keys(subject: Any) -> list[str]:
    try:
        return list(getattr(subject, "_ipython_key_completions_", list)())
    except WashError:  # no plugin keeps this state, or its server is away
        return []


def documentation(code: str, cursor: int, session: Session) -> str | None:
    """Signature and documentation of the export at the cursor, or around it; those of all cases, of a variant."""
    end = cursor + len(re.match(r"\w*", code[cursor:])[0])  # type: ignore[index]  # it matches anything
    for text in (code[:end], _called(code[:cursor])):
        subject = _reached(text, session)
        cases = [*get_args(subject)] or [subject]
        if all(map(callable, cases)):
            return "\n".join([*map(_headline, cases), "", inspect.getdoc(cases[0]) or ""]).rstrip()
    return None


def _headline(subject: Any) -> str:
    """The name and signature of a function or class; the members, of an enum or flags."""
    name = getattr(subject, "__name__", "")
    if isinstance(subject, EnumType):
        return "\n".join(f"{name}.{member}" for member in subject.__members__)
    return f"{name}{_signature(subject)}"


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
        signature = inspect.signature(subject)
        return str(
            signature.replace(return_annotation=inspect.Signature.empty) if isinstance(subject, type) else signature
        )
    except (TypeError, ValueError):
        return ""


def _reached(text: str, session: Session) -> Any:
    """The object that `wash["NAME"].STEP[STEP]` at the end of `text` stands for; None where it stands for none."""
    match = _EXPRESSION.search(text)
    if match is None or match["name"] not in session.known().workloads:
        return None
    return _walked(session[match["name"]], match["path"])


def _viewed(text: str, session: Session) -> Any:
    """The view or part that `wash.kv[KEY]` at the end of `text` stands for; None, or () where nothing is attached."""
    match = _VIEW.search(text)
    if match is None:
        return None
    return _walked(getattr(session, match["view"]), match["path"]) if session.known().plugins else ()


def _walked(found: Any, path: str) -> Any:
    try:
        for step in re.findall(_STEP, path):
            found = getattr(found, step[1:]) if step[0] == "." else found[step[2:-2]]
    except (AttributeError, KeyError, WashError):
        return None
    return found
