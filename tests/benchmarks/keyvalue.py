"""Key-value from guests, on each backend: against the backend without a guest, and NATS against plain nats-py.

A ratio is the median of those of the rounds, in each of which the two take turns.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

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


async def rate(caller: Caller, calls: int, at_once: int) -> float:
    """Calls per second of so many callers."""
    begun = time.perf_counter()
    await asyncio.gather(*(caller(calls // at_once) for _ in range(at_once)))
    return calls // at_once * at_once / (time.perf_counter() - begun)


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
            rounds = [
                (await rate(from_a_guest(item, what), CALLS[name], at_once), await rate(baseline, CALLS[name], at_once))
                for _ in range(ROUNDS)
            ]
            guest, bare = (statistics.median(each) for each in zip(*rounds, strict=True))
            more = statistics.median(1e6 / one - 1e6 / other for one, other in rounds)
            ratio = statistics.median(one / other for one, other in rounds)
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
