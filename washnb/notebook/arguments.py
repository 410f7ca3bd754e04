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
    """Split a line into words. Raises ConfigError for a quote that is not closed."""
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
    """The index behind the bracket that closes the one at `start`; `start + 1` where none does. Quotes are skipped."""
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
    """Replace each `{{expression}}` in a word by its Python value. Raises ConfigError.

    A word that is one expression and nothing else becomes the value itself; within other text its `str` is inserted.
    """
    whole = _INSERTED.match(text)
    if whole and whole.end() == len(text):
        return evaluate(whole[1], namespace)
    return _INSERTED.sub(lambda match: str(evaluate(match[1], namespace)), text)


def evaluate(expression: str, namespace: Mapping[str, Any], shown: str = "") -> Any:
    """Return the value of a Python expression of the user's. Raises ConfigError where it is none, or where it raises.

    `shown` is the part of the expression that the user has written, for the error, where that is not all of it.
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
    except (Exception, SystemExit) as error:  # `exit()` at a prompt means to leave the prompt, not the process
        raise ConfigError(f"{shown or text!r} raised {spelled_out(error)}") from error


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be, whatever its case.

    None where no known word is near. One that begins with another letter must be very near: first letters are seldom
    mistyped.
    """
    plain = str(word).lstrip("-").lower()
    spellings = {each.lstrip("-").lower(): each for each in known}
    for near in difflib.get_close_matches(plain, spellings, n=3, cutoff=0.6):
        if near[0] == plain[0] or difflib.SequenceMatcher(None, near, plain).ratio() > 0.8:
            return spellings[near]
    return None


def one_edit_apart(word: str, other: str) -> bool:
    """Whether one edit makes `word` of `other`: a letter more, one less, one changed, or two neighbours swapped."""
    shorter, longer = sorted((word, other), key=len)
    if word == other or len(longer) - len(shorter) > 1:
        return False
    at = next((n for n, letter in enumerate(shorter) if letter != longer[n]), len(shorter))
    rest, longer_rest = shorter[at:], longer[at:]
    swapped = rest[1::-1] + rest[2:]
    return longer_rest[1:] in {rest, rest[1:]} or longer_rest == swapped


def quoted(name: str) -> str:
    """A name as it is written in a line of `%wash`: in quotes, unless it is a plain word."""
    return name if _PLAIN.fullmatch(name) else f'"{name}"'


class HelpWanted(Exception):  # noqa: N818 - asking for help is no error
    """Raised for `--help` among the words of a verb; its argument is the help text."""


class VerbParser(argparse.ArgumentParser):
    """The parser of one verb's words and options. It never exits: mistakes raise ConfigError, `--help` HelpWanted.

    `completers` maps the destination of each word and option to the kind of names that TAB offers for it.
    """

    def __init__(self, verb: str, description: str) -> None:
        """Declare `--help`; the verb declares the rest."""
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
        """Declare an option without a value."""
        self.add_argument(*names, action="store_true", **keywords)

    def options(self) -> dict[str, argparse.Action]:
        """The options by each of their spellings."""
        return dict(self._option_string_actions)

    def positionals(self) -> list[argparse.Action]:
        """The positional words, in order."""
        return self._get_positional_actions()

    def error(self, message: str) -> NoReturn:
        """Raise ConfigError with what argparse found wrong, and the usage of the verb."""
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
