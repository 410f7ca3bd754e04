"""Blobs in the memory of the host: each workload has its own containers, which go when it is stopped.

wash-runtime takes objects of up to a million bytes; here the memory is the limit.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from ..base import BackendKind, Changed, WorkloadContext
from ..state import PerWorkload
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
    contents: bytearray  # never changed, so that readers and copies may share it
    created_at: int


@dataclass(slots=True)
class _Container:
    created_at: int
    objects: dict[str, _Object] = field(default_factory=dict)


class InMemoryBackend:
    """Containers as dictionaries. Only `write` waits, for its chunks."""

    def __init__(self, changed: Changed) -> None:
        """Begin empty, and call `changed` after each change."""
        self._containers: dict[str, _Container] = {}
        self._changed = changed

    async def containers(self) -> Sequence[str]:
        """Return the names of all containers, sorted."""
        return sorted(self._containers)

    async def create(self, container: str) -> None:
        """Make an empty container."""
        if container in self._containers:
            raise ContainerAlreadyExists(container)
        self._containers[container] = _Container(_now())
        self._changed((container,), "set")

    async def delete(self, container: str) -> None:
        """Forget the container and what is in it."""
        if self._containers.pop(container, None) is not None:
            self._changed((container,), "delete")

    async def exists(self, container: str) -> bool:
        """Return whether there is such a container."""
        return container in self._containers

    async def info(self, container: str) -> ContainerInfo:
        """Return what is known of the container."""
        return ContainerInfo(container, self._container(container).created_at)

    async def clear(self, container: str) -> None:
        """Forget every object of the container."""
        await self.delete_objects(container, await self.objects(container))

    async def objects(self, container: str) -> Sequence[str]:
        """Return the names of all objects, sorted."""
        return sorted(self._container(container).objects)

    async def has(self, container: str, name: str) -> bool:
        """Return whether there is such an object."""
        return name in self._container(container).objects

    async def object_info(self, container: str, name: str) -> ObjectInfo:
        """Return what is known of an object."""
        found = self._object(container, name)
        return ObjectInfo(name, container, found.created_at, len(found.contents))

    async def read(self, container: str, name: str, start: int = 0, end: int | None = None) -> ObjectReader:
        """Read the bytes that the object has now."""
        info = await self.object_info(container, name)
        start, end = span(info.size, start, end)
        return ObjectReader(info, end - start, chunked(self._object(container, name).contents, start, end))

    async def write(self, container: str, name: str, chunks: AsyncIterable[bytes]) -> None:
        """Keep an object, once all of it has come."""
        self._container(container)
        contents = bytearray()
        async for chunk in chunks:
            contents += chunk
        self._keep(container, name, contents)

    async def delete_objects(self, container: str, names: Sequence[str]) -> None:
        """Forget objects."""
        objects = self._container(container).objects
        for name in names:
            if objects.pop(name, None) is not None:
                self._changed((container, name), "delete")

    async def copy(self, container: str, name: str, to_container: str, to_name: str) -> None:
        """Keep the same bytes under another name, too."""
        self._keep(to_container, to_name, self._object(container, name).contents)

    async def move(self, container: str, name: str, to_container: str, to_name: str) -> None:
        """Give an object another name."""
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
    """wasi:blobstore in memory, apart for each workload."""

    location = "memory"
    backend_kind: BackendKind = "memory"

    def new_state(self, workload: WorkloadContext) -> InMemoryBackend:
        """Begin with no container."""
        return InMemoryBackend(partial(self.state_changed, workload.workload_name))

    def backend(self, workload_id: str) -> InMemoryBackend:
        """Return the containers of a workload. Raises WorkloadNotFound where it does not use the plugin."""
        return self.state(workload_id)
