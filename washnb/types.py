"""What a host is told to run, and what it answers: the data of wash-runtime's host API, as frozen dataclasses.

Requests and responses are here too, because the server, the routers and WASI speak of the same ones.
"""

from __future__ import annotations

import enum
import json
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from washnb.errors import WashError
from washnb.wit import WitInterface


@dataclass(frozen=True)
class LocalResources:
    """What one component of a workload may use.

    `memory_limit_mb` bounds each linear memory in MiB (-1: the engine's limit). `config` is what wasi:config hands
    out, `environment` what wasi:cli/environment does. `allowed_hosts` are patterns of hosts that outgoing requests may
    reach (`*`, `*.example.com`, `https://api.example.com:8443`); none means none.
    """

    memory_limit_mb: int = -1
    config: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    allowed_hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Component:
    """One component of a workload: its name and its bytes (binary or WAT text)."""

    name: str
    bytes: bytes
    digest: str | None = None
    local_resources: LocalResources = field(default_factory=LocalResources)


@dataclass(frozen=True)
class Workload:
    """Components that run together, and the interfaces that they ask the host's plugins for."""

    namespace: str
    name: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    components: tuple[Component, ...] = ()
    host_interfaces: tuple[WitInterface, ...] = ()


class WorkloadState(enum.Enum):
    """The states of wash-runtime's workloads."""

    STARTING = "Starting"
    RUNNING = "Running"
    STOPPING = "Stopping"
    ERROR = "Error"
    NOT_FOUND = "NotFound"


@dataclass(frozen=True)
class WorkloadStatus:
    """State of a workload, and the sentence that goes with it."""

    workload_id: str
    state: WorkloadState
    message: str
    error: WashError | None = None


@dataclass(frozen=True)
class WorkloadStartRequest:
    """Start `workload` under an id of the caller's choice."""

    workload_id: str
    workload: Workload


@dataclass(frozen=True)
class WorkloadStartResponse:
    """The answer to a start.

    `state` is Running, Error where it failed (then `error` carries what went wrong), or Stopping where it was stopped
    before it had started.
    """

    workload_status: WorkloadStatus

    @property
    def state(self) -> WorkloadState:
        """Short for `workload_status.state`."""
        return self.workload_status.state

    @property
    def message(self) -> str:
        """Short for `workload_status.message`."""
        return self.workload_status.message

    @property
    def error(self) -> WashError | None:
        """Short for `workload_status.error`."""
        return self.workload_status.error


Header = tuple[str, bytes]


@dataclass(frozen=True)
class Request:
    """An HTTP request on its way to a workload. `target` is path and query as sent.

    `body` is bytes, or a stream of them.
    """

    method: str
    target: str
    headers: tuple[Header, ...] = ()
    body: bytes | AsyncIterable[bytes] = b""
    scheme: str = "http"
    authority: str = ""


class BodyStream(Protocol):
    """A body that still flows."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the chunks, once."""

    async def aclose(self) -> None:
        """Say that nobody reads on."""


@dataclass(frozen=True)
class StreamedResponse:
    """A response whose head is known and whose body still flows. `body` is bytes where it was complete at once.

    Whoever receives one reads `body` to its end or calls `aclose()` on it: the guest lives until then.
    """

    status: int
    headers: tuple[Header, ...]
    body: bytes | BodyStream


@dataclass(frozen=True)
class Response:
    """A whole response, as `send` returns it. `elapsed` is in seconds; `trace` holds the host calls of this request.

    `error` says why the host answered in the guest's place, where it did.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed: float
    trace: Any = field(default=(), repr=False)
    error: WashError | None = None

    @property
    def text(self) -> str:
        """The body as UTF-8; bytes that are not text become the replacement character."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body, parsed as JSON. Raises ValueError where it is not JSON."""
        return json.loads(self.body)
