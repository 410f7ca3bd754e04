"""Key-value in a directory: the contract, and what is its own."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
from pathlib import Path

import pytest

from washnb.errors import AccessDenied, BackendError
from washnb.plugins import FilesystemKeyValue
from washnb.plugins.keyvalue import files
from washnb.plugins.keyvalue.files import PAGE, FilesystemBackend

from .bound import Item, bind
from .contracts.files import PLANTED, plant, unchanged
from .contracts.keyvalue import BackendContract, SharedContract, SurfaceContract, all_keys

NAMES = [
    "",
    "k",
    "K",
    "..",
    ".",
    "../../k",
    "/etc/k",
    "a/b",
    "\0",
    "k\n",
    ".lock",
    ".new",
    "%",
    "ü",
    "x" * 300,
    "X" * 300,
]


def backend_in(root: Path) -> FilesystemBackend:
    """A backend whose changes nobody hears."""
    return FilesystemBackend(root, lambda path, action: None)


class TestFilesystemBackend(BackendContract):
    @pytest.fixture
    def backend(self, tmp_path):
        """Give a backend on a directory that is not made yet."""
        return backend_in(tmp_path / "state")

    async def test_any_name(self, backend, tmp_path):
        """Any text names a bucket and a key, each another one, and nothing is written beside the directory."""
        for name in NAMES:
            await backend.open(name)
            await backend.set(name, name, name.encode())
        assert list(await backend.buckets()) == sorted(NAMES)
        for name in NAMES:
            assert await all_keys(backend, name) == [name]
            assert await backend.get(name, name) == name.encode()
        await backend.set_many("k", [(name, b"v") for name in NAMES])
        assert await all_keys(backend, "k") == sorted(NAMES)
        await backend.delete_many("k", NAMES)
        assert await all_keys(backend, "k") == []
        assert [each.name for each in tmp_path.iterdir()] == ["state"]

    async def test_a_value_is_a_file(self, backend, tmp_path):
        """What is stored is there for everybody, under the names of bucket and key."""
        await backend.open("visits")
        await backend.set("visits", "from-home", b"7")
        assert (tmp_path / "state" / "visits" / "from-home").read_bytes() == b"7"
        (tmp_path / "state" / "visits" / "from-work").write_bytes(b"8")
        assert await backend.get("visits", "from-work") == b"8"

    async def test_another_process_later(self, backend, tmp_path):
        """A new kernel finds what the old one has stored, counters too."""
        await backend.open("b")
        await backend.set("b", "k", b"v")
        await backend.increment("b", "n", 41)
        later = backend_in(tmp_path / "state")
        await later.open("b")
        assert await later.get("b", "k") == b"v"
        assert await later.increment("b", "n", 1) == 42

    async def test_counters_are_those_of_memory(self, backend):
        """A counter is eight bytes, little endian, and counts on from text, as in memory."""
        await backend.open("b")
        await backend.increment("b", "n", 258)
        assert await backend.get("b", "n") == b"\x02\x01\0\0\0\0\0\0"
        await backend.set("b", "n", b"41")
        assert await backend.increment("b", "n", 1) == 42

    @pytest.mark.slow
    async def test_many_keys(self, backend):
        """Ten thousand keys come in sorted pages of a thousand."""
        await backend.open("b")
        names = [f"{number:05}" for number in range(10_000)]
        folder = backend._root / "b"
        for name in names:
            (folder / name).touch()
        assert len((await backend.keys("b")).keys) == PAGE
        assert await all_keys(backend, "b") == names

    async def test_what_others_put_there(self, backend):
        """Folders and hidden files in a bucket are no keys, and a file beside it is no bucket."""
        await backend.open("b")
        (backend._root / "b" / "folder").mkdir()
        (backend._root / "b" / ".hidden").touch()
        assert await all_keys(backend, "b") == []
        (backend._root / "file").touch()
        assert list(await backend.buckets()) == ["b"]

    @pytest.mark.parametrize("kind", PLANTED)
    async def test_what_is_in_the_place_of_a_value(self, backend, tmp_path, kind):
        """What is no file is neither read nor waited for, followed nor replaced, and the error says where it is."""
        await backend.open("b")
        await backend.set("b", "k", b"v")
        seen, place = await backend.snapshot("b", "k"), backend._root / "b" / "k"
        place.unlink()
        plant(place, kind, tmp_path / "elsewhere")
        for call in (
            backend.get("b", "k"),
            backend.exists("b", "k"),
            backend.get_many("b", ["k"]),
            backend.set("b", "k", b"v"),
            backend.delete("b", "k"),
            backend.increment("b", "k", 1),
            backend.swap("b", "k", seen, b"v"),
        ):
            with pytest.raises(BackendError, match=f" of bucket 'b': {place} is {kind}") as raised:
                await call
            assert raised.value.repair == (f"ls -l {place}  # and move it away",)
        assert await all_keys(backend, "b") == []
        assert unchanged(place, kind, tmp_path / "elsewhere")

    @pytest.mark.parametrize("kind", PLANTED)
    async def test_what_is_in_the_place_of_the_lock(self, backend, tmp_path, kind):
        """A change does not wait for it, and makes no file elsewhere."""
        await backend.open("b")
        plant(backend._root / "b" / ".lock", kind, tmp_path / "elsewhere")
        with pytest.raises(BackendError, match=f"{backend._root}/b/.lock is {kind}"):
            await backend.set("b", "k", b"v")
        assert unchanged(backend._root / "b" / ".lock", kind, tmp_path / "elsewhere")

    async def test_a_bucket_that_is_elsewhere(self, backend, tmp_path):
        """A symbolic link is no bucket, whatever it leads to."""
        await backend.prepare()
        (tmp_path / "elsewhere").mkdir()
        (backend._root / "b").symlink_to(tmp_path / "elsewhere")
        for call in (backend.open("b"), backend.get("b", "k"), backend.set("b", "k", b""), backend.keys("b")):
            with pytest.raises(BackendError, match=f"{backend._root}/b is a symbolic link"):
                await call
        assert list(await backend.buckets()) == []
        assert list((tmp_path / "elsewhere").iterdir()) == []

    async def test_a_link_to_elsewhere(self, backend, tmp_path):
        """What a value is written into before it takes its place is a file of its own, whatever had its name."""
        (tmp_path / "elsewhere").write_text("precious")
        await backend.open("b")
        (tmp_path / "state" / "b" / ".new").symlink_to(tmp_path / "elsewhere")
        await backend.set("b", "k", b"v")
        assert await backend.get("b", "k") == b"v"
        assert (tmp_path / "elsewhere").read_text() == "precious"

    async def test_a_disk_that_is_full(self, backend, monkeypatch):
        """The error names the directory, the old value stays, and nothing half written is left."""
        await backend.open("b")
        await backend.set("b", "k", b"old")

        def full(descriptor):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(BackendError, match="set key 'k' of bucket 'b': No space left on device") as raised:
            await backend.set("b", "k", b"new")
        assert str(backend._root) in raised.value.message
        assert raised.value.repair == (f"df -h {backend._root}",)
        assert await backend.get("b", "k") == b"old"
        assert sorted(each.name for each in (backend._root / "b").iterdir()) == [".lock", "k"]

    async def test_a_directory_that_may_not_be_written(self, tmp_path):
        """The refusal of the system is AccessDenied, which guests are told as such."""
        (tmp_path / "file").touch()
        with pytest.raises(BackendError, match="keep key-value: "):
            await backend_in(tmp_path / "file").prepare()

    async def test_what_the_system_refuses(self, backend, monkeypatch):
        """A refusal of the system is AccessDenied, which guests are told as such."""
        await backend.open("b")

        def refuse(*_arguments, **_options):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        monkeypatch.setattr(Path, "replace", refuse)
        with pytest.raises(AccessDenied, match="set key 'k' of bucket 'b': Permission denied") as raised:
            await backend.set("b", "k", b"v")
        assert raised.value.repair == (f"chmod u+rwX {backend._root}",)

    async def test_a_bucket_that_another_process_holds(self, backend, monkeypatch):
        """A change waits for that of another process, and not for ever; reading does not wait."""
        monkeypatch.setattr(files, "LOCK_SECONDS", 0.05)
        await backend.open("b")
        await backend.set("b", "k", b"v")
        with (backend._root / "b" / ".lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(BackendError, match=r"another process has held .*lock for 0\.05 s"):
                await backend.increment("b", "n", 1)
            assert await backend.get("b", "k") == b"v"
        assert await backend.increment("b", "n", 1) == 1

    async def test_many_who_wait_for_another_process(self, backend, monkeypatch):
        """They wait at the same time, and not each for all that came before."""
        monkeypatch.setattr(files, "LOCK_SECONDS", 0.3)
        await backend.open("b")
        await backend.set("b", "k", b"v")
        with (backend._root / "b" / ".lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            async with asyncio.timeout(2):
                told = await asyncio.gather(
                    *(backend.increment("b", "n", 1) for _ in range(20)), return_exceptions=True
                )
        assert {type(each) for each in told} == {BackendError}

    async def test_a_caller_that_leaves(self, tmp_path):
        """What a cancelled caller has begun is done whole, and told."""
        told = []
        backend = FilesystemBackend(tmp_path, lambda path, action: told.append((path, action)))
        await backend.open("b")
        writing = asyncio.ensure_future(backend.set("b", "k", b"v"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        await backend.set("b", "later", b"")
        assert await backend.get("b", "k") == b"v"
        assert told == [(("b", "k"), "set"), (("b", "later"), "set")]


class TestFilesystemKeyValue(SurfaceContract, SharedContract):
    @pytest.fixture
    async def plugin(self, tmp_path):
        """Give a plugin that is started."""
        plugin = FilesystemKeyValue(tmp_path)
        await plugin.start()
        yield plugin
        await plugin.stop()

    async def test_says_where_it_is(self, plugin, tmp_path):
        """Views show the directory."""
        assert plugin.location == f"file:{tmp_path}"

    async def test_a_directory_that_cannot_be(self, tmp_path):
        """A plugin that has no place for its state does not start."""
        (tmp_path / "file").touch()
        with pytest.raises(BackendError, match="keep key-value: "):
            await FilesystemKeyValue(tmp_path / "file" / "state").start()

    async def test_state_outlives_the_workload(self, plugin):
        """A workload that is stopped and started again finds its state."""
        item = await bind(plugin)
        await plugin.backend(item.workload_id).open("b")
        await plugin.on_workload_unbind(item.workload_id, ())
        await bind(plugin, Item())
        assert list(await plugin.backend(item.workload_id).buckets()) == ["b"]
