"""The verbs that keep state and bring it back: snapshot, restore."""

from __future__ import annotations

from typing import Any

from ..arguments import VerbParser
from . import kinds
from .verb import Use, Verb


def _snapshot_options(parser: VerbParser) -> None:
    parser.option("--save", metavar="FILE", completes=kinds.FOLDERS, help="write it into a file, too")
    parser.epilog = "before = %wash snapshot\n... \n%wash restore before"


def _snapshot(use: Use) -> Any:
    taken = use.session.snapshot()
    return taken if use.options.save is None else taken.saved(use.options.save)


def _restore_options(parser: VerbParser) -> None:
    parser.word(
        "snapshot", completes=kinds.SNAPSHOTS, help="a variable that holds one, or a file that --save has written"
    )


def _restore(use: Use) -> Any:
    named = use.options.snapshot
    return use.session.restore(use.namespace.get(named, named) if isinstance(named, str) else named)


VERBS = (
    Verb(
        "snapshot",
        "take what plugins keep for workloads, to bring it back",
        _snapshot_options,
        _snapshot,
    ),
    Verb("restore", "bring a snapshot back", _restore_options, _restore),
)
