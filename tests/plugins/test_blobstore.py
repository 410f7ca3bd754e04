"""Blobs in memory: the contract, and what is its own."""

from __future__ import annotations

import pytest

from washnb.errors import WorkloadNotFound
from washnb.plugins import InMemoryBlobstore
from washnb.plugins.blobstore import BlobstoreInterface
from washnb.plugins.blobstore.in_memory import InMemoryBackend

from .bound import Item, bind
from .contracts.blobstore import BackendContract, get, put
from .contracts.blobstore_surface import SurfaceContract


class TestInMemoryBackend(BackendContract):
    @pytest.fixture
    def backend(self):
        """Give a backend whose changes nobody hears."""
        return InMemoryBackend(lambda path, action: None)

    async def test_a_reader_keeps_what_it_began_with(self, backend, container):
        """What a reader gives is the object as it was at the beginning, though it is replaced and deleted."""
        await put(backend, container, "o", b"old" * 50_000)
        reader = await backend.read(container, "o")
        first = await anext(reader)
        await put(backend, container, "o", b"new")
        await backend.delete(container)
        assert first + b"".join([chunk async for chunk in reader]) == b"old" * 50_000

    async def test_copies_share_their_bytes(self, backend, container):
        """A copy takes no memory, and goes its own way."""
        await put(backend, container, "o", b"1")
        await backend.copy(container, "o", container, "p")
        await put(backend, container, "o", b"2")
        assert await get(backend, container, "p") == b"1"


class TestInMemoryBlobstore(SurfaceContract):
    @pytest.fixture
    def plugin(self):
        """Give the plugin with its defaults."""
        return InMemoryBlobstore()

    async def test_workloads_do_not_see_each_other(self, plugin):
        """A container of the same name in another workload is another container."""
        one, two = [await bind(plugin, Item(workload_id=each)) for each in ("one", "two")]
        await one.linked[BlobstoreInterface.wit].create_container("c")
        assert await two.linked[BlobstoreInterface.wit].container_exists("c") is False

    async def test_state_goes_with_the_workload(self, plugin):
        """A workload that is stopped and started again begins empty."""
        item = await bind(plugin)
        await item.linked[BlobstoreInterface.wit].create_container("c")
        await plugin.on_workload_unbind(item.workload_id, ())
        with pytest.raises(WorkloadNotFound, match=f"{item.workload_id} does not use plugin 'wasi-blobstore'"):
            plugin.backend(item.workload_id)
        await bind(plugin)
        assert await plugin.backend(item.workload_id).containers() == []
