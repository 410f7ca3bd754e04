"""A plugin that is replaced again and again under load: how many requests are lost, and how long the slowest takes.

Each call of the plugin waits for a while, so that requests are in the midst of one whenever it is replaced.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.host.guests import start
from washnb.host import DevRouter, Host, HostBuilder, HttpServer
from washnb.plugins import HostPlugin, InMemoryKeyValue
from washnb.plugins.base import WorkloadContext
from washnb.plugins.keyvalue.in_memory import InMemoryBackend

CALLERS = 10
WAIT = 0.001
SECONDS = 3.0
PAUSE = 0.05


class Waiting(InMemoryBackend):
    """Takes its time to count."""

    async def increment(self, bucket: str, key: str, delta: int, *, signed: bool = False) -> int:
        """Count after a while."""
        await asyncio.sleep(WAIT)
        return await super().increment(bucket, key, delta, signed=signed)


class Slow(InMemoryKeyValue):
    """Key-value in memory that takes its time."""

    def new_state(self, workload: WorkloadContext) -> Waiting:
        """Begin with no bucket."""
        return Waiting(partial(self.state_changed, workload.workload_name))


def edited() -> type[HostPlugin]:
    """Define the plugin, as a cell does that is run again."""
    return type("Edited", (Slow,), {"__qualname__": "Edited"})


async def load(host: Host, *, swaps: bool) -> tuple[list[float], int, int]:
    """Send requests for some seconds, with swaps or without; how long each took, how many failed, and the swaps."""
    end = time.perf_counter() + SECONDS
    took: list[float] = []
    lost = swapped = 0

    async def send() -> None:
        nonlocal lost
        while time.perf_counter() < end:
            began = time.perf_counter()
            response = await host.send("GET", "/")
            lost += response.status != 200
            took.append(time.perf_counter() - began)
            await asyncio.sleep(0)

    async def swap() -> None:
        nonlocal swapped
        while time.perf_counter() < end and swaps:
            await host.attach(edited(), replace=True)
            swapped += 1
            await asyncio.sleep(PAUSE)

    await asyncio.gather(swap(), *(send() for _ in range(CALLERS)))
    return took, lost, swapped


async def main() -> None:
    """Compare the load with swaps and without."""
    http = await HttpServer.new(DevRouter(), "127.0.0.1:0")
    async with HostBuilder().with_http_handler(http).build() as host:
        await host.attach(edited())
        await start(host, "counter")
        await load(host, swaps=False)
        for swaps in (False, True):
            took, lost, swapped = await load(host, swaps=swaps)
            print(
                f"{swapped:3} swaps: {len(took) / SECONDS:6.0f} requests/s, {lost} lost, "
                f"median {statistics.median(took) * 1e3:.1f} ms, longest {max(took) * 1e3:.1f} ms",
                flush=True,
            )
        counted = int((await host.send("GET", "/")).text)
        print(f"counted {counted:,}: the state went from one to the next")
        print("aim: no request lost")


if __name__ == "__main__":
    asyncio.run(main())
