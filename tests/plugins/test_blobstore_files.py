"""Blobs in a directory: the contract, and what is its own."""

from __future__ import annotations

import os

import pytest

from washnb.errors import BackendError
from washnb.plugins.blobstore import FilesystemBlobstore
from washnb.plugins.blobstore.files import FilesystemBackend

from .contracts.blobstore import BackendContract, put
from .contracts.blobstore_surface import SurfaceContract
from .contracts.files import PLANTED, plant, unchanged


class TestFilesystemBackend(BackendContract):
    @pytest.fixture
    async def backend(self, tmp_path):
        """Give a backend whose changes nobody hears."""
        return FilesystemBackend(tmp_path / "state" / "blobs", lambda path, action: None)

    @pytest.mark.parametrize("kind", PLANTED)
    async def test_what_is_in_the_place_of_an_object(self, backend, tmp_path, kind):
        """What is no file is neither read nor waited for, followed nor replaced, and the error says where it is."""
        await backend.create("c")
        await put(backend, "c", "other", b"v")
        place = backend._root / "c" / "o"
        plant(place, kind, tmp_path / "elsewhere")
        for call in (
            backend.read("c", "o"),
            backend.has("c", "o"),
            backend.object_info("c", "o"),
            put(backend, "c", "o", b"v"),
            backend.delete_objects("c", ["o"]),
            backend.move("c", "o", "c", "p"),
            backend.move("c", "other", "c", "o"),
            backend.copy("c", "other", "c", "o"),
        ):
            with pytest.raises(BackendError, match=f"container 'c': {place} is {kind}") as raised:
                await call
            assert raised.value.repair == (f"ls -l {place}  # and move it away",)
        assert list(await backend.objects("c")) == ["other"]
        assert unchanged(place, kind, tmp_path / "elsewhere")
        assert list((backend._root / ".incoming").iterdir()) == []

    async def test_directories_that_are_elsewhere(self, backend, tmp_path):
        """A symbolic link is no container, and nothing is swept or written where one leads."""
        elsewhere, link = tmp_path / "elsewhere", backend._root / "c"
        elsewhere.mkdir()
        (elsewhere / "old").touch()
        os.utime(elsewhere / "old", (0, 0))
        await backend.prepare()
        link.symlink_to(elsewhere)
        for call in (backend.exists("c"), backend.objects("c"), put(backend, "c", "o", b""), backend.delete("c")):
            with pytest.raises(BackendError, match=f"{link} is a symbolic link"):
                await call
        assert list(await backend.containers()) == []
        (backend._root / ".incoming").rmdir()
        (backend._root / ".incoming").symlink_to(elsewhere)
        with pytest.raises(BackendError, match=f"keep blobs: {backend._root}/.incoming is a symbolic link"):
            await backend.prepare()
        assert [each.name for each in elsewhere.iterdir()] == ["old"]


class TestFilesystemBlobstore(SurfaceContract):
    @pytest.fixture
    async def plugin(self, tmp_path):
        """Give the plugin over an empty directory."""
        plugin = FilesystemBlobstore(tmp_path)
        await plugin.start()
        yield plugin
        await plugin.stop()
