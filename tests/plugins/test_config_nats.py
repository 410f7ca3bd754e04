"""Config on NATS: the contract, the layers, changes that reach running guests, and a server that goes away."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

import nats
import psutil
import pytest

from tests.waiting import eventually
from washnb.errors import AccessDenied, BackendError
from washnb.events import LogLine, StateChanged
from washnb.host import HostBuilder
from washnb.plugins import NatsConfig, NatsServer, TracingLogger
from washnb.plugins.config import Store
from washnb.types import LocalResources
from washnb.wit import WitInterface

from .bound import Item, bind
from .contracts.config import ConfigContract
from .test_in_host import request


@pytest.fixture
def bucket() -> str:
    """Name a bucket that no other test uses."""
    return f"config-{uuid4().hex[:8]}"


@asynccontextmanager
async def started(url: str, bucket: str, **options):
    """Run the plugin as a host does, and give it with what it tells."""
    plugin = NatsConfig(NatsServer(url, **options), bucket)
    told: list = []
    plugin.events.subscribe(told.append)
    await plugin.start()
    try:
        yield plugin, told
    finally:
        await plugin.stop()


@asynccontextmanager
async def opened(url: str, bucket: str):
    """Open the bucket as somebody else does."""
    client = await nats.connect(url)
    try:
        yield await client.jetstream().key_value(bucket)
    finally:
        await client.close()


async def until_lost(plugin: NatsConfig) -> None:
    """Wait until the plugin has noticed that its server is away."""
    await eventually(lambda: not plugin.server.client.is_connected)


def reads(store: Store, key: str, value: str | None):
    """A condition: the guest reads this value."""

    async def condition() -> bool:
        return await store.get(key) == value

    return condition


class TestNatsConfig(ConfigContract):
    @pytest.fixture
    async def plugin(self, nats_server, bucket):
        """Give the plugin as it is attached."""
        async with started(nats_server.url, bucket) as (plugin, _):
            yield plugin


async def test_the_bucket_lies_above_what_a_workload_gives(nats_server, bucket):
    """What stands in the bucket wins over the component's config; what does not is as the workload gives it."""
    async with started(nats_server.url, bucket) as (plugin, _):
        item = await bind(plugin, Item(local_resources=LocalResources(config={"a": "given", "b": "given"})))
        async with opened(nats_server.url, bucket) as kv:
            await kv.put("b", b"bucket")
            await kv.put("c.d", "grün".encode())
        store = item.linked[Store.wit]
        await eventually(reads(store, "c.d", "grün"))
        assert list(await store.get_all()) == [("a", "given"), ("b", "bucket"), ("c.d", "grün")]


async def test_a_change_by_others_reaches_a_running_guest_and_is_told(nats_server, bucket, engine):
    """Without a restart: the next call of the guest reads it, and who looks on gets an event of each change."""
    plugin, told = NatsConfig(NatsServer(nats_server.url), bucket), []
    async with HostBuilder().with_engine(engine).with_plugin(plugin).build() as host:
        await host.attach(TracingLogger())
        resources = LocalResources(config={"greeting": "hello"})
        assert (await host.workload_start(request("config_logging", resources=resources))).error is None
        host.events().subscribe(lambda event: told.append(event) if isinstance(event, StateChanged) else None)
        assert await host.call("guest", "get", "greeting") == "hello"

        def calls(value: str):
            async def condition() -> bool:
                return await host.call("guest", "get", "greeting") == value

            return condition

        async with opened(nats_server.url, bucket) as kv:
            await kv.put("greeting", b"good day")
            await eventually(calls("good day"))
            await kv.delete("greeting")
            await eventually(calls("hello"))
        assert [(event.workload, event.path, event.action) for event in told] == [
            ("guest", ("main", "greeting"), "set"),
            ("guest", ("main", "greeting"), "delete"),
        ]


async def test_an_edit_is_written_to_the_bucket(nats_server, bucket):
    """Two hosts share it: an edit on one is read on the other, and again after a new start."""
    async with started(nats_server.url, bucket) as (one, _), started(nats_server.url, bucket) as (two, _):
        first, second = await bind(one), await bind(two)
        settings = one.backend(first.workload_id, first.component)
        await settings.set("limit", "10")
        await eventually(reads(second.linked[Store.wit], "limit", "10"))
        await settings.delete("limit")
        await eventually(reads(second.linked[Store.wit], "limit", None))
        await settings.set("limit", "11")
    async with started(nats_server.url, bucket) as (three, _):
        item = await bind(three)
        assert await item.linked[Store.wit].get("limit") == "11"


async def test_a_setting_that_was_taken_away_comes_back_when_others_set_it(nats_server, bucket):
    """What the workload gives is hidden here by hand, until somebody sets the key in the bucket."""
    async with started(nats_server.url, bucket) as (plugin, _):
        item = await bind(plugin, Item(local_resources=LocalResources(config={"a": "given"})))
        await plugin.backend(item.workload_id, item.component).delete("a")
        assert await item.linked[Store.wit].get("a") is None
        async with opened(nats_server.url, bucket) as kv:
            await kv.put("a", b"set")
        await eventually(reads(item.linked[Store.wit], "a", "set"))
        await plugin.backend(item.workload_id, item.component).delete("a")
        assert await item.linked[Store.wit].get_all() == ()


async def test_an_interface_may_name_another_bucket(nats_server, bucket):
    """The key `bucket` of its config: each workload reads the one that it names, made where it is not there."""
    entry = WitInterface.parse("wasi:config/store@0.2.0-rc.1", config={"bucket": f"{bucket}-other"})
    async with started(nats_server.url, bucket) as (plugin, told):
        here, there = Item(workload_id="here"), Item(workload_id="there", workload_name="there")
        await bind(plugin, here)
        await bind(plugin, there, interfaces=(entry,))
        async with opened(nats_server.url, f"{bucket}-other") as kv:
            await kv.put("a", b"other")
        await eventually(reads(there.linked[Store.wit], "a", "other"))
        assert await here.linked[Store.wit].get("a") is None
        assert [event.workload for event in told] == ["there"]


async def test_the_bucket_is_one_of_wash_runtime(nats_server, bucket):
    """It has the settings that wash-runtime gives to a bucket, so that its hosts can open it, too."""
    async with started(nats_server.url, bucket) as (plugin, _):
        await bind(plugin)
        client = await nats.connect(nats_server.url)
        config = (await client.jetstream().stream_info(f"KV_{bucket}")).config
        await client.close()
    assert (config.max_msgs_per_subject, config.allow_direct, bool(config.allow_msg_ttl)) == (1, True, False)
    assert (config.allow_rollup_hdrs, config.deny_delete, config.deny_purge) == (True, True, False)


@pytest.mark.slow
async def test_settings_outlive_the_server(nats_servers, bucket):
    """While it is away they stay as last known, edits are refused, and the user is told once; then it goes on."""
    server = await nats_servers()
    async with started(server.url, bucket) as (plugin, told):
        item = await bind(plugin)
        store, settings = item.linked[Store.wit], plugin.backend(item.workload_id, item.component)
        await settings.set("limit", "10")
        await server.kill()
        await until_lost(plugin)
        for _ in range(3):
            assert await store.get("limit") == "10"
        with pytest.raises(BackendError, match=f"NATS server {server.url} is away"):
            await settings.set("limit", "11")
        complaints = [event for event in told if isinstance(event, LogLine)]
        assert [line.message for line in complaints] == [
            f"settings are as they were last known: NATS server {server.url} is away"
        ]
        await server.restart()
        async with opened(server.url, bucket) as kv:
            await kv.put("limit", b"12")
            await eventually(reads(store, "limit", "12"))
        await settings.set("limit", "13")
        assert await store.get("limit") == "13"


async def test_what_changed_while_the_connection_was_lost_is_read(nats_servers, bucket):
    """Nothing is missed: what others set and deleted meanwhile is there when the server is."""
    server = await nats_servers()
    async with started(server.url, bucket) as (plugin, _):
        item = await bind(plugin)
        store, settings = item.linked[Store.wit], plugin.backend(item.workload_id, item.component)
        await settings.set("kept", "1")
        await settings.set("gone", "1")
        plugin.server.client._transport.close()
        async with opened(server.url, bucket) as kv:
            await kv.put("new", b"1")
            await kv.delete("gone")
        await eventually(reads(store, "new", "1"))
        await eventually(reads(store, "gone", None))
        assert await store.get("kept") == "1"


@pytest.mark.slow
async def test_a_server_that_is_down_fails_the_attach_or_the_load(nats_servers, bucket):
    """The error names server and remedy; a bucket that could not be read is read at the next load."""
    server = await nats_servers()
    async with started(server.url, bucket) as (plugin, _):
        await server.stop()
        await until_lost(plugin)
        with pytest.raises(BackendError, match=server.url):
            await bind(plugin)
        await plugin.on_workload_unbind("id-1", ())
        await server.restart()
        item = await bind(plugin)
        assert await item.linked[Store.wit].get_all() == ()
    await server.stop()
    with pytest.raises(BackendError, match=server.url):
        await NatsConfig(NatsServer(server.url)).start()


async def test_a_server_that_is_only_read(nats_server, bucket):
    """Settings are read and edits refused with the word that allows them; a bucket is not made there."""
    async with started(nats_server.url, bucket, write=False) as (plugin, _):
        with pytest.raises(AccessDenied, match="read only"):
            await bind(plugin)
        await plugin.on_workload_unbind("id-1", ())
        async with started(nats_server.url, bucket) as (writer, _):
            other = await bind(writer)
            await writer.backend(other.workload_id, other.component).set("a", "1")
        item = await bind(plugin)
        assert await item.linked[Store.wit].get("a") == "1"
        with pytest.raises(AccessDenied) as caught:
            await plugin.backend(item.workload_id, item.component).set("a", "2")
        with pytest.raises(AccessDenied):
            await plugin.backend(item.workload_id, item.component).delete("a")
        assert await item.linked[Store.wit].get("a") == "1"
    assert any("--write" in line for line in caught.value.repair)


async def test_a_key_that_nats_cannot_have(nats_server, bucket):
    """An edit says so; what the workload gives under such a key is read, and can be hidden."""
    async with started(nats_server.url, bucket) as (plugin, _):
        item = await bind(plugin, Item(local_resources=LocalResources(config={"a b": "1"})))
        settings = plugin.backend(item.workload_id, item.component)
        assert await settings.get("a b") == "1"
        with pytest.raises(BackendError, match="can be no key"):
            await settings.set("a b", "2")
        await settings.delete("a b")
        assert await settings.get("a b") is None


async def test_a_bucket_with_other_settings_is_left_alone(nats_server, bucket):
    """The load fails and says what is different: a wash-runtime host could not open it either."""
    client = await nats.connect(nats_server.url)
    await client.jetstream().create_key_value(bucket=bucket, history=5)
    await client.close()
    async with started(nats_server.url, bucket) as (plugin, _):
        with pytest.raises(BackendError, match=f"open bucket '{bucket}'") as caught:
            await bind(plugin)
    assert "max_msgs_per_subject" in caught.value.message
    assert nats_server.url in caught.value.message


async def test_a_server_that_is_full(nats_servers, bucket, tmp_path):
    """An edit says that there is no room, guests read on what is there, and a setting can be taken away."""
    config = tmp_path / "server.conf"
    config.write_text("jetstream { max_file_store: 100KB }")
    server = await nats_servers("-c", str(config))
    async with started(server.url, bucket) as (plugin, told):
        item = await bind(plugin)
        store, settings = item.linked[Store.wit], plugin.backend(item.workload_id, item.component)
        await settings.set("limit", "10")
        for size in (50_000, 10_000, 2_000, 400, 80, 0, 0):  # until there is no room for anything
            with suppress(BackendError):
                for number in range(8):
                    await settings.set(f"{size}-{number}", "9" * size)
        with pytest.raises(BackendError, match=f"'limit' of bucket '{bucket}': .* has no room for it") as caught:
            await settings.set("limit", "")
        assert "max_file_store" in caught.value.repair[0]
        assert await store.get("limit") == "10"
        assert ("limit", "10") in await store.get_all()
        other = await bind(plugin, Item(workload_id="id-2"))
        assert await other.linked[Store.wit].get("limit") == "10"
        told.clear()
        await settings.delete("limit")
        assert await store.get("limit") is None
        assert [(event.path, event.action) for event in told if isinstance(event, StateChanged)] == [
            (("main", "limit"), "delete")
        ] * 2


@pytest.mark.slow
async def test_a_server_that_stands_still_holds_nobody_up(nats_servers, bucket):
    """Guests read at once what was last known; an edit fails within seconds, and works when the server goes on."""
    server = await nats_servers()
    async with started(server.url, bucket) as (plugin, _):
        item = await bind(plugin)
        settings = plugin.backend(item.workload_id, item.component)
        await settings.set("limit", "10")
        process = psutil.Process(server.pid)
        process.suspend()
        try:
            await eventually(lambda: process.status() == psutil.STATUS_STOPPED)  # its threads stop one by one
            begun = time.monotonic()
            assert await item.linked[Store.wit].get("limit") == "10"
            assert time.monotonic() - begun < 1
            with pytest.raises(BackendError, match="did not answer"):
                await settings.set("limit", "11")
            assert time.monotonic() - begun < 5
        finally:
            process.resume()
        await settings.set("limit", "12")
        assert await item.linked[Store.wit].get("limit") == "12"
