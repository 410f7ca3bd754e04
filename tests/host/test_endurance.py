"""Many requests with every kind of end: nothing is lost, nothing grows."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import sys
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


def allocated() -> int:
    """The blocks of memory that Python objects have, once garbage is gone."""
    gc.collect()
    return sys.getallocatedblocks()


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
    seen = set()

    async def client() -> None:
        for _ in range(count // 20):
            seen.add(await one(host, chance))

    async with asyncio.TaskGroup() as clients:
        for _ in range(20):
            clients.create_task(client())
    return seen


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
    memory, blocks = resident(), allocated()
    await crowd(host, 4_000, 3)
    assert not STORES
    assert allocated() - blocks < 2_000  # half a Python object for each request would be too much
    assert resident() - memory < 128 * 1024  # a store for each would be 256 MiB; buffers come and go by tens


@pytest.mark.slow
async def test_workloads_come_and_go(host):
    """A workload that is started and stopped again and again leaves nothing behind."""

    async def come_and_go(times: int) -> None:
        for _ in range(times):
            await start(host, "hello")
            await host.send("GET", "/")
            await host.workload_reload(request(component("hello")))
            await host.workload_stop("hello")

    await come_and_go(450)  # what Python specialises and keeps has settled by then, on 3.13 too
    memory, blocks = resident(), allocated()
    await come_and_go(300)
    assert allocated() - blocks < 300
    assert resident() - memory < 32 * 1024
