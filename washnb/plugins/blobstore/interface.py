"""wasi:blobstore@0.2.0-draft: types, container and blobstore, over any backend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from washnb.engine import Interface, resource
from washnb.wit import WitInterface

from ..base import HostPlugin, State, WorkloadItem, told_to_guest
from . import contents
from .backend import Backend, ContainerInfo, NoSuchContainer, ObjectInfo
from .permit import Permit
from .values import IncomingValue, OutgoingValue, given_up


@dataclass(frozen=True, slots=True)
class ObjectId:
    """The record `object-id` of wasi:blobstore/types: the names of an object and of its container."""

    container: str
    object: str


@resource("stream-object-names")
class StreamObjectNames:
    """The resource `stream-object-names`: the names of the objects that a container had at `list-objects`."""

    def __init__(self, names: Sequence[str]) -> None:
        """Keep all names; the first is the next to be read."""
        self._names = names
        self._position = 0

    def read_stream_object_names(self, length: int) -> tuple[Sequence[str], bool]:
        """Return the next names, at most `length`, and whether the end is reached."""
        begin = self._position
        self._position = min(begin + length, len(self._names))
        return self._names[begin : self._position], self._position == len(self._names)

    def skip_stream_object_names(self, number: int) -> tuple[int, bool]:
        """Skip at most `number` names; return how many were skipped, and whether the end is reached."""
        skipped, at_end = self.read_stream_object_names(number)
        return len(skipped), at_end


@resource("container")
class Container:
    """The resource `container` of wasi:blobstore/container: a container that a guest has created or got."""

    def __init__(self, name: str, backend: Backend, permit: Permit) -> None:
        """Keep the container's name, the backend that has its objects, and what the workload may do."""
        self._name = name
        self._backend = backend
        self._permit = permit

    def name(self) -> str:
        """Return the container's name."""
        return self._name

    async def info(self) -> ContainerInfo:
        """Return the container's metadata."""
        with told_to_guest(str):
            return await self._backend.info(self._name)

    async def get_data(self, name: str, start: int, end: int) -> IncomingValue:
        """Begin to read the bytes of an object from offset `start` to offset `end`, both included, as WIT says."""
        with told_to_guest(str):
            return IncomingValue(await self._backend.read(self._name, name, start, end + 1))

    async def write_data(self, name: str, data: OutgoingValue) -> None:
        """Choose the object `name` for what is written to `data`; `outgoing-value.finish` puts it into its place."""
        with told_to_guest(str):
            self._permit.write(self._name)
            if not await self._backend.exists(self._name):
                raise NoSuchContainer(self._name)
        data.send(self._backend, self._name, name)

    async def list_objects(self) -> StreamObjectNames:
        """Return the names of the container's objects, sorted."""
        with told_to_guest(str):
            return StreamObjectNames(await self._backend.objects(self._name))

    async def delete_object(self, name: str) -> None:
        """Delete an object; a name without object is no error."""
        await self.delete_objects((name,))

    async def delete_objects(self, names: Sequence[str]) -> None:
        """Delete many objects; a name without object is no error."""
        with told_to_guest(str):
            self._permit.write(self._name)
            await self._backend.delete_objects(self._name, names)

    async def has_object(self, name: str) -> bool:
        """Return whether the container has an object of that name."""
        with told_to_guest(str):
            return await self._backend.has(self._name, name)

    async def object_info(self, name: str) -> ObjectInfo:
        """Return an object's metadata."""
        with told_to_guest(str):
            return await self._backend.object_info(self._name, name)

    async def clear(self) -> None:
        """Delete all objects of the container."""
        with told_to_guest(str):
            self._permit.write(self._name)
            await self._backend.clear(self._name)

    def __repr__(self) -> str:
        """Name the container: what a trace shows of the handle."""
        return f"container {self._name!r}"


class Types(Interface, wit="wasi:blobstore/types@0.2.0-draft"):
    """wasi:blobstore/types: the resources with which guests read and write objects."""

    IncomingValue = IncomingValue
    OutgoingValue = OutgoingValue


class ContainerInterface(Interface, wit="wasi:blobstore/container@0.2.0-draft"):
    """wasi:blobstore/container: guests read, write, list and delete the objects of a container."""

    Container = Container
    StreamObjectNames = StreamObjectNames
    IncomingValue = IncomingValue
    OutgoingValue = OutgoingValue


class BlobstoreInterface(Interface, wit="wasi:blobstore/blobstore@0.2.0-draft"):
    """wasi:blobstore/blobstore: guests create and delete containers, and copy or move objects between them."""

    def __init__(self, backend: Backend, permit: Permit) -> None:
        """Keep the backend of a workload, and what the workload may do with it."""
        self._backend = backend
        self._permit = permit

    async def create_container(self, name: str) -> Container:
        """Make an empty container; a container that exists already is an error."""
        with told_to_guest(str):
            self._permit.write(name)
            await self._backend.create(name)
        return Container(name, self._backend, self._permit)

    async def get_container(self, name: str) -> Container:
        """Return a container; a container that does not exist is an error."""
        with told_to_guest(str):
            self._permit.read(name)
            if not await self._backend.exists(name):
                raise NoSuchContainer(name)
        return Container(name, self._backend, self._permit)

    async def delete_container(self, name: str) -> None:
        """Delete a container with its objects; a container that does not exist is no error."""
        with told_to_guest(str):
            self._permit.write(name)
            await self._backend.delete(name)

    async def container_exists(self, name: str) -> bool:
        """Return whether the container exists."""
        with told_to_guest(str):
            self._permit.read(name)
            return await self._backend.exists(name)

    async def copy_object(self, src: ObjectId, dest: ObjectId) -> None:
        """Copy an object, in place of any object at the destination."""
        with told_to_guest(str):
            self._permit.read(src.container)
            self._permit.write(dest.container)
            await self._backend.copy(src.container, src.object, dest.container, dest.object)

    async def move_object(self, src: ObjectId, dest: ObjectId) -> None:
        """Move an object, in place of any object at the destination."""
        with told_to_guest(str):
            self._permit.write(src.container)
            self._permit.write(dest.container)
            await self._backend.move(src.container, src.object, dest.container, dest.object)


class Blobstore(HostPlugin, ABC):
    """Serves wasi:blobstore@0.2.0-draft over a backend that a subclass chooses."""

    id = "wasi-blobstore"
    interfaces = (BlobstoreInterface, ContainerInterface, Types)

    @abstractmethod
    def backend(self, workload_id: str) -> Backend:
        """Return the backend that has the containers of a workload; views read them there, too.

        Raises WorkloadNotFound where the workload does not use the plugin.
        """

    async def dump(self, workload_id: str) -> State:
        """Return the content of every object, by `(container, name)`, and None for every container, by `(container,)`.

        Raises WorkloadNotFound where the workload does not use the plugin.
        """
        return await contents.dump(self.backend(workload_id))

    async def restore(self, workload_id: str, state: State) -> None:
        """Make the workload's containers and objects the same as `state`, which `dump` returned.

        Raises WorkloadNotFound where the workload does not use the plugin, ConfigError where `state` is none of its.
        """
        await contents.restore(self.backend(workload_id), state)

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:
        """Link the three interfaces, over the workload's backend, into one component, as its config permits."""
        item.link(BlobstoreInterface(self.backend(item.workload_id), Permit.of(interfaces)))
        item.link(ContainerInterface())
        item.link(Types())

    async def stop(self) -> None:
        """Wait until what guests wrote to values that they dropped is removed."""
        await super().stop()
        await given_up()
