"""Driving a guest: polling its fiber, doing the host calls that it waits for, and saying why it ended."""

from __future__ import annotations

import asyncio
import re
from types import FrameType
from typing import Any

from washnb.errors import GuestError, MismatchError, TrapError

from .abi.layout import VIEW, WORD, error_text, future_delete, poll
from .abi.plan import ImportPlan, Pending, observed
from .interface import Err
from .runtime import Ticker
from .store import RUNNING, Limits, Store, resume

_FRAME = re.compile(r"^\s*\d+:\s+(0x[0-9a-f]+ - .*)$")
_MEMORY_TOO_LARGE = re.compile(r"memory minimum size of (\d+) pages exceeds memory limits")
_TOO_MANY_MEMORIES = re.compile(r"memory count too high at \d+")
_PAGES_IN_MIB = 16
_CAUSE = re.compile(r"^\s*(?:\d+:\s+)?(.*)$")


def running_task() -> asyncio.Task[Any] | None:
    """Return the asyncio task that this code runs in; None in a callback of the loop, and where no loop runs."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


async def drive(store: Store, future: int, ticker: Ticker, task: asyncio.Task[Any] | None) -> None:
    """Poll `future`, a call into the guest of `store`, until it is done, has failed, or the store is closing.

    `task` is the running task. The future is deleted, whatever happens. What a host call raises passes through;
    wasmtime's own error is left in the store, for `take_error`.
    """
    before = 0 if task is None else task.cancelling()
    try:
        while True:
            ticker.enter(future)
            token = RUNNING.set(store)
            try:
                done = poll(future)
            finally:
                RUNNING.reset(token)
            if done or store.closing:
                break
            ticker.leave(future)
            pending, store.pending = store.pending, None
            if pending is None:
                await asyncio.sleep(0)  # the guest has used up its epoch: other tasks have a turn
                continue
            await perform(store, pending)
            if task is not None and task.cancelling() > before:
                raise asyncio.CancelledError  # this task was cancelled, and the host function has caught that
    finally:
        try:
            future_delete(future)
        finally:  # also where an interrupt comes at this very moment
            ticker.leave(future)
        if store.pending is not None:
            abandon(store.pending)
            store.pending = None


async def perform(store: Store, pending: Pending) -> None:
    """Do a pending host call off the fiber, write its result, and let the next poll find it done.

    An `Err` becomes the error case of the result. Any other exception is noted as the store's `failure`, and raised.
    """
    plan, arguments, value, results = pending
    observer, token = store.observer, None
    try:
        if value is not None:
            observer, token = arguments or (None, None)
            value = value if observer is None else observed(observer, token, value)
        elif observer is not None:
            token, value = plan.watch(observer, arguments)
        else:
            value = plan.target(*arguments)
        if hasattr(value, "__await__"):
            value = await value
    except Err as error:
        plan.refuse(store, error, results)
    except BaseException as error:
        if not _abandons(error):
            store.failure = error, plan.label
        raise
    else:
        try:
            plan.answer(store, value, results)
        except MismatchError as error:
            if observer is not None:
                observer.failed(token, error)
            raise
        if observer is not None:
            observer.returned(token, value)
    resume(store)


def serving_in(frame: FrameType | None) -> tuple[str, str] | None:
    """Return provider and `interface#function` of the host call that a thread is in; None where it is in none.

    `frame` is the thread's innermost frame: the host call is found in the frames that called it.
    """
    while frame is not None:
        if frame.f_code is perform.__code__:
            plan: ImportPlan = frame.f_locals["plan"]
            return plan.callee.provider, plan.label
        frame = frame.f_back
    return None


def _abandons(error: BaseException) -> bool:
    """Whether `error` says that the coroutine which caught it was closed, rather than that a host function failed.

    Python closes what a coroutine awaits before the coroutine itself, so that a GeneratorExit from closing has no
    deeper frame in its traceback than the one that caught it.
    """
    traceback = error.__traceback__
    return isinstance(error, GeneratorExit) and traceback is not None and traceback.tb_next is None


def abandon(pending: Pending) -> None:
    """Give up a host call that its guest will not wait for: close what was begun, and tell its observer."""
    _, watching, begun, _ = pending
    if begun is not None:
        begun.close()
        if watching:
            observer, token = watching
            observer.failed(token, asyncio.CancelledError())


def take_error(store: Store) -> str | None:
    """Return the text of the error that wasmtime left in the store, and clear it; None where the call went well."""
    (error,) = WORD.unpack_from(VIEW, store.error)
    if not error:
        return None
    WORD.pack_into(VIEW, store.error, 0)
    return error_text(error)


def guest_error(component: str, doing: str, text: str) -> GuestError:
    """Make an exception of wasmtime's error `text`: a TrapError with reason and backtrace where wasm was running.

    `doing` says what ended, for the message: a call of an export, or the start of the component.
    """
    lines = text.strip().splitlines()
    frames = _frames(lines)
    match = _CAUSE.match(lines[-1]) if lines else None
    reason = (match[1] if match else "").removeprefix("wasm trap: ")
    message = f"{component}: {doing} ended: {reason}"
    if "hostcall" in reason and "fuel" in reason:
        message = f"{component}: {doing} passed more than {GUEST_VALUE_LIMIT} to the host in one call"
        return GuestError(message, component=component, repair=_SMALLER)
    if not frames and "trap" not in text:
        return GuestError(message, component=component)
    return TrapError(
        "\n".join([message, *(f"  at {frame}" for frame in frames)]),
        reason=reason,
        backtrace=frames,
        component=component,
    )


def _frames(lines: list[str]) -> list[str]:
    """The frames of a wasm backtrace, each with its source lines where the guest was built with debug information."""
    frames: list[str] = []
    for line in lines:
        if match := _FRAME.match(line):
            frames.append(match[1])
        elif frames and line.lstrip().startswith("at "):
            frames[-1] += f" {line.strip()}"
    return frames


def start_error(component: str, limits: Limits, text: str) -> GuestError:
    """Make an exception of wasmtime's error `text` from instantiation: over a limit, or as `guest_error` has it."""
    if match := _MEMORY_TOO_LARGE.search(text):
        return GuestError(
            f"{component} cannot start within its limit of {limits.memory_mib} MiB for each memory",
            component=component,
            repair=f"it asks for {int(match[1]) / _PAGES_IN_MIB:g} MiB at its start",
        )
    if match := _TOO_MANY_MEMORIES.search(text):
        return GuestError(f"{component} cannot start with more than {limits.memories} memories", component=component)
    return guest_error(component, "its start", text)


GUEST_VALUE_LIMIT = "2.67 MiB (2,796,202 bytes of list<u8>)"
"""How much a guest may pass to the host in one call, for messages: wasmtime's own limit ("hostcall fuel")."""

_SMALLER = "let the guest pass the value in pieces, for example through a stream"
