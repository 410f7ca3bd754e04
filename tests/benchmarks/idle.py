"""What a host that has served and now waits takes of a processor, against an event loop with nothing in it."""

import asyncio
import time
from uuid import uuid4

from washnb.engine import read_source
from washnb.presets import dev_host
from washnb.types import Component, Workload, WorkloadStartRequest

SECONDS = 5.0


async def processor_time() -> float:
    """Wait, and return the share of a processor that this process took meanwhile."""
    started = time.process_time()
    await asyncio.sleep(SECONDS)
    return (time.process_time() - started) / SECONDS


async def main() -> None:
    """Measure the loop alone, then with a host that has answered a request."""
    alone = await processor_time()
    async with dev_host() as host:
        component = Component("hello", read_source("example:hello").data)
        workload = Workload("bench", "hello", components=(component,))
        await host.workload_start(WorkloadStartRequest(str(uuid4()), workload))
        await host.send("GET", "/")
        served = await processor_time()
    print(f"{'an event loop alone':40} {alone * 100:8.4f} %")
    print(f"{'with a host that waits':40} {served * 100:8.4f} %")


if __name__ == "__main__":
    asyncio.run(main())
