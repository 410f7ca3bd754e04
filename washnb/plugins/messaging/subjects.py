"""The subjects of messages, and the names of queue groups, by the rules of NATS and of wash-runtime."""

from __future__ import annotations

import re
from collections.abc import Callable

from washnb.errors import AccessDenied, BackendError, ConfigError

INBOX = "_INBOX."
"""The beginning of the subjects to which answers to requests are sent."""

LONGEST = 1024
"""Bytes that a subject may have. NATS closes a connection for a line of more than 4,096, which may hold two of them."""

BROADCAST = "broadcast"
"""The value of `consumer_group` for a component that is in no group, and gets every message."""

_UNSENDABLE = re.compile("[\\x00-\\x20\\x7f\\ud800-\\udfff]")
_WILDCARDS = {"*": r"[^.]+", ">": r".+"}
_GROUP_LENGTH = 128
_FNV_OFFSET = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3


def flaw(subject: str, *, wildcards: bool = False) -> str | None:
    """Return in words what is wrong with a subject, None where nothing is. With `wildcards` it may have `*` and `>`."""
    tokens = subject.split(".")
    if not subject:
        return "it is empty"
    if len(subject.encode("utf-8", "surrogatepass")) > LONGEST:
        return f"it is longer than {LONGEST:,} bytes"
    if _UNSENDABLE.search(subject):
        return "it has a blank or a control character"
    if "" in tokens:
        return "there is nothing before, between or after its dots"
    if wildcards and ">" in tokens[:-1]:
        return "its > is not at the end"
    if wildcards:
        partly = any(len(token) > 1 and ("*" in token or ">" in token) for token in tokens)
        return "a * or > stands for a whole token" if partly else None
    return "it has a wildcard, which is for subscriptions" if "*" in tokens or ">" in tokens else None


def require_sendable(subject: str) -> None:
    """Raise BackendError where `subject` is not valid, AccessDenied where it is one of the server's own.

    These begin with `$`: messages to `$KV`, `$O` and `$JS` change buckets, objects and streams, and a guest that was
    granted messaging was not granted these.
    """
    if problem := flaw(subject):
        raise BackendError(f"subject {subject!r:.80} is invalid: {problem}", repair='"orders.created"')
    if subject.startswith("$"):
        raise AccessDenied(
            f"subject {subject!r:.80} is the server's own, through which it keeps state",
            repair="%wash attach keyvalue=nats  # or blobstore: what guests may use to keep state",
        )


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return a function that says whether a subject matches `pattern`: `*` is any one token, `>` one or more."""
    parts = (_WILDCARDS.get(each) or re.escape(each) for each in pattern.split("."))
    expression = re.compile(r"\.".join(parts))
    return lambda subject: expression.fullmatch(subject) is not None


def lasting(subject: str) -> str:
    """Return a subject as views show it: of an inbox, which each request has for itself, only the beginning."""
    return f"{INBOX}…" if subject.startswith(INBOX) else subject


def default_group(namespace: str, workload: str, component: str) -> str:
    """Return the name that wash-runtime gives a component's queue group, so that its hosts share the messages."""
    identity = f"{namespace}\0{workload}\0{component}".encode()
    readable = ".".join(re.sub(r"[^A-Za-z0-9_-]", "-", part) for part in (namespace, workload, component))
    prefix, suffix = "wasmcloud.", f".{fnv1a_64(identity):016x}"
    return prefix + readable[: _GROUP_LENGTH - len(prefix) - len(suffix)] + suffix


def fnv1a_64(data: bytes) -> int:
    """Return the FNV-1a hash of `data`, an integer of 64 bits."""
    digest = _FNV_OFFSET
    for byte in data:
        digest = (digest ^ byte) * _FNV_PRIME % 2**64
    return digest


def require_group(name: str) -> None:
    """Raise ConfigError where NATS takes no queue group of that name."""
    if not name or re.search(r"[\s*>]", name) or flaw(name.replace(".", "-")):
        raise ConfigError(
            f"consumer_group {name!r:.80} cannot be: a name without blanks, * and >, {LONGEST:,} bytes at most",
            repair=("consumer_group=workers", f"consumer_group={BROADCAST}  # each one gets every message"),
        )
