"""Key-value on a real NATS server: the contract, and what is its own."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from tests.waiting import eventually
from washnb.errors import AccessDenied, BackendError
from washnb.plugins import NatsKeyValue, NatsServer
from washnb.plugins.keyvalue import NoSuchBucket, nats_watch
from washnb.plugins.keyvalue import nats as keyvalue_nats
from washnb.plugins.keyvalue.nats import NatsBackend
from washnb.plugins.nats import delete_stream

from .bound import Item, bind
from .contracts.keyvalue import BackendContract, SharedContract, SurfaceContract, all_keys

REFERENCE = {
    "name": "KV_BUCKET",
    "subjects": ["$KV.BUCKET.>"],
    "retention": "limits",
    "max_consumers": -1,
    "max_msgs": -1,
    "max_bytes": -1,
    "max_age": 0,
    "max_msgs_per_subject": 1,
    "max_msg_size": -1,
    "discard": "new",
    "storage": "file",
    "num_replicas": 1,
    "duplicate_window": 120_000_000_000,
    "compression": "none",
    "allow_direct": True,
    "mirror_direct": False,
    "sealed": False,
    "deny_delete": True,
    "deny_purge": False,
    "allow_rollup_hdrs": True,
    "allow_msg_ttl": False,
    "consumer_limits": {},
}
"""What a server tells of the stream of a bucket that a wash-runtime host has made, without what it adds by itself."""

ASKED_BY_WASH_RUNTIME = {
    "name": "KV_BUCKET",
    "description": "",
    "subjects": ["$KV.BUCKET.>"],
    "retention": "limits",
    "max_consumers": 0,
    "max_msgs": 0,
    "max_bytes": 0,
    "max_age": 0,
    "max_msgs_per_subject": 1,
    "discard": "new",
    "storage": "file",
    "num_replicas": 1,
    "allow_rollup_hdrs": True,
    "deny_delete": True,
    "allow_direct": True,
}
"""What such a host asks for when it opens a bucket, each time."""


def named(settings: dict[str, object], bucket: str) -> dict[str, object]:
    """Put the name of a bucket into settings."""
    return json.loads(json.dumps(settings).replace("BUCKET", bucket))


@pytest.fixture
async def backend(server):
    """Give a backend whose changes nobody hears."""
    backend = NatsBackend(server, lambda path, action: None, lambda: False)
    yield backend
    await backend.stop()


async def ask(server: NatsServer, subject: str, request: object) -> dict[str, object]:
    """Ask the server itself."""
    return json.loads((await server.client.request(subject, json.dumps(request).encode())).data)


class TestNatsBackend(BackendContract):
    @pytest.fixture
    def backend(self, backend):
        """Give a backend on a server without buckets."""
        return backend


async def test_the_settings_of_a_bucket_are_those_of_wash_runtime(server, backend):
    """Each field that the server tells of the stream is the one of a bucket that wash-runtime has made."""
    await backend.open("b")
    told = (await ask(server, "$JS.API.STREAM.INFO.KV_b", {}))["config"]
    assert {key: value for key, value in told.items() if key != "metadata"} == named(REFERENCE, "b")


async def test_wash_runtime_opens_our_bucket_and_we_open_its(server, backend):
    """A create with the same settings is no error, on either side, and the values are seen on both."""
    await backend.open("ours")
    await backend.set("ours", "k", b"v")
    answer = await ask(server, "$JS.API.STREAM.CREATE.KV_ours", named(ASKED_BY_WASH_RUNTIME, "ours"))
    assert "error" not in answer
    answer = await ask(server, "$JS.API.STREAM.CREATE.KV_theirs", named(ASKED_BY_WASH_RUNTIME, "theirs"))
    assert answer["did_create"]
    await backend.open("theirs")
    theirs = await server.jetstream.key_value("theirs")
    await theirs.put("k", b"from there")
    assert await backend.get("theirs", "k") == b"from there"
    await backend.set("theirs", "k", b"from here")
    assert (await theirs.get("k")).value == b"from here"
    await backend.delete("theirs", "k")
    from nats.js.errors import KeyNotFoundError

    with pytest.raises(KeyNotFoundError):
        await theirs.get("k")
    await theirs.purge("k")
    assert await backend.get("theirs", "k") is None


async def test_counters_are_eight_bytes_big_endian(backend):
    """A counter on NATS has the bytes of the reference; less than eight of them are 0."""
    await backend.open("b")
    await backend.increment("b", "n", 258)
    assert await backend.get("b", "n") == b"\0\0\0\0\0\0\x01\x02"
    await backend.set("b", "n", b"41")
    assert await backend.increment("b", "n", 1) == 1
    await backend.set("b", "n", (7).to_bytes(8, "big") + b"more")
    assert await backend.increment("b", "n", 1) == 8


@pytest.mark.parametrize("history", [1, 5])
async def test_a_bucket_with_other_settings(server, backend, history):
    """The error names the server and each difference, and no value of the bucket is touched; views may read it."""
    made = await server.jetstream.create_key_value(bucket="b", history=history, ttl=60)
    await made.put("k", b"v")
    with pytest.raises(BackendError, match=r"open bucket 'b': on NATS server nats://127\.0\.0\.1:") as raised:
        await backend.open("b")
    assert "max_age is 60, not 0" in raised.value.message
    assert "allow_msg_ttl is True, not False" in raised.value.message
    assert ("max_msgs_per_subject is 5, not 1" in raised.value.message) == (history == 5)
    assert raised.value.repair == ("open another bucket, or: nats stream edit KV_b",)
    assert await backend.get("b", "k") == b"v"
    assert await all_keys(backend, "b") == ["k"]


async def test_a_bucket_without_direct_reads(server, backend):
    """The values of a bucket that does not allow direct reads are read the other way."""
    await server.jetstream.add_stream(name="KV_b", subjects=["$KV.b.>"], max_msgs_per_subject=1)
    await server.jetstream.publish("$KV.b.k", b"v")
    assert await backend.get("b", "k") == b"v"
    assert await backend.get("b", "gone") is None


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a/b", "..", "ü", "a>", "a\n", "b" * 253, "b" * 5000])
async def test_names_that_no_bucket_can_have(backend, name):
    """A bucket has a name of NATS; the error says which those are, and others are not there."""
    with pytest.raises(BackendError, match="on NATS its name has letters, digits, '_' and '-'"):
        await backend.open(name)
    with pytest.raises(NoSuchBucket):
        await backend.get(name, "k")
    with pytest.raises(NoSuchBucket):
        await backend.keys(name)


@pytest.mark.parametrize("key", ["", ".", "..", "a b", ".a", "a.", "a..b", "*", ">", "ü", "\0", "a\n", "a$"])
async def test_names_that_no_key_can_have(backend, key):
    """A key is a subject of NATS, or an error that says so, in the words of wash-runtime."""
    await backend.open("b")
    for call in (backend.get("b", key), backend.set("b", key, b""), backend.increment("b", key, 1)):
        with pytest.raises(BackendError, match=f"JetStream error: {re.escape(repr(key))} can be no key"):
            await call
    assert await all_keys(backend, "b") == []


async def test_names_that_would_break_the_connection(server, backend):
    """The server ends the connection of all for a line that is too long: such a key is refused before it is sent."""
    await backend.open("b")
    reconnects = server.connected
    for key in ("k" * 2001, "k" * 5000, "k" * 1_000_000):
        for call in (backend.get("b", key), backend.increment("b", key, 1), backend.get_many("b", [key])):
            with pytest.raises(BackendError, match="can be no key") as raised:
                await call
            assert len(str(raised.value)) < 500
    assert server.connected == reconnects


@pytest.mark.parametrize("bucket", ["b-1_X", "b" * 252])
async def test_names_that_a_key_can_have(backend, bucket):
    """Raw keys are kept as they are, also those with dots and slashes in them."""
    await backend.open(bucket)
    keys = ["k", "K", "a.b", "a/b", "=_-", "/", "x" * 2000]
    await backend.set_many(bucket, [(key, key.encode()) for key in keys])
    assert sorted(await all_keys(backend, bucket)) == sorted(keys)
    assert [entry and entry[1] for entry in await backend.get_many(bucket, keys)] == [key.encode() for key in keys]


async def test_hosts_hear_of_each_other(nats_account, server):
    """What another host sets and deletes in a bucket that was opened is told, and no change of ours comes twice."""
    told, elsewhere = [], NatsServer(nats_account)
    here, there = NatsKeyValue(server), NatsKeyValue(elsewhere)
    here.events.subscribe(lambda event: told.append((event.workload, event.path, event.action)))
    await here.start()
    await there.start()
    await bind(here, Item(workload_name="mine"))
    await bind(there)
    ours, theirs = here.backend("id-1"), there.backend("id-1")
    await ours.open("b")
    await theirs.open("b")

    async def are_watched():
        return (await server.jetstream.stream_info("KV_b")).state.consumer_count

    await eventually(are_watched)
    await ours.set("b", "k", b"1")
    await theirs.set("b", "k", b"2")
    await ours.increment("b", "n", 1)
    await theirs.delete("b", "k")
    await eventually(lambda: ("mine", ("b", "k"), "delete") in told)
    await asyncio.sleep(0.1)
    assert sorted(told) == [
        ("mine", ("b", "k"), "delete"),
        ("mine", ("b", "k"), "set"),
        ("mine", ("b", "k"), "set"),
        ("mine", ("b", "n"), "set"),
    ]
    await here.stop()
    await there.stop()


async def test_a_bucket_that_somebody_deletes(server, monkeypatch):
    """Whoever opens it after a moment has it, empty, and hears what others change there."""
    monkeypatch.setattr(keyvalue_nats, "BELIEVED_SECONDS", 0)
    told = []
    backend = NatsBackend(server, lambda path, action: told.append(path))
    await backend.open("b")
    await backend.set("b", "k", b"v")
    await delete_stream(server, "KV_b")
    await backend.open("b")
    assert await backend.get("b", "k") is None
    await backend.follow("b")
    await server.jetstream.publish("$KV.b.theirs", b"v")
    await eventually(lambda: ("b", "theirs") in told)
    await delete_stream(server, "KV_b")
    with pytest.raises(NoSuchBucket):
        await backend.get("b", "k")
    await backend.follow("b")
    await server.jetstream.publish("$KV.b.again", b"v")
    await eventually(lambda: ("b", "again") in told)
    await backend.stop()


async def test_only_so_many_buckets_are_watched(server, monkeypatch):
    """Those that were opened last are, until the plugin stops; one that nobody listens to watches none."""
    monkeypatch.setattr(nats_watch, "MOST", 2)
    told = []
    backend = NatsBackend(server, lambda path, action: told.append(path))
    for bucket in "abc":
        await backend.open(bucket)

    async def write() -> None:
        for bucket in "abc":
            await server.jetstream.publish(f"$KV.{bucket}.k", b"v")

    async def are_watched():
        return [(await server.jetstream.stream_info(f"KV_{bucket}")).state.consumer_count for bucket in "bc"] == [1, 1]

    await eventually(are_watched)
    await write()
    await eventually(lambda: len(told) == 2)
    assert told == [("b", "k"), ("c", "k")]
    await backend.stop()
    silent = NatsBackend(server, lambda path, action: told.append(path), lambda: False)
    await silent.open("a")
    await write()
    await asyncio.sleep(0.1)
    assert len(told) == 2
    await silent.stop()


async def test_two_hosts_share_a_counter(nats_account, server):
    """Increments of two hosts at the same time all count."""
    elsewhere = NatsServer(nats_account)
    await elsewhere.open()
    backends = [NatsBackend(each, lambda path, action: None, lambda: False) for each in (server, elsewhere)]
    for backend in backends:
        await backend.open("b")
    seen = await asyncio.gather(*(backend.increment("b", "n", 1) for backend in backends for _ in range(50)))
    assert sorted(seen) == list(range(1, 101))
    for backend in backends:
        await backend.stop()
    await elsewhere.close()


async def test_a_counter_that_others_keep_busy(backend, monkeypatch):
    """Where others are faster each time, an increment ends, and says why."""
    await backend.open("b")

    async def late(*_arguments):
        return False

    monkeypatch.setattr(backend, "_replace", late)
    monkeypatch.setattr(keyvalue_nats, "COUNT_SECONDS", 0.1)
    with pytest.raises(BackendError, match=r"increment key 'n' of bucket 'b': others have counted there for 0\.1 s"):
        await backend.increment("b", "n", 1)


async def test_a_server_that_is_only_read(nats_account, server, backend):
    """Without write nothing is made, set, deleted or counted, and reading is as ever."""
    await backend.open("b")
    await backend.set("b", "k", b"v")
    reading = NatsServer(nats_account, write=False)
    await reading.open()
    reader = NatsBackend(reading, lambda path, action: None, lambda: False)
    await reader.open("b")
    assert await reader.get("b", "k") == b"v"
    assert await all_keys(reader, "b") == ["k"]
    seen = await reader.snapshot("b", "k")
    for call in (
        reader.open("new"),
        reader.set("b", "k", b""),
        reader.delete("b", "k"),
        reader.increment("b", "n", 1),
        reader.swap("b", "k", seen, b""),
        reader.set_many("b", [("k", b"")]),
        reader.delete_many("b", ["k"]),
    ):
        with pytest.raises(AccessDenied, match="attached to be read only") as raised:
            await call
        assert f'NatsServer("{reading.url}", write=True)' in raised.value.repair
    assert await backend.get("b", "k") == b"v"
    assert list(await backend.buckets()) == ["b"]
    await reader.stop()
    await reading.close()


class TestNatsKeyValue(SurfaceContract, SharedContract):
    @pytest.fixture
    async def plugin(self, server):
        """Give a plugin that is started."""
        plugin = NatsKeyValue(server)
        await plugin.start()
        yield plugin
        await plugin.stop()

    async def test_says_where_it_is(self, nats_server):
        """Views show the server, and nothing that is secret."""
        place = nats_server.url.removeprefix("nats://")
        plugin = NatsKeyValue(NatsServer(f"nats://me:secret@{place}"))
        assert plugin.location == nats_server.url
        assert "secret" not in repr(plugin) + repr(plugin.server)
