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
    """An object and its container, by their names."""

    container: str
    object: str


@resource("stream-object-names")
class StreamObjectNames:
    """The names of the objects that a container had when it was asked, page by page."""

    def __init__(self, names: Sequence[str]) -> None:
        """Begin with the first name."""
        self._names = names
        self._position = 0

    def read_stream_object_names(self, length: int) -> tuple[Sequence[str], bool]:
        """Return the next names, up to `length`, and whether these were the last."""
        begin = self._position
        self._position = min(begin + length, len(self._names))
        return self._names[begin : self._position], self._position == len(self._names)

    def skip_stream_object_names(self, number: int) -> tuple[int, bool]:
        """Leave out up to `number` names; return how many there were, and whether these were the last."""
        skipped, at_end = self.read_stream_object_names(number)
        return len(skipped), at_end


@resource("container")
class Container:
    """A container in the hands of a guest."""

    def __init__(self, name: str, backend: Backend, permit: Permit) -> None:
        """Know where the objects are, and what may be done to them."""
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
        """Begin to read the bytes from `start` to `end`, both inclusive as WIT says, as far as there are such."""
        with told_to_guest(str):
            return IncomingValue(await self._backend.read(self._name, name, start, end + 1))

    async def write_data(self, name: str, data: OutgoingValue) -> None:
        """Let `data` become an object, in place of any that was there, once it is finished."""
        with told_to_guest(str):
            self._permit.write(self._name)
            if not await self._backend.exists(self._name):
                raise NoSuchContainer(self._name)
        data.send(self._backend, self._name, name)

    async def list_objects(self) -> StreamObjectNames:
        """Return the names of the objects, sorted."""
        with told_to_guest(str):
            return StreamObjectNames(await self._backend.objects(self._name))

    async def delete_object(self, name: str) -> None:
        """Delete an object; one that is not there is no error."""
        await self.delete_objects((name,))

    async def delete_objects(self, names: Sequence[str]) -> None:
        """Delete objects."""
        with told_to_guest(str):
            self._permit.write(self._name)
            await self._backend.delete_objects(self._name, names)

    async def has_object(self, name: str) -> bool:
        """Return whether there is such an object."""
        with told_to_guest(str):
            return await self._backend.has(self._name, name)

    async def object_info(self, name: str) -> ObjectInfo:
        """Return an object's metadata."""
        with told_to_guest(str):
            return await self._backend.object_info(self._name, name)

    async def clear(self) -> None:
        """Delete all objects."""
        with told_to_guest(str):
            self._permit.write(self._name)
            await self._backend.clear(self._name)

    def __repr__(self) -> str:
        """What a trace shows of a handle."""
        return f"container {self._name!r}"


class Types(Interface, wit="wasi:blobstore/types@0.2.0-draft"):
    """wasi:blobstore/types: values on their way in and out."""

    IncomingValue = IncomingValue
    OutgoingValue = OutgoingValue


class ContainerInterface(Interface, wit="wasi:blobstore/container@0.2.0-draft"):
    """wasi:blobstore/container: the objects of a container."""

    Container = Container
    StreamObjectNames = StreamObjectNames
    IncomingValue = IncomingValue
    OutgoingValue = OutgoingValue


class BlobstoreInterface(Interface, wit="wasi:blobstore/blobstore@0.2.0-draft"):
    """wasi:blobstore/blobstore: containers as a whole, and objects on their way between them."""

    def __init__(self, backend: Backend, permit: Permit) -> None:
        """Find containers in `backend`, as far as it is permitted."""
        self._backend = backend
        self._permit = permit

    async def create_container(self, name: str) -> Container:
        """Make an empty container; one that exists already is an error."""
        with told_to_guest(str):
            self._permit.write(name)
            await self._backend.create(name)
        return Container(name, self._backend, self._permit)

    async def get_container(self, name: str) -> Container:
        """Return a container; one that does not exist is an error."""
        with told_to_guest(str):
            self._permit.read(name)
            if not await self._backend.exists(name):
                raise NoSuchContainer(name)
        return Container(name, self._backend, self._permit)

    async def delete_container(self, name: str) -> None:
        """Delete a container with its objects; one that is not there is no error."""
        with told_to_guest(str):
            self._permit.write(name)
            await self._backend.delete(name)

    async def container_exists(self, name: str) -> bool:
        """Return whether there is such a container."""
        with told_to_guest(str):
            self._permit.read(name)
            return await self._backend.exists(name)

    async def copy_object(self, src: ObjectId, dest: ObjectId) -> None:
        """Copy an object, in place of any that was at its destination."""
        with told_to_guest(str):
            self._permit.read(src.container)
            self._permit.write(dest.container)
            await self._backend.copy(src.container, src.object, dest.container, dest.object)

    async def move_object(self, src: ObjectId, dest: ObjectId) -> None:
        """Move an object, in place of any that was at its destination."""
        with told_to_guest(str):
            self._permit.write(src.container)
            self._permit.write(dest.container)
            await self._backend.move(src.container, src.object, dest.container, dest.object)


class Blobstore(HostPlugin, ABC):
    """The plugin of the capability, whatever its backend: serves the surface, and shows views where the objects are."""

    id = "wasi-blobstore"
    interfaces = (BlobstoreInterface, ContainerInterface, Types)

    @abstractmethod
    def backend(self, workload_id: str) -> Backend:
        """Return what keeps the objects of a workload. Raises WorkloadNotFound where it does not use the plugin."""

    async def dump(self, workload_id: str) -> State:
        """Return every container, as None, and every object. Raises WorkloadNotFound as `backend` does."""
        return await contents.dump(self.backend(workload_id))

    async def restore(self, workload_id: str, state: State) -> None:
        """Make, write and delete what differs. Raises WorkloadNotFound as `backend` does."""
        await contents.restore(self.backend(workload_id), state)

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:
        """Link the three interfaces to the workload's backend, for what the config of `interfaces` permits."""
        item.link(BlobstoreInterface(self.backend(item.workload_id), Permit.of(interfaces)))
        item.link(ContainerInterface())
        item.link(Types())

    async def stop(self) -> None:
        """Wait for the end of what guests have given up."""
        await super().stop()
        await given_up()
