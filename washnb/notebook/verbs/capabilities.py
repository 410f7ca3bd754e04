"""The verbs about capabilities: attach, detach, plugins, nats."""

from __future__ import annotations

from typing import Any

from ..arguments import VerbParser
from ..session import NATS_ACTIONS
from . import kinds
from .verb import Use, Verb, no_options, plugins_of


def _attach_options(parser: VerbParser) -> None:
    parser.word(
        "plugins",
        nargs="+",
        metavar="PLUGIN",
        completes=kinds.PLUGINS,
        help="keyvalue, blobstore, config, logging, messaging, all; or a class or object",
    )
    parser.usage = "%(prog)s PLUGIN[=BACKEND]... [--to NAME] [--follow] [--write] [--join]"
    parser.epilog = """BACKEND is where the state is kept:
  memory                     in this process; so it is without one
  file:DIR                   in files
  nats://HOST:PORT           on a NATS server; nats alone is that of %wash nats start
  ask                        nowhere: each call waits until you answer it; so does docs:dice/roll=ask
                             (in a form in the cell that waits for it, or at a prompt where no page shows one)
  env:NAME                   what the environment variable NAME says, to keep a password out of the notebook

%wash attach keyvalue=file:./state blobstore --to counter"""
    parser.option("--to", metavar="NAME", completes=kinds.WORKLOADS, help="only to this workload; without this, to all")
    parser.switch("--follow", help="a class: attach it again whenever a cell defines it or its interfaces again")
    parser.switch("--write", help="also write to a NATS server on another machine")
    parser.switch("--join", help="also take messages there, as one of the group that handles them")


def _attach(use: Use) -> Any:
    options = use.options
    plugins = plugins_of(use, options.plugins)
    return use.session.attach(*plugins, to=options.to, write=options.write, join=options.join, follow=options.follow)


def _detach_options(parser: VerbParser) -> None:
    parser.word("plugin", completes=kinds.ATTACHED, help="its word or its id, or the class or object")
    parser.option("--from", dest="from_", metavar="NAME", completes=kinds.WORKLOADS, help="only from this workload")
    parser.epilog = "wash.attach(WRAPPER.wrapped) takes off a wrapper alone, and keeps the state of what is inside"


def _detach(use: Use) -> Any:
    options, session = use.options, use.session
    plugin = options.plugin
    if plugin not in session.known().plugins:
        (plugin,) = plugins_of(use, [plugin])
    return session.detach(plugin, options.from_)


def _nats_options(parser: VerbParser) -> None:
    shown = "|".join(NATS_ACTIONS)
    parser.word(
        "action", nargs="?", default="status", completes=kinds.NATS_ACTIONS, metavar=shown, help="without this, status"
    )
    parser.option("--store", metavar="DIR", completes=kinds.FOLDERS, help="where it keeps its state, for next time too")
    parser.epilog = "%wash nats start --store ./nats"


def _nats(use: Use) -> Any:
    return use.session.nats(use.options.action, store=use.options.store)


VERBS = (
    Verb("attach", "give guests a capability, and start what waited for it", _attach_options, _attach),
    Verb(
        "detach",
        "take a capability away",
        _detach_options,
        _detach,
    ),
    Verb("nats", "a NATS server on this machine, for state and messages that hosts share", _nats_options, _nats),
    Verb("plugins", "what is attached, and who uses it", no_options, lambda use: use.session.plugins),
)
