"""The arguments of `send`, read into one HTTP request."""

from __future__ import annotations

import json as json_format
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import punctuation
from urllib.parse import quote, urlsplit

from washnb.errors import ConfigError

from .arguments import closest, one_edit_apart

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
_IN_TARGETS = "/?#[]@!$&'()*+,;=:%~"  # characters that stay unquoted in the target of a request


@dataclass(frozen=True)
class Asked:
    """An HTTP request that `send` is about to send."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def encoded(value: object) -> bytes:
    """The body of a message as bytes: bytes as they are, text as UTF-8, any other value as JSON."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return (value if isinstance(value, str) else json_format.dumps(value)).encode()


def asked_of(
    request: Sequence[str],
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    body: bytes | str | None,
    json: object,
) -> Asked:
    """Read `("/x",)`, `("POST /x",)` or `("POST", "/x")`, where a URL may stand for the path.

    Without a method it is POST where there is a body, and GET where there is none. Raises ConfigError otherwise.
    """
    words = [word for part in map(str, request) for word in part.split()]
    if not words:
        raise ConfigError("send needs a path", repair="%wash send /")
    if len(words) > (1 if words[0].startswith("/") else 2):
        raise _too_many(words)
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    content = _content(body, json, pairs)
    method = _method(words[0]) if len(words) > 1 else ("POST" if content else "GET")
    path, authority = _target(words[-1])
    if authority and not _given(pairs, "host"):
        pairs.append(("host", authority))
    return Asked(method, path, tuple(pairs), content)


def _too_many(words: Sequence[str]) -> ConfigError:
    """The error for too many words, which may be meant as a path with spaces, or as a body."""
    start = 0 if words[0].startswith("/") else 1
    method = [*words[:start], ""]
    path = quote(" ".join(words[start:]), safe=_IN_TARGETS)
    body = " ".join(words[start + 1 :])
    return ConfigError(
        f"send takes a method and a path, not {len(words)} words: {' '.join(words)}",
        repair=(
            f"%wash send {' '.join(method)}{path}  # a path with spaces",
            f"%wash send {' '.join(method)}{words[start]} -d {body!r}  # a body",
        ),
    )


def _content(body: bytes | str | None, json: object, pairs: list[tuple[str, str]]) -> bytes:
    if json is None:
        return body.encode() if isinstance(body, str) else body or b""
    if body is not None:
        raise ConfigError("send takes a body or JSON, not both", repair='%wash send /x --json {"n": 1}')
    try:
        text = json_format.dumps(json)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"this cannot be JSON: {error}", repair='%wash send /x --json {"n": 1}') from None
    if not _given(pairs, "content-type"):
        pairs.append(("content-type", "application/json"))
    return text.encode()


def _given(pairs: Iterable[tuple[str, str]], name: str) -> bool:
    return any(each.lower() == name for each, _ in pairs)


def _method(word: str) -> str:
    """The method that a word means: a known one, or any word in capitals that is no misspelling of a known one."""
    method = word.upper()
    if method in _METHODS:
        return method
    near = next((known for known in _METHODS if one_edit_apart(method, known)), None)
    if near is None and word == method:
        return method
    near = near or closest(method, _METHODS)
    raise ConfigError(f"{word!r} is no HTTP method", repair=f"did you mean {near}?" if near else "%wash send POST /x")


def _target(word: str) -> tuple[str, str]:
    """The path with its query that a word means, and the authority where the word is a URL."""
    if word.startswith("/"):
        return quote(word, safe=punctuation), ""
    if word.startswith(("http://", "https://")):
        parts = urlsplit(word)
        query = f"?{parts.query}" if parts.query else ""
        return quote(f"{parts.path or '/'}{query}", safe=punctuation), parts.netloc
    meant = f"{word} /" if word in _METHODS else f"/{word}"
    raise ConfigError(f"{word!r} is no path: a path begins with /", repair=f"%wash send {meant}")
