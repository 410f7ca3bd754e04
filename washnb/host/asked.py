"""Checks of what a program asks of its host, made before anything begins: such mistakes should not reach a guest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from washnb.errors import ConfigError
from washnb.types import Header, Request
from washnb.wasi import is_token

Headers = Mapping[str, str] | Iterable[tuple[str, str | bytes]]

_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")  # of a header: no CR, LF, NUL or other control character
_TARGET = re.compile(r"[^\x00-\x20\x7f]+")


def request_of(method: str, path: str, headers: Headers, body: bytes) -> Request:
    """Return the request that a socket would bring. Raises ConfigError for what HTTP/1.1 cannot carry."""
    if not isinstance(body, bytes | bytearray | memoryview):
        raise ConfigError(
            f"a body is bytes, not {type(body).__name__} {body!r:.60}",
            repair=('body=b"text"', "wash.send(PATH, json=VALUE)  # a value as JSON"),
        )
    if not is_token(method):
        raise ConfigError(f"{method!r:.60} is no HTTP method", repair='"GET", "POST", ...')
    if not _TARGET.fullmatch(path):
        quoted = quote(path, safe="/?&=%:@,;+!$'()*~")
        raise ConfigError(f"{path!r:.60} is no path: it is empty or has spaces", repair=quoted or "/")
    pairs = _pairs(headers)
    authority = next((value.decode("latin-1") for name, value in pairs if name == "host"), "localhost")
    if body and not any(name == "content-length" for name, _ in pairs):
        pairs.append(("content-length", str(len(body)).encode()))
    return Request(method.upper(), path, tuple(pairs), bytes(body), authority=authority)


def _pairs(headers: Headers) -> list[Header]:
    """Return headers as a guest gets them: names in lower case, values as bytes."""
    items = headers.items() if isinstance(headers, Mapping) else headers
    try:
        return [(_name(name), _value(name, value)) for name, value in items]
    except (TypeError, ValueError):  # these are no pairs
        raise ConfigError(f"{headers!r:.60} are no headers", repair=_HEADERS) from None


_HEADERS = ("headers={'accept': 'text/plain'}", "-H 'accept: text/plain'")


def _name(name: object) -> str:
    if isinstance(name, str) and is_token(name):
        return name.lower()
    raise ConfigError(f"{name!r:.60} is no name of a header: it has letters, digits and dashes", repair=_HEADERS)


def _value(name: str, value: object) -> bytes:
    encoded = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    if not isinstance(encoded, bytes):
        raise ConfigError(f"header {name} is text, not {type(value).__name__} {value!r:.60}", repair=_HEADERS)
    if not _VALUE.fullmatch(encoded):
        raise ConfigError(
            f"header {name} has a line break or another control character: {value!r:.60}", repair="value.strip()"
        )
    return encoded


def require_running(running: bool) -> None:
    """Raise ConfigError, with the line that starts the host, unless it is `running`."""
    if not running:
        raise ConfigError("the host does not run", repair="host = await host.start()")


def require_seconds(timeout: object) -> None:
    """Raise ConfigError where a `timeout` is neither None nor a number of seconds above 0."""
    if timeout is not None and not (isinstance(timeout, int | float) and timeout > 0):
        raise ConfigError(
            f"timeout={timeout!r:.60} is no time: it is a number of seconds, more than 0",
            repair=("timeout=2.5", "--timeout 2.5"),
        )


def require_texts(arguments: Sequence[object]) -> None:
    """Raise ConfigError where one of the `arguments` of a command is not a str."""
    for each in arguments:
        if not isinstance(each, str):
            raise ConfigError(
                f"the arguments of a command are text, not {type(each).__name__} {each!r:.60}",
                repair=f'wash.run(SOURCE, "{each!s:.60}")',
            )
        if "\0" in each:
            raise ConfigError(f"an argument of a command has no NUL: {each!r:.60}", repair="stdin=b'...'")
