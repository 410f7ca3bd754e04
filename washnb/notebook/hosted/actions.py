"""What verbs do on the host's loop beyond loading and attaching: open the host, send, serve, trace, run."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from washnb.engine import read_source
from washnb.errors import ConfigError
from washnb.events import Event, EventBus, LogLine
from washnb.presets import dev_host
from washnb.types import Component, LocalResources, Request, Workload, WorkloadStartRequest

from ..arguments import quoted
from ..grants import name_of
from ..handles import Address, Completed, ShownResponse
from ..requests import Asked
from .deployments import NAMESPACE, Deployments, Source

_FIRST_PORT = 8000
_LAST_PORT = 65_535
_LOOPBACK = "127.0.0.1"


async def opened(events: EventBus, *, tracing: bool) -> Deployments:
    """Start a host that tells its events to `events`, too."""
    host = await dev_host(plugins=False).start()
    host.tracing = tracing
    deployments = Deployments(host)
    host.events().subscribe(deployments.history.take)
    host.events().subscribe(events.publish)
    return deployments


async def sent(deployments: Deployments, asked: Asked, to: str | None, seconds: float | None) -> ShownResponse:
    """Send a request to the workload `to`, or else to the one used last that answers HTTP."""
    target = deployments.answering(to)
    denied: list[str] = []

    def note(event: Event) -> None:
        if isinstance(event, LogLine) and (event.stream, event.workload) == ("host", target.name):
            denied.append(event.message)

    unsubscribe = deployments.host.events().subscribe(note)
    try:
        response = await deployments.host.send(
            asked.method, asked.path, headers=asked.headers, body=asked.body, to=target.workload_id, timeout=seconds
        )
    finally:
        unsubscribe()
    return ShownResponse.of(response, denied)


async def served(deployments: Deployments, port: int | str | None) -> Address:
    """Open a port. Without one asked for, the server that is open already, else port 8000, else any free one."""
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
    """Say who answers at the port, and how another one does: the router's choice is not that of `send`."""
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


@dataclass(frozen=True)
class Command:
    """What `run` is told. `seconds` bounds the run."""

    source: Source
    arguments: Sequence[str]
    environment: Mapping[str, str]
    stdin: bytes
    seconds: float | None


async def completed(deployments: Deployments, command: Command) -> Completed:
    """Run a command to its end, as a workload that is gone afterwards."""
    name = name_of(command.source)
    read = await asyncio.to_thread(read_source, command.source, name)
    component = Component(name, read.data, local_resources=LocalResources(environment=command.environment))
    host, workload_id = deployments.host, str(uuid4())
    response = await host.workload_start(
        WorkloadStartRequest(workload_id, Workload(NAMESPACE, name, components=(component,)))
    )
    try:
        if response.error is not None:
            raise response.error
        result = await host.run(workload_id, *command.arguments, stdin=command.stdin, timeout=command.seconds)
    finally:
        await host.workload_stop(workload_id)
    stdout, stderr = (each.decode("utf-8", "replace") for each in (result.stdout, result.stderr))
    return Completed(result.exit_code, stdout, stderr, result.dropped)
