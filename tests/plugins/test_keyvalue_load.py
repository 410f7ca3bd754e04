"""Many who count at the same time, on every backend, and in two processes that share one."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from washnb.plugins import FilesystemKeyValue, InMemoryKeyValue, NatsKeyValue, NatsServer

from .guests import bound_guest, instance_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # a directory waits for the disk with each of 10,000 values

CALLERS, TIMES = 50, 200
ROOT = Path(__file__).parent.parent.parent

OTHER_HOST = """
import asyncio, sys
from pathlib import Path
from washnb.plugins import FilesystemKeyValue, NatsKeyValue, NatsServer
from tests.plugins.bound import bind

async def main(place, bucket, callers, times):
    plugin = NatsKeyValue(NatsServer(place)) if "://" in place else FilesystemKeyValue(Path(place))
    await plugin.start()
    backend = plugin.backend((await bind(plugin)).workload_id)
    await backend.open(bucket)
    async def count():
        for _ in range(times):
            await backend.increment(bucket, "n", 1)
    await asyncio.gather(*(count() for _ in range(callers)))
    await plugin.stop()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
"""


@pytest.fixture(params=["memory", "files", "nats"])
async def plugin(request, tmp_path, nats_server):
    """Give a plugin on each backend, started."""
    if request.param == "memory":
        plugin = InMemoryKeyValue()
    elif request.param == "files":
        plugin = FilesystemKeyValue(tmp_path)
    else:
        plugin = NatsKeyValue(NatsServer(nats_server.url))
    await plugin.start()
    yield plugin
    await plugin.stop()


async def test_no_increment_of_guests_is_lost(engine, plugin):
    """10,000 increments of one counter by 50 guests at once end at 10,000, and each has seen a number of its own."""
    item = await bound_guest(engine, "keyvalue", plugin)
    backend = plugin.backend(item.workload_id)
    await backend.open("load")
    await backend.delete("load", "n")
    seen: list[int] = []

    async def count() -> None:
        for begin in range(0, TIMES, 50):  # an instance has memory for some hundred names of buckets
            async with await instance_of(item) as guest:
                seen.extend([await guest.call("increment", "load", "n", 1) for _ in range(begin, begin + 50)])

    await asyncio.gather(*(count() for _ in range(CALLERS)))
    assert sorted(seen) == list(range(1, CALLERS * TIMES + 1))


@pytest.mark.parametrize("place", ["files", "nats"])
async def test_two_processes_share_a_counter(place, tmp_path, nats_server):
    """10,000 increments of one counter by two hosts at once, of 25 callers each, end at 10,000."""
    shared = str(tmp_path) if place == "files" else nats_server.url
    arguments = (sys.executable, "-c", OTHER_HOST, shared, "shared", str(CALLERS // 2), str(TIMES))
    hosts = [await asyncio.create_subprocess_exec(*arguments, cwd=ROOT) for _ in range(2)]
    assert [await host.wait() for host in hosts] == [0, 0]
    if place == "files":
        assert (tmp_path / "shared" / "n").read_bytes() == (CALLERS * TIMES).to_bytes(8, "little")
    else:
        server = NatsServer(shared)
        await server.open()
        entry = await (await server.jetstream.key_value("shared")).get("n")
        assert entry.value == (CALLERS * TIMES).to_bytes(8, "big")
        await server.close()
