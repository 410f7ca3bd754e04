"""Reading the state of workloads: the backends that keep it, the places where they are, and names for TAB."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from washnb.engine import names
from washnb.errors import BackendError, WorkloadNotFound
from washnb.host import Host
from washnb.plugins import (
    SETTINGS_BUCKET,
    Blobstore,
    BlobstoreBackend,
    Config,
    ConfigBackend,
    HostPlugin,
    KeyValue,
    KeyValueBackend,
    Logger,
    NatsServer,
    NoSuchBucket,
    NoSuchContainer,
    NoSuchObject,
    ObjectInfo,
    unwrapped,
)

from ..arguments import quoted
from ..handles import Known
from .deployments import Deployment, Deployments

__all__ = [
    "BlobstoreBackend",
    "ConfigBackend",
    "Kept",
    "KeyValueBackend",
    "NoSuchBucket",
    "NoSuchContainer",
    "NoSuchObject",
    "ObjectInfo",
    "blobs_of",
    "buckets_of",
    "config_of",
    "host_of",
    "keyvalue_of",
    "known",
    "logs_place",
    "place_of",
    "plugin_of",
    "require_loaded",
    "server_of",
    "state_of",
]

B = TypeVar("B")
P = TypeVar("P", bound=HostPlugin)


@dataclass(frozen=True)
class Kept(Generic[B]):
    """The state of one workload: its backend, and the `place` where that keeps it, as people read it.

    `server` is the NATS server of the backend; None where it has none.
    """

    backend: B
    place: str
    server: NatsServer | None = None


def plugin_of(deployments: Deployments, kind: Callable[..., P]) -> P | None:
    """The attached plugin of class `kind`, also inside of wrappers; None where there is none."""
    inner = map(unwrapped, deployments.host.plugins.values())
    return next((each for each in inner if isinstance(each, cast("type[P]", kind))), None)


def keyvalue_of(deployments: Deployments, of: str | None) -> Kept[KeyValueBackend] | None:
    """The buckets of the workload `of`, or else of the one used last that has any; None where nobody has.

    Raises WorkloadNotFound where nothing is loaded as `of`.
    """
    return _kept(deployments, of, KeyValue, lambda plugin, one: plugin.backend(one.workload_id))


async def buckets_of(kept: Kept[KeyValueBackend]) -> Sequence[str]:
    """The names of all buckets, but not of that in which wasi:config keeps settings on the same NATS server."""
    names = await kept.backend.buckets()
    return names if kept.server is None else [name for name in names if name != SETTINGS_BUCKET]


def config_of(deployments: Deployments, of: str | None) -> Kept[ConfigBackend] | None:
    """The settings of a workload's component, which has the workload's name; chosen as by `keyvalue_of`."""
    return _kept(deployments, of, Config, lambda plugin, one: plugin.backend(one.workload_id, one.name))


def blobs_of(deployments: Deployments, of: str | None) -> Kept[BlobstoreBackend] | None:
    """The containers of the workload `of`, or else of the one used last that has any; None where nobody has."""
    return _kept(deployments, of, Blobstore, lambda plugin, one: plugin.backend(one.workload_id))


def logs_place(deployments: Deployments) -> str:
    """Where the plugin of wasi:logging keeps lines, or sends them to; empty where none is attached."""
    plugin = plugin_of(deployments, Logger)
    return "" if plugin is None else place_of(plugin)


def _kept(
    deployments: Deployments, of: str | None, kind: Callable[..., P], find: Callable[[P, Deployment], B]
) -> Kept[B] | None:
    asked = [deployments.get(of)] if of is not None else [*deployments][::-1]
    plugin = plugin_of(deployments, kind)
    if plugin is None:
        return None
    for deployment in asked:
        try:
            return Kept(find(plugin, deployment), place_of(plugin), server_of(plugin))
        except WorkloadNotFound:
            continue
    return None


def place_of(plugin: HostPlugin) -> str:
    """The place where a plugin keeps its state, with the rights it lacks there: `read-only`, `not joined`."""
    server = server_of(plugin)
    rights = () if server is None else (("read-only", server.writes), ("not joined", server.joins))
    return ", ".join([plugin.location, *(note for note, given in rights if not given)])


def server_of(plugin: HostPlugin) -> NatsServer | None:
    """The NATS server of a plugin; None where it has none."""
    server = getattr(plugin, "server", None)
    return server if isinstance(server, NatsServer) else None


async def known(deployments: Deployments) -> Known:
    """Gather the names that TAB offers."""
    buckets, containers = keyvalue_of(deployments, None), blobs_of(deployments, None)
    server = deployments.local_nats
    return Known(
        workloads=deployments.names,
        plugins=tuple(deployments.host.plugins),
        buckets=() if buckets is None else await _names(buckets_of(buckets)),
        containers=() if containers is None else await _names(containers.backend.containers()),
        imports=tuple(sorted({name for one in deployments for name in _imports(deployments, one)})),
        nats=server.url if server.running else "",
        targets=deployments.host.faults.targets(),
        targets_by_interface=deployments.host.faults.targets_by_interface(),
        faults=tuple(each.fault.target for each in deployments.host.faults),
        exports=tuple(
            f"{quoted(one.name)}.{names.python_name(function)}"
            for one in deployments
            for interface, functions in one.functions.items()
            if not interface.startswith("wasi:")
            for function in functions
        ),
    )


def _imports(deployments: Deployments, one: Deployment) -> Sequence[str]:
    """The interfaces that a workload imports; of one that waits, those that nobody serves."""
    if one.waiting:
        return one.missing
    kinds = deployments.host.component(one.workload_id).imports
    return [name for name, kind in kinds.items() if name and kind.functions]


async def _names(asked: Awaitable[Sequence[str]]) -> tuple[str, ...]:
    """The names that a backend answers; none where it fails: TAB is no place for errors."""
    try:
        return tuple(await asked)
    except BackendError:
        return ()


async def host_of(deployments: Deployments) -> Host:
    """The host of the session."""
    return deployments.host


async def require_loaded(deployments: Deployments, name: str) -> None:
    """Raise WorkloadNotFound where nothing is loaded under `name`."""
    deployments.get(name)


async def news_of(deployments: Deployments, name: str) -> str:
    """The line that tells that a workload runs, and which exports wait for a plugin to call them."""
    state = await state_of(deployments, name)
    uncalled = deployments.uncalled(name) if state == "running" else ()
    return "; ".join([f"{name} is {state}", *(f"it {text}" for text in uncalled)])


async def state_of(deployments: Deployments, name: str) -> str:
    """The state of the workload `name`: `running`, `waiting`, or `unloaded`."""
    return deployments.get(name).state if name in deployments.names else "unloaded"
