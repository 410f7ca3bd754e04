"""Driving guests: waiting, fairness, timeout, cancellation, traps and exceptions, and what is left of them: nothing."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from tests.engine.guests import DRIVEN, HOST
from tests.engine.hosting import bound, started
from washnb.engine import Engine, Err, Instance, Interface
from washnb.errors import GuestError, TrapError


class Driven(Interface, wit=HOST):
    """Serves the guest with functions that a test sets."""

    def __init__(self, wait=None, maybe=None) -> None:
        self.wait = wait or (lambda n: n)
        self.maybe = maybe or (lambda n: n)


@pytest.fixture(params=[True, False], ids=["on fiber", "off fiber"])
def on_fiber(request, no_stores_left) -> bool:
    """Both ways to serve a call; after each, no store is left."""
    return request.param


async def waits(n: int) -> int:
    """A host function that takes its time."""
    await asyncio.sleep(0.001)
    return n


async def test_a_guest_waits_for_a_coroutine(shared_engine, on_fiber):
    """Its call is suspended until the coroutine returns, again and again."""
    async with await started(shared_engine, DRIVEN, Driven(waits), on_fiber=on_fiber) as instance:
        assert await instance.call("wait", 3) == 3
        assert await instance.call("often", 20) == sum(range(21))


def delegating(n: int):
    """A plain function that leaves the work to a coroutine."""
    return waits(n)


async def test_a_plain_function_may_return_a_coroutine(shared_engine, on_fiber):
    """As a decorated function does."""
    async with await started(shared_engine, DRIVEN, Driven(delegating), on_fiber=on_fiber) as instance:
        assert await instance.call("wait", 4) == 4


async def test_many_guests_wait_at_the_same_time(shared_engine, on_fiber):
    """One thread, one loop, and the waits overlap."""
    together = asyncio.Barrier(50)

    async def wait(n: int) -> int:
        await together.wait()
        return n

    bindings = await bound(shared_engine, DRIVEN, Driven(wait), on_fiber=on_fiber)

    async def one(number: int) -> int:
        async with await Instance.new(bindings.component, bindings) as instance:
            return await instance.call("wait", number)

    assert await asyncio.gather(*map(one, range(50))) == list(range(50))


async def test_a_host_function_may_set_another_guest_in_motion(shared_engine, no_stores_left):
    """Though it leaves that one waiting, the next calls of its own guest find their own host."""
    other = await started(shared_engine, DRIVEN, Driven(waits))
    begun = []

    def begin_other(n: int) -> int:
        if not begun:
            begun.append(other.call("wait", 100))
            begun[0].send(None)
        return n

    async with await started(shared_engine, DRIVEN, Driven(begin_other)) as instance:
        assert await instance.call("often", 3) == sum(range(4))
    begun[0].close()


@pytest.mark.parametrize("as_coroutine", [True, False])
async def test_a_wit_error_is_raised_on_both_sides(shared_engine, on_fiber, as_coroutine):
    """`raise Err` in the host is the error case to the guest, which hands it on; the guest lives."""

    def maybe(n: int) -> int:
        if n % 2:
            raise Err(n * 10)
        return n

    async def maybe_later(n: int) -> int:
        await asyncio.sleep(0)
        return maybe(n)

    host = Driven(maybe=maybe_later if as_coroutine else maybe)
    async with await started(shared_engine, DRIVEN, host, on_fiber=on_fiber) as instance:
        assert await instance.call("maybe", 2) == 2
        with pytest.raises(Err) as caught:
            await instance.call("maybe", 3)
        assert caught.value.value == 30
        assert await instance.call("maybe", 4) == 4


@pytest.mark.parametrize("as_coroutine", [True, False])
async def test_an_exception_in_the_host_ends_the_guest(shared_engine, on_fiber, as_coroutine):
    """The caller gets a GuestError that names component and function, from the exception; later calls say why not."""

    def fail(_n: int) -> int:
        raise LookupError("no such thing")

    async def fail_later(n: int) -> int:
        await asyncio.sleep(0)
        return fail(n)

    host = Driven(fail_later if as_coroutine else fail)
    instance = await started(shared_engine, DRIVEN, host, on_fiber=on_fiber, label="shop")
    with pytest.raises(GuestError) as caught:
        await instance.call("wait", 1)
    assert str(caught.value) == f"shop: {HOST}#wait raised LookupError: no such thing"
    assert isinstance(caught.value.__cause__, LookupError)
    assert (caught.value.component, caught.value.interface) == ("shop", HOST)
    with pytest.raises(GuestError, match=f"shop takes no more calls: {HOST}#wait failed"):
        await instance.call("five")


async def test_an_exception_without_a_text_is_named(shared_engine):
    """As Python names it, with nothing behind."""

    def fail(_n: int) -> int:
        raise LookupError

    instance = await started(shared_engine, DRIVEN, Driven(fail), label="shop")
    with pytest.raises(GuestError) as caught:
        await instance.call("wait", 1)
    assert str(caught.value) == f"shop: {HOST}#wait raised LookupError"


async def test_an_error_that_the_wit_type_does_not_have_ends_the_guest(shared_engine, on_fiber):
    """`raise Err` where the result is no result."""

    def fail(_n: int) -> int:
        raise Err("oops")

    instance = await started(shared_engine, DRIVEN, Driven(fail), on_fiber=on_fiber)
    with pytest.raises(GuestError, match=r"wait raised Err\('oops'\), but its result has no error case"):
        await instance.call("wait", 1)


def run_alone(coroutine) -> None:
    """Run a coroutine that only ever gives the loop its turn, without the loop: what ends the process would end it."""
    while True:
        coroutine.send(None)


@pytest.mark.parametrize("as_coroutine", [True, False])
async def test_an_interrupt_gets_through(shared_engine, on_fiber, as_coroutine):
    """KeyboardInterrupt in a host function reaches the caller as it is."""

    def interrupt(_n: int) -> int:
        raise KeyboardInterrupt("now")

    async def interrupt_later(n: int) -> int:
        return interrupt(n)

    instance = await started(
        shared_engine, DRIVEN, Driven(interrupt_later if as_coroutine else interrupt), on_fiber=on_fiber
    )
    with pytest.raises(KeyboardInterrupt, match="now"):
        run_alone(instance.call("wait", 1))
    assert "failed" in repr(instance)


class Odd(BaseException):
    """No Exception, for whatever reason."""


@pytest.mark.parametrize("as_coroutine", [True, False])
@pytest.mark.parametrize("kind", [SystemExit, GeneratorExit, Odd])
async def test_a_host_function_does_not_end_the_process(shared_engine, on_fiber, as_coroutine, kind):
    """Whatever else it raises is an error of its guest: an argparse that dislikes a guest's words raises SystemExit."""

    def leave(_n: int) -> int:
        raise kind("now")

    async def leave_later(n: int) -> int:
        await asyncio.sleep(0)
        return leave(n)

    instance = await started(shared_engine, DRIVEN, Driven(leave_later if as_coroutine else leave), on_fiber=on_fiber)
    with pytest.raises(GuestError, match=f"wait raised {kind.__name__}: now") as caught:
        await instance.call("wait", 1)
    assert isinstance(caught.value.__cause__, kind)
    assert "failed" in repr(instance)


async def test_an_interrupt_that_nobody_made_is_an_error_of_the_guest(shared_engine, on_fiber):
    """Python interrupts only the main thread. On another one the loop of a host must not end for it."""

    def interrupt(_n: int) -> int:
        raise KeyboardInterrupt("now")

    async def work() -> None:
        async with await started(shared_engine, DRIVEN, Driven(interrupt), on_fiber=on_fiber) as instance:
            with pytest.raises(GuestError, match="wait raised KeyboardInterrupt: now"):
                await instance.call("wait", 1)

    await asyncio.to_thread(lambda: asyncio.run(work()))


@pytest.mark.parametrize(
    ("export", "reason"),
    [
        ("trap", "wasm `unreachable` instruction executed"),
        ("deep", "call stack exhausted"),
        ("outside", "out of bounds memory access"),
    ],
)
async def test_a_trap_carries_reason_and_backtrace(shared_engine, no_stores_left, export, reason):
    """The innermost frame comes first, the instance is dead, its store gone."""
    instance = await started(shared_engine, DRIVEN, Driven(), label="shop")
    with pytest.raises(TrapError) as caught:
        await instance.call(export)
    assert caught.value.reason == reason
    assert caught.value.backtrace
    assert f"module!{export}" in caught.value.backtrace[0] or "<wasm function" in caught.value.backtrace[0]
    assert str(caught.value).startswith(f"shop: {export} ended: {reason}\n  at 0x")
    with pytest.raises(GuestError, match=f"shop takes no more calls: {export} ended in a trap"):
        await instance.call("five")


async def test_one_call_at_a_time(shared_engine, on_fiber):
    """A second one is refused with the name of the first, which goes on."""
    release = asyncio.Event()

    async def wait(n: int) -> int:
        await release.wait()
        return n

    async with await started(shared_engine, DRIVEN, Driven(wait), on_fiber=on_fiber, label="shop") as instance:
        first = asyncio.create_task(instance.call("wait", 1))
        await asyncio.sleep(0)
        assert repr(instance) == "<Instance shop: in wait>"
        with pytest.raises(GuestError, match="shop is still busy with wait: five has to wait for it"):
            await instance.call("five")
        release.set()
        assert await first == 1
        assert await instance.call("five") == 5


async def test_a_host_function_may_call_another_instance(shared_engine, on_fiber):
    """Its store is another one, so it is driven while the first waits."""
    async with await started(shared_engine, DRIVEN, Driven(waits), on_fiber=on_fiber) as inner:

        async def wait(n: int) -> int:
            return 1 + await inner.call("wait", n)

        async with await started(shared_engine, DRIVEN, Driven(wait), on_fiber=on_fiber) as outer:
            assert await outer.call("often", 3) == 9


async def test_an_engine_serves_several_loops_in_several_threads(shared_engine):
    """Each instance on the loop that made it; compiled once."""
    bindings = await bound(shared_engine, DRIVEN, Driven(waits))

    async def work() -> int:
        async with await Instance.new(bindings.component, bindings) as instance:
            return await instance.call("often", 50)

    results: list[int] = []
    await asyncio.gather(*(asyncio.to_thread(lambda: results.append(asyncio.run(work()))) for _ in range(4)))
    assert results == [sum(range(51))] * 4


async def test_busy_guests_share_the_loop(shared_engine):
    """Two that never wait take turns with a task that needs to run."""
    async with (
        await started(shared_engine, DRIVEN, Driven()) as one,
        await started(shared_engine, DRIVEN, Driven()) as two,
    ):
        spinning = [asyncio.create_task(each.call("spin")) for each in (one, two)]
        for _ in range(5):
            await asyncio.sleep(0)
        assert not any(task.done() for task in spinning)
        for task in spinning:
            task.cancel()
        assert all(
            isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*spinning, return_exceptions=True)
        )


INTERRUPTED = """
    import asyncio, os, signal, sys, threading, time
    sys.path.insert(0, {path!r})
    from tests.engine.guests import DRIVEN
    from tests.engine.hosting import started
    from tests.engine.test_driver import Driven
    from washnb.engine import Engine

    async def main(engine, loop):
        instance = await started(engine, DRIVEN, Driven({wait}), on_fiber={on_fiber})
        print("ready", flush=True)
        try:
            await instance.call("often", 2**31)
        finally:
            print(instance, flush=True)

    with Engine.builder().with_cache_dir(None).build() as engine:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(main(engine, loop))  # unlike asyncio.run, it leaves SIGINT to Python
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            sys.exit(0)
    """


@pytest.mark.parametrize("on_fiber", [True, False])
def test_an_interrupt_while_a_guest_calls_the_host_raises_keyboard_interrupt(on_fiber):
    """SIGINT mostly lands in the first instruction of a callback, where an exception would end the process."""
    program = textwrap.dedent(INTERRUPTED).format(path=str(sys.path[0] or "."), wait="None", on_fiber=on_fiber)
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, "interrupted" in out, err) == (0, True, "")


def test_a_closed_engine_stops_its_ticker():
    """So a guest is no longer driven by it, and no thread stays."""
    with Engine.builder().with_cache_dir(None).build() as engine:

        async def run() -> int:
            async with await started(engine, DRIVEN, Driven(waits)) as instance:
                return await instance.call("often", 3)

        assert asyncio.run(run()) == 6
    assert not any(
        thread.name == "washnb-epoch" and thread is engine.runtime.ticker._thread for thread in threading.enumerate()
    )
