"""An instance of a component: calling its exports, one at a time, and ending it."""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Any, Self, TypeVar

from washnb.errors import GuestCancelled, GuestError, GuestTimeout, spelled_out

from .abi.handles import GuestResource
from .abi.layout import call_async, get_func, instantiate_async, val_delete
from .abi.plan import ExportPlan, Injection
from .bindings import Bindings
from .component import CompiledComponent
from .driver import drive, guest_error, running_task, start_error, take_error
from .exports import destructor_of, export_of
from .guest_time import GuestTime
from .injecting import LEFT, injected
from .observer import CallObserver, Watching
from .store import Limits, Store

T = TypeVar("T")


class Instance:
    """A component that was instantiated: a store with its memory and handles. It takes one call at a time.

    Make it with `new`, end it with `close` or as an async context manager. A trap, a timeout, a cancellation or an
    exception in host code ends it, too: `ended` then says why, and later calls raise GuestError.
    """

    CLOSED = "it was closed"
    """What `ended` says after `close`."""

    def __init__(self, component: CompiledComponent, store: Store, bindings: Bindings, label: str) -> None:
        """For `new` alone, which also instantiates the component."""
        self.component = component
        self.label = label
        self._store = store
        self._bindings = bindings
        self._linker = bindings.linker
        self._doing: str | None = None
        self._task: asyncio.Task[Any] | None = None
        self._watching: Watching | None = None
        self._end: str | None = None
        self._cancelled_by_close = False

    @classmethod
    async def new(
        cls,
        component: CompiledComponent,
        bindings: Bindings,
        *,
        limits: Limits | None = None,
        observer: CallObserver | None = None,
        label: str = "",
        timeout: float | None = None,  # noqa: ASYNC109 - as `call`
    ) -> Self:
        """Instantiate `component`, with the imports of `bindings`.

        `limits` bound its memory (the engine's limit unless told), `observer` hears of its host calls, `label` names
        the instance in errors (the component's name unless told), and `timeout` is in seconds of `GuestTime`. Raises
        GuestError where the component cannot start, for example because it asks for more memory than its limit, else
        as `call`.
        """
        linker = bindings.linker
        limits = limits or Limits(memory_mib=component.runtime.memory_limit_mib)
        store = Store(linker.engine, [], observer, limits)
        instance = cls(component, store, bindings, label or component.name)
        future = instantiate_async(linker.address, store.context, linker.component, store.instance, store.error)
        starting = drive(store, future, component.runtime.ticker, task := running_task())
        await instance._within(timeout, "its start", instance._drive("its start", starting, task, limits))
        return instance

    async def call(
        self,
        export: str,
        *arguments: object,
        timeout: float | None = None,  # noqa: ASYNC109 - the guest is ended and GuestTimeout raised, not TimeoutError
    ) -> Any:
        """Call an export and return its result; of a result<T, E> that is T, and E is raised as `Err`.

        `export` is "interface@version#function", "interface#function" or the name of a function at the root;
        `timeout` is in seconds of `GuestTime`. Raises ConfigError for an export that the component does not have,
        MismatchError for arguments that do not fit (the instance lives on after both), TrapError, GuestTimeout,
        GuestCancelled where the instance was closed meanwhile, and GuestError from an exception in host code or where
        the instance is busy or has ended. When the task is cancelled, the guest is gone before CancelledError passes
        on.
        """
        plan, index = export_of(self.component, self._linker, export)
        if timeout is None:
            return await self._call(plan, index, arguments)
        return await self._within(timeout, plan.label, self._call(plan, index, arguments))

    async def drop(self, handle: GuestResource) -> bool:
        """Drop a resource that the guest defines: its destructor runs in the guest, and the handle is used up.

        Returns True. For a component that `with_destructors` cannot read, the handle is given up without a destructor,
        and False returned. Raises as `call`.
        """
        destructor = destructor_of(self.component, self._linker, handle.resource)
        if destructor is None:
            handle.give_up()
            return False
        await self._call(*destructor, (handle,))
        return True

    @property
    def ended(self) -> str | None:
        """Why the instance takes no more calls, in words; None as long as it takes them."""
        return self._end

    def represent(self, stand_in: Callable[[GuestResource], object]) -> None:
        """From now on, return what `stand_in` makes of a handle wherever the guest passes out a resource of its own."""
        self._store.stand_in = stand_in

    def watch(self, watching: Watching) -> None:
        """From now on, give each call of an export the observer that `watching` makes for it, not the instance's."""
        self._watching = watching

    async def _within(self, seconds: float | None, doing: str, work: Any) -> Any:
        if seconds is None:
            return await work
        try:
            async with GuestTime.here().limit(seconds) as deadline:
                return await work
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise GuestTimeout(
                f"{self.label}: {doing} did not finish within {seconds:g} s", component=self.label
            ) from error

    async def _call(self, plan: ExportPlan, index: int, arguments: tuple[object, ...]) -> Any:
        if self._end is not None or self._doing is not None:
            raise self._refusal(plan.label)
        asked = self._bindings.export_intercepts.get(plan.label)
        if asked is not None and (injection := asked()) is not None:
            return await self._injected(plan, index, arguments, injection)
        hold = list[Any]()
        future = self._begin(plan, index, arguments, hold)
        if self._watching is None:
            return await self._answer(plan, future)
        with self._watching(plan.label) as self._store.observer:
            return await self._answer(plan, future)

    def _begin(self, plan: ExportPlan, index: int, arguments: tuple[object, ...], hold: list[Any]) -> int:
        """Pack the arguments and make wasmtime's future of the call; return its address.

        The future reads the packed bytes in place: `hold` has to live until the call has ended.
        """
        store = self._store
        first = store.next_rep
        try:
            packed = plan.lower(store, arguments, hold.append)
        except BaseException:
            store.take_back(first)
            raise
        hold.append(packed)
        get_func(store.instance, store.context, index, store.func)
        results = 0 if plan.function.result is None else 1
        store.clear()
        future: int = call_async(store.func, store.context, packed, len(arguments), store.result, results, store.error)
        return future

    async def _answer(self, plan: ExportPlan, future: int) -> Any:
        """Run the call behind `future` to its end, and return its result, or raise what `call` says."""
        store = self._store
        try:
            running = drive(store, future, self.component.runtime.ticker, task := running_task())
            await self._drive(plan.label, running, task)
            return plan.lift(store, store.result)
        finally:
            if plan.function.result is not None:
                val_delete(store.result)

    async def _injected(self, plan: ExportPlan, index: int, arguments: tuple[object, ...], injection: Injection) -> Any:
        """Do `injection` in place of a call; where it leaves the call to the guest, call that afterwards."""
        store = self._store
        watching = nullcontext(store.observer) if self._watching is None else self._watching(plan.label)
        with watching as store.observer:
            standing_in = injected(plan, arguments, injection, store.observer)
            value, refusal = await self._drive(plan.label, standing_in, running_task())
            if refusal is not None:
                raise refusal
            if value is not LEFT:
                return value
            hold = list[Any]()
            return await self._answer(plan, self._begin(plan, index, arguments, hold))

    async def _drive(
        self, doing: str, work: Awaitable[T], task: asyncio.Task[Any] | None, limits: Limits | None = None
    ) -> T:
        """Await `work`, which runs the guest or stands in for it, as the one call that is in flight.

        `task` is the running task: `close` cancels it. Settles the store afterwards, and turns whatever ended the guest
        into what `call` raises; `doing` names the call there. `limits` are given for the start of the instance alone.
        """
        store, table = self._store, self._bindings.table
        store.slots = table.handlers if store.observer is None else table.watched
        table.calls += 1
        self._doing = doing
        self._task = task
        try:
            done = await work
        except asyncio.CancelledError as error:
            if self._was_cancelled():
                self._finish(f"{doing} was cancelled")
                raise
            store.failure = store.failure or (error, doing)
        except GeneratorExit:
            if store.failure is None:  # the coroutine was closed, because its loop is gone: no caller waits any more
                self._finish(f"{doing} was abandoned")
                raise
        except BaseException as error:  # noqa: BLE001 - raised below, in the form that `call` promises
            store.failure = store.failure or (error, doing)
        finally:
            self._doing = self._task = None
            if task is not None and self._cancelled_by_close:
                task.uncancel()
            table.leave()
            store.free_boxes()
            store.settle()
        text = take_error(store)
        if store.closing:
            self._finish(self.CLOSED)
            raise GuestCancelled(f"{self.label} was closed during {doing}", component=self.label)
        if text is not None or store.failure is not None:
            raise self._failure(doing, text or "", limits)
        return done

    def _was_cancelled(self) -> bool:
        """Whether a CancelledError is for the caller: it comes neither from `close` nor from a host function."""
        return self._task is None or self._task.cancelling() > int(self._cancelled_by_close)

    def _failure(self, doing: str, text: str, limits: Limits | None) -> BaseException:
        """Return the exception that a failed call raises, and end the instance.

        It is not raised here: a frame of its own traceback would keep it alive.
        """
        failure = self._store.failure
        if failure is None:
            self._finish(f"{doing} ended in a trap")
            return guest_error(self.label, doing, text) if limits is None else start_error(self.label, limits, text)
        error, where = failure
        place = self._linker.label(where) if isinstance(where, int) else where
        self._finish(f"{place} failed")
        if isinstance(error, GuestError) or _is_interrupt(error):
            return error
        raised = GuestError(
            f"{self.label}: {place} raised {spelled_out(error)}",
            component=self.label,
            interface=place.partition("#")[0],
        )
        raised.__cause__ = error
        return raised

    def _refusal(self, doing: str) -> GuestError:
        if self._end is not None:
            return GuestError(f"{self.label} takes no more calls: {self._end}", component=self.label)
        return GuestError(
            f"{self.label} is still busy with {self._doing}: {doing} has to wait for it",
            component=self.label,
            repair="make an instance for each call that runs at the same time",
        )

    def _finish(self, reason: str) -> None:
        if self._end is None:
            self._end = reason
        self._store.close()

    def close(self) -> None:
        """End the instance: a call in flight raises GuestCancelled, and host objects that the guest holds are dropped.

        May be called twice. Called from a host function of the call in flight, it takes effect when that returns.
        """
        if self._doing is None:
            self._finish(self.CLOSED)
            return
        self._store.closing = True
        if self._task is not None and self._task is not running_task() and not self._cancelled_by_close:
            self._cancelled_by_close = True
            self._task.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_end", "") is None:
            warnings.warn(f"{self!r} was never closed", ResourceWarning, source=self, stacklevel=2)
            if self._doing is None:  # else the coroutine of the call is collected, too, and its `finally` cleans up
                self.close()

    def __repr__(self) -> str:
        state = self._end or (f"in {self._doing}" if self._doing else "ready")
        return f"<Instance {self.label}: {state}>"


def _is_interrupt(error: BaseException) -> bool:
    """Whether `error` is a person's interrupt: Python raises those in the main thread only.

    A KeyboardInterrupt in another thread was raised by a host function, as any exception may be.
    """
    return isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()
