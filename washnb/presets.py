"""Hosts with everything in them: the one place that knows the host and the concrete plugins."""

from __future__ import annotations

from washnb.engine import Engine
from washnb.host import DevRouter, Host, HostBuilder, HttpServer
from washnb.plugins import catalog

__all__ = ["dev_host"]


def dev_host(engine: Engine | None = None, *, plugins: bool = True) -> Host:
    """Make the host of `wash dev`: requests go to the workload started last, and no port is open until one is bound.

    With `plugins`, every capability of the catalog is attached, in memory; without, every import has to be granted.
    `engine` stays its owner's; without one the host makes its own and closes it.
    """
    builder = HostBuilder().with_http_handler(HttpServer(DevRouter()))
    if engine is not None:
        builder.with_engine(engine)
    for entry in catalog.CATALOG if plugins else ():
        builder.with_plugin(entry.create())
    return builder.build()
