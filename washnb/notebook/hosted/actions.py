"""What verbs do on the host's loop beyond loading and attaching: open the host, send, run."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from washnb.engine import Source, read_source
from washnb.events import Event, EventBus, LogLine
from washnb.presets import dev_host
from washnb.types import Component, LocalResources, Workload, WorkloadStartRequest

from ..handles import Completed, ShownResponse
from ..loading import name_of
from ..requests import Asked
from .deployments import NAMESPACE, Deployments


async def opened(events: EventBus, *, tracing: bool) -> Deployments:
    """Start a host without plugins, whose events go to `events`, too, and return its deployments."""
    host = await dev_host(plugins=False).start()
    host.tracing = tracing
    deployments = Deployments(host)
    host.events().subscribe(deployments.history.take)
    host.events().subscribe(events.publish)
    return deployments


async def sent(deployments: Deployments, asked: Asked, to: str | None, seconds: float | None) -> ShownResponse:
    """Send a request to the workload `to`, or to the one used last that answers HTTP; wait for at most `seconds`."""
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


@dataclass(frozen=True)
class Command:
    """The arguments of `run`. The run ends after at most `seconds`."""

    source: Source
    arguments: Sequence[str]
    environment: Mapping[str, str]
    stdin: bytes
    seconds: float | None


async def completed(deployments: Deployments, command: Command) -> Completed:
    """Run a command to its end, as a workload that is stopped afterwards, and return its exit code and output."""
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
