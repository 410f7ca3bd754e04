"""Where the state of a workload is: the backends of the plugins that keep it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from washnb.errors import WorkloadNotFound
from washnb.host import Host
from washnb.plugins import Config, ConfigBackend, KeyValue, KeyValueBackend

from ..arguments import quoted
from ..handles import Known, spelling
from .deployments import Deployment, Deployments

__all__ = [
    "ConfigBackend",
    "KeyValueBackend",
    "config_of",
    "functions_of",
    "host_of",
    "keyvalue_of",
    "known",
    "require_loaded",
    "state_of",
]

S = TypeVar("S")


def keyvalue_of(deployments: Deployments, of: str | None) -> KeyValueBackend | None:
    """The buckets of the workload `of`, or else of the one used last that has any; None where nobody has."""
    plugin = next((each for each in deployments.host.plugins.values() if isinstance(each, KeyValue)), None)
    return None if plugin is None else _first(deployments, of, lambda one: plugin.backend(one.workload_id))


def config_of(deployments: Deployments, of: str | None) -> ConfigBackend | None:
    """The settings of a workload's component, which has the workload's name; chosen as by `keyvalue_of`."""
    plugin = next((each for each in deployments.host.plugins.values() if isinstance(each, Config)), None)
    return None if plugin is None else _first(deployments, of, lambda one: plugin.backend(one.workload_id, one.name))


def _first(deployments: Deployments, of: str | None, find: Callable[[Deployment], S]) -> S | None:
    for deployment in [deployments.get(of)] if of is not None else [*deployments][::-1]:
        try:
            return find(deployment)
        except WorkloadNotFound:
            continue
    return None


async def known(deployments: Deployments) -> Known:
    """Gather what TAB offers."""
    backend = keyvalue_of(deployments, None)
    return Known(
        workloads=deployments.names,
        plugins=tuple(deployments.host.plugins),
        buckets=() if backend is None else tuple(await backend.buckets()),
        exports=tuple(
            f"{quoted(one.name)}.{spelling(function)}"
            for one in deployments
            for interface, functions in one.functions.items()
            if not interface.startswith("wasi:")
            for function in functions
        ),
    )


async def functions_of(deployments: Deployments, name: str) -> Mapping[str, Mapping[str, str]]:
    """The functions that a workload exports, by interface. Raises WorkloadNotFound, and what keeps it waiting."""
    return deployments.running(name).functions


async def host_of(deployments: Deployments) -> Host:
    """The host that everything runs on."""
    return deployments.host


async def require_loaded(deployments: Deployments, name: str) -> None:
    """Raise WorkloadNotFound where nothing is loaded under `name`."""
    deployments.get(name)


async def state_of(deployments: Deployments, name: str) -> str:
    """running, waiting, or unloaded."""
    return deployments.get(name).state if name in deployments.names else "unloaded"
