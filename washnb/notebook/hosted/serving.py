"""The session's HTTP server: its port, the link that leads there, and the workload that answers."""

from __future__ import annotations

import os
import re

from washnb.errors import ConfigError
from washnb.types import Request

from ..arguments import quoted
from ..handles import Address
from .deployments import Deployments

_FIRST_PORT = 8000
_LAST_PORT = 65_535
_LOOPBACK = "127.0.0.1"


async def served(deployments: Deployments, port: int | str | None) -> Address:
    """Open the server at `port` and return its address. Without `port` it stays where it is, or takes 8000 or any."""
    http = deployments.host.http
    assert http is not None  # the preset's host has one
    if port is None and http.port:
        return _address(http.addr, deployments)
    if port is not None:
        return _address(await http.bind(_listening_at(str(port))), deployments)
    try:
        return _address(await http.bind(f"{_LOOPBACK}:{_FIRST_PORT}"), deployments)
    except ConfigError:
        return _address(await http.bind(f"{_LOOPBACK}:0"), deployments)


def _listening_at(port: str) -> str:
    if ":" in port:
        return port
    if not port.isdecimal() or int(port) > _LAST_PORT:
        raise ConfigError(f"{port!r} is no port", repair="%wash serve 8000, %wash serve HOST:PORT, or %wash serve")
    return f"{_LOOPBACK}:{port}"


def _address(listening: str, deployments: Deployments) -> Address:
    url = f"http://{listening}"
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")  # set by JupyterHub, and so on Binder
    port = re.search(r"\d+$", listening)
    link = f"{prefix.rstrip('/')}/proxy/{port[0]}/" if prefix and port else None
    return Address(url, link, _answering(deployments))


def _answering(deployments: Deployments) -> str:
    """Say which workload answers at the port, and how to choose another: `send` may choose otherwise."""
    names = [each.name for each in deployments if each.answers_http and not each.waiting]
    http = deployments.host.http
    routed = None if http is None else http.router.route(Request("GET", "/"))
    name = next((each.name for each in deployments if each.workload_id == routed), None)
    if name is None:
        return "nobody answers yet, then the one loaded last"
    others = [quoted(each) for each in names if each != name]
    return f"{name} answers" + (
        f", the one loaded last (%wash reload {others[-1]} lets that one answer)" if others else ""
    )
