"""Blobs in a directory: the contract, and what is its own."""

from __future__ import annotations

import pytest

from washnb.plugins.blobstore import FilesystemBlobstore
from washnb.plugins.blobstore.files import FilesystemBackend

from .contracts.blobstore import BackendContract
from .contracts.blobstore_surface import SurfaceContract


class TestFilesystemBackend(BackendContract):
    @pytest.fixture
    async def backend(self, tmp_path):
        """Give a backend whose changes nobody hears."""
        return FilesystemBackend(tmp_path / "state" / "blobs", lambda path, action: None)


class TestFilesystemBlobstore(SurfaceContract):
    @pytest.fixture
    async def plugin(self, tmp_path):
        """Give the plugin over an empty directory."""
        plugin = FilesystemBlobstore(tmp_path)
        await plugin.start()
        yield plugin
        await plugin.stop()
