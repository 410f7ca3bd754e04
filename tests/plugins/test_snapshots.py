"""The state of each plugin that snapshots are taken of, and those of which none is."""

from __future__ import annotations

import pytest

from washnb.errors import ConfigError
from washnb.plugins import (
    Blobstore,
    DynamicConfig,
    FilesystemBlobstore,
    FilesystemKeyValue,
    HostPlugin,
    InMemoryBlobstore,
    InMemoryKeyValue,
    KeyValue,
    NatsBlobstore,
    NatsConfig,
    NatsKeyValue,
    NatsServer,
    TracingLogger,
)
from washnb.plugins.blobstore import chunked
from washnb.types import LocalResources

from .bound import Item, bind
from .contracts.snapshot import SnapshotContract


class KeyValueSnapshots(SnapshotContract):
    """Buckets with few keys and with more than a page of them."""

    async def change(self, plugin: KeyValue, item: Item, number: int) -> None:
        """Set, overwrite and delete."""
        backend = plugin.backend(item.workload_id)
        await backend.open("many")
        await backend.set_many("many", [(f"{each}", b"%d" % number) for each in range(120)])
        await backend.open(f"b{number}")
        await backend.set(f"b{number}", "", b"\0\xff")
        if number:
            await backend.delete("many", "7")
            await backend.delete("b0", "")


class TestInMemoryKeyValue(KeyValueSnapshots):
    @pytest.fixture
    def plugin(self):
        """Give the plugin."""
        return InMemoryKeyValue()

    async def test_an_open_bucket_stays_open(self, plugin):
        """A bucket that came after the snapshot is empty, not gone: a guest may hold it."""
        item = Item()
        await plugin.on_workload_bind(item, ())
        state = await plugin.dump(item.workload_id)
        await self.change(plugin, item, 0)
        await plugin.restore(item.workload_id, state)
        backend = plugin.backend(item.workload_id)
        assert await backend.get("b0", "") is None
        await backend.set("b0", "k", b"v")


class TestFilesystemKeyValue(KeyValueSnapshots):
    @pytest.fixture
    async def plugin(self, tmp_path):
        """Give the plugin over an empty directory."""
        plugin = FilesystemKeyValue(tmp_path)
        await plugin.start()
        yield plugin
        await plugin.stop()

    async def test_a_bucket_that_goes_meanwhile_is_left_out(self, plugin, monkeypatch):
        """Another process may remove the folder of a bucket after it was listed: the others are in the snapshot."""
        item = Item()
        await bind(plugin, item)
        backend = plugin.backend(item.workload_id)
        await backend.open("kept")
        await backend.set("kept", "k", b"v")

        async def listed():
            return ["gone", "kept"]

        monkeypatch.setattr(backend, "buckets", listed)
        assert await plugin.dump(item.workload_id) == {("kept", "k"): b"v"}


class BlobSnapshots(SnapshotContract):
    """Containers, empty ones too, and objects of several chunks."""

    async def change(self, plugin: Blobstore, item: Item, number: int) -> None:
        """Create, write and delete."""
        backend = plugin.backend(item.workload_id)
        await backend.create(f"c{number}")
        await backend.create(f"empty{number}")
        await backend.write(f"c{number}", "small", chunked(b"x"))
        await backend.write("c0", "large", chunked(bytes([number]) * 200_000))
        if number:
            await backend.delete("empty0")
            await backend.delete_objects("c0", ["small"])


class TestInMemoryBlobstore(BlobSnapshots):
    @pytest.fixture
    def plugin(self):
        """Give the plugin."""
        return InMemoryBlobstore()


class TestFilesystemBlobstore(BlobSnapshots):
    @pytest.fixture
    async def plugin(self, tmp_path):
        """Give the plugin over an empty directory."""
        plugin = FilesystemBlobstore(tmp_path)
        await plugin.start()
        yield plugin
        await plugin.stop()


class TestDynamicConfig(SnapshotContract):
    @pytest.fixture
    def plugin(self):
        """Give the plugin."""
        return DynamicConfig()

    async def change(self, plugin: DynamicConfig, item: Item, number: int) -> None:
        """Edit, and take away."""
        settings = plugin.backend(item.workload_id, item.component)
        await settings.set("greeting", f"Ahoy {number}")
        await settings.set(f"only{number}", "x")
        if number:
            await settings.delete("only0")

    async def test_what_was_given_is_no_edit(self, plugin):
        """Settings of the workload are not in it, one that was taken away is; both come back."""
        item = Item(local_resources=LocalResources(config={"given": "1", "hidden": "2"}))
        await plugin.on_workload_bind(item, ())
        await plugin.on_workload_item_bind(item, ())
        settings = plugin.backend(item.workload_id, item.component)
        await settings.delete("hidden")
        state = await plugin.dump(item.workload_id)
        assert state == {("main", "hidden"): None}
        await plugin.restore(item.workload_id, {})
        assert await settings.get_all() == {"given": "1", "hidden": "2"}
        await plugin.restore(item.workload_id, state)
        assert await settings.get_all() == {"given": "1"}


@pytest.mark.parametrize("kind", [NatsKeyValue, NatsBlobstore, NatsConfig])
async def test_what_other_hosts_share_is_not_dumped(kind):
    """A plugin on NATS says so, and takes nothing back either."""
    plugin: HostPlugin = kind(NatsServer("nats://127.0.0.1:4222"))
    with pytest.raises(ConfigError, match=r"wasi-\w+ is on nats://127.0.0.1:4222, which other hosts share"):
        await plugin.dump("id-1")
    with pytest.raises(ConfigError, match="none restored"):
        await plugin.restore("id-1", {})


async def test_a_plugin_without_state_has_none():
    """Logs are a record of what was; they do not go back."""
    assert await TracingLogger().dump("id-1") is None
