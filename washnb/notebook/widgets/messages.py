"""What the widget of a view says to Python. What Python says to the widget are traits: `kind`, `picture`, `problem`."""

from __future__ import annotations

from typing import Literal, TypedDict


class Wish(TypedDict, total=False):
    """One message of the widget.

    `shown` and `hidden` tell that somebody looks at the view, or no longer; `set` and `delete` ask for a change of
    `key` in `group`, to `text` of `kind` text, json or hex.
    """

    do: Literal["shown", "hidden", "set", "delete"]
    group: str
    key: str
    text: str
    kind: str
