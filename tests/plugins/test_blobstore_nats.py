"""Blobs on a NATS server: the contract, and what is its own."""

from __future__ import annotations

import pytest

from washnb.plugins import NatsServer
from washnb.plugins.blobstore import NatsBlobstore
from washnb.plugins.blobstore.object_store import ObjectStoreBackend

from .contracts.blobstore import BackendContract
from .contracts.blobstore_surface import SurfaceContract


@pytest.fixture
async def server(nats_server):
    """Give the connection to a server without containers."""
    server = NatsServer(nats_server.url)
    await server.open()
    for info in await server.jetstream.streams_info():
        if info.config.name.startswith("OBJ_"):
            await server.jetstream.delete_stream(info.config.name)
    yield server
    await server.close()


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
