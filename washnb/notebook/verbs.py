"""The verbs of `%wash`, as data: what each is told, what it asks of the session, and what it says in a line."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from washnb.errors import ConfigError

from .arguments import VerbParser, closest, evaluate, insert, pairs, words
from .elsewhere import ELSEWHERE
from .handles import News
from .session import TRACE_ACTIONS, Session
from .text import Text
from .views import View

# What TAB offers for a word or option; completion.py knows where to look.
SOURCES, WORKLOADS, PLUGINS, ATTACHED, EXPORTS = "sources", "workloads", "plugins", "attached", "exports"
SUBJECTS, BUCKETS, KEYS, FILES, METHODS, VERBS_ = "subjects", "buckets", "keys", "files", "methods", "verbs"
ACTIONS, LEVELS_ = "actions", "levels"


@dataclass(frozen=True)
class Asking:
    """One use of a verb: the session, the words and options, the user's variables, and the rest of the cell."""

    session: Session
    options: Namespace
    namespace: Mapping[str, Any]
    cell: str | None = None


@dataclass(frozen=True)
class Verb:
    """A verb. `does` answers with a value, which is `Told` where the verb changes something.

    `literal` verbs take the rest of the line as one text, `options.text`.
    """

    name: str
    summary: str
    declare: Callable[[VerbParser], None]
    does: Callable[[Asking], Any]
    literal: bool = False

    def parser(self) -> VerbParser:
        """The parser of its words and options."""
        parser = VerbParser(self.name, self.summary)
        self.declare(parser)
        return parser

    def read(self, line: str, namespace: Mapping[str, Any]) -> Namespace:
        """Read its part of a line, with Python values inserted. Raises ConfigError, and HelpWanted."""
        parser = self.parser()
        if self.literal:
            parser.read(["--help"] if line.strip() == "--help" else [])
            return Namespace(text=line.strip())
        options = parser.read(words(line))
        return Namespace(**{name: _inserted(value, namespace) for name, value in vars(options).items()})


def _inserted(value: Any, namespace: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_inserted(each, namespace) for each in value]
    return insert(value, namespace) if isinstance(value, str) else value


def _source(asking: Asking, text: Any) -> Any:
    """A source as the person means it: the value of `{{...}}`, bytes in a variable of that name, or path or example."""
    if isinstance(text, str) and text.isidentifier():
        value = asking.namespace.get(text)
        if isinstance(value, bytes | bytearray | memoryview):
            return value
    return text


def _plugins(asking: Asking, texts: Iterable[Any]) -> list[Any]:
    """Plugins as the person means them: words of the catalog stay, names of the notebook become their values."""
    from washnb.plugins import catalog

    known = (*catalog.words(), "all")
    return [
        evaluate(text, asking.namespace)
        if isinstance(text, str) and text not in known and text.partition(".")[0] in asking.namespace
        else text
        for text in texts
    ]


def _load_options(parser: VerbParser) -> None:
    parser.word("source", completes=SOURCES, help="a .wasm or .wat file, example:NAME, or a variable that holds bytes")
    parser.option("--as", dest="name", metavar="NAME", help="what to call it; without this, the name of the file")
    parser.option("--attach", action="append", default=[], metavar="PLUGIN", completes=PLUGINS, help="attach it first")
    parser.option("--config", action="append", default=[], metavar="K=V", help="a setting; K=env:NAME takes a variable")
    parser.option("--env", action="append", default=[], metavar="K=V", help="an environment variable of the guest")
    parser.option("--allow-host", action="append", default=[], metavar="PATTERN", help="a host that it may call")
    parser.epilog = "%wash load example:greeter --attach config --attach logging --config greeting=Ahoy"


def _load(asking: Asking) -> Any:
    options = asking.options
    source = _source(asking, options.source)
    name = options.name or (options.source if source is not options.source else None)
    return asking.session.load(
        source,
        name,
        attach=_plugins(asking, options.attach),
        config=pairs(options.config, "--config"),
        env=pairs(options.env, "--env"),
        allowed_hosts=options.allow_host,
    )


def _name_option(parser: VerbParser) -> None:
    parser.word("name", nargs="?", completes=WORKLOADS, help="a workload; without this, the one used last")


def _unload_options(parser: VerbParser) -> None:
    _name_option(parser)
    parser.switch("--all", help="every workload")


def _unload(asking: Asking) -> News:
    session = asking.session
    names = session.unload_all() if asking.options.all else [session.unload(asking.options.name)]
    return News(f"unloaded {', '.join(names)}" if names else "nothing was loaded")


def _reset(asking: Asking) -> News:
    asking.session.reset()
    return News("a fresh host: nothing is loaded")


def _attach_options(parser: VerbParser) -> None:
    parser.word(
        "plugins",
        nargs="+",
        metavar="PLUGIN",
        completes=PLUGINS,
        help="keyvalue, config, logging, all; or a class or object",
    )


def _attach(asking: Asking) -> Any:
    return asking.session.attach(*_plugins(asking, asking.options.plugins))


def _detach_options(parser: VerbParser) -> None:
    parser.word("plugin", completes=ATTACHED, help="its word or its id")


def _send_options(parser: VerbParser) -> None:
    parser.usage = (
        f"%(prog)s [METHOD] PATH [-H 'K: V'] [-d BODY] [--json EXPR]\n{' ' * 18}[--to NAME] [--timeout SECONDS]"
    )
    parser.epilog = "%wash send POST /notes -H 'accept: text/plain' -d 'the body'"
    parser.word("request", nargs="+", completes=METHODS, metavar="[METHOD] PATH", help="/path?query, or a URL")
    parser.option("-H", dest="headers", action="append", default=[], metavar="'K: V'", help="a header")
    parser.option("-d", dest="body", metavar="BODY", completes=FILES, help="the body; @FILE reads a file")
    parser.option("--json", metavar="EXPR", help="a Python value, sent as JSON")
    parser.option("--to", metavar="NAME", completes=WORKLOADS, help="a workload; without this, the one used last")
    parser.option("--timeout", metavar="SECONDS", help="how long to wait for the answer")


def _send(asking: Asking) -> Any:
    options = asking.options
    json = options.json
    return asking.session.send(
        *map(str, options.request),
        headers=[_header(each) for each in options.headers],
        body=asking.cell if asking.cell is not None else _body(options.body),
        json=evaluate(json, asking.namespace) if isinstance(json, str) else json,
        to=options.to,
        timeout=_seconds(options.timeout),
    )


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise ConfigError(f"{text!r} is no header", repair="-H 'Name: value'")
    return name.strip(), value.strip()


def _body(text: Any) -> Any:
    if not isinstance(text, str) or not text.startswith("@"):
        return text
    path = Path(text[1:]).expanduser()
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", repair="-d @FILE, or -d 'text'") from None


def _seconds(text: Any) -> float | None:
    try:
        return None if text is None else float(text)
    except (TypeError, ValueError):
        raise ConfigError(f"{text!r} is no number of seconds", repair="--timeout 2.5") from None


def _trace_options(parser: VerbParser) -> None:
    shown = "|".join(TRACE_ACTIONS)
    parser.word("action", nargs="?", completes=ACTIONS, metavar=shown, help="without this, all requests so far")


def _call_options(parser: VerbParser) -> None:
    parser.epilog = "NAME.EXPORT(ARGS), where ARGS are Python expressions: %wash call adder.add(1, 2)"


_CALL = re.compile(r"(?P<name>[^.\s(]+)\.(?P<export>[^(]+?)\s*\((?P<arguments>.*)\)\s*", re.DOTALL)


def _call(asking: Asking) -> Any:
    text = asking.options.text
    match = _CALL.fullmatch(text)
    if match is None:
        raise ConfigError(
            f"{text!r} is no call of an export",
            repair=f"%wash call {text}(...)"
            if re.fullmatch(r"\S+\.\S*\w", text)
            else "%wash call NAME.EXPORT(ARGUMENTS)",
        )
    arguments = evaluate(f"({match['arguments']},)" if match["arguments"].strip() else "()", asking.namespace)
    export = match["export"].strip()
    if "#" in export or "/" in export:
        return asking.session.call(match["name"], export, *arguments)
    return asking.session[match["name"]].function(export)(*arguments)


def _run_options(parser: VerbParser) -> None:
    parser.word("source", completes=SOURCES, help="a component that exports wasi:cli/run")
    parser.word("arguments", nargs="*", metavar="ARG", help="its arguments; those with a dash stand behind --")
    parser.option("--env", action="append", default=[], metavar="K=V", help="an environment variable of the guest")
    parser.option("--stdin", metavar="TEXT", completes=FILES, help="what it reads; @FILE reads a file")


def _run(asking: Asking) -> Any:
    options = asking.options
    given = asking.cell if asking.cell is not None else _body(options.stdin)
    return asking.session.run(
        _source(asking, options.source),
        *map(str, options.arguments),
        env=pairs(options.env, "--env"),
        stdin=given or b"",
    )


def _kv_options(parser: VerbParser) -> None:
    parser.word("bucket", nargs="?", completes=BUCKETS, help="only this one")
    parser.word("key", nargs="?", completes=KEYS, help="only this one")
    _of_option(parser)


def _seen(view: View) -> View:
    """Look once: what is not there is an error of this verb, not of the page that shows the view."""
    _ = view.data
    return view


def _of_option(parser: VerbParser) -> None:
    parser.option("--of", metavar="NAME", completes=WORKLOADS, help="a workload; without this, the one used last")


def _logs_options(parser: VerbParser) -> None:
    parser.option("--level", metavar="LEVEL", completes=LEVELS_, help="this one and above: warn, error, ...")
    parser.option("--component", metavar="NAME", completes=WORKLOADS, help="lines of this one")
    parser.option("--filter", metavar="TEXT", help="lines with this text")
    _of_option(parser)


def _logs(asking: Asking) -> Any:
    options = asking.options
    return asking.session.logs(of=options.of, level=options.level, component=options.component, filter=options.filter)


def _inspect_options(parser: VerbParser) -> None:
    parser.word("subject", completes=SUBJECTS, help="a workload, or anything that load takes")


def _serve_options(parser: VerbParser) -> None:
    parser.word("port", nargs="?", help="a port, or HOST:PORT; without this 8000, or any free one")


def _help_options(parser: VerbParser) -> None:
    parser.word("verb", nargs="?", completes=VERBS_, help="say more about this one")


def _help(asking: Asking) -> Text:
    if asking.options.verb:
        return Text(verb_named(asking.options.verb).parser().format_help().rstrip())
    return Text(overview())


def overview() -> str:
    """Every verb with its summary."""
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
    """Find a verb. Raises ConfigError with the closest one, or what to do instead of a word of wash's own CLI."""
    if word in VERBS:
        return VERBS[word]
    if word in ELSEWHERE:
        raise ConfigError(f"{word} is a command of wash's own CLI, not a verb of %wash", repair=ELSEWHERE[word])
    near = closest(word, VERBS)
    hint = f"did you mean %wash {near}?" if near else "%wash help lists the verbs"
    raise ConfigError(f"%wash has no verb {word!r}", repair=hint)


def _nothing(_: VerbParser) -> None:
    """Declare no options."""


VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb("load", "compile a component, link what it imports, and start it", _load_options, _load),
        Verb("unload", "stop a workload; what was kept for it goes", _unload_options, _unload),
        Verb(
            "reload",
            "load the source again; state is kept",
            _name_option,
            lambda asking: asking.session.reload(asking.options.name),
        ),
        Verb("attach", "give guests a capability, and start what waited for it", _attach_options, _attach),
        Verb(
            "detach",
            "take a capability away",
            _detach_options,
            lambda asking: asking.session.detach(asking.options.plugin),
        ),
        Verb("plugins", "what is attached, and who uses it", _nothing, lambda asking: asking.session.plugins),
        Verb(
            "status",
            "what is loaded, how it does, and what the host is",
            _nothing,
            lambda asking: asking.session.status(),
        ),
        Verb("send", "send a request; in %%wash send, the cell is the body", _send_options, _send),
        Verb(
            "trace",
            "the host calls of requests",
            _trace_options,
            lambda asking: asking.session.trace(asking.options.action),
        ),
        Verb("call", "call an exported function", _call_options, _call, literal=True),
        Verb("run", "run a command (wasi:cli/run); in %%wash run, the cell is its stdin", _run_options, _run),
        Verb(
            "kv",
            "buckets, keys and values, live",
            _kv_options,
            lambda asking: _seen(asking.session.kv(asking.options.bucket, asking.options.key, of=asking.options.of)),
        ),
        Verb("logs", "what components logged and printed, live", _logs_options, _logs),
        Verb(
            "config",
            "the settings of a workload, live",
            _of_option,
            lambda asking: _seen(asking.session.config(of=asking.options.of)),
        ),
        Verb(
            "inspect",
            "the world of a component, and who serves its imports",
            _inspect_options,
            lambda asking: asking.session.inspect(_source(asking, asking.options.subject)),
        ),
        Verb(
            "serve",
            "open the HTTP server",
            _serve_options,
            lambda asking: asking.session.serve(asking.options.port),
        ),
        Verb("reset", "throw the host away with all that is on it", _nothing, _reset),
        Verb("help", "this", _help_options, _help),
    )
}
