"""The verbs about capabilities: attach, detach, plugins."""

from __future__ import annotations

from typing import Any

from ..arguments import VerbParser
from . import kinds
from .verb import Asking, Verb, no_options, plugins_of


def _attach_options(parser: VerbParser) -> None:
    parser.word(
        "plugins",
        nargs="+",
        metavar="PLUGIN",
        completes=kinds.PLUGINS,
        help="keyvalue, config, logging, all; or a class or object",
    )


def _attach(asking: Asking) -> Any:
    return asking.session.attach(*plugins_of(asking, asking.options.plugins))


def _detach_options(parser: VerbParser) -> None:
    parser.word("plugin", completes=kinds.ATTACHED, help="its word or its id")


VERBS = (
    Verb("attach", "give guests a capability, and start what waited for it", _attach_options, _attach),
    Verb(
        "detach",
        "take a capability away",
        _detach_options,
        lambda asking: asking.session.detach(asking.options.plugin),
    ),
    Verb("plugins", "what is attached, and who uses it", no_options, lambda asking: asking.session.plugins),
)
