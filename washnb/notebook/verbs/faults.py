"""The verb that breaks things: fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from washnb.errors import ConfigError

from ..arguments import VerbParser, evaluate
from . import kinds
from .verb import Use, Verb

N = TypeVar("N", int, float)

_CLEAR = "clear"


def _fault_options(parser: VerbParser) -> None:
    parser.usage = (
        "%(prog)s [TARGET | clear [TARGET]] [--error E | --trap | --value EXPR | --jump SECONDS | --short BYTES]\n"
        f"{' ' * 19}[--delay SECONDS] [--after N] [--times N] [--of NAME]"
    )
    parser.word("target", nargs="?", completes=kinds.TARGETS, help="keyvalue.get, clocks.now, incoming-handler.handle")
    parser.word("cleared", nargs="?", completes=kinds.FAULTS, metavar="TARGET", help="behind clear: only this one")
    parser.option("--error", metavar="E", completes=kinds.ERRORS, help="a case of its WIT error: 'other(disk full)'")
    parser.switch("--trap", help="end the guest")
    parser.option("--value", metavar="EXPR", help="answer this Python value")
    parser.option("--jump", metavar="SECONDS", help="clocks.now: be so much ahead, or behind")
    parser.option("--short", metavar="BYTES", help="io.read and the like: read at most so much")
    parser.option("--delay", metavar="SECONDS", help="wait first")
    parser.option("--after", metavar="N", help="let so many calls go well first")
    parser.option("--times", metavar="N", help="do it so often; without this, until it is cleared")
    parser.option("--of", metavar="NAME", completes=kinds.WORKLOADS, help="only this workload")
    parser.epilog = """%wash fault lists what is set; what was injected is marked in %wash trace.

%wash fault keyvalue.get --error 'other(disk full)' --after 3 --times 2
%wash fault http.handle --error connection-refused
%wash fault incoming-handler.handle --delay 2 --of shop
%wash fault clear"""


def _fault(use: Use) -> Any:
    options, session = use.options, use.session
    if options.target == _CLEAR:
        return session.clear_faults(options.cleared)
    if options.cleared is not None:
        raise ConfigError(
            f"%wash fault takes one target: {options.cleared!r} is too much", repair=f"%wash fault {options.target} ..."
        )
    given = {
        "error": options.error,
        "delay": _number(options.delay, "--delay", float),
        "after": _number(options.after, "--after", int),
        "times": _number(options.times, "--times", int),
        "jump": _number(options.jump, "--jump", float),
        "short": _number(options.short, "--short", int),
        "of": options.of,
    }
    told = {name: value for name, value in given.items() if value is not None}
    if options.value is not None:
        value = options.value
        told["value"] = evaluate(value, use.namespace) if isinstance(value, str) else value
    if options.target is None:
        if told or options.trap:
            raise ConfigError("a fault needs a target", repair="%wash fault keyvalue.get --delay 0.5")
        return session.faults
    return session.fault(options.target, trap=options.trap, **told)


def _number(text: Any, option: str, kind: Callable[[Any], N]) -> N | None:
    try:
        return None if text is None else kind(text)
    except (TypeError, ValueError):
        whole = "whole " if kind is int else ""
        raise ConfigError(f"{text!r} is no {whole}number", repair=f"{option} 2") from None


VERBS = (Verb("fault", "let calls of guests, or to them, fail, wait, or trap on purpose", _fault_options, _fault),)
