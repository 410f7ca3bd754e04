"""The border film: what crossed the border, call by call, as one page that needs no kernel and no network.

Everything on the page that a guest wrote is data, put in as text by the script. The content security policy allows the
page's own script and style, by their hashes, and nothing from anywhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..hosted.timeline import Timeline
from .frames import reel

_PAGE = Path(__file__).parent / "page"
_MAKE = Path(__file__).parent.parent / "widgets" / "page" / "make.js"


@dataclass(frozen=True)
class Film:
    """A film: its page as HTML, the numbers of requests and calls it shows, and the number of calls left out."""

    html: str
    requests: int
    calls: int
    left_out: int


def film_of(timeline: Timeline) -> Film:
    """Make the film of a timeline; where that is more than a page should hold, of its latest requests."""
    shown = reel(timeline)
    script = "\n".join(('"use strict";', _MAKE.read_text(encoding="utf-8"), _part("film.js")))
    style = _part("film.css")
    html = _part("film.html").format(
        style=style, style_hash=_hash(style), script=script, script_hash=_hash(script), reel=_json(shown)
    )
    return Film(html, len(shown["requests"]), shown["calls"], shown["left_out"]["calls"])


def _part(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """The digest by which a content security policy knows an inline script or style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _json(value: Any) -> str:
    """`value` as JSON that can stand in a script element: nothing in it ends the element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
