"""The verbs about workloads: load, unload, reload, inspect, status, reset."""

from __future__ import annotations

from typing import Any

from ..arguments import VerbParser, pairs
from ..handles import News
from . import kinds
from .verb import Use, Verb, name_option, no_options, plugins_of, source_of


def _load_options(parser: VerbParser) -> None:
    parser.word(
        "source", completes=kinds.SOURCES, help="a .wasm or .wat file, example:NAME, or a variable that holds bytes"
    )
    parser.option("--as", dest="name", metavar="NAME", help="what to call it; without this, the name of the file")
    parser.option(
        "--attach",
        action="append",
        default=[],
        metavar="PLUGIN",
        completes=kinds.PLUGINS,
        help="attach it first: keyvalue, or keyvalue=file:./state",
    )
    parser.option("--config", action="append", default=[], metavar="K=V", help="a setting; K=env:NAME is that variable")
    parser.option("--env", action="append", default=[], metavar="K=V", help="an environment variable of the guest")
    parser.option("--allow-host", action="append", default=[], metavar="PATTERN", help="a host that it may call")
    parser.epilog = "%wash load example:greeter --attach config --attach logging --config greeting=Ahoy"


def _load(use: Use) -> Any:
    options = use.options
    source = source_of(use, options.source)
    name = options.name or (options.source if source is not options.source else None)
    return use.session.load(
        source,
        name,
        attach=plugins_of(use, options.attach),
        config=pairs(options.config, "--config"),
        env=pairs(options.env, "--env"),
        allowed_hosts=options.allow_host,
    )


def _unload_options(parser: VerbParser) -> None:
    name_option(parser)
    parser.switch("--all", help="every workload")


def _unload(use: Use) -> News:
    session = use.session
    names = session.unload_all() if use.options.all else [session.unload(use.options.name)]
    return News(f"unloaded {', '.join(names)}" if names else "nothing was loaded")


def _reset(use: Use) -> News:
    use.session.reset()
    return News("a fresh host: nothing is loaded")


def _inspect_options(parser: VerbParser) -> None:
    parser.word("subject", completes=kinds.SUBJECTS, help="a workload, or anything that load takes")
    parser.switch("--functions", help="list the functions that it imports, with their types")
    parser.switch("--parity", help="of a workload: what it relied on that wash-runtime does otherwise")


def _inspect(use: Use) -> Any:
    if use.options.parity:
        return use.session.parity(use.options.subject)
    return use.session.inspect(source_of(use, use.options.subject), functions=use.options.functions)


VERBS = (
    Verb("load", "compile a component, link what it imports, and start it", _load_options, _load),
    Verb("unload", "stop a workload; what was kept for it goes", _unload_options, _unload),
    Verb(
        "reload",
        "load the source again; state is kept",
        name_option,
        lambda use: use.session.reload(use.options.name),
    ),
    Verb(
        "inspect",
        "the world of a component, and who serves its imports",
        _inspect_options,
        _inspect,
    ),
    Verb(
        "status",
        "what is loaded, how it does, and what the host is",
        no_options,
        lambda use: use.session.status(),
    ),
    Verb("reset", "throw the host away with all that is on it", no_options, _reset),
)
