"""Memory stays flat: 100,000 calls of each shape in both directions, and instances that come and go in every way."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from pathlib import Path

import pytest

from tests.engine.echo import HOST, echo_component
from tests.engine.guests import COUNTER, DRIVEN, THINGS
from tests.engine.hosting import bound, started
from tests.engine.test_abi_echo import answer, answer_result, echoing, later
from tests.engine.test_abi_values import ACCESS, ERROR, LEVEL, POINT, Error_Other, Point
from tests.engine.test_driver import Driven
from tests.engine.test_resources import Things
from washnb.engine import Err, GuestResource, Instance, Interface, Ok
from washnb.engine.abi.shapes import List, Option, Own, Primitive, Resource, Result, Tuple
from washnb.engine.store import STORES
from washnb.errors import GuestError, GuestTimeout

CALLS = 100_000
ROUNDS = 5
GROWTH = (
    1.5  # MiB that may be lost to fragmentation over all rounds after the first; a leak of 32 bytes a call is 3 MiB
)
BYTES = List(Primitive("u8"))
THING = Resource("test:echo/host/thing", "thing", host=True)

SHAPES = {
    "u32": (Primitive("u32"), 7),
    "f64": (Primitive("f64"), 0.5),
    "char": (Primitive("char"), "é"),
    "string": (Primitive("string"), "x" * 1024),
    "bytes": (BYTES, b"x" * 64),
    "list of numbers": (List(Primitive("u64")), list(range(30))),
    "headers": (List(Tuple((Primitive("string"), BYTES))), [("name", b"value")] * 4),
    "option": (Option(Primitive("string")), "x" * 100),
    "ok": (Result(Primitive("string"), Primitive("u32")), Ok("x" * 100)),
    "error": (Result(BYTES, ERROR), Err(Error_Other("why"))),
    "record": (POINT, Point("c" * 100, 1)),
    "variant": (ERROR, Error_Other("x" * 100)),
    "enum": (LEVEL, "very-low"),
    "flags": (ACCESS, {"read", "execute"}),
    "own": (Own(THING), object()),
    "list of own": (List(Own(THING)), [object(), object()]),
}


def resident() -> float:
    """The resident memory of this process in MiB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def growth(work) -> float:
    """MiB by which memory grew over rounds of `work`, after a first one that fills caches."""
    await work()
    before = resident()
    for _ in range(ROUNDS - 1):
        await work()
    return resident() - before


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SHAPES)
async def test_calls_of_the_host_leave_nothing(shared_engine, name):
    """The guest calls an import; what wasmtime allocated for arguments and results is freed by one side, once."""
    kind, value = SHAPES[name]
    async with await started(shared_engine, echo_component(kind), echoing(kind)) as instance:

        async def work() -> None:
            times = CALLS // ROUNDS
            if isinstance(value, list) and isinstance(kind.element, Own):
                for _ in range(times):
                    await instance.call("echo0", value)
                return
            with contextlib.suppress(Err):
                await instance.call("repeat0", value, times)

        assert await growth(work) < GROWTH
        assert not instance._store.objects


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SHAPES)
async def test_calls_of_exports_leave_nothing(shared_engine, name):
    """The host calls an export, off the fiber and from a coroutine."""
    kind, value = SHAPES[name]
    method = later(answer_result if isinstance(kind, Result) else answer)
    host = type("Echo", (Interface,), {"echo0": method}, wit=HOST)()
    async with await started(shared_engine, echo_component(kind), host, on_fiber=False) as instance:

        async def work() -> None:
            for _ in range(CALLS // ROUNDS):
                with contextlib.suppress(Err):
                    await instance.call("echo0", value)

        assert await growth(work) < GROWTH
        assert not instance._store.objects


async def _ends_in_a_trap(bindings) -> None:
    instance = await Instance.new(bindings.component, bindings)
    with pytest.raises(GuestError):
        await instance.call("trap")


async def _times_out(bindings) -> None:
    instance = await Instance.new(bindings.component, bindings)
    with pytest.raises(GuestTimeout):
        await instance.call("wait", 1, timeout=0.001)


async def _is_cancelled(bindings) -> None:
    instance = await Instance.new(bindings.component, bindings)
    task = asyncio.create_task(instance.call("wait", 1))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _answers(bindings) -> None:
    async with await Instance.new(bindings.component, bindings) as instance:
        assert await instance.call("five") == 5


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("end", "times"),
    [(_ends_in_a_trap, 5000), (_times_out, 1000), (_is_cancelled, 1000), (_answers, 1000)],
    ids=["trap", "timeout", "cancellation", "answer"],
)
async def test_instances_leave_nothing(shared_engine, end, times):
    """However they end; of a trap the words alone would be 2 MiB."""

    async def wait(n: int) -> int:
        await asyncio.Event().wait()
        return n

    bindings = await bound(shared_engine, DRIVEN, Driven(wait))

    async def work() -> None:
        for _ in range(times):
            await end(bindings)

    before = len(STORES)
    assert await growth(work) < GROWTH
    assert len(STORES) == before
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_resources_leave_nothing(shared_engine):
    """Made, lent twice and dropped by the guest; given away; left to the end of the instance."""
    from tests.engine.test_resources import Thing

    bindings = await bound(shared_engine, THINGS, Things())

    async def work() -> None:
        for _ in range(200):
            host = Things()
            bindings.bind(host.wit, host, provider="test", on_fiber=True)
            async with await Instance.new(bindings.component, bindings) as instance:
                for _ in range(20):
                    for export in ("use", "add", "give"):
                        await instance.call(export)
                    await instance.call("leave", 1)
            Thing.made.clear()

    assert await growth(work) < GROWTH


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_handles_of_guest_resources_go_with_their_instance(shared_engine):
    """They cannot be dropped before."""
    bindings = await bound(shared_engine, COUNTER)

    async def work() -> None:
        for _ in range(50):
            async with await Instance.new(bindings.component, bindings) as instance:
                for _ in range(400):
                    handle = await instance.call("[constructor]counter", 1)
                assert isinstance(handle, GuestResource)
                assert await instance.call("[method]counter.inc", handle) == 2

    assert await growth(work) < GROWTH
