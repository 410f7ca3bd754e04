"""Which hosts a component may reach with outgoing requests: the allowlist of wash-runtime, entry by entry.

    *                                  every host
    host[:port]                        this host
    scheme://host[:port][/]            this host, with this scheme
    [scheme://]*.suffix[:port][/]      every host below the suffix, but not the suffix itself

Hosts and schemes compare without case. An entry without port matches every port; with one, only a request that names
the same port in its authority. A port that is the scheme's own (`https://host:443`) counts as none, as in
`url::Url`. An empty list denies everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from washnb.errors import ConfigError

_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443, "ftp": 21}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")
_HOST = re.compile(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()+,;=]+")


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """One entry of `allowed_hosts`. `host` is in lower case; None, with nothing else set, allows every host.

    With `below`, the entry allows the hosts under `host`, and not `host` itself.
    """

    host: str | None
    below: bool = False
    scheme: str | None = None
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> AllowedHost:
        """Read one entry in the forms that the module lists. Raises ValueError, which says what is wrong with it."""
        entry = text.strip()
        if not entry:
            raise ValueError("allowed-host entry is empty")
        if entry == "*":
            return cls(None)
        scheme, separator, rest = entry.partition("://")
        if not separator:
            scheme, rest = "", entry
        elif _SCHEME.fullmatch(scheme) is None:
            raise ValueError(f"invalid scheme '{scheme}'")
        below = rest.startswith("*.")
        if not below and rest.startswith("*"):
            raise ValueError("wildcard must be of the form `*.<rest>` (leading dot required)")
        authority = _authority_of(rest.removeprefix("*."))
        host, port = _split_host_port(authority)
        if separator and not below and port == _DEFAULT_PORTS.get(scheme.lower()):
            port = None
        return cls(host.lower(), below, scheme.lower() or None, port)

    def matches(self, scheme: str, host: str, port: int | None) -> bool:
        """Return whether the entry allows a request to `host`; `port` is None where its authority names none."""
        if self.host is None:
            return True
        wanted = host.lower()
        if self.below:
            if not (wanted.endswith(f".{self.host}") and len(wanted) > len(self.host) + 1):
                return False
        elif wanted != self.host:
            return False
        return self.scheme in {None, scheme.lower()} and self.port in {None, port}

    def __str__(self) -> str:
        """Return the entry as text, in a form that `parse` reads."""
        if self.host is None:
            return "*"
        scheme = "" if self.scheme is None else f"{self.scheme}://"
        return f"{scheme}{'*.' if self.below else ''}{self.host}{'' if self.port is None else f':{self.port}'}"


def parse_allowed_hosts(entries: Iterable[str]) -> tuple[AllowedHost, ...]:
    """Read the `allowed_hosts` of a component. Raises one ConfigError that names every entry that is none."""
    allowed, wrong = [], []
    for entry in entries:
        try:
            allowed.append(AllowedHost.parse(entry))
        except ValueError as error:
            wrong.append(f"\n  - '{entry}': {error}")
    if wrong:
        raise ConfigError(
            f"invalid allowed_hosts:{''.join(wrong)}",
            repair="the forms are *, host[:port], scheme://host[:port] and *.suffix",
        )
    return tuple(allowed)


def _authority_of(rest: str) -> str:
    """Return an authority without the one slash that may follow it.

    Raises ValueError for a path, a query or a fragment: an entry is about hosts, and does not restrict these.
    """
    match = re.match(r"[^/?#]*", rest)
    authority = match[0] if match else ""
    tail = rest[len(authority) :]
    path = re.split(r"[?#]", tail, maxsplit=1)[0]
    if path not in {"", "/"}:
        raise ValueError(f"must not include a path; got '{path}'")
    if tail[len(path) :].startswith("?"):
        raise ValueError("must not include a query string")
    if "#" in tail:
        raise ValueError("must not include a fragment")
    return authority


def _split_host_port(authority: str) -> tuple[str, int | None]:
    host, separator, port = authority, "", ""
    if not authority.endswith("]"):
        host, separator, port = authority.rpartition(":")
        if not separator:
            host, port = authority, ""
    if not host:
        raise ValueError("empty host before ':'" if separator else "empty host")
    if _HOST.fullmatch(host) is None:
        raise ValueError(f"invalid host '{host}'")
    if not separator:
        return host, None
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise ValueError(f"invalid port '{port}'")
    return host, int(port)
