"""Calls of exports, in the instance that a workload keeps for them, with objects for the resources it returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from washnb.engine import Err

from ..door import Caller
from .deployments import Deployment, Deployments
from .exports import Exports


async def called(
    deployments: Deployments,
    caller: Caller,
    name: str,
    export: str,
    arguments: Sequence[object],
    *,
    inside: frozenset[str],
) -> Any:
    """Call an export of a workload: see `Deployments.call`."""
    exports = _exports(deployments, caller, deployments.running(name))
    try:
        return await deployments.call(name, export, arguments, exports.object_of, inside)
    except Err as error:
        error.add_note(f"the answer of {name}.{exports.wit(export)}")
        raise


async def exports_of(deployments: Deployments, caller: Caller, name: str) -> Exports:
    """The exports of the workload `name`. Raises WorkloadNotFound, or what keeps the workload from running."""
    return _exports(deployments, caller, deployments.running(name))


def _exports(deployments: Deployments, caller: Caller, deployment: Deployment) -> Exports:
    """The exports of a workload, made once for each version of it, so that their classes stay the same."""
    if deployment.exports is None:
        component = deployments.host.component(deployment.workload_id)
        deployment.exports = Exports(caller, deployment.name, component)
    return deployment.exports
