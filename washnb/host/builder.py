"""The builder of hosts, with the words of wash-runtime's `HostBuilder`."""

from __future__ import annotations

import platform
import random
from typing import Self

from washnb.engine import Engine
from washnb.errors import ConfigError
from washnb.plugins import Attachable, HostPlugin, as_plugin

from .grants import require_own_directories, require_unique
from .host import Host
from .server import HttpServer

MEMORY_MIB = 1024
"""MiB that a linear memory of a guest may have where the host makes its own engine: the kernel must outlive guests."""

_ADJECTIVES = ("amber", "bold", "calm", "deft", "eager", "fair", "gentle", "hazy", "keen", "lucid", "mellow", "nimble")
_NOUNS = ("badger", "comet", "delta", "ember", "falcon", "grove", "harbor", "island", "juniper", "lantern", "otter")


class HostBuilder:
    """Collects the parts of a host, in any order.

    host = HostBuilder().with_engine(engine).with_http_handler(http).with_plugin(DynamicConfig(False)).build()
    """

    def __init__(self) -> None:
        """Begin with nothing: no HTTP handler, no plugins."""
        self._engine: Engine | None = None
        self._http: HttpServer | None = None
        self._plugins: dict[str, HostPlugin] = {}
        self._labels: dict[str, str] = {}
        self._hostname = platform.node() or "localhost"
        self._friendly_name: str | None = None

    def with_engine(self, engine: Engine) -> Self:
        """Run guests on `engine`, which the caller closes.

        Without this the host makes and closes an engine of its own, in which a linear memory has at most 1 GiB.
        """
        self._engine = engine
        return self

    def with_http_handler(self, http: HttpServer) -> Self:
        """Take HTTP requests through `http`, and let components send requests to their `allowed_hosts`.

        Without an HTTP handler an outgoing request ends its guest, as in wash-runtime.
        """
        self._http = http
        return self

    def with_plugin(self, plugin: Attachable) -> Self:
        """Attach a plugin. Raises ConfigError where another one has its id, or its directory for state."""
        made = as_plugin(plugin)
        require_unique(made, self._plugins)
        require_own_directories((*self._plugins.values(), made))
        self._plugins[made.id] = made
        return self

    def with_label(self, key: str, value: str) -> Self:
        """Set a label, which the heartbeat carries."""
        self._labels[key] = value
        return self

    def with_hostname(self, hostname: str) -> Self:
        """Set the host name that the heartbeat carries; by default that of the machine."""
        self._hostname = hostname
        return self

    def with_friendly_name(self, name: str) -> Self:
        """Set the name by which people know the host; by default one is made up."""
        if not name:
            raise ConfigError("the friendly name of a host is empty", repair='with_friendly_name("workshop")')
        self._friendly_name = name
        return self

    def build(self) -> Host:
        """Return the host. It does nothing until its `start` is awaited."""
        return Host(
            self._engine or Engine.builder().with_memory_limit(MEMORY_MIB).build(),
            self._plugins,
            self._http,
            owns_engine=self._engine is None,
            hostname=self._hostname,
            friendly_name=self._friendly_name or _made_up_name(),
            labels=dict(self._labels),
        )


def _made_up_name() -> str:
    return f"{random.choice(_ADJECTIVES)}-{random.choice(_NOUNS)}-{random.randint(1000, 9999)}"  # noqa: S311 - no secret
