"""Blobs in memory: each workload has its own containers, which go when the workload is stopped.

wash-runtime takes objects of up to a million bytes in memory; washnb takes any for which there is memory.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from ..base import BackendKind, Changed, WorkloadContext
from ..state import PerWorkload, in_words
from .backend import (
    ContainerAlreadyExists,
    ContainerInfo,
    NoSuchContainer,
    NoSuchObject,
    ObjectInfo,
    ObjectReader,
    chunked,
    span,
)
from .interface import Blobstore


@dataclass(frozen=True, slots=True)
class _Object:
    contents: bytearray  # is never changed: readers and copies share it
    created_at: int


@dataclass(slots=True)
class _Container:
    created_at: int
    objects: dict[str, _Object] = field(default_factory=dict)


class InMemoryBackend:
    """Containers as dictionaries. No method but `write` awaits anything, so that each is atomic on its loop."""

    def __init__(self, changed: Changed) -> None:
        """Begin without containers, and call `changed` after each change."""
        self._containers: dict[str, _Container] = {}
        self._changed = changed

    @property
    def size(self) -> int:
        """The number of objects in all containers."""
        return sum(len(each.objects) for each in self._containers.values())

    async def containers(self) -> Sequence[str]:
        """Return the names of all containers, sorted."""
        return sorted(self._containers)

    async def create(self, container: str) -> None:
        """Make an empty container. Raises ContainerAlreadyExists where there is one of that name."""
        if container in self._containers:
            raise ContainerAlreadyExists(container)
        self._containers[container] = _Container(_now())
        self._changed((container,), "set")

    async def delete(self, container: str) -> None:
        """Delete a container with all its objects; a container that does not exist is no error."""
        if self._containers.pop(container, None) is not None:
            self._changed((container,), "delete")

    async def exists(self, container: str) -> bool:
        """Return whether the container exists."""
        return container in self._containers

    async def info(self, container: str) -> ContainerInfo:
        """Return the metadata of the container."""
        return ContainerInfo(container, self._container(container).created_at)

    async def clear(self, container: str) -> None:
        """Delete all objects of the container."""
        await self.delete_objects(container, await self.objects(container))

    async def objects(self, container: str) -> Sequence[str]:
        """Return the names of all objects of the container, sorted."""
        return sorted(self._container(container).objects)

    async def has(self, container: str, name: str) -> bool:
        """Return whether the container has an object of that name."""
        return name in self._container(container).objects

    async def object_info(self, container: str, name: str) -> ObjectInfo:
        """Return the metadata of an object. Raises NoSuchObject."""
        found = self._object(container, name)
        return ObjectInfo(name, container, found.created_at, len(found.contents))

    async def read(self, container: str, name: str, start: int = 0, end: int | None = None) -> ObjectReader:
        """Begin to read the bytes that the object has now, from offset `start` up to offset `end`."""
        info = await self.object_info(container, name)
        start, end = span(info.size, start, end)
        return ObjectReader(info, end - start, chunked(self._object(container, name).contents, start, end))

    async def write(self, container: str, name: str, chunks: AsyncIterable[bytes]) -> None:
        """Write an object, in place of any of that name, once `chunks` has come to its end."""
        self._container(container)
        contents = bytearray()
        async for chunk in chunks:
            contents += chunk
        self._keep(container, name, contents)

    async def delete_objects(self, container: str, names: Sequence[str]) -> None:
        """Delete objects; a name without object is no error."""
        objects = self._container(container).objects
        for name in names:
            if objects.pop(name, None) is not None:
                self._changed((container, name), "delete")

    async def copy(self, container: str, name: str, to_container: str, to_name: str) -> None:
        """Copy an object to another name; both share the bytes."""
        self._keep(to_container, to_name, self._object(container, name).contents)

    async def move(self, container: str, name: str, to_container: str, to_name: str) -> None:
        """Give an object another name, in place of any object there."""
        await self.copy(container, name, to_container, to_name)
        if (container, name) != (to_container, to_name):
            await self.delete_objects(container, (name,))

    def _container(self, container: str) -> _Container:
        try:
            return self._containers[container]
        except KeyError:
            raise NoSuchContainer(container) from None

    def _object(self, container: str, name: str) -> _Object:
        try:
            return self._container(container).objects[name]
        except KeyError:
            raise NoSuchObject(container, name) from None

    def _keep(self, container: str, name: str, contents: bytearray) -> None:
        self._container(container).objects[name] = _Object(contents, _now())
        self._changed((container, name), "set")


def _now() -> int:
    return int(time.time())


class InMemoryBlobstore(PerWorkload[InMemoryBackend], Blobstore):
    """wasi:blobstore in memory. Each workload has its own containers, and keeps them over a reload."""

    location = "memory"
    backend_kind: BackendKind = "memory"

    def new_state(self, workload: WorkloadContext) -> InMemoryBackend:
        """Return the backend of a workload that has none yet, without containers."""
        return InMemoryBackend(partial(self.state_changed, workload.workload_name))

    def amount_of_state(self, state: InMemoryBackend) -> str:
        """Return how many objects a workload has, such as "2 objects"."""
        return in_words(state.size, "object")

    def backend(self, workload_id: str) -> InMemoryBackend:
        """Return the backend of a workload. Raises WorkloadNotFound where it does not use the plugin."""
        return self.state(workload_id)
