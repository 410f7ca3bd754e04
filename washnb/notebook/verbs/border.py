"""The verbs that show what crossed the border: trace, receipt."""

from __future__ import annotations

from ..arguments import VerbParser
from ..session import TRACE_ACTIONS
from . import kinds
from .verb import Verb, name_option


def _trace_options(parser: VerbParser) -> None:
    shown = "|".join(TRACE_ACTIONS)
    parser.word("action", nargs="?", completes=kinds.ACTIONS, metavar=shown, help="without this, all requests so far")
    parser.word("path", nargs="?", metavar="FILE", help="save: where the film goes, one page that plays the trace")
    parser.epilog = "%wash trace save film.html"


def _receipt_options(parser: VerbParser) -> None:
    name_option(parser)
    parser.epilog = "It counts what was traced since the workload was loaded: %wash trace on"


VERBS = (
    Verb(
        "trace",
        "the host calls of requests",
        _trace_options,
        lambda asking: asking.session.trace(asking.options.action, asking.options.path),
    ),
    Verb(
        "receipt",
        "what a workload used and was denied, and the least that it needs",
        _receipt_options,
        lambda asking: asking.session.receipt(asking.options.name),
    ),
)
