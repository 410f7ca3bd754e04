"""Objects of 100 MB, at bounded memory, a body of HTTP that becomes one, and blobs that two processes share."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from washnb.engine import Err
from washnb.plugins import FilesystemBlobstore, NatsServer
from washnb.plugins.blobstore import BlobstoreInterface, NatsBlobstore, OutgoingValue
from washnb.types import Request
from washnb.wasi import StreamError_Closed, incoming_request

from .bound import bind
from .contracts.blobstore import contents_of
from .contracts.blobstore_surface import consumed

ROOT = Path(__file__).parent.parent.parent

GUEST = """
import asyncio, json, resource, sys, hashlib
from pathlib import Path
from washnb.engine import Err
from washnb.plugins import FilesystemBlobstore, InMemoryBlobstore, NatsServer
from washnb.plugins.blobstore import BlobstoreInterface, IncomingValue, NatsBlobstore, OutgoingValue
from tests.plugins.bound import bind

MB = 1 << 20
place, size, first = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "first"

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

async def there(container, name, pieces):
    value = OutgoingValue.new_outgoing_value()
    if first:
        await container.write_data(name, value)
    stream, digest = value.outgoing_value_write_body(), hashlib.sha256()
    for number in range(pieces):
        contents = number.to_bytes(4, "big") * 16384
        digest.update(contents)
        while contents:
            if later := stream.subscribe().block():
                await later
            room = stream.check_write()
            stream.write(contents[:room])
            contents = contents[room:]
    stream.drop()
    if not first:
        await container.write_data(name, value)
    await OutgoingValue.finish(value)
    return digest.hexdigest()

async def back(container, name):
    stream = IncomingValue.incoming_value_consume_async(await container.get_data(name, 0, 2**64 - 1))
    digest = hashlib.sha256()
    try:
        while True:
            got = stream.blocking_read(65536)
            digest.update(got if isinstance(got, bytes) else await got)
    except Err:
        stream.drop()
        return digest.hexdigest()

async def main():
    if place == "memory":
        plugin = InMemoryBlobstore()
    else:
        plugin = NatsBlobstore(NatsServer(place)) if "://" in place else FilesystemBlobstore(Path(place))
    await plugin.start()
    item = await bind(plugin)
    container = await item.linked[BlobstoreInterface.wit].create_container("large-" + sys.argv[3])
    await there(container, "warm", 32)
    await back(container, "warm")
    before = peak()
    written = await there(container, "o", size * 16)
    read = await back(container, "o")
    print(json.dumps({"grown": peak() - before, "same": written == read,
                      "size": (await container.object_info("o")).size // MB}))
    await item.linked[BlobstoreInterface.wit].delete_container("large-" + sys.argv[3])
    await plugin.stop()

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("order", ["first", "last"])
@pytest.mark.parametrize(("place", "most"), [("files", 30), ("nats", 30), ("memory", 150)])
async def test_large_objects_at_bounded_memory(place, most, order, tmp_path, nats_server):
    """100 MB pass through a guest's streams, both ways, and take a few MB; in memory the object is held once."""
    where = {"files": str(tmp_path), "nats": nats_server.url, "memory": "memory"}[place]
    ran = await run(GUEST, where, "100", order)
    assert (ran["same"], ran["size"]) == (True, 100)
    assert ran["grown"] < most


async def run(source: str, *arguments: str) -> dict:
    """Run a script, and read the JSON that it prints."""
    command = [sys.executable, "-c", source, *arguments]
    ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


HOST = """
import asyncio, json, sys
from washnb.plugins import NatsServer
from washnb.plugins.blobstore import NatsBlobstore, chunked

async def main():
    plugin = NatsBlobstore(NatsServer(sys.argv[1]))
    await plugin.start()
    contents = sys.argv[2].encode() * 300_000
    for number in range(20):
        await plugin.shared.write("shared", "both", chunked(contents))
        await plugin.shared.write("shared", f"{sys.argv[2]}-{number}", chunked(contents))
    await plugin.stop()
    print(json.dumps({}))

asyncio.run(main())
"""


@pytest.mark.slow
async def test_two_processes_share(nats_server):
    """What two hosts write at once is there for a third one; the object that both write is one of theirs, whole."""
    server = NatsServer(nats_server.url)
    plugin = NatsBlobstore(server)
    await plugin.start()
    await plugin.shared.create("shared")
    await asyncio.gather(run(HOST, nats_server.url, "x"), run(HOST, nats_server.url, "y"))
    names = await plugin.shared.objects("shared")
    assert sorted(names) == sorted(["both", *(f"{who}-{number}" for who in "xy" for number in range(20))])
    held = await contents_of(plugin.shared, "shared")
    assert {len(contents) for contents in held.values()} == {300_000}
    assert held["both"] in (b"x" * 300_000, b"y" * 300_000)
    assert (await server.jetstream.stream_info("OBJ_shared")).state.messages == 41 * (3 + 1)
    await plugin.shared.delete("shared")
    await plugin.stop()


async def test_a_body_of_http_becomes_an_object(tmp_path):
    """A guest splices the body of a request into an object, as it arrives."""
    plugin = FilesystemBlobstore(tmp_path)
    await plugin.start()
    item = await bind(plugin)
    container = await item.linked[BlobstoreInterface.wit].create_container("c")
    sent = [bytes([number]) * 40_000 for number in range(10)]

    async def arriving() -> AsyncIterator[bytes]:
        for chunk in sent:
            await asyncio.sleep(0)
            yield chunk

    body = incoming_request(Request("POST", "/", body=arriving())).consume()
    source = body.stream()
    value = OutgoingValue.new_outgoing_value()
    await container.write_data("o", value)
    sink = value.outgoing_value_write_body()

    async def splice() -> None:
        while True:
            moved = sink.blocking_splice(source, 65_536)
            _ = moved if isinstance(moved, int) else await moved

    with pytest.raises(Err) as raised:
        await splice()
    assert isinstance(raised.value.value, StreamError_Closed)
    for each in (source, body, sink):
        each.drop()
    await OutgoingValue.finish(value)
    assert await consumed(container, "o") == b"".join(sent)
    await plugin.stop()
