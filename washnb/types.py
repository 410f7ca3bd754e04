"""What a host is told to run, and what it answers: the data of wash-runtime's host API, as frozen dataclasses.

HTTP requests and responses are here, too: the server, the routers and WASI all use these.
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

    `memory_limit_mb` bounds each linear memory in MiB (-1: the engine's limit). `config` is what the component reads
    through wasi:config, `environment` what it reads through wasi:cli/environment. `allowed_hosts` are patterns of the
    hosts that its outgoing requests may reach (`*`, `*.example.com`, `https://api.example.com:8443`); an empty tuple
    allows no host.
    """

    memory_limit_mb: int = -1
    config: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    allowed_hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Component:
    """One component of a workload: its name and its `bytes`, binary or WAT text.

    `digest` is for the caller, as in wash-runtime's API: the host computes its own and does not read this one.
    """

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
    """The state of a workload: `message` says it in words, `error` is the exception behind it, if any."""

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
    """The answer to a WorkloadStartRequest.

    `state` is Running, Error where the start failed (`error` says why), or Stopping where the workload was stopped
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
"""Name and value of an HTTP header."""


@dataclass(frozen=True)
class Request:
    """An HTTP request on its way to a workload.

    `target` is path and query as the client sent them, `body` bytes or an async iterable of chunks. An empty
    `authority` leaves it to the `host` header.
    """

    method: str
    target: str
    headers: tuple[Header, ...] = ()
    body: bytes | AsyncIterable[bytes] = b""
    scheme: str = "http"
    authority: str = ""


class BodyStream(Protocol):
    """A response body that the guest still writes."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the chunks; possible once."""

    async def aclose(self) -> None:
        """Stop reading: the guest finds its stream closed."""


@dataclass(frozen=True)
class StreamedResponse:
    """A response whose head is known. `body` is bytes where it is complete, else a stream that the guest still writes.

    The receiver must read the stream to its end or call `aclose()` on it: the guest's instance lives until then.
    """

    status: int
    headers: tuple[Header, ...]
    body: bytes | BodyStream


@dataclass(frozen=True)
class Response:
    """A whole response, as `send` returns it. `elapsed` is in seconds; `trace` holds the host calls of this request.

    `error` is None where the guest answered, else why the host answered in its place.
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
