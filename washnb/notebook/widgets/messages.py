"""The messages between the widget of a view and Python: wishes of the page, and their answers.

What Python tells without a wish are the widget's traits: `kind`, `picture`, `problem`, `trouble`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict


class Wish(TypedDict, total=False):
    """One message of the widget. Its answer carries the same `ticket`; bytes travel beside the message.

    `shown` tells that somebody looks at the view on `page`, and `hidden`, without a ticket, that nobody does now.
    `set` and `delete` change `key` in `group`, `delete` without a key the whole group, and `create` makes one.
    `read` asks for the bytes from `start` to `end`; `upload` brings those from `start`, and says with `last` that
    they were all. `publish` and `request` send bytes to the subject `key`. `values` asks for all of the host call
    `key` of the request `group`, `calls` for those of it from the number `key` on. `seen` tells that the page shows
    the question `key`, `answer` brings the answer to it as text.
    """

    do: Literal[
        "shown",
        "hidden",
        "set",
        "delete",
        "create",
        "read",
        "upload",
        "publish",
        "request",
        "values",
        "calls",
        "seen",
        "answer",
    ]
    ticket: str
    page: str
    group: str
    key: str
    start: int
    end: int
    last: bool


@dataclass(frozen=True)
class Answer:
    """The answer to a wish: `content`, sent as JSON, and `parts`, bytes that travel beside it."""

    content: Mapping[str, Any] = field(default_factory=dict)
    parts: Sequence[bytes] = ()
