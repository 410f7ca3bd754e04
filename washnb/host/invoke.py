"""One call into a component: a fresh instance, what it is given, and its end, whatever happens on the way."""

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
"""How long a guest may take to begin its answer."""

STREAM_SECONDS = 600.0
"""How long an answer may flow after it has begun, as in wash-runtime."""

Deliver = Callable[[StreamedResponse], Awaitable[None]]
"""Takes the response to whoever asked, and returns once all of it is there. Called once at most."""


async def invoke(
    component: WorkloadComponent, export: str, arguments: Sequence[Any], observer: CallObserver | None
) -> Any:
    """Call an export of a fresh instance of `component` and return its result. Raises as `Instance.call`."""
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

    A guest that finishes without waiting is answered for in one piece, after it is gone. Where it is suspended with its
    head set, `deliver` runs beside it and takes the body as it comes. Both have ended when this returns or raises.

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
    """Brings the answer of one guest to whoever asked, once at most: beside the guest or after it."""

    def __init__(self, label: str, outparam: ResponseOutparam, deliver: Deliver, scope: Scope) -> None:
        self._label = label
        self._outparam = outparam
        self._deliver = deliver
        self._scope = scope
        self._guest_ended = False
        self._task: asyncio.Task[None] | None = None
        outparam.response.add_done_callback(self._head_is_known)

    def guest_returned(self) -> None:
        """Take what the guest has written for its whole answer; called while its instance still has the body."""
        answer = self._outparam.answer
        if isinstance(answer, OutgoingResponse) and answer.opened_body is not None:
            answer.opened_body.complete()

    async def finish(self) -> None:
        """Deliver what is left, now that the guest has ended well."""
        self._guest_ended = True
        await (self._task or self._bring(self._answer()))

    async def abandon(self) -> None:
        """Stop, and wait until that is done."""
        self._guest_ended = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _head_is_known(self, _: object) -> None:
        """Begin beside the guest. Called by the loop, so only where the guest waits for something, or is held."""
        if self._scope.held is not None:
            self._scope.held.add_done_callback(self._head_is_known)  # as if it were not
        elif not self._guest_ended and isinstance(self._outparam.answer, OutgoingResponse):
            self._scope.extend(STREAM_SECONDS)
            self._task = asyncio.create_task(self._bring(self._outparam.answer))
            self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """End the guest too, where its answer could not be delivered."""
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
