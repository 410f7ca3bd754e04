"""The verbs that show what crossed the border: trace, receipt."""

from __future__ import annotations

from typing import Any

from ..arguments import VerbParser
from ..views import TRACE_ACTIONS
from . import kinds
from .verb import Use, Verb, name_option, seconds_of


def _trace_options(parser: VerbParser) -> None:
    shown = "|".join(TRACE_ACTIONS)
    parser.word("action", nargs="?", completes=kinds.ACTIONS, metavar=shown, help="without this, all requests so far")
    parser.word(
        "path",
        nargs="?",
        metavar="FILE",
        completes=kinds.FOLDERS,
        help="save: where the film goes, one page that plays the trace",
    )
    parser.option("--of", metavar="NAME", completes=kinds.WORKLOADS, help="only what this workload did")
    parser.option(
        "--interface",
        metavar="TEXT",
        completes=kinds.IMPORTS,
        help="only calls of interfaces with this in their names: keyvalue",
    )
    parser.option("--function", metavar="TEXT", help="only calls of functions with this in their names: get")
    parser.switch("--errors", help="only calls that failed, were denied or injected")
    parser.option("--slower", metavar="SECONDS", help="only calls that took at least as long")
    parser.option(
        "--slow",
        metavar="SPEED",
        completes=kinds.SPEEDS,
        help="hold each call for people to watch: 1 as a film, 0.5, off",
    )
    parser.epilog = """In slow motion no time runs out and none is counted. What the runtime of a language does by
itself goes at once, and one request is held for a minute at most.

%wash trace last --interface keyvalue        %wash trace save film.html        %wash trace --slow 0.5"""


def _trace(use: Use) -> Any:
    options = use.options
    return use.session.trace(
        options.action,
        options.path,
        of=options.of,
        interface=options.interface,
        function=options.function,
        errors=options.errors,
        slower=seconds_of(options.slower),
        slow=options.slow,
    )


def _receipt_options(parser: VerbParser) -> None:
    name_option(parser)
    parser.epilog = "It counts what was traced since the workload was loaded, or loaded again: %wash trace on"


VERBS = (
    Verb("trace", "the host calls of requests, live, and as a film", _trace_options, _trace),
    Verb(
        "receipt",
        "what a workload used and was denied, and the least that it needs",
        _receipt_options,
        lambda use: use.session.receipt(use.options.name),
    ),
)
