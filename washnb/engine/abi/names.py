"""Names in WIT, which are in kebab-case, in Python's spelling."""

from __future__ import annotations

import keyword
import re
from typing import NamedTuple

_TAKEN = frozenset({"wit", "drop"})
"""Names with another meaning in Python: `Interface.wit` is the interface's name, and `drop` ends a resource."""

_KIND = re.compile(r"\[(?:method|static|constructor)\]")
_FUNCTION = re.compile(r"\[(method|static|constructor)\]([^.]+)(?:\.(.+))?")


def python_name(wit: str) -> str:
    """Spell a name for a Python attribute: `get-many` is `get_many`; `from_`, `wit_` and `drop_` would be taken."""
    name = wit.replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) or name in _TAKEN else name


def class_name(wit: str) -> str:
    """Spell a name for a Python class: `input-stream` is `InputStream`, `DNS-timeout` is `DnsTimeout`."""
    return "".join(word.capitalize() for word in wit.split("-"))


def member_name(wit: str) -> str:
    """Spell a name for a member of an Enum or Flag: `network-down` is `NETWORK_DOWN`. WIT's begin with a letter."""
    return wit.replace("-", "_").upper()


def folded(name: str) -> str:
    """Reduce a name to what all its spellings share: `DNS-timeout`, `DnsTimeout` and `DNS_TIMEOUT` give the same."""
    return name.replace("-", "").replace("_", "").casefold()


class FunctionName(NamedTuple):
    """The parts of a function's name in WIT: of `[method]bucket.get` they are "method", "bucket" and "get".

    `kind` is "method", "static", "constructor", or "" for a free function, whose `resource` is "". A constructor's
    `name` is "".
    """

    kind: str
    resource: str
    name: str


def parse_function(wit: str) -> FunctionName:
    """Part a function's name in WIT into kind, resource and name."""
    match = _FUNCTION.fullmatch(wit)
    if match is None:
        return FunctionName("", "", wit)
    return FunctionName(match[1], match[2], match[3] or "")


def without_kind(wit: str) -> str:
    """A function's WIT name, alone or in a text, as people write it: `bucket.get` for `[method]bucket.get`."""
    return _KIND.sub("", wit)
