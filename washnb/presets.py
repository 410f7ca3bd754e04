"""Hosts with everything in them: the one place that knows the host and the concrete plugins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from washnb.engine import Engine
from washnb.host import DevRouter, Host, HostBuilder, HttpServer
from washnb.plugins import HostPlugin, NatsServer, catalog

__all__ = ["dev_host", "nats_host"]


def dev_host(engine: Engine | None = None, *, plugins: bool = True) -> Host:
    """Make the host of `wash dev`: requests go to the workload started last, and no port is open until one is bound.

    With `plugins`, every capability of the catalog is attached, in memory; without, every import has to be granted.
    `engine` stays its owner's; without one the host makes its own and closes it.
    """
    return _host(engine, [entry.create() for entry in catalog.CATALOG] if plugins else ())


def nats_host(url: str = "nats://127.0.0.1:4222", engine: Engine | None = None, **options: Any) -> Host:
    """Make a host like `dev_host` whose state is on a NATS server: every capability, over one connection.

    Hosts on one server share counters, blobs, settings, messages and logs, those of wash-runtime too. `options` are
    those of `NatsServer`: what may be done there (`write`, `join`), and how to connect (`token`, `tls` ...).
    """
    server = NatsServer(url, **options)
    return _host(engine, [entry.create(server) for entry in catalog.CATALOG])


def _host(engine: Engine | None, plugins: Sequence[HostPlugin]) -> Host:
    builder = HostBuilder().with_http_handler(HttpServer(DevRouter()))
    if engine is not None:
        builder.with_engine(engine)
    for plugin in plugins:
        builder.with_plugin(plugin)
    return builder.build()
