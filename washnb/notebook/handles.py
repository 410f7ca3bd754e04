"""What the verbs of a session return: values that a program reads, and that show themselves in a notebook."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from http import HTTPStatus
from typing import Any, Protocol, Self

from washnb.secrecy import redacted
from washnb.types import Response

from . import hosted
from .door import Caller
from .explaining import explained
from .text import Table, Text, escape, face, one_line, plain, size

_GOOD = "var(--jp-success-color1, #2e7d32)"
_BAD = "var(--jp-error-color1, #c62828)"
_SHOWN_OUTPUT = 20_000  # characters of each stream of a command
_SHOWN_DENIALS = 3
_PRE = "white-space: pre-wrap; margin: .4em 0; padding: 0"


class Told:
    """A value with `news`, a line that its verb prints of it: the cell then does not show the value as well."""

    news: str = ""


class News(Text):
    """A line that is all that a verb has to tell; `%wash` prints it, and returns no value."""

    __slots__ = ()


class ToldTable(Told, Table):
    """A table whose verb also prints a line, `news`."""

    def saying(self, news: str) -> Self:
        """Set the line that is printed for the table, and return the table."""
        self.news = news
        return self


class Address(Told, str):  # noqa: SLOT000 - `Told` keeps an attribute
    """The URL at which the host answers HTTP; `link` leads there also from behind JupyterHub or Binder."""

    link: str

    def __new__(cls, url: str, link: str | None = None, answering: str = "") -> Self:
        """Make the address out of `url`; `answering` says who answers there."""
        address = super().__new__(cls, url)
        address.link = link or url
        address.news = f"serving at {address.link}" + (f": {answering}" if answering else "")
        return address

    def _repr_html_(self) -> str:
        return f'<a href="{escape(self.link)}" target="_blank" rel="noopener">{escape(self.link)}</a>'


class ServerUrl(Told, str):  # noqa: SLOT000 - `Told` keeps an attribute
    """The URL at which the NATS server of the session listens."""

    def __new__(cls, url: str, store: str) -> Self:
        """Make the URL out of a text; `store` says where the server keeps its streams."""
        made = super().__new__(cls, url)
        made.news = f"a NATS server listens at {url}, and keeps its state in {store}"
        return made


@dataclass(frozen=True, repr=False)
class ShownResponse(Response):
    """An HTTP response that shows itself: status, headers, the body as JSON, text or hex, and what went wrong.

    `denied` are the lines in which the host says what it denied the guest during the request: the guest itself gets
    no more than an error-code.
    """

    denied: tuple[str, ...] = ()

    @classmethod
    def of(cls, response: Response, denied: Iterable[str] = ()) -> ShownResponse:
        """Return the response with all its fields, and with the lines `denied`."""
        own = {each.name: getattr(response, each.name) for each in fields(response)}
        return cls(**own, denied=tuple(dict.fromkeys(denied)))

    @property
    def _status_line(self) -> str:
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = ""
        return f"{self.status} {phrase}".rstrip()

    @property
    def _summary(self) -> str:
        count = len(self.headers)
        return f"{count} header{'' if count == 1 else 's'}, body {size(len(self.body))}"

    @property
    def _trouble(self) -> list[str]:
        told = [] if self.error is None else [line.text for line in explained(self.error)]
        hint = ["  %wash logs"] if self.denied else []
        return [*told, *map(plain, self.denied[:_SHOWN_DENIALS]), *hint]

    def __repr__(self) -> str:
        shown = face(self.body)
        head = [self._status_line, *(f"{name}: {one_line(value)}" for name, value in redacted(self.headers.items()))]
        body = [plain(shown.text)] if shown.text else []
        note = [f"({shown.note})"] if shown.note else []
        trouble = [f"! {line}" for line in self._trouble]
        return "\n".join([*head, *([""] if body or trouble else []), *body, *note, *trouble])

    def _repr_html_(self) -> str:
        shown = face(self.body)
        colour = _GOOD if self.status < 400 else _BAD
        headers = "".join(
            f"<div><b>{escape(name)}</b>: {escape(value)}</div>" for name, value in redacted(self.headers.items())
        )
        parts = [
            f'<div style="font-weight: 600; color: {colour}">{escape(self._status_line)}</div>',
            f'<details><summary style="opacity: .7">{self._summary}</summary>{headers}</details>',
        ]
        if shown.text:
            parts.append(f'<pre style="{_PRE}">{escape(shown.text)}</pre>')
        if shown.note:
            parts.append(f'<div style="opacity: .7">{escape(shown.note)}</div>')
        if self._trouble:
            parts.append(f'<pre style="{_PRE}; color: {_BAD}">{escape(chr(10).join(self._trouble))}</pre>')
        return "".join(parts)


@dataclass(frozen=True, repr=False)
class Reply:
    """The reply to a message: its `subject`, and its `body` as bytes."""

    subject: str
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The value of the body as JSON. Raises ValueError where it is none."""
        return json.loads(self.body)

    def __repr__(self) -> str:
        shown = face(self.body)
        return "\n".join([plain(shown.text) or "(empty)", *([f"({shown.note})"] if shown.note else [])])

    def _repr_html_(self) -> str:
        return f'<pre style="{_PRE}">{escape(repr(self))}</pre>'


@dataclass(frozen=True, repr=False)
class Completed:
    """A command that has ended: its exit code, its output, and how many bytes of output were `dropped`, not kept."""

    exit_code: int
    stdout: str
    stderr: str
    dropped: int = 0

    @property
    def _end(self) -> str:
        return f", {self.dropped:,} bytes of output were not kept" if self.dropped else ""

    def __repr__(self) -> str:
        lines = [plain(_last_of(self.stdout, "stdout")).rstrip("\n")] if self.stdout else []
        if self.stderr:
            lines += [f"stderr: {line}" for line in plain(_last_of(self.stderr, "stderr")).splitlines()]
        return "\n".join([*lines, f"exit code {self.exit_code}{self._end}"])

    def _repr_html_(self) -> str:
        parts = [f'<pre style="{_PRE}">{escape(_last_of(self.stdout, "stdout"))}</pre>'] if self.stdout else []
        if self.stderr:
            parts.append(f'<pre style="{_PRE}; color: {_BAD}">{escape(_last_of(self.stderr, "stderr"))}</pre>')
        return "".join([*parts, f"<div>exit code <b>{self.exit_code}</b>{self._end}</div>"])


def _last_of(output: str, name: str) -> str:
    """Return the end of an output: what is shown is saved with the notebook, and a command may write much."""
    if len(output) <= _SHOWN_OUTPUT:
        return output
    return f"... ({len(output):,} characters, all in .{name})\n{output[-_SHOWN_OUTPUT:]}"


@dataclass(frozen=True)
class Known:
    """The names that TAB offers: of workloads, plugins, state, imports, exports and faults, and the URL of NATS."""

    workloads: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    targets_by_interface: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    nats: str = ""


class Loading(Caller, Protocol):
    """What the handle of a workload asks of its session."""

    def reload(self, name: str | None = None) -> Any:
        """Load the workload `name` again."""

    def unload(self, name: str | None = None) -> Any:
        """Stop the workload `name`."""

    def inspect(self, subject: Any) -> Any:
        """Show the world of the workload or component `subject`."""


class WorkloadHandle(Told):
    """A loaded workload. Its exports are attributes: `wash["adder"].add(1, 2)`.

    An export whose name several interfaces share, or which is a name of the handle itself, is found in `exports`.
    """

    def __init__(self, session: Loading, name: str) -> None:
        """Make a handle of the workload that is loaded as `name`."""
        self.name = name
        self._session = session

    @property
    def news(self) -> str:  # type: ignore[override]
        """The line that `load` prints: that it is running, and which exports wait for a plugin to call them."""
        return self._session.on_host(lambda deployments: hosted.news_of(deployments, self.name))

    @property
    def state(self) -> str:
        """The state of the workload: `running`, `waiting` or `unloaded`."""
        return self._session.on_host(lambda deployments: hosted.state_of(deployments, self.name))

    @property
    def exports(self) -> hosted.Exports:
        """The exported interfaces, by name: `.exports["docs:adder/add"].add(1, 2)`."""
        return self._session.on_host(lambda deployments: hosted.exports_of(deployments, self._session, self.name))

    def reload(self) -> WorkloadHandle:
        """Start the workload again from its source; its state is kept."""
        self._session.reload(self.name)
        return self

    def unload(self) -> None:
        """Stop the workload; its state in memory goes."""
        self._session.unload(self.name)

    def inspect(self) -> Any:
        """Show the world of the component: who serves each import, and what it exports."""
        return self._session.inspect(self.name)

    def __getattr__(self, name: str) -> Any:
        """Return the export called `name`: a function, or the class of a resource or type. Raises NoSuchExport."""
        if name.startswith("_"):
            raise AttributeError(name)
        return self.exports.find(name)

    def __dir__(self) -> list[str]:
        """Offer the exports to completion, too."""
        own = [name for name in super().__dir__() if not name.startswith("_") and not hasattr(Told, name)]
        return [*own, *self.exports.known()]

    def __repr__(self) -> str:
        return f"{self.name}: {self.state}"
