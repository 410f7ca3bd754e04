"""A plugin that is replaced again and again under load: how many requests are lost, and how long the slowest takes."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.host.guests import start
from washnb.host import DevRouter, Host, HostBuilder, HttpServer
from washnb.plugins import InMemoryKeyValue

CALLERS = 10
SECONDS = 3.0
PAUSE = 0.05


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
            await host.attach(type("Edited", (InMemoryKeyValue,), {"__qualname__": "Edited"}), replace=True)
            swapped += 1
            await asyncio.sleep(PAUSE)

    await asyncio.gather(swap(), *(send() for _ in range(CALLERS)))
    return took, lost, swapped


async def main() -> None:
    """Compare the load with swaps and without."""
    http = await HttpServer.new(DevRouter(), "127.0.0.1:0")
    async with HostBuilder().with_http_handler(http).build() as host:
        await host.attach(type("Edited", (InMemoryKeyValue,), {}))
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
        print(f"counted {counted}: the state went from one to the next")


if __name__ == "__main__":
    asyncio.run(main())
