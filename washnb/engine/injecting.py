"""Doing what is injected into a call of an export, before the guest is called or in its place.

Injections into host calls are done by `abi.plan.InterceptedPlan`.
"""

from __future__ import annotations

from typing import Any

from .abi.plan import Callee, ExportPlan, Injection
from .interface import Err
from .observer import INJECTOR, CallObserver

LEFT = object()
"""What `injected` answers where the guest is to be called after all."""


async def injected(
    plan: ExportPlan, arguments: tuple[object, ...], injection: Injection, observer: CallObserver | None
) -> tuple[object, Err[Any] | None]:
    """Do `injection` in place of a call of an export; return its answer, and the `Err` that it raised, if it did.

    The answer is `LEFT` where the guest is to be called after all. An `Err` is returned, not raised, because the
    instance lives on after it; any other exception is raised, and ends the guest.
    """
    try:
        if observer is None:
            return await _served(injection, arguments), None
        return await _watched(plan, arguments, injection, observer), None
    except Err as error:
        return None, error


async def _watched(
    plan: ExportPlan, arguments: tuple[object, ...], injection: Injection, observer: CallObserver
) -> object:
    interface = plan.label.rpartition("#")[0]
    token = observer.called(Callee(interface, plan.function, INJECTOR), arguments, injection.mark)
    try:
        if observer.hold is not None:
            await observer.hold(token)
        value = await _served(injection, arguments)
    except BaseException as error:
        observer.failed(token, error)
        raise
    if value is LEFT:
        observer.passed(token)
    else:
        observer.returned(token, value)
    return value


async def _served(injection: Injection, arguments: tuple[object, ...]) -> object:
    value = injection.serve(lambda *_: LEFT, arguments)
    return await value if hasattr(value, "__await__") else value
