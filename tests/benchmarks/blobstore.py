"""Blob throughput of each backend: against plain files, and NATS against the object store of nats-py."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import nats

from washnb.plugins import FilesystemBlobstore, InMemoryBlobstore, LocalNats, NatsBlobstore, NatsServer
from washnb.plugins.blobstore import Backend, Blobstore, chunked

SIZE = 32 * 1024 * 1024
ROUNDS = 5
CONTENT = bytes(range(256)) * (SIZE // 256)

Work = Callable[[], Awaitable[object]]


class Workload:
    """A workload that a plugin is bound to, as in a host."""

    workload_id = workload_name = "bench"
    namespace = "default"


async def seconds(work: Work) -> float:
    """How long it takes."""
    begun = time.perf_counter()
    await work()
    return time.perf_counter() - begun


def of_backend(backend: Backend) -> dict[str, Work]:
    """Write and read an object as guests do: in chunks."""

    async def read() -> None:
        size = 0
        async for chunk in await backend.read("bench", "object"):
            size += len(chunk)
        assert size == SIZE

    return {"write": lambda: backend.write("bench", "object", chunked(CONTENT)), "read": read}


def of_file(path: Path) -> dict[str, Work]:
    """Write and read a file in one piece, off the loop."""
    return {
        "write": lambda: asyncio.to_thread(path.write_bytes, CONTENT),
        "read": lambda: asyncio.to_thread(path.read_bytes),
    }


def of_nats(store: nats.js.object_store.ObjectStore) -> dict[str, Work]:
    """Write and read an object with nats-py alone."""
    return {"write": lambda: store.put("plain", CONTENT), "read": lambda: store.get("plain")}


async def compare(name: str, plugin: Blobstore, baseline: dict[str, Work]) -> None:
    """Alternate backend and baseline, and print the medians."""
    await plugin.start()
    await plugin.on_workload_bind(Workload(), ())
    backend = plugin.backend(Workload.workload_id)
    await backend.create("bench")
    for what, work in of_backend(backend).items():
        rounds = [(await seconds(work), await seconds(baseline[what])) for _ in range(ROUNDS)]
        ours, bare = (SIZE / 1e6 / statistics.median(each) for each in zip(*rounds, strict=True))
        print(f"{name:7}{what:6} {ours:7,.0f} MB/s   {bare:7,.0f} MB/s   ratio {ours / bare:.2f}", flush=True)
    await plugin.stop()


async def main() -> None:
    """Each backend in turn."""
    print(f"an object of {SIZE // 1024 // 1024} MiB; each backend, and the baseline: a plain file, or plain nats-py")
    local = LocalNats()
    await local.start()
    connection = await nats.connect(local.url)
    try:
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            await compare("memory", InMemoryBlobstore(), of_file(root / "plain"))
            await compare("files", FilesystemBlobstore(root / "blobs"), of_file(root / "plain"))
            store = await connection.jetstream().create_object_store("plain")
            await compare("nats", NatsBlobstore(NatsServer(local.url)), of_nats(store))
    finally:
        await connection.close()
        await local.stop()


if __name__ == "__main__":
    asyncio.run(main())
