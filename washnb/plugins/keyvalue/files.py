"""Key-value in a directory: a folder for each bucket, in it a file for each key with nothing but the key's value.

`file_names` says what folders and files are called. A new value is written to a file beside that of the key and moved
there when it is on the disk, so that a reader gets the old value or the new one. A change of a bucket is made under a
lock (flock) of the file `.lock` in the bucket's folder, so that several hosts may use one directory; each learns of the
changes of the others (`directory_watch`). Counters have the same bytes as in memory.
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
"""How long a change waits for a lock that another process holds."""

_POLL_SECONDS = 0.001

T = TypeVar("T")


class FilesystemBackend:
    """Buckets as folders of the directory `root`. Whatever touches the disk runs in threads."""

    counter_order: Literal["little", "big"] = "little"

    def __init__(self, root: Path, changed: Changed) -> None:
        """Keep buckets in `root`, which is made when it is needed; call `changed` after each change of a value."""
        self._root = root
        self._folders = NamedFiles(root)
        self._changed = changed
        self._locks = Locks()

    async def prepare(self) -> None:
        """Make the directory `root`. Raises BackendError where it cannot be made."""
        await self._read("keep key-value", partial(self._root.mkdir, parents=True, exist_ok=True))

    async def buckets(self) -> Sequence[str]:
        """Return the names of all buckets, sorted."""
        return await self._read("list buckets", self._buckets)

    async def open(self, bucket: str) -> None:
        """Make a folder for the bucket where there is none."""
        await self._read(f"open bucket '{bucket}'", partial(self._open, bucket))

    async def keys(self, bucket: str, cursor: int | None = None) -> KeyResponse:
        """Return a page of the sorted keys. A cursor is the index of the next key."""
        names = await self._read(f"list bucket '{bucket}'", lambda: self._bucket(bucket).names())
        begin = cursor or 0
        end = begin + PAGE
        return KeyResponse(names[begin:end], end if end < len(names) else None)

    async def exists(self, bucket: str, key: str) -> bool:
        """Return whether `key` has a value."""
        return await self._read(f"look for {_of(bucket, key)}", lambda: self._bucket(bucket).has(key))

    async def get(self, bucket: str, key: str) -> bytes | None:
        """Return the value of `key`, None where it has none."""
        return (await self.snapshot(bucket, key)).value

    async def set(self, bucket: str, key: str, value: bytes) -> None:
        """Set the value of `key`, in place of any that it had."""
        await self.set_many(bucket, [(key, value)])

    async def delete(self, bucket: str, key: str) -> None:
        """Remove the file of `key`; a key without value is no error, and no change is reported."""
        await self.delete_many(bucket, [key])

    async def increment(self, bucket: str, key: str, delta: int, *, signed: bool = False) -> int:
        """Add `delta` to the counter `key` and return the sum, which is kept as 8 bytes, little endian."""

        def add(folder: Folder) -> int:
            total = counted(counter_value(folder.read(key).value or b""), delta, signed=signed)
            folder.write(key, counter_bytes(total, "little"))
            return total

        return await self._change(f"increment {_of(bucket, key)}", bucket, add)

    async def snapshot(self, bucket: str, key: str) -> Snapshot:
        """Return the value of `key` with its revision, for a later `swap`."""
        return await self._read(f"get {_of(bucket, key)}", lambda: self._bucket(bucket).read(key))

    async def swap(self, bucket: str, key: str, seen: Snapshot, value: bytes) -> bool:
        """Set `key` unless anybody has set or deleted it since the snapshot `seen`; return whether it was set."""

        def replace(folder: Folder) -> bool:
            unchanged = folder.read(key).revision == seen.revision
            if unchanged:
                folder.write(key, value)
            return unchanged

        return await self._change(f"swap {_of(bucket, key)}", bucket, replace)

    async def get_many(self, bucket: str, keys: Sequence[str]) -> Sequence[tuple[str, bytes] | None]:
        """Return, for each of `keys`, the key with its value, or None where it has no value."""

        def read() -> Sequence[tuple[str, bytes] | None]:
            folder = self._bucket(bucket)
            values = [(key, folder.read(key).value) for key in keys]
            return [None if value is None else (key, value) for key, value in values]

        return await self._read(f"get keys of bucket '{bucket}'", read)

    async def set_many(self, bucket: str, entries: Sequence[tuple[str, bytes]]) -> None:
        """Set the values of many keys, one after the other, under one lock."""

        def write(folder: Folder) -> None:
            for key, value in entries:
                folder.write(key, value)

        await self._change(f"set {_of(bucket, *(key for key, _ in entries))}", bucket, write)

    async def delete_many(self, bucket: str, keys: Sequence[str]) -> None:
        """Remove the files of many keys, under one lock."""

        def remove(folder: Folder) -> None:
            for key in keys:
                folder.remove(key)

        await self._change(f"delete {_of(bucket, *keys)}", bucket, remove)

    async def _read(self, what: str, work: Callable[[], T]) -> T:
        with disk(what, self._root):
            return await asyncio.to_thread(work)

    async def _change(self, what: str, bucket: str, work: Callable[[Folder], T]) -> T:
        """Run `work` in a thread under the bucket's lock, then report its changes; also where the caller is cancelled.

        The lock is two: one of asyncio among the callers in this process, and `.lock` among processes.
        """
        changes: list[tuple[str, str]] = []
        deadline = time.monotonic() + LOCK_SECONDS  # set before the first lock: callers here wait for one other process
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
            working.exception()  # asyncio logs an exception that nobody asks for, as where the caller was cancelled
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
    """The folder of a bucket. `write` and `remove` need the bucket's lock, and add what they do to `changes`."""

    def __init__(self, path: Path, changes: list[tuple[str, str]]) -> None:
        """Keep the path of the folder, which exists, and the list to which changes are added, as (key, action)."""
        super().__init__(path)
        self._changes = changes

    def has(self, key: str) -> bool:
        """Return whether `key` has a file."""
        return file_status(self.path(key)) is not None

    def read(self, key: str) -> Snapshot:
        """Return the value of `key`, with inode and modification time as its revision: each value is a new file."""
        try:
            with open_file(self.path(key)) as file:
                status = os.fstat(file.fileno())
                return Snapshot(file.read(), (status.st_ino, status.st_mtime_ns))
        except FileNotFoundError:
            return Snapshot(None, None)

    def write(self, key: str, value: bytes) -> None:
        """Write a value to the disk, then put its file in the place of the one that `key` had."""
        path, new = self.prepare(key), self.directory / ".new"
        file_status(path)  # raises where it is no regular file: that is not replaced
        try:
            new.unlink(missing_ok=True)  # a process that was killed has left it, or somebody has put a link there
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
        """Remove the file of `key`, if it has one."""
        if not self.has(key):
            return
        self.path(key).unlink(missing_ok=True)  # a program that knows no lock may have removed it meanwhile
        self._changes.append((key, "delete"))


@contextmanager
def _exclusive(path: Path, what: str, deadline: float) -> Iterator[None]:
    """Hold the lock of the file `path` in this block.

    Raises BackendError where another process still has it at `deadline`, a `time.monotonic()`.
    """
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
    """wasi:keyvalue in a directory. As in wash-runtime's plugin on files, all workloads share the buckets."""

    def __init__(self, root: Path) -> None:
        """Keep the buckets in the directory `root`. It is made absolute at once."""
        super().__init__(root)
        self._files = FilesystemBackend(self.root, self.watch.own)

    @property
    def shared(self) -> FilesystemBackend:
        """The backend, which all workloads share."""
        return self._files

    async def start(self) -> None:
        """Make the directory, and begin to look for changes by others. Raises BackendError where it cannot be made."""
        await self._files.prepare()
        await super().start()
