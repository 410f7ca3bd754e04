"""One call into a component: a fresh instance gets its arguments or request, and is closed however the call ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from washnb.engine import CallObserver, Err
from washnb.errors import GuestError, WashError
from washnb.types import Request, StreamedResponse
from washnb.wasi import OutgoingResponse, ResponseOutparam, incoming_request, streamed

from .admission import Scope
from .component import WorkloadComponent

REQUEST_SECONDS = 30.0
"""Seconds that a guest may take to begin its answer."""

STREAM_SECONDS = 600.0
"""Seconds that an answer may flow after it has begun, as in wash-runtime."""

Deliver = Callable[[StreamedResponse], Awaitable[None]]
"""Takes a response to the client or the caller of `send`, and returns once all of it is there. Called once at most."""


async def invoke(
    component: WorkloadComponent, export: str, arguments: Sequence[Any], observer: CallObserver | None
) -> Any:
    """Call an export of a fresh instance of `component` and return its result. Raises what `Instance.call` raises."""
    async with await component.instantiate(observer) as instance:
        return await instance.call(export, *arguments)


async def respond(
    component: WorkloadComponent,
    request: Request,
    deliver: Deliver,
    scope: Scope,
    observer: CallObserver | None,
) -> None:
    """Let a fresh instance of `component` answer `request`.

    The answer of a guest that returns without waiting is delivered whole, after the instance is closed. Where a guest
    waits and its head is set, `deliver` runs beside it and takes the body as it comes. Guest and `deliver` have both
    ended when this returns or raises.

    Raises:
        GuestError: the guest trapped, answered with an error, gave its body up, or did not answer at all.

    """
    assert component.http_handler is not None
    outparam = ResponseOutparam()
    delivery = _Delivery(component.label, outparam, deliver, scope)
    try:
        instance = await component.instantiate(observer)
        try:
            await instance.call(component.http_handler, incoming_request(request), outparam)
            delivery.guest_returned()
        finally:
            instance.close()
        await delivery.finish()
    except BaseException:
        await delivery.abandon()
        raise


class _Delivery:
    """Delivers the answer of one guest, once at most: while the guest runs, or after it has returned."""

    def __init__(self, label: str, outparam: ResponseOutparam, deliver: Deliver, scope: Scope) -> None:
        self._label = label
        self._outparam = outparam
        self._deliver = deliver
        self._scope = scope
        self._guest_ended = False
        self._task: asyncio.Task[None] | None = None
        outparam.response.add_done_callback(self._head_is_known)

    def guest_returned(self) -> None:
        """Take what the guest has written as its whole answer; called while its instance still has the body."""
        answer = self._outparam.answer
        if isinstance(answer, OutgoingResponse) and answer.opened_body is not None:
            answer.opened_body.complete()

    async def finish(self) -> None:
        """Deliver what is left of the answer after the guest has returned. Raises GuestError where there is none."""
        self._guest_ended = True
        await (self._task or self._bring(self._answer()))

    async def abandon(self) -> None:
        """Cancel the delivery, and wait until it has ended."""
        self._guest_ended = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _head_is_known(self, _: object) -> None:
        """Begin to deliver while the guest runs. The loop calls this, so the guest waits for something or is held."""
        if self._scope.held is not None:
            self._scope.held.add_done_callback(self._head_is_known)  # when it goes on, as at full speed
        elif not self._guest_ended and isinstance(self._outparam.answer, OutgoingResponse):
            self._scope.extend(STREAM_SECONDS)
            self._task = asyncio.create_task(self._bring(self._outparam.answer))
            self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """End the guest as well where its answer could not be delivered."""
        if not task.cancelled() and isinstance(error := task.exception(), WashError):
            self._scope.end(error)

    async def _bring(self, answer: OutgoingResponse) -> None:
        try:
            await self._deliver(streamed(answer))
        except Err as error:
            raise GuestError(f"{self._label} gave its response up: {error.value!r}") from error

    def _answer(self) -> OutgoingResponse:
        answer = self._outparam.answer
        if isinstance(answer, OutgoingResponse):
            return answer
        if isinstance(answer, Err):
            raise GuestError(f"{self._label} answered with an error: {answer.value!r}") from answer
        raise GuestError(
            f"{self._label} returned without an answer", repair="its handler has to call response-outparam.set once"
        )
