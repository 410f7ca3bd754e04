"""WIT's kebab-case names in Python's spelling."""

from __future__ import annotations

import keyword
import re
from typing import NamedTuple

_TAKEN = frozenset({"wit"})
"""What the classes of interfaces say of themselves, as `Interface.wit`."""

_KIND = re.compile(r"\[(?:method|static|constructor)\]")
_FUNCTION = re.compile(r"\[(method|static|constructor)\]([^.]+)(?:\.(.+))?")


def python_name(wit: str) -> str:
    """`get-many` as an attribute: `get_many`; a Python keyword gets an underscore (`from_`), and so does `wit`."""
    name = wit.replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) or name in _TAKEN else name


def class_name(wit: str) -> str:
    """`input-stream` as a class: `InputStream`; `DNS-timeout` is `DnsTimeout`."""
    return "".join(word.capitalize() for word in wit.split("-"))


def member_name(wit: str) -> str:
    """`network-down` as a member of an enum or of flags: `NETWORK_DOWN`; one that is no identifier gets a `_`."""
    name = wit.replace("-", "_").upper()
    return name if name.isidentifier() else f"_{name}"


def folded(name: str) -> str:
    """What the spellings of a WIT name have in common: `DNS-timeout`, `DnsTimeout` and `DNS_TIMEOUT` are one."""
    return name.replace("-", "").replace("_", "").casefold()


class FunctionName(NamedTuple):
    """The parts of a function's WIT name: `[method]bucket.get` is a method, of bucket, called get.

    `kind` is "method", "static", "constructor", or "" for a free function, which has no resource.
    """

    kind: str
    resource: str
    name: str


def parse_function(wit: str) -> FunctionName:
    """Take a function's WIT name apart."""
    match = _FUNCTION.fullmatch(wit)
    if match is None:
        return FunctionName("", "", wit)
    return FunctionName(match[1], match[2], match[3] or "")


def without_kind(wit: str) -> str:
    """A function's WIT name, alone or in a text, as people write it: `bucket.get` for `[method]bucket.get`."""
    return _KIND.sub("", wit)
