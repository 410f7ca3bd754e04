"""The verb about plugins of one's own: plugin."""

from __future__ import annotations

from IPython import get_ipython

from ..arguments import VerbParser
from ..handles import News
from ..session import PLUGIN_ACTIONS
from . import kinds
from .verb import Use, Verb, source_of


def _plugin_options(parser: VerbParser) -> None:
    parser.word(
        "action", completes=kinds.PLUGIN_ACTIONS, metavar="|".join(PLUGIN_ACTIONS), help="write a class to fill in"
    )
    parser.word(
        "interface", completes=kinds.IMPORTS, help="what it serves: wasi:keyvalue/store, or as much as is unambiguous"
    )
    parser.option(
        "--from",
        dest="from_",
        metavar="COMPONENT",
        completes=kinds.SUBJECTS,
        help="a workload or anything that load takes; without this, all that is loaded",
    )
    parser.epilog = """The class has the functions, types and resources that are imported; each method says that it is
not written yet. It comes as a new cell: run it, attach the class, and fill it in.

%wash plugin new wasi:keyvalue/store --from example:counter"""


def _plugin(use: Use) -> News | str:
    options = use.options
    source = None if options.from_ is None else source_of(use, options.from_)
    text = use.session.plugin(options.action, options.interface, from_=source)
    shell = get_ipython()
    if shell is None:
        return text
    shell.set_next_input(text.rstrip(), replace=False)  # a cell has no newline at its end
    return News(f"the next cell has a class for {text.interface}: run it, then %wash attach {text.class_name}")


VERBS = (Verb("plugin", "write a plugin of your own: a class for what a component imports", _plugin_options, _plugin),)
