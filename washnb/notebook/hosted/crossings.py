"""Host calls and their changes as JSON for pages: bounded texts, with control characters made visible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from washnb.events import LogLine
from washnb.host import text_of

from ..text import one_line, plain
from .timeline import Change, Crossing, Passage, Shares

_LONGEST = 2_000
"""The most characters of one value."""

_LINE = 300
_MOST = 20
"""The most changes and the most log lines of one call or request that a page gets."""


def line_entry(crossing: Crossing, longest: int = _LINE) -> dict[str, Any]:
    """One host call for a row: call, answer, plugin and outcome, in texts of at most `longest` characters."""
    call = crossing.call
    return {
        "n": call.number,
        "interface": call.interface,
        "function": call.function,
        "asked": one_line(crossing.asked, longest),
        "answer": one_line(crossing.answer, longest),
        "outcome": crossing.outcome,
        "provider": call.provider or "nobody",
        "took": call.duration,
    }


def crossing_entry(crossing: Crossing) -> dict[str, Any]:
    """One host call opened: its arguments and result, the changes it made, the lines it logged."""
    call = crossing.call
    return {
        **line_entry(crossing),
        "error": call.error is not None,
        "injected": plain(call.injected),
        "held": call.held,
        "values": [[name, _text(text_of(value))] for name, value in call.arguments],
        "result": _text(crossing.answer),
        "changes": [change_entry(each) for each in crossing.changes[:_MOST]],
        "lines": _lines(crossing.lines),
    }


def change_entry(change: Change) -> dict[str, Any]:
    """One change of state; `before` and `after` are null where the trace does not know them."""
    return {
        "workload": change.workload,
        "plugin": change.plugin,
        "path": [plain(each) for each in change.path],
        "action": change.action,
        "before": None if change.before is None else one_line(change.before, _LINE),
        "after": None if change.after is None else one_line(change.after, _LINE),
    }


def passage_entry(passage: Passage) -> dict[str, Any]:
    """A request without its calls: its title, how it ended, and the shares of its time in seconds."""
    shares: Shares = passage.shares
    return {
        "n": passage.number,
        "title": one_line(passage.trace.headline, 200),
        "workload": passage.workload,
        "failed": passage.failed,
        "injected": passage.trace.injected,
        "error": one_line(passage.error, _LINE),
        "took": passage.took,
        "guest": shares.guest,
        "host": shares.host,
        "waiting": shares.waiting,
        "calls": len(passage.crossings),
        "dropped": passage.trace.calls.dropped,
        "under": list(passage.under or ()),
        "lines": _lines(passage.lines),
    }


def _lines(lines: Sequence[LogLine]) -> list[str]:
    more = [f"and {len(lines) - _MOST:,} more lines"] if len(lines) > _MOST else []
    return [*(one_line(each.message, _LINE) for each in lines[:_MOST]), *more]


def _text(text: str) -> str:
    return plain(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)")
