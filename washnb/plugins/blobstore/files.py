"""Blobs in a directory: a folder for each container, a file for each object.

`file_names` says what they are called. A file is written elsewhere, in `.incoming`, and takes its place when it is
whole: readers see the one before until then, and read on in it afterwards. Hosts may share a directory; each hears of
what the others change (`directory_watch`).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Sequence
from contextlib import aclosing, suppress
from functools import partial
from pathlib import Path
from typing import IO, TypeVar, TypeVarTuple

from ..base import Changed
from ..disk import disk, file_status, is_directory, make_directory, open_file
from ..file_names import NamedFiles
from ..state import InDirectory
from .backend import (
    CHUNK,
    Backend,
    ContainerAlreadyExists,
    ContainerInfo,
    NoSuchContainer,
    NoSuchObject,
    ObjectInfo,
    ObjectReader,
    span,
)
from .interface import Blobstore

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_STALE_SECONDS = 24 * 60 * 60
_CREATED = ".created"  # in each container; its time is the container's


class FilesystemBackend:
    """Containers as folders of `root`. What waits for the disk runs in threads."""

    def __init__(self, root: Path, changed: Changed) -> None:
        """Keep containers in `root`, which is made when it is needed; call `changed` after each change."""
        self._root = root
        self._incoming = root / ".incoming"
        self._folders = NamedFiles(root)
        self._changed = changed

    async def prepare(self) -> None:
        """Make the directory, and remove what a process that was killed a day ago has left half written."""
        await self._do("keep blobs", self._prepare)

    async def containers(self) -> Sequence[str]:
        """Return the names of all folders, sorted."""
        return await self._do("list containers", self._containers)

    async def create(self, container: str) -> None:
        """Make a folder."""
        await self._do(f"create container '{container}'", self._create, container)
        self._changed((container,), "set")

    async def delete(self, container: str) -> None:
        """Remove a folder with all that is in it."""
        if await self._do(f"delete container '{container}'", self._delete, container):
            self._changed((container,), "delete")

    async def exists(self, container: str) -> bool:
        """Return whether there is such a folder."""
        return await self._do(f"look for container '{container}'", is_directory, self._folders.path(container))

    async def info(self, container: str) -> ContainerInfo:
        """Return when the folder was made."""
        return await self._do(f"look at container '{container}'", self._info, container)

    async def clear(self, container: str) -> None:
        """Remove every file."""
        await self.delete_objects(container, await self.objects(container))

    async def objects(self, container: str) -> Sequence[str]:
        """Return the names of all files, sorted."""
        return await self._do(f"list container '{container}'", self._objects, container)

    async def has(self, container: str, name: str) -> bool:
        """Return whether there is such a file."""
        with suppress(NoSuchObject):
            return bool(await self.object_info(container, name))
        return False

    async def object_info(self, container: str, name: str) -> ObjectInfo:
        """Return size and time of a file."""
        return await self._do(f"look at {_object(container, name)}", self._object_info, container, name)

    async def read(self, container: str, name: str, start: int = 0, end: int | None = None) -> ObjectReader:
        """Open the file, which then is read to its end, even if it is replaced."""
        what = f"read {_object(container, name)}"
        file, info = await self._do(what, self._open, container, name, late=lambda opened: opened[0].close())
        start, end = span(info.size, start, end)
        return ObjectReader(info, end - start, self._chunks(what, file, start, end), file.close)

    async def write(self, container: str, name: str, chunks: AsyncIterable[bytes]) -> None:
        """Write a file in `.incoming`, and put it into its place at the end."""
        what = f"write {_object(container, name)}"
        path, file = await self._do(what, self._begin, container, late=_give_up)
        try:
            async for chunk in chunks:
                await self._do(what, file.write, chunk)
            await self._do(what, file.close)
            await self._do(what, self._put, path, container, name, late=partial(self._told, container, name))
        except BaseException:
            _give_up((path, file))
            raise
        self._told(container, name)

    async def delete_objects(self, container: str, names: Sequence[str]) -> None:
        """Remove files."""
        what = f"delete objects of container '{container}'"
        for name in await self._do(what, self._delete_objects, container, names):
            self._changed((container, name), "delete")

    async def copy(self, container: str, name: str, to_container: str, to_name: str) -> None:
        """Write what is read."""
        async with aclosing(await self.read(container, name)) as reader:
            await self.write(to_container, to_name, reader)

    async def move(self, container: str, name: str, to_container: str, to_name: str) -> None:
        """Rename the file."""
        await self._do(f"move {_object(container, name)}", self._move, container, name, to_container, to_name)
        if (container, name) != (to_container, to_name):
            self._changed((to_container, to_name), "set")
            self._changed((container, name), "delete")

    def _told(self, container: str, name: str, _: object = None) -> None:
        self._changed((container, name), "set")

    async def _do(
        self, what: str, work: Callable[[*Ts], T], *args: *Ts, late: Callable[[T], object] = lambda _: None
    ) -> T:
        """Work in a thread. One who is cancelled meanwhile waits for its end, and `late` gets the result."""
        working = asyncio.ensure_future(asyncio.to_thread(work, *args))
        try:
            with disk(what, self._root):
                return await asyncio.shield(working)
        except asyncio.CancelledError:
            await asyncio.wait((working,))
            if working.exception() is None:
                late(working.result())
            raise

    def _container(self, container: str) -> NamedFiles:
        folder = self._folders.path(container)
        if not is_directory(folder):
            raise NoSuchContainer(container)
        return NamedFiles(folder)

    def _prepare(self) -> None:
        for left in self._arriving().iterdir():
            with suppress(FileNotFoundError):  # another host sweeps, too
                if left.lstat().st_mtime < time.time() - _STALE_SECONDS:
                    _remove(left)

    def _containers(self) -> Sequence[str]:
        try:
            return self._folders.directories()
        except FileNotFoundError:
            return []

    def _create(self, container: str) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        folder = self._folders.prepare(container)
        try:
            folder.mkdir()
        except FileExistsError:
            raise ContainerAlreadyExists(container) from None
        (folder / _CREATED).touch()

    def _delete(self, container: str) -> bool:
        folder, going = self._folders.path(container), self._new()
        if not is_directory(folder):
            return False
        try:
            folder.rename(going)
        except FileNotFoundError:
            return False
        _remove(going)
        return True

    def _info(self, container: str) -> ContainerInfo:
        folder = self._container(container).directory
        marker = folder / _CREATED
        return ContainerInfo(container, int((marker if marker.exists() else folder).stat().st_mtime))

    def _objects(self, container: str) -> Sequence[str]:
        return self._container(container).names()

    def _object_info(self, container: str, name: str) -> ObjectInfo:
        found = file_status(self._container(container).path(name))
        if found is None:
            raise NoSuchObject(container, name)
        return _info(container, name, found)

    def _open(self, container: str, name: str) -> tuple[IO[bytes], ObjectInfo]:
        path = self._container(container).path(name)
        try:
            file = open_file(path)
        except FileNotFoundError:
            raise NoSuchObject(container, name) from None
        return file, _info(container, name, os.fstat(file.fileno()))

    async def _chunks(self, what: str, file: IO[bytes], start: int, end: int) -> AsyncGenerator[bytes, None]:
        file.seek(start)
        for position in range(start, end, CHUNK):
            yield await self._do(what, file.read, min(CHUNK, end - position))

    def _arriving(self) -> Path:
        self._root.mkdir(parents=True, exist_ok=True)
        make_directory(self._incoming)
        return self._incoming

    def _new(self) -> Path:
        return self._arriving() / uuid.uuid4().hex

    def _begin(self, container: str) -> tuple[Path, IO[bytes]]:
        self._container(container)
        path = self._new()
        return path, path.open("xb")

    def _put(self, path: Path, container: str, name: str) -> None:
        place = self._container(container).prepare(name)
        file_status(place)  # what is no file is not replaced
        path.replace(place)

    def _delete_objects(self, container: str, names: Sequence[str]) -> Sequence[str]:
        files = self._container(container)
        deleted = []
        for name in names:
            if file_status(files.path(name)) is None:
                continue
            with suppress(FileNotFoundError):
                files.path(name).unlink()
                deleted.append(name)
        return deleted

    def _move(self, container: str, name: str, to_container: str, to_name: str) -> None:
        self._object_info(container, name)
        to_path = self._container(to_container).prepare(to_name)
        file_status(to_path)  # what is no file is not replaced
        try:
            self._container(container).path(name).replace(to_path)
        except FileNotFoundError:
            raise NoSuchObject(container, name) from None


def _object(container: str, name: str) -> str:
    return f"object '{name}' of container '{container}'"


def _info(container: str, name: str, found: os.stat_result) -> ObjectInfo:
    return ObjectInfo(name, container, int(found.st_mtime), found.st_size)


def _give_up(begun: tuple[Path, IO[bytes]]) -> None:
    path, file = begun
    with suppress(OSError):  # what the disk refuses again is thrown away anyhow
        file.close()
    path.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError):
        if is_directory(path):
            shutil.rmtree(path)
        else:
            path.unlink()


class FilesystemBlobstore(InDirectory[Backend], Blobstore):
    """wasi:blobstore in a directory, shared by all workloads."""

    def __init__(self, root: Path) -> None:
        """Keep the containers in the directory `root`, the one that it is now: the process may go elsewhere."""
        super().__init__(root)
        self._files = FilesystemBackend(self.root, self.watch.own)

    @property
    def shared(self) -> Backend:
        """The folders."""
        return self._files

    async def start(self) -> None:
        """Make the directory. Raises BackendError where that cannot be."""
        await self._files.prepare()
        await super().start()
