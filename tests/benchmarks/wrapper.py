"""What a plugin costs with another one wrapped around it, against itself alone: key-value in memory, from a guest.

`get` is passed on. `set` is overridden by an async method that counts, and calls what is wrapped.
Microseconds of processor time for a call, in one thread that does all of it.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.benchmarks.keyvalue import GUEST, VALUE, Item
from washnb.engine import Bindings, CompiledComponent, Engine, Instance
from washnb.plugins import Call, InMemoryKeyValue, Wrapper, around
from washnb.plugins.keyvalue import Bucket, KeyValue

ROUNDS = 25
CALLS = 2000


class Overrides(Wrapper):
    """Has a say in one function."""

    asked = 0

    @around("bucket.set")
    async def count(self, call: Call, bucket: Bucket, key: str, value: bytes) -> Any:
        """Count the calls."""
        self.asked += 1
        return await call(bucket, key, value)


async def instance_with(component: CompiledComponent, attached: Wrapper | KeyValue) -> Instance:
    """Return a guest for which `attached` serves key-value."""
    await attached.start()
    item = Item(Bindings(component))
    await attached.on_workload_bind(item, ())
    await attached.on_workload_item_bind(item, ())
    backend = attached.backend(item.workload_id)
    await backend.open("bench")
    await backend.set("bench", "k", VALUE)
    return await Instance.new(component, item.bindings)


async def main() -> None:
    """Alternate between the plugin alone and wrapped, and compare medians."""
    with Engine.builder().with_cache_dir(None).build() as engine:
        component = await engine.compile(GUEST)
        alone = await instance_with(component, InMemoryKeyValue())
        wrapper = Overrides(InMemoryKeyValue())
        wrapped = await instance_with(component, wrapper)
        for export, what in {"get": "passed on", "set": "overridden"}.items():
            times: dict[Instance, list[float]] = {alone: [], wrapped: []}
            for _ in range(ROUNDS):
                for instance, taken in times.items():
                    started = time.thread_time()
                    await instance.call(export, CALLS)
                    taken.append((time.thread_time() - started) / CALLS * 1e6)
            before, after = (statistics.median(each) for each in times.values())
            print(
                f"{export}, {what:12} alone {before:6.2f} us a call, wrapped {after:6.2f} us   "
                f"{before / after:5.2f} of the rate",
                flush=True,
            )
        if wrapper.asked != ROUNDS * CALLS:
            raise RuntimeError(f"the wrapper was asked {wrapper.asked:,} times, not {ROUNDS * CALLS:,}")
        alone.close()
        wrapped.close()


if __name__ == "__main__":
    asyncio.run(main())
