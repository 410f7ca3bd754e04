"""TAB behind `%wash`: verbs, options, files, and the names that the session knows."""

from __future__ import annotations

import re
from argparse import Action
from collections.abc import Callable, Iterable, Mapping
from os import sep
from pathlib import Path
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher

from washnb.errors import ConfigError, WashError

from . import hosted, reaching
from .arguments import words
from .backends import ASK
from .session import NATS_ACTIONS, PLUGIN_ACTIONS, Session
from .verbs import VERBS, Verb, kinds
from .views import LEVELS, SPEEDS, TRACE_ACTIONS, BlobsView, KeyValueView

_LINE = re.compile(r"(?:^|[=\s])%{1,2}wash\s+(?P<rest>.*)$")
_LAST_WORD = re.compile(r"""(?:^|(?<=\s))(?:"[^"]*(?:"\S*)?|'[^']*(?:'\S*)?|\S*)$""")
_PYTHON = re.compile(r"\(|\{|--json")
_COMPONENTS = (".wasm", ".wat")


def candidates(rest: str, session: Session, namespace: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The word before the cursor, and its completions. `rest` is the line behind `%wash`, up to the cursor."""
    word = _LAST_WORD.findall(rest)[0]
    before = _words(rest[: len(rest) - len(word)])
    if before and before[0] in VERBS and VERBS[before[0]].literal:
        return word, [each for each in _exports(session) if each.startswith((word, f'"{word}'))]
    quote = word[:1] if word[:1] in {'"', "'"} else ""
    bare = word.removeprefix(quote)
    offers: Iterable[str] = () if before else VERBS
    if before and before[0] in VERBS:
        offers = _offers(VERBS[before[0]], before[1:], bare, session, namespace)
    return word, [_quoted(offer, quote) for offer in offers if offer.startswith(bare)]


def _words(line: str) -> list[str]:
    try:
        return words(line)
    except ConfigError:  # a quote that is not closed yet
        return line.split()


def _quoted(offer: str, quote: str) -> str:
    """A completion in quotes, where it has blanks or the word began with one; behind a folder the quote stays open."""
    if " " in offer and not quote:
        quote = "'" if '"' in offer else '"'
    return f"{quote}{offer}" if offer.endswith(sep) else f"{quote}{offer}{quote}"


def _offers(verb: Verb, before: list[str], word: str, session: Session, namespace: Mapping[str, Any]) -> Iterable[str]:
    parser = verb.parser()
    options = parser.options()
    if before and before[-1] in options and _takes_value(options[before[-1]]):
        action = options[before[-1]]
    elif word.startswith("-"):
        return sorted(each for each in options if each.startswith("--") or len(word) < 2)
    else:
        position = len(_positionals(before, options))
        declared = parser.positionals()
        if not declared:
            return ()
        action = declared[min(position, len(declared) - 1)]
        if position >= len(declared) and action.nargs not in {"*", "+"}:
            return ()
    subject = next(iter(_positionals(before, options)), "")
    return _Offers(session, namespace, word, subject).of(parser.completers.get(action.dest, ""))


def _takes_value(action: Action) -> bool:
    return action.nargs is None


def _positionals(before: list[str], options: Mapping[str, Action]) -> list[str]:
    found = []
    skip = False
    for word in before:
        if skip:
            skip = False
        elif word in options:
            skip = _takes_value(options[word])
        elif not word.startswith("-"):
            found.append(word)
    return found


class _Offers:
    """The completions of each kind of name; `subject` is the first word behind the verb.

    Nothing here opens a host: without one, nothing is loaded or attached.
    """

    def __init__(self, session: Session, namespace: Mapping[str, Any], word: str, subject: str) -> None:
        self._session = session
        self._namespace = namespace
        self._word = word
        self._subject = subject

    def of(self, kind: str) -> Iterable[str]:
        """The completions of the kind that a verb declares; none where it declares no kind."""
        found: dict[str, Callable[[], Iterable[str]]] = {
            kinds.SOURCES: self.sources,
            kinds.SUBJECTS: lambda: [*self.workloads(), *self.sources()],
            kinds.WORKLOADS: self.workloads,
            kinds.PLUGINS: self.plugins,
            kinds.ATTACHED: lambda: self._session.known().plugins,
            kinds.BUCKETS: lambda: self._session.known().buckets,
            kinds.FILES: lambda: [f"@{each}" for each in _files(self._word.removeprefix("@"), ())],
            kinds.METHODS: lambda: ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "/"),
            kinds.VERBS: lambda: VERBS,
            kinds.LEVELS: lambda: LEVELS,
            kinds.ACTIONS: lambda: TRACE_ACTIONS,
            kinds.SPEEDS: lambda: SPEEDS,
            kinds.KEYS: lambda: self.inside(self._session.kv),
            kinds.CONTAINERS: lambda: self._session.known().containers,
            kinds.OBJECTS: lambda: self.inside(self._session.blobs),
            kinds.SNAPSHOTS: self.snapshots,
            kinds.FOLDERS: lambda: _folders(self._word),
            kinds.TARGETS: self.targets,
            kinds.FAULTS: lambda: self._session.known().faults,
            kinds.ERRORS: self.errors,
            kinds.NATS_ACTIONS: lambda: NATS_ACTIONS,
            kinds.PLUGIN_ACTIONS: lambda: PLUGIN_ACTIONS,
            kinds.IMPORTS: self.imports,
        }
        return found[kind]() if kind else ()

    def sources(self) -> Iterable[str]:
        """Variables that hold bytes, folders and files of components, and examples."""
        from washnb.engine import example_names

        held = [name for name, value in self._namespace.items() if isinstance(value, bytes) and name[0] != "_"]
        return [*held, *_files(self._word, _COMPONENTS), *(f"example:{name}" for name in example_names())]

    def workloads(self) -> Iterable[str]:
        """The names of loaded workloads."""
        return self._session.known().workloads

    def inside(self, view: KeyValueView | BlobsView) -> Iterable[str]:
        """The keys of the bucket, or the objects of the container, that the line names."""
        try:
            return list(view[self._subject]) if self._session.deployments else ()
        except WashError:  # no plugin keeps this state, or its server is away
            return ()

    def snapshots(self) -> Iterable[str]:
        """Variables that hold snapshots, which only an open host can have taken, and files."""
        held = [
            name
            for name, value in (self._namespace.items() if self._session.deployments else ())
            if isinstance(value, hosted.StateSnapshot) and name[0] != "_"
        ]
        return [*held, *_files(self._word, ())]

    def imports(self) -> Iterable[str]:
        """The imports of what is loaded; where none begins with the word, the parts of their names that mean one."""
        known = self._session.known().imports
        return hosted.import_parts(known) if known and not self._begun(known) else known

    def targets(self) -> Iterable[str]:
        """The functions that faults can be set on; where none begins with the word, by interface: `store.get`."""
        known = self._session.known()
        return ("clear", *(known.targets if self._begun(known.targets) else known.targets_by_interface))

    def _begun(self, names: Iterable[str]) -> bool:
        return any(each.startswith(self._word) for each in names)

    def errors(self) -> Iterable[str]:
        """The cases of the WIT error of the function that the line names."""
        if self._session.deployments is None:
            return ()
        return self._session.on_host(lambda deployments: hosted.error_cases(deployments, self._subject))

    def plugins(self) -> Iterable[str]:
        """Words of the catalog, plugins and interfaces of the notebook; behind a word and `=`, backends."""
        from washnb.plugins import HostPlugin, Interface, catalog

        word, chosen, backend = self._word.partition("=")
        if chosen:
            return [f"{word}={each}" for each in self._backends(word, backend)]
        own = [
            name
            for name, value in self._namespace.items()
            if not name.startswith("_")
            and value not in (HostPlugin, Interface)
            and (
                isinstance(value, HostPlugin | Interface)
                or (isinstance(value, type) and issubclass(value, HostPlugin | Interface))
            )
        ]
        return [*catalog.words(), "all", *own]

    def _backends(self, word: str, backend: str) -> list[str]:
        from washnb.plugins import catalog

        scheme, separator, folder = backend.partition(":")
        if scheme == "file" and separator:
            return [f"file:{each}" for each in _folders(folder)]
        entry = catalog.by_word(word)
        known = catalog.FORMS if word == "all" else getattr(entry, "backends", {})
        offers = {"memory": ["memory"], "file": ["file:"], "nats": [self._session.known().nats or "nats://"]}
        return [*(each for kind in known for each in offers[kind]), ASK]


def _exports(session: Session) -> list[str]:
    """`NAME.EXPORT(` for every export of every loaded workload."""
    return [f"{each}(" for each in session.known().exports]


def _files(word: str, suffixes: tuple[str, ...]) -> list[str]:
    """Paths in the folder that `word` names: folders, and files with one of `suffixes`, or all files without any."""
    folder = word[: len(word) - len(re.split(r"[/\\]", word)[-1])]
    found = []
    try:
        entries = sorted(Path(folder or ".").expanduser().iterdir())
    except OSError:
        return []
    for entry in entries:
        if entry.is_dir():
            found.append(f"{folder}{entry.name}{sep}")
        elif not suffixes or entry.suffix in suffixes:
            found.append(folder + entry.name)
    return found


def _folders(word: str) -> list[str]:
    return [each for each in _files(word, _COMPONENTS) if each.endswith(sep)]


def _answer(word: str, found: Iterable[str], kind: str) -> dict[str, Any]:
    return {
        "completions": [SimpleCompletion(each, type=kind) for each in found],
        "matched_fragment": word,
        "suppress": True,
        "ordered": True,
    }


def install(shell: Any, session: Session) -> None:
    """Let TAB complete lines of `%wash` in `shell`, and `?` and Shift-TAB document exports."""

    @context_matcher(identifier=_IDENTIFIER)  # type: ignore[untyped-decorator]
    def wash_matcher(context: CompletionContext) -> dict[str, Any]:
        if (reached := reaching.completions(context.text_until_cursor, session)) is not None:
            word, found = reached
            return _answer(word, found or [word], "attribute")  # an empty answer would not keep magics away
        line = _LINE.search(context.text_until_cursor)
        if line is None:
            return {"completions": []}
        word, found = candidates(line["rest"], session, shell.user_ns)
        if not found and not _PYTHON.search(line["rest"]):
            found = [word]  # the word itself, so that IPython offers no names of Python
        return _answer(word, found, "magic")

    shell.Completer.custom_matchers.append(wash_matcher)
    shell.input_transformers_cleanup.append(reaching.asked)
    if (kernel := getattr(shell, "kernel", None)) is not None:
        kernel.do_inspect = _inspecting(kernel.do_inspect, session)


def _inspecting(inspect: Callable[..., Any], session: Session) -> Callable[..., Any]:
    def do_inspect(code: str, cursor_pos: int, *rest: Any, **named: Any) -> Any:
        text = reaching.documentation(code, cursor_pos, session)
        if text is None:
            return inspect(code, cursor_pos, *rest, **named)
        return {"status": "ok", "found": True, "data": {"text/plain": text}, "metadata": {}}

    return do_inspect


_IDENTIFIER = "washnb"


def uninstall(shell: Any) -> None:
    """Take back what `install` did."""
    if reaching.asked in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(reaching.asked)
    if (kernel := getattr(shell, "kernel", None)) is not None:
        vars(kernel).pop("do_inspect", None)
    shell.Completer.custom_matchers[:] = [
        matcher
        for matcher in shell.Completer.custom_matchers
        if getattr(matcher, "matcher_identifier", None) != _IDENTIFIER
    ]
