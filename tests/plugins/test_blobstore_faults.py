"""What becomes of blobs when a real NATS server or a disk fails: no halves, and nothing that was told is lost."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from washnb.engine import Err
from washnb.errors import AccessDenied, BackendError
from washnb.plugins import FilesystemBlobstore, NatsServer
from washnb.plugins.blobstore import BlobstoreInterface, NatsBlobstore, OutgoingValue, chunked
from washnb.plugins.blobstore.files import FilesystemBackend
from washnb.plugins.blobstore.object_store import ObjectStoreBackend

from .bound import bind
from .contracts.blobstore import contents_of, get, put

MB = 1 << 20


async def connected(url: str, **options: object) -> NatsServer:
    """Open a connection, which the test closes."""
    server = NatsServer(url, **options)
    await server.open()
    return server


async def slowly(contents: bytes, gate: asyncio.Event, begun: asyncio.Event) -> AsyncIterator[bytes]:
    """Yield the first half, and the second one when the gate opens."""
    half = len(contents) // 2
    yield contents[:half]
    begun.set()
    await gate.wait()
    yield contents[half:]


async def test_the_server_is_down_at_attach():
    """The plugin does not start, and the message names the server and the line that starts one."""
    plugin = NatsBlobstore(NatsServer("nats://127.0.0.1:1"))
    with pytest.raises(BackendError, match="no NATS server answers at nats://127") as raised:
        await plugin.start()
    assert any("nats start" in line for line in raised.value.repair)


@pytest.mark.slow
async def test_killed_in_the_midst_of_an_upload(nats_servers):
    """The writer hears it, the object before stays, and after a restart the next call works, without a new attach."""
    private = await nats_servers()
    server = await connected(private.url)
    backend = ObjectStoreBackend(server)
    await backend.create("c")
    await put(backend, "c", "o", b"old")
    gate, begun = asyncio.Event(), asyncio.Event()
    writing = asyncio.create_task(backend.write("c", "o", slowly(b"x" * MB, gate, begun)))
    await begun.wait()
    await private.kill()
    gate.set()
    started = time.monotonic()
    with pytest.raises(BackendError, match=f"write object 'o' of container 'c'.*{private.url}"):
        await writing
    assert time.monotonic() - started < 6
    await private.restart()
    assert await contents_of(backend, "c") == {"o": b"old"}
    await put(backend, "c", "o", b"new")
    assert await get(backend, "c", "o") == b"new"
    await server.close()


@pytest.mark.slow
async def test_killed_in_the_midst_of_a_download(nats_servers):
    """The reader hears it within a few seconds."""
    private = await nats_servers()
    server = await connected(private.url)
    backend = ObjectStoreBackend(server)
    await backend.create("c")
    await put(backend, "c", "o", b"x" * MB)
    reader = await backend.read("c", "o")
    await anext(reader)
    await private.kill()
    with pytest.raises(BackendError, match="read object 'o' of container 'c'"):
        async for _ in reader:
            pass
    await server.close()


@pytest.mark.slow
async def test_the_guest_hears_of_it(nats_servers):
    """`finish` is an error of the interface that names the server, and the guest goes on."""
    private = await nats_servers()
    plugin = NatsBlobstore(NatsServer(private.url))
    await plugin.start()
    item = await bind(plugin)
    container = await item.linked[BlobstoreInterface.wit].create_container("c")
    value = OutgoingValue.new_outgoing_value()
    await container.write_data("o", value)
    await private.kill()
    with pytest.raises(Err, match=private.url):
        await OutgoingValue.finish(value)
    await private.restart()
    assert await container.has_object("o") is False
    await plugin.stop()


@pytest.mark.slow
async def test_permission_denied(nats_servers, tmp_path):
    """A user who may read but not write gets AccessDenied, which names the server; reading works."""
    config = tmp_path / "server.conf"
    config.write_text(
        """
        authorization { users = [
            { user: owner, password: o },
            { user: reader, password: r, permissions: { publish: { deny: ["$O.>", "$JS.API.STREAM.CREATE.>"] } } }
        ] }
        """
    )
    private = await nats_servers("-c", str(config))
    owner, reader = [await connected(private.url, user=name, password=name[0]) for name in ("owner", "reader")]
    await ObjectStoreBackend(owner).create("c")
    await put(ObjectStoreBackend(owner), "c", "o", b"1")
    backend = ObjectStoreBackend(reader)
    assert await contents_of(backend, "c") == {"o": b"1"}
    for work in (put(backend, "c", "o", b"2"), backend.create("d"), backend.delete_objects("c", ["o"])):
        with pytest.raises(AccessDenied, match=private.url):
            await work
    assert await contents_of(backend, "c") == {"o": b"1"}
    for server in (owner, reader):
        await server.close()


async def test_small_messages(nats_servers, tmp_path):
    """A server that takes only small messages gets small chunks."""
    config = tmp_path / "server.conf"
    config.write_text("max_payload: 4096")
    private = await nats_servers("-c", str(config))
    server = await connected(private.url)
    backend = ObjectStoreBackend(server)
    await backend.create("c")
    await put(backend, "c", "o", b"x" * 100_000)
    assert await get(backend, "c", "o") == b"x" * 100_000
    assert (await server.jetstream.stream_info("OBJ_c")).state.messages == 25 + 1
    await server.close()


async def test_a_container_that_is_full(nats_servers):
    """Where the server has no room the object before stays, the chunks are removed, and the message says so."""
    private = await nats_servers()
    server = await connected(private.url)
    await server.jetstream.create_object_store("c", max_bytes=MB)
    backend = ObjectStoreBackend(server)
    await put(backend, "c", "o", b"old")
    with pytest.raises(BackendError, match=f"write object 'o' of container 'c'.*{private.url}"):
        await put(backend, "c", "o", b"x" * 2 * MB)
    assert await contents_of(backend, "c") == {"o": b"old"}
    assert (await server.jetstream.stream_info("OBJ_c")).state.messages == 2
    await server.close()


async def test_a_server_that_is_full(nats_servers, tmp_path):
    """Objects can be deleted where there is no room for anything, and give theirs."""
    config = tmp_path / "server.conf"
    config.write_text("jetstream { max_file_store: 100KB }")
    private = await nats_servers("-c", str(config))
    server = await connected(private.url)
    backend = ObjectStoreBackend(server)
    await backend.create("c")
    for size in (40_000, 10_000, 2_000, 500, 0, 0):
        with suppress(BackendError):
            for number in range(8):
                await put(backend, "c", f"{size}-{number}", b"x" * size)
    with pytest.raises(BackendError, match="has no room for it"):
        await put(backend, "c", "o", b"")
    await backend.delete_objects("c", ["40000-0", "gone"])
    assert "40000-0" not in await backend.objects("c")
    await put(backend, "c", "o", b"x" * 20_000)
    await backend.clear("c")
    assert list(await backend.objects("c")) == []
    await server.close()


FULL_DISK = """
import asyncio, resource, signal, sys
from pathlib import Path
from washnb.errors import BackendError
from washnb.plugins.blobstore import chunked
from washnb.plugins.blobstore.files import FilesystemBackend

async def main():
    backend = FilesystemBackend(Path(sys.argv[1]), lambda path, action: None)
    await backend.create("c")
    await backend.write("c", "o", chunked(b"old"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    try:
        await backend.write("c", "o", chunked(bytes(2 << 20)))
    except BackendError as error:
        print(error)

asyncio.run(main())
"""


@pytest.mark.slow
async def test_a_disk_that_is_full(tmp_path):
    """The message names the directory and what to look at, what was there stays, and nothing half written."""
    command = [sys.executable, "-c", FULL_DISK, tmp_path]
    ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [
        f"write object 'o' of container 'c': {os.strerror(errno.EFBIG)} in directory {tmp_path}",
        f"  df -h {tmp_path}",
    ]
    assert await contents_of(FilesystemBackend(tmp_path, lambda path, action: None), "c") == {"o": b"old"}
    assert list((tmp_path / ".incoming").iterdir()) == []


async def test_a_temporary_directory_that_is_full(monkeypatch, tmp_path):
    """What a guest writes before it says where to goes to a temporary file; where that cannot be, its stream fails."""
    plugin = FilesystemBlobstore(tmp_path)
    await plugin.start()
    item = await bind(plugin)
    container = await item.linked[BlobstoreInterface.wit].create_container("c")
    monkeypatch.setattr("tempfile.tempdir", "/does/not/exist")
    value = OutgoingValue.new_outgoing_value()
    stream = value.outgoing_value_write_body()

    async def write() -> None:
        for _ in range(1000):
            await (stream.blocking_write_and_flush(b"x" * 4096) or asyncio.sleep(0))

    with pytest.raises(Err) as raised:
        await write()
    assert "TMPDIR" in raised.value.value.value.to_debug_string()
    await container.write_data("o", value)
    with pytest.raises(Err, match="/does/not/exist"):
        await OutgoingValue.finish(value)
    await plugin.stop()


async def test_a_directory_that_is_none(tmp_path):
    """Where the directory cannot be made, the plugin does not start, and the message names it."""
    (tmp_path / "file").touch()
    with pytest.raises(BackendError, match=f"{tmp_path}/file is no directory"):
        await FilesystemBlobstore(tmp_path / "file").start()


KILLED = """
import asyncio, sys
from pathlib import Path
from washnb.plugins.blobstore.files import FilesystemBackend

async def endless():
    print("begun", flush=True)
    while True:
        yield bytes(65536)
        await asyncio.sleep(0.01)

asyncio.run(FilesystemBackend(Path(sys.argv[1]), lambda path, action: None).write("c", "o", endless()))
"""


@pytest.mark.slow
async def test_a_kernel_that_is_killed(tmp_path):
    """What was written before is there afterwards; what it was writing is not, and is swept when it is a day old."""
    plugin = FilesystemBlobstore(tmp_path)
    await plugin.start()
    backend = plugin.shared
    await backend.create("c")
    await put(backend, "c", "o", b"old")
    writer = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, tmp_path, stdout=subprocess.PIPE)
    assert await writer.stdout.readline() == b"begun\n"
    writer.kill()
    await writer.wait()
    assert await contents_of(backend, "c") == {"o": b"old"}
    incoming = tmp_path / ".incoming"
    (left,) = incoming.iterdir()
    await plugin.start()
    assert list(incoming.iterdir()) == [left]
    os.utime(left, (0, 0))
    await plugin.start()
    assert list(incoming.iterdir()) == []
    assert await contents_of(backend, "c") == {"o": b"old"}
    await plugin.stop()


async def test_files_are_what_they_hold(tmp_path):
    """A container is a folder and an object a file that any program reads; a file that one puts there is an object."""
    backend = FilesystemBackend(tmp_path, lambda path, action: None)
    await backend.create("photos")
    await backend.write("photos", "cat.jpg", chunked(b"cat"))
    assert (tmp_path / "photos" / "cat.jpg").read_bytes() == b"cat"
    (tmp_path / "photos" / "dog.jpg").write_bytes(b"dog")
    (tmp_path / "photos" / "folder").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "file").touch()
    assert list(await backend.containers()) == ["notes", "photos"]
    assert await contents_of(backend, "photos") == {"cat.jpg": b"cat", "dog.jpg": b"dog"}
    assert abs((await backend.info("notes")).created_at - time.time()) < 60
