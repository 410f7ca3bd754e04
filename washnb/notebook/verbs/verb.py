"""A verb of `%wash` as data, and how the words of its line are read."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from washnb.errors import ConfigError

from ..arguments import VerbParser, evaluate, insert, words
from ..session import Session
from . import kinds


@dataclass(frozen=True)
class Use:
    """One use of a verb: the session, the words and options, the user's variables, and the rest of the cell."""

    session: Session
    options: Namespace
    namespace: Mapping[str, Any]
    cell: str | None = None


@dataclass(frozen=True)
class Verb:
    """A verb: `declare` declares its words and options, `does` runs one use of it and returns a value.

    The value is `Told` where the verb changes something. A `literal` verb takes the rest of the line as one text,
    `options.text`; a verb with a `body` takes the rest of the cell as its body.
    """

    name: str
    summary: str
    declare: Callable[[VerbParser], None]
    does: Callable[[Use], Any]
    literal: bool = False
    body: bool = False

    def parser(self) -> VerbParser:
        """Make the parser of the verb's words and options."""
        parser = VerbParser(self.name, self.summary)
        self.declare(parser)
        return parser

    def read(self, line: str, namespace: Mapping[str, Any]) -> Namespace:
        """Read the line behind the verb, with Python values inserted. Raises ConfigError, and HelpWanted."""
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


def source_of(use: Use, text: Any) -> Any:
    """The source that a word means: the value of `{{...}}`, bytes in a variable of that name, or a path or example."""
    if isinstance(text, str) and text.isidentifier():
        value = use.namespace.get(text)
        if isinstance(value, bytes | bytearray | memoryview):
            return value
    return text


def plugins_of(use: Use, texts: Iterable[Any]) -> list[Any]:
    """The plugins that words mean: words of the catalog stay, names of the notebook become their values."""
    from washnb.plugins import catalog

    known = (*catalog.words(), "all")
    return [
        evaluate(text, use.namespace)
        if isinstance(text, str) and text not in known and text.partition(".")[0] in use.namespace
        else text
        for text in texts
    ]


def no_options(_: VerbParser) -> None:
    """Declare no options."""


def name_option(parser: VerbParser) -> None:
    """Declare the word `name`, a workload."""
    parser.word("name", nargs="?", completes=kinds.WORKLOADS, help="a workload; without this, the one used last")


def of_option(parser: VerbParser) -> None:
    """Declare the option `--of`, the workload whose state is shown."""
    parser.option("--of", metavar="NAME", completes=kinds.WORKLOADS, help="a workload; without this, the one used last")


def only_of_option(parser: VerbParser) -> None:
    """Declare the option `--of` of a verb that shows all workloads without it."""
    parser.option("--of", metavar="NAME", completes=kinds.WORKLOADS, help="only this workload; without this, all")


def body_of(text: Any) -> Any:
    """The body that an option gives: its text, or behind an `@` the content of a file. Raises ConfigError."""
    if not isinstance(text, str) or not text.startswith("@"):
        return text
    path = Path(text[1:]).expanduser()
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", repair="-d @FILE, or -d 'text'") from None


def seconds_of(text: Any) -> float | None:
    """The number of seconds that an option gives. Raises ConfigError for a text that is no number."""
    try:
        return None if text is None else float(text)
    except (TypeError, ValueError):
        raise ConfigError(f"{text!r} is no number of seconds", repair="--timeout 2.5") from None
