"""The way of a request through the host: router, workload, guest; and the event that tells of it.

Every request ends here in one answer and one event, whether a socket brought it or `send`. Calls of exports go the same
way without the router, and end in an event, too: those of the program, also into a kept instance, and those of plugins.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from typing import Any

from washnb.engine import Function, Instance
from washnb.errors import GuestCancelled, GuestError, GuestTimeout, WashError, WorkloadFailed
from washnb.events import CLIENT_GONE, EventBus, ExportCalled, RequestHandled
from washnb.secrecy import without_secrets
from washnb.types import Request, Response, StreamedResponse

from .admission import Scope
from .command import RUN, CommandResult, Printed, run_command
from .component import WorkloadComponent
from .exchange import Collected, Exchange
from .invoke import REQUEST_SECONDS, Deliver, invoke, respond
from .recording import Recorder, SlowMotion, SlowRecorder, Trace, failure_of
from .routers import Router
from .workload import BoundWorkload

_UNWATCHED = contextlib.nullcontext()

_log = logging.getLogger(__name__)


class Dispatcher:
    """Takes requests and calls to the workloads that run.

    `tracing` says whether the guests' host calls are recorded, `slow_motion` whether recorded ones are held, too.
    """

    def __init__(self, router: Router, events: EventBus) -> None:
        """Route requests with `router`, and publish on `events` what becomes of them; there is no workload yet."""
        self.router = router
        self.tracing = False
        self.slow_motion = SlowMotion()
        self._events = events
        self._running: dict[str, BoundWorkload] = {}

    def add(self, workload: BoundWorkload) -> None:
        """Send requests to `workload` from now on, in place of the workload that has had its id, if there is one."""
        self._running[workload.workload_id] = workload
        if workload.http_component is not None:
            self.router.on_workload_resolved(workload.workload_id)

    def remove(self, workload_id: str) -> None:
        """Send no more requests to the workload of that id."""
        if self._running.pop(workload_id, None) is not None:
            self.router.on_workload_unbind(workload_id)

    async def handle(self, request: Request, deliver: Deliver) -> None:
        """Answer a request that a socket has brought. Raises WashError where an answer breaks off that has begun.

        A failure before that is answered with its status: 500, 503 or 504.
        """
        await self._handle(Exchange(request, self._events.number(), deliver))

    async def send(self, request: Request, *, to: str | None, seconds: float | None) -> Response:
        """Answer a request of this process, without a socket; with `to`, the id of a workload, past the router.

        A failure becomes the status that a client would see, and `Response.error`. Raises WashError where an answer
        breaks off that has begun.
        """
        collected = Collected(request.method == "HEAD")
        trace = Trace()
        exchange = Exchange(request, self._events.number(), collected.deliver, to, seconds, trace)
        error = await self._handle(exchange)
        return Response(
            status=collected.status,
            headers=collected.headers,
            body=collected.body,
            elapsed=time.perf_counter() - exchange.began,
            trace=trace,
            error=error,
        )

    async def call(self, workload: BoundWorkload, export: str, args: Sequence[Any], *, seconds: float | None) -> Any:
        """Call an exported function in a fresh instance and return its result.

        Raises Err for the error of a WIT result, and WashError that names the workload and the component.
        """
        component, full_name = workload.find_export(export)
        scope = workload.admission.admit(seconds)
        async with self._calling(workload, component, scope, full_name) as observer:
            return await invoke(component, full_name, args, observer)

    async def keep(self, workload: BoundWorkload, component: WorkloadComponent) -> Instance:
        """Return an instance that lives until the caller closes it or the workload stops; its host calls are traced."""
        instance = await workload.keep_instance(component)
        instance.watch(partial(self._watched, workload, component))
        return instance

    async def deliver(
        self,
        workload: BoundWorkload,
        component: str,
        export: str,
        arguments: Sequence[Any],
        *,
        request: int | None,
        wait: float,
    ) -> Any:
        """Call an export of a component for a plugin, which has a message for it. See `WorkloadItem.deliver`."""
        current, scope = await self._admit_in_turn(workload, component, wait)
        target = current.components[component]
        async with self._calling(current, target, scope, export, request) as observer:
            return await invoke(target, export, arguments, observer)

    async def run(
        self, workload: BoundWorkload, arguments: Sequence[str], stdin: bytes, *, seconds: float | None
    ) -> CommandResult:
        """Run the first component of a workload as a command; a GuestError has the last lines of its output as a note.

        Raises ConfigError where the component is no command.
        """
        component, printed = workload.component(None), Printed()
        try:
            scope = workload.admission.admit(seconds)
            async with self._calling(workload, component, scope, f"{RUN}#run") as observer:
                return printed.result(await run_command(component, arguments, stdin, printed, observer))
        except GuestError as error:
            printed.note_beneath(error)
            raise

    @contextlib.asynccontextmanager
    async def _calling(
        self,
        workload: BoundWorkload,
        component: WorkloadComponent,
        scope: Scope,
        export: str,
        number: int | None = None,
    ) -> AsyncIterator[Recorder | None]:
        """Make the block a call of `export`: admitted, bounded, traced; its errors name workload and component."""
        try:
            with self._watched(workload, component, export, number, scope) as observer:
                async with scope:
                    yield observer
        except WashError as error:
            _locate(error, workload, component)
            raise

    def _watched(
        self,
        workload: BoundWorkload,
        component: WorkloadComponent,
        export: str,
        number: int | None = None,
        scope: Scope | None = None,
    ) -> contextlib.AbstractContextManager[Recorder | None]:
        """Return a block that records the guest's host calls where the host traces and somebody listens."""
        if self.tracing and self._events:
            return self._recorded(workload, component, export, number, scope)
        return _UNWATCHED

    @contextlib.contextmanager
    def _recorded(
        self,
        workload: BoundWorkload,
        component: WorkloadComponent,
        export: str,
        number: int | None,
        scope: Scope | None,
    ) -> Iterator[Recorder]:
        """Record the guest's host calls in the block, and publish an ExportCalled at its end.

        With a `number` there is no such event: the plugin that has given the number publishes one of its own.
        """
        name, began, error = workload.workload_name, time.perf_counter(), None
        request = number or self._events.number()
        try:
            yield self._recorder(request, name, component.name, None, doing=export, scope=scope)
        except BaseException as failure:
            error = failure_of(failure, _function(component, export))
            raise
        finally:
            if number is None:
                duration = time.perf_counter() - began
                self._events.publish(ExportCalled(request, name, component.name, export, duration, error))

    async def _admit_in_turn(self, workload: BoundWorkload, component: str, wait: float) -> tuple[BoundWorkload, Scope]:
        """Admit a call to the version of `workload` that runs, which a reload may change while the call waits."""
        while True:
            current = self._version(workload, component)
            try:
                return current, await current.admission.admit_in_turn(REQUEST_SECONDS, wait=wait)
            except WorkloadFailed:
                if self._version(workload, component) is current:
                    raise

    def _version(self, workload: BoundWorkload, component: str) -> BoundWorkload:
        """Return the version of `workload` that runs now, or `workload` itself where that has no such component."""
        running = self._running.get(workload.workload_id, workload)
        return running if component in running.components else workload

    async def _handle(self, exchange: Exchange) -> WashError | None:
        workload_id = exchange.to or self.router.route(exchange.request)
        workload = None if workload_id is None else self._running.get(workload_id)
        try:
            await self._respond(exchange, workload)
        except asyncio.CancelledError:
            self._tell(exchange, workload, CLIENT_GONE, GuestCancelled("the client went away"))
            raise
        except Exception as error:  # noqa: BLE001 - whatever a guest does, the host goes on
            failure = _named(error, workload)
            target = without_secrets(exchange.request.target)
            _log.warning("%s %s: %s", exchange.request.method, target, failure)
            self._tell(exchange, workload, exchange.status or _status_of(failure), failure)
            if exchange.status:
                raise failure from failure.__cause__
            await exchange.deliver(StreamedResponse(_status_of(failure), (), b""))
            return failure
        self._tell(exchange, workload, exchange.status, None)
        return None

    async def _respond(self, exchange: Exchange, workload: BoundWorkload | None) -> None:
        component = None if workload is None else workload.http_component
        if workload is None or component is None:
            await exchange.deliver_head(StreamedResponse(404, (), b""))
            return
        seconds = REQUEST_SECONDS if exchange.seconds is None else exchange.seconds
        async with workload.admission.admit(seconds, fixed=exchange.seconds is not None) as scope:
            await respond(
                component,
                exchange.request,
                exchange.deliver_head,
                scope,
                self._observer(exchange, workload.workload_name, component.name, scope),
            )

    def _observer(self, exchange: Exchange, workload: str, component: str, scope: Scope) -> Recorder | None:
        if not self.tracing or (exchange.trace is None and not self._events):
            return None
        doing = f"{exchange.request.method} {exchange.request.target}"
        return self._recorder(exchange.number, workload, component, exchange.trace, doing=doing, scope=scope)

    def _recorder(
        self, request: int, workload: str, component: str, trace: Trace | None, *, doing: str, scope: Scope | None
    ) -> Recorder:
        """Return the recorder of a guest's host calls, one that holds them in `scope` while there is slow motion.

        `doing` is the request or the export that the calls belong to, as slow motion shows it.
        """
        publish, slow = self._events.publish, self.slow_motion
        if slow.speed is None:
            return Recorder(request, workload, component, publish, trace)
        told = without_secrets(doing)
        return SlowRecorder(request, workload, component, publish, trace, slow=slow, doing=told, scope=scope)

    def _tell(self, exchange: Exchange, workload: BoundWorkload | None, status: int, failure: WashError | None) -> None:
        if self._events:
            self._events.publish(
                RequestHandled(
                    request=exchange.number,
                    workload="" if workload is None else workload.workload_name,
                    method=exchange.request.method,
                    target=without_secrets(exchange.request.target),
                    status=status,
                    duration=time.perf_counter() - exchange.began,
                    error=None if failure is None else failure.message,
                    code=None if failure is None else failure.code,
                )
            )


def _named(error: Exception, workload: BoundWorkload | None) -> WashError:
    """Return `error` as a WashError that names workload and component; what is none becomes a GuestError."""
    if isinstance(error, WashError):
        failure = error
    else:
        failure = GuestError(f"the host failed to answer: {type(error).__name__}: {error}")
        failure.__cause__ = error
    if workload is not None and workload.http_component is not None:
        _locate(failure, workload, workload.http_component)
    return failure


def _function(component: WorkloadComponent, export: str) -> Function | None:
    """Return the type of the export of exactly this name; None where the component has none."""
    interface, _, name = export.rpartition("#")
    exported = component.compiled.exports.get(interface)
    return None if exported is None else exported.functions.get(name)


def _locate(error: WashError, workload: BoundWorkload, component: WorkloadComponent) -> None:
    error.workload = error.workload or workload.workload_name
    error.component = component.name


def _status_of(failure: WashError) -> int:
    """Return the HTTP status for a failure: that of wash-runtime, and 504 for a guest that takes too long."""
    if isinstance(failure, GuestTimeout):
        return 504
    return 503 if isinstance(failure, WorkloadFailed) else 500
