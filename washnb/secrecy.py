"""What nobody is shown: which names are those of secrets, and texts without the secrets that are in them.

Notebooks are saved and passed on, so every view, repr, trace, event and error asks here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

HIDDEN = "••••••"
"""Stands in place of a secret where a notebook shows a value or an address."""

REDACTION = "<redacted>"
"""Stands in place of a secret in traces, events and log lines, which are plain text."""

_SECRET = re.compile(r"authorization|cookie|token|secret|password", re.IGNORECASE)
_SECRET_PARAMETER = re.compile(r"([?&][^=&#\s]*(?:token|secret|password)[^=&#\s]*=)[^&#\s]+", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/\s]*@")
_USERINFO_OF_GUESTS = re.compile(r"(?<=://)[^\s/?#\"<>]+(?=@)")
"""The same in a text that may be anything: a query may have an `@`, and so may what follows an address in quotes."""

_AUTHORITY = re.compile(
    r"(?!(?:mailto|sips?|xmpp|acct):)"  # addresses of their own kind, with no password in them
    r"[^\s/?#@:\"<>]*:[^\s/?#\"<>]*@"
    r"(?!\d+\.\d+\.\d+(?![.\d]))"  # a version: `wasi:http@0.2.0` is the name of a package
    r"(?P<host>(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d*)?)",
    re.IGNORECASE,
)


def is_secret(name: str) -> bool:
    """Whether nobody is shown a value of this name: Authorization, Cookie, or with token, secret or password in it.

    The name may be that of a header, a variable, a setting, a key, a parameter or a field, in any case.
    """
    return _SECRET.search(name) is not None


def redacted(values: Mapping[str, str] | Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return pairs of name and value, with `HIDDEN` for each value whose name is that of a secret."""
    pairs = values.items() if isinstance(values, Mapping) else values
    return [(name, HIDDEN if is_secret(name) else value) for name, value in pairs]


def without_secrets(text: str) -> str:
    """Return a path, an address or any text of a guest with `REDACTION` for the secrets in it.

    These are values of a query whose names are those of secrets, and user and password of an address, also where it is
    all of the text and has no scheme: `USER:PASSWORD@HOST`. An e-mail address stays, and so does any other `@`.
    """
    if "@" in text:
        text = _USERINFO_OF_GUESTS.sub(REDACTION, text)
        if authority := _AUTHORITY.fullmatch(text):
            text = f"{REDACTION}@{authority['host']}"
    return _SECRET_PARAMETER.sub(rf"\1{REDACTION}", text) if "=" in text else text


def without_userinfo(text: str) -> str:
    """Return a text with `HIDDEN` for user and password in each address of it: `nats://••••••@HOST`."""
    return _USERINFO.sub(f"{HIDDEN}@", text) if "@" in text else text


def behind_userinfo(address: str) -> str:
    """Return what stands behind user and password in an address that may have no scheme: `HOST:PORT`."""
    return address.rpartition("@")[2]


def cut_at_userinfo(address: str) -> str:
    """Return an address that nobody can read, cut behind its first colon where a password may follow: `redis:...`."""
    scheme, _, rest = address.partition(":")
    return f"{scheme}:..." if "@" in rest else address
