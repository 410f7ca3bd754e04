"""Blobs in a directory: a folder for each container, in it a file for each object.

`file_names` says what folders and files are called. A new object is written to a file in `.incoming` and moved into its
place when it is whole: until then readers get the former object, and one who has begun reads it to its end. Several
hosts may use one directory; each learns of the changes of the others (`directory_watch`).
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

_STALE_SECONDS = 24 * 60 * 60  # then a file in `.incoming` belongs to a process that was killed
_CREATED = ".created"  # a file in each folder, whose modification time says when the container was made


class FilesystemBackend:
    """Containers as folders of the directory `root`. Whatever touches the disk runs in threads."""

    def __init__(self, root: Path, changed: Changed) -> None:
        """Keep containers in `root`, which is made when it is needed; call `changed` after each change."""
        self._root = root
        self._incoming = root / ".incoming"
        self._folders = NamedFiles(root)
        self._changed = changed

    async def prepare(self) -> None:
        """Make the directory, and remove half-written files of processes that were killed a day ago or earlier."""
        await self._do("keep blobs", self._prepare)

    async def containers(self) -> Sequence[str]:
        """Return the names of all containers, sorted."""
        return await self._do("list containers", self._containers)

    async def create(self, container: str) -> None:
        """Make a folder for a new container. Raises ContainerAlreadyExists where there is one of that name."""
        await self._do(f"create container '{container}'", self._create, container)
        self._changed((container,), "set")

    async def delete(self, container: str) -> None:
        """Remove the folder of a container with all that is in it; a container that does not exist is no error."""
        if await self._do(f"delete container '{container}'", self._delete, container):
            self._changed((container,), "delete")

    async def exists(self, container: str) -> bool:
        """Return whether the container exists."""
        return await self._do(f"look for container '{container}'", is_directory, self._folders.path(container))

    async def info(self, container: str) -> ContainerInfo:
        """Return the metadata of the container."""
        return await self._do(f"look at container '{container}'", self._info, container)

    async def clear(self, container: str) -> None:
        """Delete all objects of the container."""
        await self.delete_objects(container, await self.objects(container))

    async def objects(self, container: str) -> Sequence[str]:
        """Return the names of all objects of the container, sorted."""
        return await self._do(f"list container '{container}'", self._objects, container)

    async def has(self, container: str, name: str) -> bool:
        """Return whether the container has an object of that name."""
        with suppress(NoSuchObject):
            return bool(await self.object_info(container, name))
        return False

    async def object_info(self, container: str, name: str) -> ObjectInfo:
        """Return the metadata of an object. Raises NoSuchObject."""
        return await self._do(f"look at {_object(container, name)}", self._object_info, container, name)

    async def read(self, container: str, name: str, start: int = 0, end: int | None = None) -> ObjectReader:
        """Open the object's file, which can be read to its end even where the object is replaced or deleted."""
        what = f"read {_object(container, name)}"
        file, info = await self._do(what, self._open, container, name, late=lambda opened: opened[0].close())
        start, end = span(info.size, start, end)
        return ObjectReader(info, end - start, self._chunks(what, file, start, end), file.close)

    async def write(self, container: str, name: str, chunks: AsyncIterable[bytes]) -> None:
        """Write a file in `.incoming`, and move it into the place of the object at the end."""
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
        """Remove the files of objects; a name without object is no error."""
        what = f"delete objects of container '{container}'"
        for name in await self._do(what, self._delete_objects, container, names):
            self._changed((container, name), "delete")

    async def copy(self, container: str, name: str, to_container: str, to_name: str) -> None:
        """Copy an object to another name, by reading and writing it."""
        async with aclosing(await self.read(container, name)) as reader:
            await self.write(to_container, to_name, reader)

    async def move(self, container: str, name: str, to_container: str, to_name: str) -> None:
        """Rename the object's file, in place of any object there."""
        await self._do(f"move {_object(container, name)}", self._move, container, name, to_container, to_name)
        if (container, name) != (to_container, to_name):
            self._changed((to_container, to_name), "set")
            self._changed((container, name), "delete")

    def _told(self, container: str, name: str, _: object = None) -> None:
        self._changed((container, name), "set")

    async def _do(
        self, what: str, work: Callable[[*Ts], T], *args: *Ts, late: Callable[[T], object] = lambda _: None
    ) -> T:
        """Run `work` in a thread and return its result.

        A caller that is cancelled meanwhile waits until `work` has ended; `late` is then called with the result, so
        that a file that was opened is closed, and a change that was made is reported.
        """
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
            with suppress(FileNotFoundError):  # another host removes them at the same time
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
        file_status(place)  # raises where it is no regular file: that is not replaced
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
        file_status(to_path)  # raises where it is no regular file: that is not replaced
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
    with suppress(OSError):  # closing writes what is buffered, and a full disk refuses it again
        file.close()
    path.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError):
        if is_directory(path):
            shutil.rmtree(path)
        else:
            path.unlink()


class FilesystemBlobstore(InDirectory[Backend], Blobstore):
    """wasi:blobstore in a directory. All workloads share the containers."""

    def __init__(self, root: Path) -> None:
        """Keep the containers in the directory `root`. It is made absolute at once."""
        super().__init__(root)
        self._files = FilesystemBackend(self.root, self.watch.own)

    @property
    def shared(self) -> Backend:
        """The backend, which all workloads share."""
        return self._files

    async def start(self) -> None:
        """Make the directory, and begin to look for changes by others. Raises BackendError where it cannot be made."""
        await self._files.prepare()
        await super().start()
