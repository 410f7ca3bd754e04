"""Methods, schemes and the parts of a request's target: the variants of WIT, and the syntax that is accepted.

The syntax is that of wasmtime-wasi-http: tokens of RFC 9110, and URIs of RFC 3986 with the characters that browsers
send unescaped.
"""
# ruff: noqa: N801 - variant_Case is how componentize-py's guests spell it

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Method_Get:
    """GET."""


@dataclass(frozen=True, slots=True)
class Method_Head:
    """HEAD."""


@dataclass(frozen=True, slots=True)
class Method_Post:
    """POST."""


@dataclass(frozen=True, slots=True)
class Method_Put:
    """PUT."""


@dataclass(frozen=True, slots=True)
class Method_Delete:
    """DELETE."""


@dataclass(frozen=True, slots=True)
class Method_Connect:
    """CONNECT."""


@dataclass(frozen=True, slots=True)
class Method_Options:
    """OPTIONS."""


@dataclass(frozen=True, slots=True)
class Method_Trace:
    """TRACE."""


@dataclass(frozen=True, slots=True)
class Method_Patch:
    """PATCH."""


@dataclass(frozen=True, slots=True)
class Method_Other:
    """Any other method, as it is written on the wire."""

    value: str


Method = (
    Method_Get
    | Method_Head
    | Method_Post
    | Method_Put
    | Method_Delete
    | Method_Connect
    | Method_Options
    | Method_Trace
    | Method_Patch
    | Method_Other
)


@dataclass(frozen=True, slots=True)
class Scheme_Http:
    """Plain HTTP."""


@dataclass(frozen=True, slots=True)
class Scheme_Https:
    """HTTP over TLS."""


@dataclass(frozen=True, slots=True)
class Scheme_Other:
    """Any other scheme, as it is written in a URI."""

    value: str


Scheme = Scheme_Http | Scheme_Https | Scheme_Other

_METHODS: dict[str, Method] = {
    "GET": Method_Get(),
    "HEAD": Method_Head(),
    "POST": Method_Post(),
    "PUT": Method_Put(),
    "DELETE": Method_Delete(),
    "CONNECT": Method_Connect(),
    "OPTIONS": Method_Options(),
    "TRACE": Method_Trace(),
    "PATCH": Method_Patch(),
}
_METHOD_NAMES = {type(method): name for name, method in _METHODS.items()}
_SCHEMES: dict[str, Scheme] = {"http": Scheme_Http(), "https": Scheme_Https()}

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_SCHEME = re.compile(r"[A-Za-z0-9+\-.~]{1,64}")
# a fragment may follow, but is never sent
_PATH_WITH_QUERY = re.compile(r"\*|(?=[/?#])[!-;=@-_a-~\x80-\U0010ffff]*(?:\?[!-;=?-~\x80-\U0010ffff]*)?(?:#.*)?")
_AUTHORITY = re.compile(
    r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:%]*@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=]+)"
    r"(?::0*(?P<port>[0-9]{1,5}))?"  # int() raises ValueError for thousands of digits
)


def method_of(name: str) -> Method:
    """Return the case of `method` for a method as it is on the wire (case-sensitive, RFC 9110 section 9.1)."""
    return _METHODS.get(name) or Method_Other(name)


def method_name(method: Method) -> str:
    """Return `method` as it is on the wire."""
    return method.value if isinstance(method, Method_Other) else _METHOD_NAMES[type(method)]


def scheme_of(name: str) -> Scheme:
    """Return the case of `scheme` for a scheme in lower case."""
    return _SCHEMES.get(name) or Scheme_Other(name)


def is_token(text: str) -> bool:
    """Whether `text` is a token of RFC 9110: what methods and field names are made of."""
    return _TOKEN.fullmatch(text) is not None


def is_scheme(text: str) -> bool:
    """Whether `text` can be the scheme of a URI."""
    return _SCHEME.fullmatch(text) is not None


def is_path_with_query(text: str) -> bool:
    """Whether `text` is a path with or without query, or `*`."""
    return len(text) < 65535 and _PATH_WITH_QUERY.fullmatch(text) is not None


def split_authority(authority: str) -> tuple[str, int | None] | None:
    """Part an authority into host (an IPv6 address in its brackets) and port; None where `authority` is not one.

    The user name before an `@` is left out, so that none can pass for the host when a policy is asked about that.
    """
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return None
    port = None if match["port"] is None else int(match["port"])
    return None if port is not None and port > 65535 else (match["host"], port)
