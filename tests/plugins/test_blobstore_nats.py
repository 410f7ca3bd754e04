"""Blobs on a NATS server: the contract, the form that other clients know, and what other hosts do there."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import sys
import time
from datetime import datetime

import pytest

from tests.waiting import eventually
from washnb.errors import AccessDenied, BackendError, ConfigError
from washnb.plugins import NatsServer
from washnb.plugins.blobstore import NatsBlobstore, NoSuchObject
from washnb.plugins.blobstore.object_store import MESSAGE, ObjectStoreBackend

from .bound import bind
from .contracts.blobstore import BackendContract, contents_of, get, put
from .contracts.blobstore_surface import SurfaceContract

RUST = {
    "name": "OBJ_c",
    "subjects": ["$O.c.C.>", "$O.c.M.>"],
    "retention": "limits",
    "max_consumers": 0,
    "max_msgs": 0,
    "max_bytes": 0,
    "discard": "new",
    "discard_new_per_subject": False,
    "max_age": 0,
    "max_msg_size": 0,
    "storage": "file",
    "num_replicas": 0,
    "no_ack": False,
    "duplicate_window": 0,
    "sealed": False,
    "deny_delete": False,
    "deny_purge": False,
    "allow_rollup_hdrs": True,
    "allow_direct": True,
    "mirror_direct": False,
}
"""What async-nats sends to make an object store with the settings of wash-runtime."""


@pytest.fixture
def backend(server):
    """Give the backend."""
    return ObjectStoreBackend(server)


async def api(server: NatsServer, subject: str, **fields: object) -> dict:
    """Ask JetStream as any client does."""
    answer = await server.client.request(f"$JS.API.{subject}", json.dumps(fields).encode())
    return json.loads(answer.data)


async def metadata_of(server: NatsServer, name: str) -> tuple[dict, dict]:
    """Read the metadata of an object of container c as they are stored, and their message."""
    subject = f"$O.c.M.{base64.urlsafe_b64encode(name.encode()).decode()}"
    message = (await api(server, "STREAM.MSG.GET.OBJ_c", last_by_subj=subject))["message"]
    return json.loads(base64.b64decode(message["data"])), message


class TestObjectStoreBackend(BackendContract):
    @pytest.fixture
    def backend(self, server):
        """Give the backend."""
        return ObjectStoreBackend(server)


class TestNatsBlobstore(SurfaceContract):
    @pytest.fixture
    async def plugin(self, server):
        """Give the plugin, started."""
        plugin = NatsBlobstore(server)
        await plugin.start()
        yield plugin
        await plugin.stop()


class TestForm:
    """A host of wash-runtime opens the same containers, and finds the same objects."""

    async def test_settings_are_those_of_async_nats(self, server, backend):
        """Field by field: what the server has of our container is what it has of one that a Rust host has made."""
        await backend.create("c")
        ours = (await api(server, "STREAM.INFO.OBJ_c"))["config"]
        answer = await api(server, "STREAM.CREATE.OBJ_c", **RUST)
        assert "error" not in answer  # the same stream again, to the server
        await server.jetstream.delete_stream("OBJ_c")
        theirs = (await api(server, "STREAM.CREATE.OBJ_c", **RUST))["config"]
        assert ours == theirs

    async def test_metadata_are_those_of_async_nats(self, server, backend):
        """Field by field, with 128 KiB chunks, a digest, a time that Rust can parse, and the rollup of the subject."""
        await backend.create("c")
        contents = bytes(range(256)) * 1200
        await put(backend, "c", "a/b ü", contents)
        metadata, message = await metadata_of(server, "a/b ü")
        nuid, mtime = metadata.pop("nuid"), metadata.pop("mtime")
        assert metadata == {
            "name": "a/b ü",
            "description": None,
            "bucket": "c",
            "options": {"link": None, "max_chunk_size": MESSAGE},
            "size": len(contents),
            "chunks": 3,
            "digest": "SHA-256=" + base64.urlsafe_b64encode(hashlib.sha256(contents).digest()).decode(),
        }
        assert mtime.endswith("Z")
        assert abs(datetime.fromisoformat(mtime).timestamp() - time.time()) < 60
        assert b"Nats-Rollup: sub" in base64.b64decode(message["hdrs"])
        sizes, sequence = [], 0
        for _ in range(3):
            found = await server.jetstream.get_msg("OBJ_c", sequence + 1, f"$O.c.C.{nuid}", next=True)
            sizes.append(len(found.data))
            sequence = found.seq
        assert sizes == [MESSAGE, MESSAGE, len(contents) - 2 * MESSAGE]

    async def test_a_deleted_object_leaves_what_others_leave(self, server, backend):
        """The metadata say that it is deleted, its chunks are gone, and it is there for nobody."""
        await backend.create("c")
        await put(backend, "c", "o", b"1" * 200_000)
        nuid = (await metadata_of(server, "o"))[0]["nuid"]
        await backend.delete_objects("c", ["o"])
        metadata, _ = await metadata_of(server, "o")
        assert (metadata["deleted"], metadata["size"], metadata["chunks"], metadata["nuid"]) == (True, 0, 0, nuid)
        assert "digest" not in metadata
        assert (await server.jetstream.stream_info("OBJ_c")).state.messages == 1
        assert await backend.has("c", "o") is False
        with pytest.raises(NoSuchObject):
            await backend.object_info("c", "o")

    async def test_another_client_reads_what_we_write(self, server, backend):
        """nats-py's object store checks our digest, and does not see what is deleted."""
        await backend.create("c")
        await put(backend, "c", "o", b"x" * 300_000)
        store = await server.jetstream.object_store("c")
        assert (await store.get("o")).data == b"x" * 300_000
        await backend.delete_objects("c", ["o"])
        assert [info.deleted for info in await store.list()] == [True]

    async def test_we_read_what_another_client_writes(self, server, backend):
        """Objects, smaller chunks, and tombstones of nats-py."""
        store = await server.jetstream.create_object_store("c")
        from nats.js.api import ObjectMeta, ObjectMetaOptions

        await store.put("o", b"x" * 10_000, ObjectMeta(options=ObjectMetaOptions(max_chunk_size=999)))
        await store.put("p", b"")
        assert await contents_of(backend, "c") == {"o": b"x" * 10_000, "p": b""}
        assert await get(backend, "c", "o", 990, 2500) == b"x" * 1510
        await store.delete("o")
        assert list(await backend.objects("c")) == ["p"]
        await put(backend, "c", "o", b"again")
        assert (await store.get("o")).data == b"again"

    async def test_a_container_with_other_settings_is_used(self, server, backend):
        """One that somebody has made with limits of theirs is there, and is not made anew."""
        await server.jetstream.create_object_store("c", max_bytes=1 << 20)
        with pytest.raises(BackendError, match="container 'c' already exists"):
            await backend.create("c")
        await put(backend, "c", "o", b"1")
        assert await get(backend, "c", "o") == b"1"

    async def test_nothing_is_left_behind(self, server, backend):
        """Replaced, broken off, copied onto itself: the chunks of one object stay, and one message of metadata."""
        await backend.create("c")
        for _ in range(3):
            await put(backend, "c", "o", b"x" * 300_000)
        await backend.copy("c", "o", "c", "o")
        await backend.move("c", "o", "c", "p")
        await put(backend, "c", "o", b"")
        assert (await server.jetstream.stream_info("OBJ_c")).state.messages == 3 + 1 + 1

    async def test_writers_at_once_leave_one_object(self, server, backend):
        """Two hosts that write the same object remove the chunks of exactly what they have replaced."""
        await backend.create("c")
        await asyncio.gather(*(put(backend, "c", "o", bytes([number]) * 300_000) for number in range(8)))
        assert len(set(await get(backend, "c", "o"))) == 1
        assert (await server.jetstream.stream_info("OBJ_c")).state.messages == 3 + 1

    async def test_names_that_nats_cannot_keep(self, backend):
        """The error says what NATS takes; to look for such a name is no error."""
        for name in ("", "a b", "ü", "a.b", "x" * 201):
            with pytest.raises(BackendError, match="only letters, digits, - and _ in the name of a container"):
                await backend.create(name)
            assert await backend.exists(name) is False
            await backend.delete(name)
        await backend.create("c")
        for name in ("", "x" * 2001, "\ud800"):
            with pytest.raises(BackendError, match="the name of an object has 1 to 2000 bytes"):
                await put(backend, "c", name, b"1")
            assert await backend.has("c", name) is False
            await backend.delete_objects("c", [name])
        await put(backend, "c", "x" * 2000, b"1")
        assert await get(backend, "c", "x" * 2000) == b"1"

    async def test_contents_that_were_damaged(self, server, backend):
        """An object whose chunks are not those of its digest ends in an error."""
        await backend.create("c")
        await put(backend, "c", "o", b"1" * 100)
        metadata, _ = await metadata_of(server, "o")
        await server.jetstream.purge_stream("OBJ_c", subject=f"$O.c.C.{metadata['nuid']}")
        await server.jetstream.publish(f"$O.c.C.{metadata['nuid']}", b"2" * 100)
        with pytest.raises(BackendError, match="object 'o' of container 'c': its contents are not those"):
            await get(backend, "c", "o")

    async def test_what_is_no_object(self, server, backend):
        """Metadata that nobody can read, and links, are told as what they are, and hide no other object."""
        await backend.create("c")
        await put(backend, "c", "o", b"1")
        for name, data in [
            ("text", b"hello"),
            ("list", b"[1]"),
            ("link", json.dumps({"name": "link", "bucket": "c", "options": {"link": {"bucket": "d"}}}).encode()),
        ]:
            subject = f"$O.c.M.{base64.urlsafe_b64encode(name.encode()).decode()}"
            await server.jetstream.publish(subject, data)
        assert list(await backend.objects("c")) == ["link", "o"]
        with pytest.raises(BackendError, match="object 'text' of container 'c' has metadata that nobody can read"):
            await get(backend, "c", "text")
        with pytest.raises(BackendError, match="is a link, which is not followed"):
            await get(backend, "c", "link")

    @pytest.mark.parametrize(
        "fields",
        [{"name": 5}, {"name": "other"}, {"size": "x"}, {"size": -1}, {"digest": 5}, {"nuid": ">"}, {"name": "\ud800"}],
    )
    async def test_metadata_that_lie(self, server, backend, fields):
        """What somebody else has put there harms nothing but that object."""
        await backend.create("c")
        await put(backend, "c", "o", b"1")
        subject = f"$O.c.M.{base64.urlsafe_b64encode(b'lie').decode()}"
        await server.jetstream.publish(subject, json.dumps({"name": "lie", "nuid": "x", **fields}).encode())
        await server.jetstream.publish(f"$O.c.M.{base64.urlsafe_b64encode(b'deep').decode()}", b"[" * 100_000)
        assert list(await backend.objects("c")) == ["o"]
        for name in ("lie", "deep"):
            for call in (backend.has("c", name), backend.read("c", name), backend.delete_objects("c", [name])):
                with pytest.raises(BackendError, match="has metadata that nobody can read"):
                    await call
        assert await get(backend, "c", "o") == b"1"

    async def test_a_writer_that_leaves(self, server, backend):
        """Whenever it is cancelled: what is there is an object, and no chunk belongs to none."""
        await backend.create("c")
        for steps in range(0, 130, 2):
            leaving = asyncio.create_task(put(backend, "c", "o", b"x" * 300_000))
            for _ in range(steps):
                await asyncio.sleep(0)
            leaving.cancel()
            await asyncio.wait([leaving])
        state = (await server.jetstream.stream_info("OBJ_c", subjects_filter=">")).state
        subjects = sorted(state.subjects or ())
        metadata, _ = await metadata_of(server, "o") if await backend.has("c", "o") else ({"nuid": None}, None)
        assert [each for each in subjects if ".C." in each] == [f"$O.c.C.{metadata['nuid']}"][: len(subjects)]

    async def test_replaced_while_it_is_read(self, backend):
        """Its chunks are gone, so that the reader hears that, and never gets half of each."""
        await backend.create("c")
        await put(backend, "c", "o", b"x" * 300_000)
        reader = await backend.read("c", "o")
        await anext(reader)
        await put(backend, "c", "o", b"y")
        with pytest.raises(BackendError, match="object 'o' of container 'c': it was replaced or deleted"):
            async for _ in reader:
                pass


async def test_a_server_elsewhere_is_only_read(server, backend):
    """Without write no function changes anything, and each says which one wanted to."""
    await backend.create("c")
    await put(backend, "c", "o", b"1")
    reading = ObjectStoreBackend(server)
    server.writes = False
    assert await get(reading, "c", "o") == b"1"
    for work in (
        reading.create("d"),
        reading.delete("c"),
        reading.clear("c"),
        put(reading, "c", "o", b"2"),
        reading.delete_objects("c", ["o"]),
        reading.copy("c", "o", "c", "p"),
        reading.move("c", "o", "c", "p"),
    ):
        with pytest.raises(AccessDenied, match=r"container '\w'.*read only"):
            await work
    assert await contents_of(reading, "c") == {"o": b"1"}


async def test_changes_of_other_hosts_are_told(nats_account, server):
    """A plugin tells its workloads what somebody else does, and nothing that is no object."""
    plugin = NatsBlobstore(NatsServer(nats_account))
    await plugin.start()
    told = []
    plugin.events.subscribe(lambda event: told.append((event.workload, event.path, event.action)))
    item = await bind(plugin)
    store = await server.jetstream.create_object_store("c")
    await store.put("ü", b"1")
    await server.client.publish("$O.c.M.!", b"no object")
    await store.delete("ü")
    await server.jetstream.delete_object_store("c")
    await eventually(lambda: len(told) >= 4)
    who = item.workload_name
    assert sorted(told) == sorted(
        [(who, ("c",), "set"), (who, ("c", "ü"), "set"), (who, ("c", "ü"), "delete"), (who, ("c",), "delete")]
    )
    await plugin.stop()


async def test_it_has_subscribed_when_it_has_started(nats_server, monkeypatch):
    """The server is asked whether it is there after it was told what is wanted: no change is missed from then on."""
    server = NatsServer(nats_server.url)
    await server.open()
    transport, sent = server.client._transport, bytearray()
    write, writelines = transport.write, transport.writelines
    monkeypatch.setattr(transport, "write", lambda line: (sent.extend(line), write(line)))
    monkeypatch.setattr(transport, "writelines", lambda lines: (sent.extend(b"".join(lines)), writelines(lines)))
    plugin = NatsBlobstore(server)
    await plugin.start()
    assert sent.count(b"SUB $") == 3
    assert sent.rindex(b"PING") > sent.rindex(b"SUB $")
    await plugin.stop()
    await server.close()


async def test_before_it_is_started(nats_server):
    """A plugin that is not started has no containers, and says so."""
    plugin = NatsBlobstore(NatsServer(nats_server.url))
    with pytest.raises(BackendError, match="was not started"):
        _ = plugin.shared
    assert plugin.location == nats_server.url


async def test_without_nats_py(monkeypatch, nats_server):
    """The error names the extra to install."""
    monkeypatch.setitem(sys.modules, "nats", None)
    with pytest.raises(ConfigError) as raised:
        await NatsBlobstore(NatsServer(nats_server.url)).start()
    assert raised.value.repair == ('pip install "washnb[nats]"',)


async def test_a_start_that_fails(monkeypatch, nats_server):
    """The plugin lets go of the server again."""
    server = NatsServer(nats_server.url)
    plugin = NatsBlobstore(server)

    async def refuse(*_: object) -> None:
        raise BackendError("no")

    monkeypatch.setattr(plugin, "_listen", refuse)
    with pytest.raises(BackendError, match="no"):
        await plugin.start()
    with pytest.raises(BackendError, match="not connected"):
        _ = server.client
