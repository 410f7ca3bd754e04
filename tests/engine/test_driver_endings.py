"""How calls end before their time: timeouts, cancellation and closing, and that nothing of them is left."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref

import pytest

from tests.engine.guests import DRIVEN
from tests.engine.hosting import bound, started
from tests.engine.test_driver import Driven
from tests.engine.test_holding import Holder
from washnb.engine import Instance
from washnb.engine.store import STORES
from washnb.errors import GuestCancelled, GuestError, GuestTimeout


@pytest.fixture(params=[True, False], ids=["on fiber", "off fiber"])
def on_fiber(request, no_stores_left) -> bool:
    """Both ways to serve a call; after each, no store is left."""
    return request.param


async def test_a_guest_that_loops_for_ever_times_out(shared_engine, no_stores_left):
    """Though it never waits: its turn ends by itself, and the loop sees that its time is over."""
    instance = await started(shared_engine, DRIVEN, Driven(), label="shop")
    with pytest.raises(GuestTimeout, match=r"shop: spin did not finish within 0.05 s"):
        await instance.call("spin", timeout=0.05)


async def test_a_guest_that_waits_for_ever_times_out(shared_engine, on_fiber):
    """The coroutine that it waits for is cancelled and cleans up."""
    cleaned = []

    async def wait(n: int) -> int:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(n)
        return n

    instance = await started(shared_engine, DRIVEN, Driven(wait), on_fiber=on_fiber)
    with pytest.raises(GuestTimeout):
        await instance.call("wait", 1, timeout=0.02)
    assert cleaned == [1]
    assert len(asyncio.all_tasks()) == 1


async def test_a_timeout_error_of_the_host_is_not_the_guests(shared_engine, on_fiber):
    """A host function that raises TimeoutError within the time of the call is an exception like others."""

    async def wait(_n: int) -> int:
        raise TimeoutError("upstream")

    instance = await started(shared_engine, DRIVEN, Driven(wait), on_fiber=on_fiber)
    with pytest.raises(GuestError, match="raised TimeoutError: upstream") as caught:
        await instance.call("wait", 1, timeout=5)
    assert not isinstance(caught.value, GuestTimeout)


@pytest.mark.parametrize("export", ["spin", "wait"])
async def test_cancellation_passes_on_when_the_guest_is_gone(shared_engine, on_fiber, export):
    """Busy or waiting: the task ends as cancelled, and the store is deleted by then."""

    async def wait(n: int) -> int:
        await asyncio.Event().wait()
        return n

    instance = await started(shared_engine, DRIVEN, Driven(wait), on_fiber=on_fiber, label="shop")
    task = asyncio.create_task(instance.call(export, *([1] if export == "wait" else [])))
    await asyncio.sleep(0.01)
    assert instance._store.context in STORES
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert instance._store.context not in STORES
    with pytest.raises(GuestError, match=f"shop takes no more calls: {export} was cancelled"):
        await instance.call("five")


@pytest.mark.parametrize("export", ["spin", "wait"])
async def test_closing_during_a_call_cancels_it(shared_engine, on_fiber, export):
    """The caller gets GuestCancelled, its task is not cancelled itself, however often and whatever a plugin raises."""

    async def wait(n: int) -> int:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("in cleaning up")

    instance = await started(shared_engine, DRIVEN, Driven(wait), on_fiber=on_fiber, label="shop")

    async def call() -> str:
        with pytest.raises(GuestCancelled, match=f"shop was closed during {export}"):
            await instance.call(export, *([1] if export == "wait" else []))
        await asyncio.sleep(0)
        assert not task.cancelling()
        return "went on"

    task = asyncio.create_task(call())
    await asyncio.sleep(0.01)
    instance.close()
    instance.close()
    assert await task == "went on"


async def test_an_exception_that_cannot_say_what_it_is(shared_engine, on_fiber):
    """It ends the guest like any other, and is the cause of the error."""

    class Mute(Exception):  # noqa: N818
        def __str__(self) -> str:
            return self.nothing

    async def wait(n: int) -> int:
        raise Mute

    instance = await started(shared_engine, DRIVEN, Driven(wait), on_fiber=on_fiber)
    with pytest.raises(GuestError, match="wait raised Mute: its __str__ raised AttributeError") as caught:
        await instance.call("wait", 1)
    assert isinstance(caught.value.__cause__, Mute)


async def test_a_cancelled_task_of_the_host_is_not_the_callers_cancellation(shared_engine, on_fiber):
    """A host function that awaits a task which somebody cancels fails as with any exception."""

    async def wait(n: int) -> int:
        task = asyncio.create_task(asyncio.Event().wait())
        asyncio.get_running_loop().call_soon(task.cancel)
        await task
        return n

    instance = await started(shared_engine, DRIVEN, Driven(wait), on_fiber=on_fiber)
    with pytest.raises(GuestError, match="wait raised CancelledError"):
        await instance.call("wait", 1)


@pytest.mark.parametrize("as_coroutine", [True, False])
async def test_closing_from_a_host_function_takes_effect_when_it_returns(shared_engine, on_fiber, as_coroutine):
    """An instance may be closed by what it calls."""
    held: list[Instance] = []

    def wait(n: int) -> int:
        held[0].close()
        return n

    async def wait_later(n: int) -> int:
        await asyncio.sleep(0)
        return wait(n)

    instance = await started(
        shared_engine, DRIVEN, Driven(wait_later if as_coroutine else wait), on_fiber=on_fiber, label="shop"
    )
    held.append(instance)
    with pytest.raises(GuestCancelled, match="shop was closed during wait"):
        await instance.call("wait", 1)
    await asyncio.sleep(0)


async def test_a_cancelled_start_leaves_nothing(shared_engine, no_stores_left):
    """A start function that never ends is under the timeout too."""
    text = """(component (core module $m (func $spin (loop $again (br $again))) (start $spin))
      (core instance (instantiate $m)))"""
    bindings = await bound(shared_engine, text)
    with pytest.raises(GuestTimeout, match=r"guest: its start did not finish within 0.02 s"):
        await Instance.new(bindings.component, bindings, timeout=0.02)


async def keeps_to_itself(n: int) -> int:
    """A host function that no cancellation gets past."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return n


@pytest.mark.parametrize("how", ["timeout", "cancel", "close"])
async def test_a_host_function_cannot_keep_its_guest_alive(shared_engine, on_fiber, how):
    """One that swallows the cancellation has to return; its guest is ended all the same."""
    calls = []

    async def wait(n: int) -> int:
        calls.append(n)
        return await keeps_to_itself(n)

    instance = await started(shared_engine, DRIVEN, Driven(wait), on_fiber=on_fiber, label="shop")
    task = asyncio.create_task(instance.call("often", 3, timeout=0.02 if how == "timeout" else None))
    await asyncio.sleep(0.01)
    if how == "cancel":
        task.cancel()
    elif how == "close":
        instance.close()
    ends = {"timeout": GuestTimeout, "cancel": asyncio.CancelledError, "close": GuestCancelled}
    with pytest.raises(ends[how]):
        await task
    assert len(calls) == 1
    assert task.cancelling() == (how == "cancel")


class Hearing(Holder):
    """Holds no call."""

    hold = None


@pytest.mark.parametrize(
    ("kind", "heard"),
    [
        (None, []),
        (Hearing, [("wait", 3, ""), 3, ("wait", 2, ""), asyncio.CancelledError]),
        (Holder, [("wait", 3, ""), "held", 3]),
    ],
)
async def test_closing_before_a_coroutine_has_begun_leaves_none_behind(shared_engine, no_stores_left, kind, heard):
    """A host function closes the instance, whose guest goes on to one that would have to wait: it is not waited for.

    An observer hears of its end, if it has heard of its beginning.
    """
    observer = kind and kind()
    if observer:
        observer.free.set()
    held: list[Instance] = []

    async def later(n: int) -> int:
        return n

    def wait(n: int):
        if not held[0]._store.closing:
            held[0].close()
            return n
        return later(n)

    held.append(await started(shared_engine, DRIVEN, Driven(wait), on_fiber=True, label="shop", observer=observer))
    with pytest.raises(GuestCancelled, match="shop was closed during often"):
        await held[0].call("often", 3)
    gc.collect()
    assert (observer.heard if observer else []) == heard


@pytest.mark.parametrize("export", ["spin", "wait"])
async def test_a_call_that_its_loop_abandons_cleans_up(shared_engine, on_fiber, export):
    """A loop that is thrown away closes its coroutines: the guest is gone, and nothing is raised."""

    async def wait(n: int) -> int:
        await asyncio.sleep(0)
        return n

    instance = await started(shared_engine, DRIVEN, Driven(wait), on_fiber=on_fiber, label="shop")
    call = instance.call(export, *([1] if export == "wait" else []))
    call.send(None)
    call.close()
    assert repr(instance) == f"<Instance shop: {export} was abandoned>"


def test_an_instance_can_be_closed_while_its_loop_stands_still(shared_engine, no_stores_left):
    """The call is over when the loop runs again."""
    loop = asyncio.new_event_loop()
    instance = loop.run_until_complete(started(shared_engine, DRIVEN, Driven()))
    call = loop.create_task(instance.call("spin"))
    loop.run_until_complete(asyncio.sleep(0.01))
    instance.close()
    with pytest.raises(GuestCancelled, match="was closed during spin"):
        loop.run_until_complete(call)
    loop.close()


def raises(n: int) -> int:
    """A host function that fails."""
    raise ValueError(n)


@pytest.mark.parametrize("wait", [raises, str, keeps_to_itself], ids=["raises", "misfit", "timeout"])
async def test_what_has_failed_goes_without_the_garbage_collector(shared_engine, on_fiber, wait):
    """The traceback of the error holds what the call had in hand, a large list say, and nothing of that the error."""
    gc.disable()
    try:
        instance = await started(shared_engine, DRIVEN, Driven(wait), on_fiber=on_fiber)
        with contextlib.suppress(GuestError):
            await instance.call("wait", 1, timeout=0.02)
        gone = weakref.ref(instance)
        del instance
        await asyncio.sleep(0)  # asyncio itself holds a task's last error until then, from Python 3.12 on
        assert gone() is None
    finally:
        gc.enable()
