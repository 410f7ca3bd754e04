"""The verbs of `%wash`, as data: the words and options of each, and what it asks of the session."""

from __future__ import annotations

from washnb.errors import ConfigError

from ..arguments import VerbParser, closest
from ..elsewhere import ELSEWHERE
from ..text import Text
from . import border, capabilities, faults, kinds, plugins, requests, snapshots, views, workloads
from .verb import Use, Verb

__all__ = ["VERBS", "Use", "Verb", "kinds", "overview", "refuse_cell", "verb_named"]


def _help_options(parser: VerbParser) -> None:
    parser.word("verb", nargs="?", completes=kinds.VERBS, help="say more about this one")


def _help(use: Use) -> Text:
    if use.options.verb:
        return Text(verb_named(use.options.verb).parser().format_help().rstrip())
    return Text(overview())


def overview() -> str:
    """The text of `%wash help`: every verb with its summary."""
    width = max(map(len, VERBS))
    lines = [f"  {verb.name:<{width}}  {verb.summary}" for verb in VERBS.values()]
    return "\n".join(
        [
            "%wash VERB ...        the same as wash.VERB(...), the session as an object",
            "",
            *lines,
            "",
            "%wash VERB --help says more; {{expression}} inserts a Python value; TAB completes.",
        ]
    )


def verb_named(word: str) -> Verb:
    """Find a verb. Raises ConfigError with the closest verb, or with what here does the work of a command of wash."""
    if word in VERBS:
        return VERBS[word]
    if word in ELSEWHERE:
        raise ConfigError(f"{word} is a command of wash's own CLI, not a verb of %wash", repair=ELSEWHERE[word])
    near = closest(word, VERBS)
    hint = f"did you mean %wash {near}?" if near else "%wash help lists the verbs"
    raise ConfigError(f"%wash has no verb {word!r}", repair=hint)


def refuse_cell(word: str) -> None:
    """Raise ConfigError for a verb behind `%%wash` that has no use for the rest of the cell."""
    if word not in VERBS or not VERBS[word].body:
        bodies = ", ".join(f"%%wash {verb.name}" for verb in VERBS.values() if verb.body)
        raise ConfigError(
            f"only {bodies} take the rest of a cell",
            repair=[f"%wash {word or 'VERB'} ...  # with one %, and so on each line"],
        )


VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        *workloads.VERBS,
        *capabilities.VERBS,
        *plugins.VERBS,
        *requests.VERBS,
        *border.VERBS,
        *faults.VERBS,
        *snapshots.VERBS,
        *views.VERBS,
        Verb("help", "this", _help_options, _help),
    )
}
