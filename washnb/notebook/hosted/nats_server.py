"""The NATS server of the session, which ends with the host."""

from __future__ import annotations

from pathlib import Path

from washnb.errors import ConfigError

from ..handles import News, ServerUrl
from .deployments import Deployments

_STARTING = "%wash nats start"


async def nats_started(deployments: Deployments, store: Path | None) -> ServerUrl:
    """Start the server, unless it runs; `store` is a directory that stays, without it the state goes with the server.

    Raises ConfigError where it runs with another store, and what `LocalNats.start` raises.
    """
    server = deployments.local_nats
    if server.running and store in {None, server.store}:
        return _url(deployments)
    if server.running:
        raise ConfigError(f"the NATS server runs already, with {_store(deployments)}", repair="%wash nats stop")
    await server.start(store)
    return _url(deployments)


async def nats_stopped(deployments: Deployments) -> News:
    """Stop the server, if it runs, and say so."""
    running = deployments.local_nats.running
    await deployments.local_nats.stop()
    return News("the NATS server has stopped" if running else "no NATS server of this session runs")


async def nats_status(deployments: Deployments) -> ServerUrl | News:
    """Return the URL of the server, as its start did, or a line that says that it does not run."""
    if not deployments.local_nats.running:
        return News(f"no NATS server of this session runs: {_STARTING}")
    return _url(deployments)


def _url(deployments: Deployments) -> ServerUrl:
    return ServerUrl(deployments.local_nats.url, _store(deployments))


def _store(deployments: Deployments) -> str:
    store = deployments.local_nats.store
    return "a temporary directory" if store is None else str(store)
