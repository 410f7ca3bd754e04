"""Key-value in a directory: a folder for each bucket, a file for each key, with nothing but the value in it.

`file_names` says what they are called. A value is written beside its place and moved into it when it is on the disk:
a reader sees the old one or the new one. Whoever changes a bucket holds the lock of its file `.lock`, so that hosts may
share a directory; each hears of what the others change (`directory_watch`). Counters are kept as in memory.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from washnb.errors import BackendError

from ..base import Changed
from ..disk import disk, file_status, is_directory, make_directory, open_file
from ..file_names import NamedFiles
from ..state import InDirectory
from .backend import KeyResponse, NoSuchBucket, Snapshot
from .counters import counted, counter_bytes, counter_value
from .locks import Locks
from .plugin import KeyValue

PAGE = 1000
"""Keys in one page, as in wash-runtime."""

LOCK_SECONDS = 5.0
"""How long a change waits for that of another process."""

_POLL_SECONDS = 0.001

T = TypeVar("T")


class FilesystemBackend:
    """Buckets as folders of `root`. What waits for the disk runs in threads."""

    counter_order: Literal["little", "big"] = "little"

    def __init__(self, root: Path, changed: Changed) -> None:
        """Keep buckets in `root`, which is made when it is needed; call `changed` after each change."""
        self._root = root
        self._folders = NamedFiles(root)
        self._changed = changed
        self._locks = Locks()

    async def prepare(self) -> None:
        """Make the directory. Raises BackendError where that cannot be."""
        await self._read("keep key-value", partial(self._root.mkdir, parents=True, exist_ok=True))

    async def buckets(self) -> Sequence[str]:
        """Return the names of all folders, sorted."""
        return await self._read("list buckets", self._buckets)

    async def open(self, bucket: str) -> None:
        """Make the folder where it does not exist."""
        await self._read(f"open bucket '{bucket}'", partial(self._open, bucket))

    async def keys(self, bucket: str, cursor: int | None = None) -> KeyResponse:
        """Return a page of the sorted keys; the cursor is the index of the next key."""
        names = await self._read(f"list bucket '{bucket}'", lambda: self._bucket(bucket).names())
        begin = cursor or 0
        end = begin + PAGE
        return KeyResponse(names[begin:end], end if end < len(names) else None)

    async def exists(self, bucket: str, key: str) -> bool:
        """Return whether there is such a file."""
        return await self._read(f"look for {_of(bucket, key)}", lambda: self._bucket(bucket).has(key))

    async def get(self, bucket: str, key: str) -> bytes | None:
        """Return the value, None where there is none."""
        return (await self.snapshot(bucket, key)).value

    async def set(self, bucket: str, key: str, value: bytes) -> None:
        """Keep the value in place of any that was there."""
        await self.set_many(bucket, [(key, value)])

    async def delete(self, bucket: str, key: str) -> None:
        """Remove the file; one that is not there is no error, and no change."""
        await self.delete_many(bucket, [key])

    async def increment(self, bucket: str, key: str, delta: int, *, signed: bool = False) -> int:
        """Add to a counter; the sum is kept as 8 bytes, little endian."""

        def add(folder: Folder) -> int:
            total = counted(counter_value(folder.read(key).value or b""), delta, signed=signed)
            folder.write(key, counter_bytes(total, "little"))
            return total

        return await self._change(f"increment {_of(bucket, key)}", bucket, add)

    async def snapshot(self, bucket: str, key: str) -> Snapshot:
        """Return the value for a later `swap`."""
        return await self._read(f"get {_of(bucket, key)}", lambda: self._bucket(bucket).read(key))

    async def swap(self, bucket: str, key: str, seen: Snapshot, value: bytes) -> bool:
        """Set the value unless somebody has set or deleted it after `seen` was taken; return whether it was set."""

        def replace(folder: Folder) -> bool:
            unchanged = folder.read(key).revision == seen.revision
            if unchanged:
                folder.write(key, value)
            return unchanged

        return await self._change(f"swap {_of(bucket, key)}", bucket, replace)

    async def get_many(self, bucket: str, keys: Sequence[str]) -> Sequence[tuple[str, bytes] | None]:
        """Return key and value for each key, None where there is no value."""

        def read() -> Sequence[tuple[str, bytes] | None]:
            folder = self._bucket(bucket)
            values = [(key, folder.read(key).value) for key in keys]
            return [None if value is None else (key, value) for key, value in values]

        return await self._read(f"get keys of bucket '{bucket}'", read)

    async def set_many(self, bucket: str, entries: Sequence[tuple[str, bytes]]) -> None:
        """Keep all the values, one after the other."""

        def write(folder: Folder) -> None:
            for key, value in entries:
                folder.write(key, value)

        await self._change(f"set {_of(bucket, *(key for key, _ in entries))}", bucket, write)

    async def delete_many(self, bucket: str, keys: Sequence[str]) -> None:
        """Remove all the files."""

        def remove(folder: Folder) -> None:
            for key in keys:
                folder.remove(key)

        await self._change(f"delete {_of(bucket, *keys)}", bucket, remove)

    async def _read(self, what: str, work: Callable[[], T]) -> T:
        with disk(what, self._root):
            return await asyncio.to_thread(work)

    async def _change(self, what: str, bucket: str, work: Callable[[Folder], T]) -> T:
        """Work in a thread, with the bucket for itself; it goes on, and is told, where its caller is cancelled."""
        changes: list[tuple[str, str]] = []
        deadline = time.monotonic() + LOCK_SECONDS  # all who wait here wait for the same other process
        lock = self._locks[bucket]
        await lock.acquire()
        working = asyncio.ensure_future(asyncio.to_thread(self._locked, what, bucket, deadline, changes, work))
        working.add_done_callback(partial(self._done, bucket, changes, lock))
        with disk(what, self._root):
            return await asyncio.shield(working)

    def _locked(
        self, what: str, bucket: str, deadline: float, changes: list[tuple[str, str]], work: Callable[[Folder], T]
    ) -> T:
        folder = self._bucket(bucket, changes)
        with _exclusive(folder.directory / ".lock", what, deadline):
            return work(folder)

    def _done(
        self, bucket: str, changes: list[tuple[str, str]], lock: asyncio.Lock, working: asyncio.Future[T]
    ) -> None:
        lock.release()
        if not working.cancelled():
            working.exception()  # whoever still waits for it has it, and nobody else needs it
        for key, action in changes:
            self._changed((bucket, key), action)

    def _buckets(self) -> Sequence[str]:
        try:
            return self._folders.directories()
        except FileNotFoundError:
            return []

    def _open(self, bucket: str) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        make_directory(self._folders.prepare(bucket))

    def _bucket(self, bucket: str, changes: list[tuple[str, str]] | None = None) -> Folder:
        path = self._folders.path(bucket)
        if not is_directory(path):
            raise NoSuchBucket(bucket)
        return Folder(path, [] if changes is None else changes)


class Folder(NamedFiles):
    """The folder of a bucket. What changes a file needs the bucket's lock, and is written into `changes`."""

    def __init__(self, path: Path, changes: list[tuple[str, str]]) -> None:
        """Know the folder, which exists."""
        super().__init__(path)
        self._changes = changes

    def has(self, key: str) -> bool:
        """Return whether there is a value."""
        return file_status(self.path(key)) is not None

    def read(self, key: str) -> Snapshot:
        """Read a value; each one is a file of its own."""
        try:
            with open_file(self.path(key)) as file:
                status = os.fstat(file.fileno())
                return Snapshot(file.read(), (status.st_ino, status.st_mtime_ns))
        except FileNotFoundError:
            return Snapshot(None, None)

    def write(self, key: str, value: bytes) -> None:
        """Put a value in place of any that was there, when it is on the disk."""
        path, new = self.prepare(key), self.directory / ".new"
        file_status(path)  # what is no file is not replaced
        try:
            new.unlink(missing_ok=True)  # a killed process has left it, or it is somebody's link to elsewhere
            with new.open("xb") as file:
                file.write(value)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except OSError:
            new.unlink(missing_ok=True)
            raise
        self._changes.append((key, "set"))

    def remove(self, key: str) -> None:
        """Remove a value, if there is one."""
        if not self.has(key):
            return
        self.path(key).unlink(missing_ok=True)  # somebody without the lock was faster
        self._changes.append((key, "delete"))


@contextmanager
def _exclusive(path: Path, what: str, deadline: float) -> Iterator[None]:
    """Hold the lock of a file. Raises BackendError where another process does not let go of it until `deadline`."""
    with open_file(path, "ab") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise BackendError(
                        f"{what}: another process has held {path} for {LOCK_SECONDS:g} s", repair=f"fuser -v {path}"
                    ) from None
                time.sleep(_POLL_SECONDS)
        yield


def _of(bucket: str, *keys: str) -> str:
    return f"{f'key {keys[0]!r:.80}' if len(keys) == 1 else f'{len(keys)} keys'} of bucket '{bucket:.80}'"


class FilesystemKeyValue(InDirectory[FilesystemBackend], KeyValue):
    """wasi:keyvalue in a directory, shared by all workloads, as wash-runtime's on files."""

    def __init__(self, root: Path) -> None:
        """Keep the buckets in the directory `root`, the one that it is now: the process may go elsewhere."""
        super().__init__(root)
        self._files = FilesystemBackend(self.root, self.watch.own)

    @property
    def shared(self) -> FilesystemBackend:
        """The folders."""
        return self._files

    async def start(self) -> None:
        """Make the directory. Raises BackendError where that cannot be."""
        await self._files.prepare()
        await super().start()
