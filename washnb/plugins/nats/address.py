"""Addresses of NATS servers, as people write them: `nats://USER:PASSWORD@HOST:PORT`, or HOST alone."""

from __future__ import annotations

import ipaddress
import itertools
import re
from urllib.parse import SplitResult, urlsplit

from washnb.errors import ConfigError
from washnb.secrecy import behind_userinfo

_PORTS = {"nats": 4222, "tls": 4222, "ws": 80, "wss": 443}


def read_servers(url: str) -> list[SplitResult]:
    """Return the parts of each address in `url`: one server, or several with commas between them.

    Raises ConfigError, which shows no password, where one of them is no address. That includes a password with a comma
    or a `#` in it: read as a URL, it ends there, and the rest would be taken for a host.
    """
    texts = [each.strip() for each in url.split(",")]
    cut = any("@" in rest and "://" not in rest and "@" not in text for text, rest in itertools.pairwise(texts))
    servers = [server for text in texts if (server := _server(text)) is not None]
    if not cut and len(servers) == len(texts):
        return servers
    named = behind_userinfo(url) if "@" in url else re.sub(r"(?<=:)(?!//|\d+$).*", "...", url)
    repair = ['NatsServer("nats://127.0.0.1:4222")', "nats://USER:PASSWORD@HOST  # with %2c for a comma, %40 for @ ..."]
    raise ConfigError(f"{named!r:.80} is no address of a NATS server", repair=repair[: 1 + ("@" in url)])


def shown(server: SplitResult) -> str:
    """Return scheme, host and port, without user and password: for messages and views."""
    host = server.hostname or ""
    bracketed = f"[{host}]" if ":" in host else host
    return f"{server.scheme}://{bracketed}:{server.port or _PORTS[server.scheme]}"


def on_this_machine(server: SplitResult) -> bool:
    """Whether the host is a loopback address or `localhost`; other names are not looked up."""
    host = server.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _server(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text if "://" in text else f"nats://{text}")
        known = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of the port, or of brackets
        return None
    return parts if known and "@" not in f"{parts.path}{parts.query}{parts.fragment}" else None
