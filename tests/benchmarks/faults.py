"""What faults cost where none strikes: a table with faults on other functions against one without, and one's own.

Microseconds of processor time for a call of a function with two numbers, served off the fiber, as plugins are.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.benchmarks.abi import HANDMADE_TEXT, Things
from tests.engine.echo import HOST
from washnb.engine import Bindings, Engine, Instance

ROUNDS = 25
CALLS = 4000


async def main() -> None:
    """Alternate between the tables, and compare medians."""
    with Engine.builder().with_cache_dir(None).build() as engine:
        component = await engine.compile(HANDMADE_TEXT.encode())
        ways = {"no fault": (), "a fault on another function": ("mix",), "a fault on this one, not striking": ("add",)}
        instances = {}
        for way, functions in ways.items():
            bindings = Bindings(component)
            bindings.bind(HOST, Things(), provider="bench")
            bindings.intercept({(HOST, function): lambda: None for function in functions})
            instances[way] = await Instance.new(component, bindings)
        times: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, instance in instances.items():
                started = time.thread_time()
                await instance.call("add", CALLS)
                times[way].append((time.thread_time() - started) / CALLS * 1e6)
        medians = {way: statistics.median(each) for way, each in times.items()}
        for way, median in medians.items():
            print(f"{way:36} {median:6.2f} us a call {median / medians['no fault']:6.2f}x", flush=True)
        for instance in instances.values():
            instance.close()


if __name__ == "__main__":
    asyncio.run(main())
