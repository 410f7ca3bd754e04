"""The verbs that show state: kv, blobs, config, logs, messages, questions."""

from __future__ import annotations

from typing import Any

from ..arguments import VerbParser
from ..views import View
from . import kinds
from .verb import Use, Verb, no_options, of_option, only_of_option


def _kv_options(parser: VerbParser) -> None:
    parser.word("bucket", nargs="?", completes=kinds.BUCKETS, help="only this one")
    parser.word("key", nargs="?", completes=kinds.KEYS, help="only this one")
    of_option(parser)


def _blobs_options(parser: VerbParser) -> None:
    parser.word("container", nargs="?", completes=kinds.CONTAINERS, help="only this one")
    parser.word("object", nargs="?", completes=kinds.OBJECTS, help="only this one")
    of_option(parser)


def _blobs(use: Use) -> View:
    options = use.options
    return _seen(use.session.blobs(options.container, options.object, of=options.of))


def _seen(view: View) -> View:
    """Read the view once, so that a bucket or object that does not exist is an error of the verb, not of the page."""
    view.door.on_host(view.look)
    return view


def _logs_options(parser: VerbParser) -> None:
    parser.option("--level", metavar="LEVEL", completes=kinds.LEVELS, help="this one and above: warn, error, ...")
    parser.option("--component", metavar="NAME", completes=kinds.WORKLOADS, help="lines of this one")
    parser.option("--filter", metavar="TEXT", help="lines with this text")
    only_of_option(parser)


def _logs(use: Use) -> Any:
    options = use.options
    return use.session.logs(of=options.of, level=options.level, component=options.component, filter=options.filter)


def _messages_options(parser: VerbParser) -> None:
    parser.option("--subject", metavar="FILTER", help="only subjects that this matches: orders.*, orders.>")
    parser.option("--listen", metavar="SUBJECT", help="all messages to this subject instead, whoever sends them")
    only_of_option(parser)


def _messages(use: Use) -> Any:
    options = use.options
    return use.session.messages(of=options.of, subject=options.subject, listen=options.listen)


VERBS = (
    Verb(
        "kv",
        "buckets, keys and values, live",
        _kv_options,
        lambda use: _seen(use.session.kv(use.options.bucket, use.options.key, of=use.options.of)),
    ),
    Verb("blobs", "containers and objects, live", _blobs_options, _blobs),
    Verb("logs", "what components logged and printed, live", _logs_options, _logs),
    Verb(
        "messages",
        "what was sent and handled, live",
        _messages_options,
        _messages,
    ),
    Verb("questions", "calls that wait for your answer, live", no_options, lambda use: use.session.questions),
    Verb(
        "config",
        "the settings of a workload, live",
        of_option,
        lambda use: _seen(use.session.config(of=use.options.of)),
    ),
)
