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


def is_secret(name: str) -> bool:
    """Whether nobody is shown a value of this name: Authorization, Cookie, or with token, secret or password in it.

    The name may be that of a header, a variable, a setting, a key, a parameter or a field, in any case.
    """
    return _SECRET.search(name) is not None


def redacted(values: Mapping[str, str] | Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return pairs of name and value, with `HIDDEN` for each value whose name is that of a secret."""
    pairs = values.items() if isinstance(values, Mapping) else values
    return [(name, HIDDEN if is_secret(name) else value) for name, value in pairs]


def without_secrets(target: str) -> str:
    """Return a path or address with `REDACTION` for each value of its query whose name is that of a secret."""
    return _SECRET_PARAMETER.sub(rf"\1{REDACTION}", target) if "=" in target else target


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
