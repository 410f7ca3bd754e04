"""Blobs in the object store of NATS JetStream, in the form that every client of it writes and reads.

A container is the stream `OBJ_<container>`. An object is its metadata, JSON under the subject `$O.<container>.M.` and
its name in base64, and its chunks under `$O.<container>.C.` and an id of its own. The settings of a stream and the
fields of the metadata are those of async-nats, which wash-runtime uses; it would refuse a bucket with others.

Metadata are replaced by compare-and-swap: of two hosts that write an object at the same time, each removes the chunks
of exactly the object that it has replaced. Chunks are read one by one, each with a request: a reader that ends early
leaves nothing behind at the server, and however large an object is, only one chunk of it is in memory.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from nats.js.api import RawStreamMsg
from nats.js.errors import APIError, NotFoundError
from nats.nuid import NUID

from washnb.errors import BackendError

from ..at_once import at_once
from ..nats import NatsServer, delete_stream, is_full, make_stream, purge
from ..unbroken import to_its_end
from .backend import (
    CHUNK,
    ContainerAlreadyExists,
    ContainerInfo,
    NoSuchContainer,
    NoSuchObject,
    ObjectInfo,
    ObjectReader,
    span,
)
from .object_stream import CONTAINER, LONGEST, Metadata, ObjectStream

MESSAGE = 128 * 1024
"""Bytes of a chunk at the server, as every client of the object store writes them; the last chunk may have fewer."""

_CHANGED_MEANWHILE = 10071  # error code of JetStream
_ROLLUP, _EXPECTED = "Nats-Rollup", "Nats-Expected-Last-Subject-Sequence"


class ObjectStoreBackend:
    """Containers as object stores on a NATS server."""

    def __init__(self, server: NatsServer) -> None:
        """Keep `server`, which is open while the backend is used."""
        self._server = server

    async def containers(self) -> Sequence[str]:
        """Return the names of all containers of the account, sorted."""
        names: list[str] = []
        async with self._server.asking("list containers"):
            while page := await self._server.jetstream.streams_info(offset=len(names)):
                names += [info.config.name for info in page]
        return sorted(name.removeprefix("OBJ_") for name in names if name.startswith("OBJ_"))

    async def create(self, container: str) -> None:
        """Make a stream for a new container. Raises ContainerAlreadyExists where there is one of that name."""
        what = f"create container '{container}'"
        self._server.require_write(what)
        if not CONTAINER.fullmatch(container):
            raise BackendError(
                f"{what}: NATS takes only letters, digits, - and _ in the name of a container, 200 at most"
            )
        if await self.exists(container):
            raise ContainerAlreadyExists(container)
        async with self._server.asking(what):
            await make_stream(self._server, self._stream(container).settings)

    async def delete(self, container: str) -> None:
        """Delete the stream of a container with all its objects; a container that does not exist is no error."""
        what = f"delete container '{container}'"
        self._server.require_write(what)
        if CONTAINER.fullmatch(container):
            async with self._server.asking(what):
                await delete_stream(self._server, self._stream(container).name)

    async def exists(self, container: str) -> bool:
        """Return whether the container exists."""
        with suppress(NoSuchContainer):
            return bool(await self.info(container))
        return False

    async def info(self, container: str) -> ContainerInfo:
        """Return the metadata of the container."""
        async with self._server.asking(f"look at container '{container}'"):
            try:
                info = await self._server.jetstream.stream_info(self._stream(container).name)
            except NotFoundError as error:
                raise NoSuchContainer(container) from error
        return ContainerInfo(container, int(info.created.timestamp()) if info.created else 0)

    async def clear(self, container: str) -> None:
        """Delete every object that the container has now; an object that is written meanwhile stays."""
        what = f"clear container '{container}'"
        self._server.require_write(what)
        async with self._server.asking(what):
            found = await self._stream(container).objects()
        await at_once(partial(self._delete, container), found)

    async def objects(self, container: str) -> Sequence[str]:
        """Return the names of all objects of the container, sorted."""
        async with self._server.asking(f"list container '{container}'"):
            found = await self._stream(container).objects()
        return sorted(each.name for each in found)

    async def has(self, container: str, name: str) -> bool:
        """Return whether the container has an object of that name."""
        return not (await self._last(container, name)).deleted

    async def object_info(self, container: str, name: str) -> ObjectInfo:
        """Return the metadata of an object. Raises NoSuchObject."""
        return _told(container, await self._present(container, name))

    async def read(self, container: str, name: str, start: int = 0, end: int | None = None) -> ObjectReader:
        """Begin to read an object. Where it is replaced or deleted meanwhile, its chunks are gone: a BackendError."""
        metadata = await self._present(container, name)
        if metadata.link:
            raise BackendError(f"object '{name}' of container '{container}' is a link, which is not followed")
        start, end = span(metadata.size, start, end)
        return ObjectReader(_told(container, metadata), end - start, self._part(container, metadata, start, end))

    async def write(self, container: str, name: str, chunks: AsyncIterable[bytes]) -> None:
        """Publish the chunks of an object, then the metadata that put it in place of the former one."""
        what = _doing("write", container, name)
        self._server.require_write(what)
        if not _can_be(name):
            raise BackendError(f"{what}: in NATS the name of an object has 1 to {LONGEST} bytes")
        await self._last(container, name)  # raises NoSuchContainer before anything is sent
        nuid, stream = NUID().next().decode(), self._stream(container)
        most = min(MESSAGE, self._server.client.max_payload)
        digest, size, number = hashlib.sha256(), 0, 0
        try:
            async with aclosing(_messages(chunks, most)) as messages:
                async for message in messages:
                    async with self._server.asking(what):
                        await to_its_end(stream.publish(stream.chunks(nuid), message))
                    digest.update(message)
                    size, number = size + len(message), number + 1
        except BaseException:
            await self._forget(container, nuid)
            raise
        fields = {"options": {"link": None, "max_chunk_size": most}, "nuid": nuid, "size": size, "chunks": number}
        fields["digest"] = "SHA-256=" + base64.urlsafe_b64encode(digest.digest()).decode()
        await to_its_end(self._finish(what, container, name, fields))

    async def delete_objects(self, container: str, names: Sequence[str]) -> None:
        """Publish metadata that mark objects as deleted, and remove their chunks; a name without object is no error."""
        self._server.require_write(f"delete objects of container '{container}'")

        async def delete(name: str) -> None:
            await self._delete(container, await self._last(container, name))

        await at_once(delete, names)

    async def copy(self, container: str, name: str, to_container: str, to_name: str) -> None:
        """Copy an object to another name, by reading and writing it."""
        async with aclosing(await self.read(container, name)) as reader:
            await self.write(to_container, to_name, reader)

    async def move(self, container: str, name: str, to_container: str, to_name: str) -> None:
        """Copy an object, then delete it under the old name, unless another has replaced it there meanwhile."""
        self._server.require_write(_doing("move", container, name))
        metadata = await self._present(container, name)
        if (container, name) != (to_container, to_name):
            await self.copy(container, name, to_container, to_name)
            await self._delete(container, metadata)

    def _stream(self, container: str) -> ObjectStream:
        return ObjectStream(self._server, container)

    async def _present(self, container: str, name: str) -> Metadata:
        found = await self._last(container, name)
        if found.deleted:
            raise NoSuchObject(container, name)
        return found

    async def _last(self, container: str, name: str) -> Metadata:
        """Return the metadata of an object, with `deleted` also for an object that was never written.

        Raises NoSuchContainer, and BackendError where the metadata cannot be read.
        """
        async with self._server.asking(_doing("look at", container, name)):
            if not _can_be(name):
                await self.info(container)
                return Metadata()
            metadata = await self._stream(container).metadata(name)
        if metadata is None:
            raise BackendError(f"object '{name}' of container '{container}' has metadata that nobody can read")
        return metadata

    async def _part(self, container: str, metadata: Metadata, start: int, end: int) -> AsyncGenerator[bytes, None]:
        what = _doing("read", container, metadata.name)
        digest, position, sequence = hashlib.sha256(), 0, 0
        while position < end:
            message = await self._next(what, container, metadata.nuid, sequence + 1)
            contents, sequence = message.data or b"", message.seq or 0
            digest.update(contents)
            for at in range(max(0, start - position), min(len(contents), end - position), CHUNK):
                yield contents[at : min(at + CHUNK, end - position)]
            position += len(contents)
        whole = f"SHA-256={base64.urlsafe_b64encode(digest.digest()).decode()}"
        if metadata.digest and position == metadata.size and whole != metadata.digest:
            raise BackendError(f"{what}: its contents are not those that were written: their SHA-256 is another one")

    async def _next(self, what: str, container: str, nuid: str, sequence: int) -> RawStreamMsg:
        stream, jetstream = self._stream(container), self._server.jetstream
        async with self._server.asking(what):
            try:
                found: RawStreamMsg = await jetstream.get_msg(
                    stream.name, sequence, stream.chunks(nuid), direct=True, next=True
                )
            except NotFoundError as error:
                raise BackendError(f"{what}: it was replaced or deleted meanwhile", repair="read it again") from error
        return found

    async def _finish(self, what: str, container: str, name: str, fields: dict[str, Any]) -> None:
        """Publish the metadata for chunks that are all there, or remove the chunks where the server refuses them."""
        try:
            await self._replace(what, container, name, fields)
        except BackendError as error:
            if isinstance(error.__cause__, APIError):  # refused; without an answer it may be an object by now
                await self._forget(container, fields["nuid"])
            raise

    async def _delete(self, container: str, metadata: Metadata) -> None:
        if not metadata.deleted:
            fields = {"options": None, "nuid": metadata.nuid, "size": 0, "chunks": 0, "deleted": True}
            what = _doing("delete", container, metadata.name)
            try:
                await to_its_end(self._replace(what, container, metadata.name, fields, only=metadata))
            except BackendError as error:
                if not is_full(error.__cause__):
                    raise
                await self._erase(what, container, metadata)

    async def _erase(self, what: str, container: str, metadata: Metadata) -> None:
        """Delete an object by purging its metadata, where the server has no room for a mark of deletion."""
        stream = self._stream(container)
        async with self._server.asking(what):
            await to_its_end(purge(self._server, stream.name, stream.subject(metadata.name), metadata.sequence))
        await self._forget(container, metadata.nuid)

    async def _replace(
        self, what: str, container: str, name: str, fields: dict[str, Any], only: Metadata | None = None
    ) -> None:
        """Publish metadata, and remove the chunks of the object that they replace.

        With `only` they replace just that one: where another has taken its place, nothing is published.
        """
        stream, now = self._stream(container), datetime.now(UTC).isoformat().replace("+00:00", "Z")
        told = {"name": name, "description": None, "bucket": container, "mtime": now, **fields}
        while True:
            before = only or await self._last(container, name)
            headers = {_ROLLUP: "sub", _EXPECTED: str(before.sequence)}
            async with self._server.asking(what):
                try:
                    await stream.publish(stream.subject(name), json.dumps(told).encode(), headers)
                    break
                except APIError as error:
                    if error.err_code != _CHANGED_MEANWHILE:
                        raise
                    if only is not None:
                        return
        if before.nuid:
            await self._forget(container, before.nuid)

    async def _forget(self, container: str, nuid: str) -> None:
        """Remove chunks that belong to no object. Where that fails, they take room at the server, unseen."""
        if self._server.client.is_connected:
            with suppress(BackendError), self._server.asking("remove chunks"):
                await self._stream(container).forget(nuid)


def _doing(verb: str, container: str, name: str) -> str:
    return f"{verb} object '{name}' of container '{container}'"


def _told(container: str, metadata: Metadata) -> ObjectInfo:
    return ObjectInfo(metadata.name, container, metadata.created_at, metadata.size)


def _can_be(name: str) -> bool:
    try:
        return 0 < len(name.encode()) <= LONGEST
    except UnicodeEncodeError:
        return False


async def _messages(chunks: AsyncIterable[bytes], most: int) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of `chunks` in messages of `most` bytes; the last message may have fewer."""
    waiting = bytearray()
    async for chunk in chunks:
        waiting += chunk
        while len(waiting) >= most:
            yield bytes(waiting[:most])
            del waiting[:most]
    if waiting:
        yield bytes(waiting)
