"""The verbs that let guests run: send, publish, request, call, run, serve."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import reduce
from typing import Any

from washnb.errors import ConfigError

from ..arguments import VerbParser, evaluate, pairs
from . import kinds
from .verb import Use, Verb, body_of, seconds_of, source_of


def _send_options(parser: VerbParser) -> None:
    parser.usage = (
        f"%(prog)s [METHOD] PATH [-H 'K: V'] [-d BODY] [--json EXPR]\n{' ' * 18}[--to NAME] [--timeout SECONDS]"
    )
    parser.epilog = "%wash send POST /notes -H 'accept: text/plain' -d 'the body'"
    parser.word("request", nargs="+", completes=kinds.METHODS, metavar="[METHOD] PATH", help="/path?query, or a URL")
    parser.option("-H", dest="headers", action="append", default=[], metavar="'K: V'", help="a header")
    parser.option("-d", dest="body", metavar="BODY", completes=kinds.FILES, help="the body; @FILE reads a file")
    parser.option("--json", metavar="EXPR", help="a Python value, sent as JSON")
    parser.option("--to", metavar="NAME", completes=kinds.WORKLOADS, help="a workload; without this, the one used last")
    parser.option("--timeout", metavar="SECONDS", help="how long to wait for the answer")


def _send(use: Use) -> Any:
    options = use.options
    json = options.json
    return use.session.send(
        *map(str, options.request),
        headers=[_header(each) for each in options.headers],
        body=use.cell if use.cell is not None else body_of(options.body),
        json=evaluate(json, use.namespace) if isinstance(json, str) else json,
        to=options.to,
        timeout=seconds_of(options.timeout),
    )


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise ConfigError(f"{text!r} is no header", repair="-H 'Name: value'")
    return name.strip(), value.strip()


def _publish_options(parser: VerbParser) -> None:
    parser.word("subject", help="the subject: orders.created")
    parser.option(
        "-d", dest="body", metavar="BODY", completes=kinds.FILES, default="", help="the body; @FILE reads a file"
    )


def _publish(use: Use) -> Any:
    return use.session.publish(use.options.subject, _message(use))


def _request_options(parser: VerbParser) -> None:
    _publish_options(parser)
    parser.option("--timeout", metavar="SECONDS", help="how long to wait for the reply")


def _request(use: Use) -> Any:
    options = use.options
    return use.session.request(options.subject, _message(use), seconds_of(options.timeout))


def _message(use: Use) -> Any:
    return use.cell if use.cell is not None else body_of(use.options.body)


def _call_options(parser: VerbParser) -> None:
    parser.usage = "%(prog)s NAME.EXPORT(ARGS)"
    parser.epilog = "ARGS are Python expressions: %wash call adder.add(1, b=2)"


_GIVEN = "_wash_given"
_QUOTED_NAME = re.compile(r"""(["'])(.+?)\1\.""")
_CALL = re.compile(r"(?P<export>[^(]+?)\s*\((?P<arguments>.*)\)\s*", re.DOTALL)


def _call(use: Use) -> Any:
    text = use.options.text
    name, rest = _called(text, use.session.known().workloads)
    match = _CALL.fullmatch(rest)
    if match is None:
        complete = re.fullmatch(r"[^(\s]*\w", rest) is not None
        raise ConfigError(
            f"{text!r} is no call of an export",
            repair=f"%wash call {text}(...)" if complete else "%wash call NAME.EXPORT(ARGUMENTS)",
        )
    written = f'wash["{name}"].{rest.strip()}'
    positional, named = _given(match["arguments"], written, use.namespace)
    export = match["export"].strip()
    if "#" not in export and "/" not in export:
        found, *inside = export.split(".")
        return reduce(getattr, inside, use.session[name].exports.find(found))(*positional, **named)
    if named:
        raise ConfigError(f"{export} takes no keywords here", repair=f"%wash call {name}.FUNCTION(...)  # does")
    return use.session.call(name, export, *positional)


def _given(text: str, written: str, namespace: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments between the parentheses of a call. Raises ConfigError where more than one call is `written`."""
    expression = f"{_GIVEN}({text})"
    with suppress(SyntaxError):  # `evaluate` says it
        tree = ast.parse(expression, mode="eval").body
        if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name)):
            raise ConfigError(f"%wash call does one call, not all of {written}", repair=f"{written}  # in Python")
    scope = {**namespace, _GIVEN: lambda *positional, **named: (positional, named)}
    given: tuple[tuple[Any, ...], dict[str, Any]] = evaluate(expression, scope, shown=f"({text})")
    return given


def _called(text: str, loaded: Iterable[str]) -> tuple[str, str]:
    """Split `NAME.EXPORT(...)` into name and rest: the name may be in quotes, and a loaded one may have dots."""
    if (match := _QUOTED_NAME.match(text)) is not None:
        return match[2], text[match.end() :]
    matching = [name for name in loaded if text.startswith(f"{name}.")]
    name = max(matching, key=len) if matching else text.partition("(")[0].partition(".")[0]
    return name, text[len(name) + 1 :]


def _run_options(parser: VerbParser) -> None:
    parser.word("source", completes=kinds.SOURCES, help="a component that exports wasi:cli/run")
    parser.word("arguments", nargs="*", metavar="ARG", help="its arguments; those with a dash stand behind --")
    parser.option("--env", action="append", default=[], metavar="K=V", help="an environment variable of the guest")
    parser.option("--stdin", metavar="TEXT", completes=kinds.FILES, help="what it reads; @FILE reads a file")


def _run(use: Use) -> Any:
    options = use.options
    given = use.cell if use.cell is not None else body_of(options.stdin)
    return use.session.run(
        source_of(use, options.source),
        *map(str, options.arguments),
        env=pairs(options.env, "--env"),
        stdin=given or b"",
    )


def _serve_options(parser: VerbParser) -> None:
    parser.word("port", nargs="?", help="a port, or HOST:PORT; without this 8000, or any free one")


VERBS = (
    Verb("send", "send a request; in %%wash send, the cell is the body", _send_options, _send, body=True),
    Verb("publish", "send a message; in %%wash publish, the cell is the body", _publish_options, _publish, body=True),
    Verb("request", "send a message and wait for the reply", _request_options, _request, body=True),
    Verb("call", "call an exported function", _call_options, _call, literal=True),
    Verb("run", "run a command (wasi:cli/run); in %%wash run, the cell is its stdin", _run_options, _run, body=True),
    Verb(
        "serve",
        "open the HTTP server",
        _serve_options,
        lambda use: use.session.serve(use.options.port),
    ),
)
