"""Many requests with every kind of end: nothing is lost, nothing grows."""

from __future__ import annotations

import asyncio
import logging
import random
from pathlib import Path

import pytest

from washnb.engine.store import STORES
from washnb.errors import WashError

from .guests import component, request, start

PATHS = ("/x", "/n", "/e", "/p", "/b", "/c", "/f", "/w", "/i", "/o")


def resident() -> int:
    """The memory of this process, in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


async def one(host, chance: random.Random) -> str:
    """A request that may fail, break off, run out of time or lose its caller; how it ended."""
    path = chance.choice(PATHS)
    task = asyncio.create_task(host.send("POST", path, body=bytes(10_000), timeout=0.05))
    if chance.random() < 0.4:
        await asyncio.sleep(chance.random() * 0.02)
        task.cancel()
    try:
        return str((await task).status)
    except WashError as error:
        return type(error).__name__
    except asyncio.CancelledError:
        return "cancelled"


async def crowd(host, count: int, seed: int) -> set[str]:
    """So many requests, twenty at a time; the ends that were seen."""
    chance = random.Random(seed)
    places = asyncio.Semaphore(20)

    async def placed() -> str:
        async with places:
            return await one(host, chance)

    return set(await asyncio.gather(*(placed() for _ in range(count))))


async def test_every_end_leaves_nothing(host):
    """After a crowd of requests with all kinds of ends no store and no call is left, and the host answers."""
    await start(host, "http_behaviours")
    assert {"200", "500", "504", "cancelled", "TrapError", "GuestError", "GuestTimeout"} >= await crowd(host, 100, 1)
    assert not STORES
    assert host.workloads()[0].in_flight == 0
    assert (await host.send("GET", "/x")).status == 200


@pytest.mark.slow
async def test_memory_does_not_grow(host, caplog):
    """Thousands of such requests take no more memory than the first hundreds."""
    caplog.set_level(logging.CRITICAL, "washnb")  # pytest keeps the records, and with them the errors
    await start(host, "http_behaviours")
    await crowd(host, 1_000, 2)
    before = resident()
    await crowd(host, 4_000, 3)
    assert not STORES
    assert resident() - before < 24 * 1024  # a body for each would be 40 MiB, a store 256; reserved room fills slowly


@pytest.mark.slow
async def test_workloads_come_and_go(host):
    """A workload that is started and stopped again and again leaves nothing behind."""
    for _ in range(50):
        await start(host, "hello")
        await host.send("GET", "/")
        await host.workload_stop("hello")
    before = resident()
    for _ in range(300):
        await start(host, "hello")
        await host.send("GET", "/")
        await host.workload_reload(request(component("hello")))
        await host.workload_stop("hello")
    assert resident() - before < 8 * 1024
