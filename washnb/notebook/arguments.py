"""From a line of a notebook to the words and options of a verb.

Lines are taken literally: `$5` stays, a backslash is a backslash (Windows paths survive), and only `{{expression}}`
inserts a Python value. Quotes at the start of a word, or after its `=`, keep spaces together; so do brackets, which
lets JSON and Python literals stand as they are.
"""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from washnb.errors import ConfigError, spelled_out

from .text import one_line

_INSERTED = re.compile(r"\{\{(.+?)\}\}(?!\})", re.DOTALL)
_CLOSING = {"{": "}", "[": "]", "(": ")"}
_PLAIN = re.compile(r"[\w-]+")


def words(line: str) -> list[str]:
    """Part a line into words. Raises ConfigError for a quote that is not closed."""
    found: list[str] = []
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        word, at = _word(line, at)
        found.append(word)
    return found


def _word(line: str, at: int) -> tuple[str, int]:
    word = ""
    while at < len(line) and not line[at].isspace():
        begins_value = not word or word.endswith("=")
        if line.startswith("{{", at) or (begins_value and line[at] in _CLOSING):
            end = _bracket_end(line, at)
            word, at = word + line[at:end], end
        elif begins_value and line[at] in "'\"":
            closing = line.find(line[at], at + 1)
            if closing == -1:
                raise ConfigError(
                    f"the quote that opens at {line[at : at + 20]} is not closed",
                    repair="close it; a quote in the middle of a word is an ordinary character",
                )
            word, at = word + line[at + 1 : closing], closing + 1
        else:
            word, at = word + line[at], at + 1
    return word, at


def _bracket_end(line: str, start: int) -> int:
    """Behind the bracket that closes the one at `start`, quoted ones not counted; behind `start` where none does."""
    expected: list[str] = []
    quote = ""
    at = start
    while at < len(line):
        character = line[at]
        at += 1
        if quote:
            at += character == "\\"
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in _CLOSING:
            expected.append(_CLOSING[character])
        elif character == expected[-1]:
            expected.pop()
            if not expected:
                return at
    return start + 1


def insert(text: str, namespace: Mapping[str, Any]) -> Any:
    """Put Python values in the place of `{{expression}}`.

    A text that is one expression and nothing else becomes its value; within other text its `str` is inserted.
    """
    whole = _INSERTED.match(text)
    if whole and whole.end() == len(text):
        return evaluate(whole[1], namespace)
    return _INSERTED.sub(lambda match: str(evaluate(match[1], namespace)), text)


def evaluate(expression: str, namespace: Mapping[str, Any], shown: str = "") -> Any:
    """Evaluate one Python expression of the user's. Raises ConfigError where it is none, or raises something.

    `shown` is what the user has written of it, where that is not all.
    """
    text = expression.strip()
    try:
        code = compile(text, "<washnb expression>", "eval")
    except SyntaxError as error:
        raise ConfigError(f"{shown or text!r} is not a Python expression: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:  # half a surrogate pair, or too much in brackets
        why = str(error) or "it is nested too deep"
        raise ConfigError(f"{one_line(shown or text)} is not a Python expression: {why}") from None
    try:
        return eval(code, dict(namespace))  # noqa: S307 - it is the user's own notebook
    except (Exception, SystemExit) as error:  # who writes `exit()` at a prompt wants to leave that
        raise ConfigError(f"{shown or text!r} raised {spelled_out(error)}") from error


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be, whatever its case.

    Who mistypes a word seldom mistypes its first letter: words with another one must be very close.
    """
    plain = str(word).lstrip("-").lower()
    spellings = {each.lstrip("-").lower(): each for each in known}
    for near in difflib.get_close_matches(plain, spellings, n=3, cutoff=0.6):
        if near[0] == plain[0] or difflib.SequenceMatcher(None, near, plain).ratio() > 0.8:
            return spellings[near]
    return None


def one_edit_apart(word: str, other: str) -> bool:
    """Whether a letter more, less, other, or in its neighbour's place makes one word of the other."""
    shorter, longer = sorted((word, other), key=len)
    if word == other or len(longer) - len(shorter) > 1:
        return False
    at = next((n for n, letter in enumerate(shorter) if letter != longer[n]), len(shorter))
    rest, longer_rest = shorter[at:], longer[at:]
    swapped = rest[1::-1] + rest[2:]
    return longer_rest[1:] in {rest, rest[1:]} or longer_rest == swapped


def quoted(name: str) -> str:
    """A name as it stands in a line: in quotes, where it is no plain word."""
    return name if _PLAIN.fullmatch(name) else f'"{name}"'


class HelpWanted(Exception):  # noqa: N818 - asking for help is no error
    """`--help` was among the words; carries the text that answers it."""


class VerbParser(argparse.ArgumentParser):
    """The options of one verb. Nothing exits the process: mistakes are ConfigErrors, help is `HelpWanted`.

    `completers` says for each destination what TAB offers there.
    """

    def __init__(self, verb: str, description: str) -> None:
        """Declare `--help`; everything else the verb declares."""
        super().__init__(
            prog=f"%wash {verb}",
            description=description,
            add_help=False,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.verb = verb
        self.completers: dict[str, str] = {}
        self.add_argument("--help", action="store_true", help="show this")

    def word(self, name: str, *, completes: str = "", **keywords: Any) -> None:
        """Declare a positional word."""
        self.completers[name] = completes
        shown = {} if "choices" in keywords else {"metavar": name.upper()}
        self.add_argument(name, **shown | keywords)

    def option(self, *names: str, completes: str = "", **keywords: Any) -> None:
        """Declare an option that takes a value."""
        self.completers[self.add_argument(*names, **keywords).dest] = completes

    def switch(self, *names: str, **keywords: Any) -> None:
        """Declare an option that is there or not."""
        self.add_argument(*names, action="store_true", **keywords)

    def options(self) -> dict[str, argparse.Action]:
        """Every spelling of every option."""
        return dict(self._option_string_actions)

    def positionals(self) -> list[argparse.Action]:
        """The positional words, in order."""
        return self._get_positional_actions()

    def error(self, message: str) -> NoReturn:
        """Say what was wrong, and how the verb is used."""
        extra = message.removeprefix("unrecognized arguments: ")
        if extra != message and not extra.startswith("-"):
            hint = "# what belongs together stands in quotes"
            raise ConfigError(f"%wash {self.verb} takes fewer words: {extra!r} is too much", repair=(self._used, hint))
        raise ConfigError(f"%wash {self.verb}: {message}", repair=self._used)

    def read(self, arguments: list[str]) -> argparse.Namespace:
        """Parse words. Raises ConfigError with the closest option for one that does not exist, and HelpWanted."""
        self._used = " ".join(self.format_usage().removeprefix("usage:").split())
        if "--help" in arguments:
            raise HelpWanted(self.format_help().rstrip())
        if "--" in arguments:
            end = arguments.index("--")
            arguments, literal = arguments[:end], arguments[end + 1 :]
        else:
            literal = []
        for argument in arguments:
            self._check_option(argument)
        parsed = self.parse_intermixed_args([*arguments, *(["--", *literal] if literal else [])])
        return argparse.Namespace(**{name: value for name, value in vars(parsed).items() if name != "help"})

    def _check_option(self, argument: str) -> None:
        name = argument.partition("=")[0]
        if not name.startswith("--") or name in self._option_string_actions:
            return
        near = closest(name, self._option_string_actions)
        hint = f"did you mean {near}?" if near else f"%wash {self.verb} --help lists the options"
        raise ConfigError(f"%wash {self.verb} has no option {name}", repair=hint)


def pairs(texts: Iterable[str], option: str) -> dict[str, str]:
    """Read `K=V` texts into a mapping. Raises ConfigError for one without `=`."""
    read = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or not key:
            raise ConfigError(f"{option} {text!r} is not of the form KEY=VALUE", repair=f"{option} KEY=VALUE")
        read[key] = value
    return read
