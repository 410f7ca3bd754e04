"""Key-value from guests, on each backend: against the backend without a guest, and NATS against plain nats-py.

A ratio is the median of those of the rounds, in each of which the two take turns. What guests take more in memory is
processor time of the one thread that does all of it.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import nats

from washnb.engine import Bindings, CompiledComponent, Engine, Instance, Interface
from washnb.plugins import FilesystemKeyValue, InMemoryKeyValue, KeyValue, LocalNats, NatsKeyValue, NatsServer

GUEST = Path(__file__).parent.parent / "components" / "keyvalue_loop.wat"
VALUE = bytes(100)
ROUNDS = 15
CALLS = {"memory": 4_800, "files": 160, "nats": 960}
AIM = 0.7

Caller = Callable[[int], Awaitable[object]]  # makes so many calls, one after the other


class Item:
    """A component that a plugin links its interfaces into, as in a host."""

    workload_id = workload_name = component = "bench"
    namespace = "default"

    def __init__(self, bindings: Bindings) -> None:
        """Link into `bindings`."""
        self.bindings = bindings
        self.imports = bindings.component.imports

    def link(self, interface: Interface) -> None:
        """Serve the import of that name, if the guest has it."""
        if interface.wit in self.imports:
            self.bindings.bind(interface.wit, interface, provider="bench")


def repeated(call: Callable[[], Awaitable[object]]) -> Caller:
    """Make the calls of a guest without the guest."""

    async def caller(times: int) -> None:
        for _ in range(times):
            await call()

    return caller


def from_a_guest(item: Item, export: str) -> Caller:
    """Let an instance of its own make the calls."""

    async def caller(times: int) -> None:
        async with await Instance.new(item.bindings.component, item.bindings) as guest:
            await guest.call(export, times)

    return caller


class Run(NamedTuple):
    """Calls per second, and the microseconds of processor time that each takes in this thread."""

    rate: float
    cost: float


async def measured(caller: Caller, calls: int, at_once: int) -> Run:
    """Let so many callers make their part of the calls."""
    begun, spent = time.perf_counter(), time.thread_time()
    await asyncio.gather(*(caller(calls // at_once) for _ in range(at_once)))
    made = calls // at_once * at_once
    return Run(made / (time.perf_counter() - begun), (time.thread_time() - spent) / made * 1e6)


async def compare(name: str, plugin: KeyValue, component: CompiledComponent, url: str | None = None) -> None:
    """Alternate guests and baseline, and print the medians."""
    await plugin.start()
    item = Item(Bindings(component))
    await plugin.on_workload_bind(item, ())
    await plugin.on_workload_item_bind(item, ())
    backend = plugin.backend(item.workload_id)
    await backend.open("bench")
    await backend.set("bench", "k", VALUE)
    connection = await nats.connect(url) if url else None
    client = await connection.jetstream().key_value("bench") if connection else None
    baselines = {
        "get": repeated((lambda: client.get("k")) if client else (lambda: backend.get("bench", "k"))),
        "set": repeated((lambda: client.put("k", VALUE)) if client else (lambda: backend.set("bench", "k", VALUE))),
    }
    for what, baseline in baselines.items():
        for at_once in (1, 16):
            guests, bares = list[Run](), list[Run]()
            for _ in range(ROUNDS):
                guests.append(await measured(from_a_guest(item, what), CALLS[name], at_once))
                bares.append(await measured(baseline, CALLS[name], at_once))
            guest, bare = (statistics.median(run.rate for run in runs) for runs in (guests, bares))
            more = statistics.median(one.cost - other.cost for one, other in zip(guests, bares, strict=True))
            ratio = statistics.median(one.rate / other.rate for one, other in zip(guests, bares, strict=True))
            told = f"{more:5.1f} us more" if name == "memory" else f"ratio {ratio:.2f}"
            print(f"{name:7}{what:5}{at_once:3} at once {guest:9,.0f}/s   {bare:9,.0f}/s   {told}", flush=True)
    if connection is not None:
        await connection.close()
    await plugin.stop()


async def main() -> None:
    """Each backend in turn."""
    print(f"values of {len(VALUE)} bytes; calls from guests, and the baseline: the backend alone, or plain nats-py")
    local = LocalNats()
    await local.start()
    try:
        with Engine.builder().build() as engine, tempfile.TemporaryDirectory() as directory:
            component = await engine.compile(GUEST)
            await compare("memory", InMemoryKeyValue(), component)
            await compare("files", FilesystemKeyValue(Path(directory)), component)
            await compare("nats", NatsKeyValue(NatsServer(local.url)), component, local.url)
    finally:
        await local.stop()
    print(f"aim: NATS {AIM} of plain nats-py with as many callers")


if __name__ == "__main__":
    asyncio.run(main())
