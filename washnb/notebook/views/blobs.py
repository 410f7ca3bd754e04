"""The view `blobs`: containers and their objects, to look at, to fetch, to bring and to delete."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any, TypeVar

from washnb.errors import ConfigError
from washnb.secrecy import is_secret

from .. import hosted
from ..requests import encoded
from ..text import Table, size
from ..widgets import Answer, Door, Face, Wish
from .base import NotThere, Part, View, titled
from .preview import READ, Preview

T = TypeVar("T")

_TITLE = "blobs"
_EMPTY = "no container"
_SHOWN = 200
"""How many objects of each container are shown; `.data` has all."""

_SHOWN_CONTAINERS = 50
_PART = 64 * 1024


@dataclass(frozen=True)
class Look:
    """What the view shows: the first objects of the first containers.

    `more` names the containers that have more objects, and `others` is the number of further containers. `start` is
    the beginning of the object, in a view of a single one.
    """

    containers: Mapping[str, Sequence[hosted.ObjectInfo]]
    more: frozenset[str] = frozenset()
    others: int = 0
    place: str = ""
    start: bytes = b""


class Container(Part):
    """A container as a mapping from object name to bytes. Text is stored as UTF-8, a Path as its file, else as JSON."""

    def __init__(self, view: BlobsView, name: str) -> None:
        """Take the container `name` of the workload that `view` shows."""
        self._view = view
        self.name = name

    def __getitem__(self, name: str) -> bytes:
        """Return the content of an object as bytes. Raises NotThere, a KeyError that names the objects there are."""
        __tracebackhide__ = True

        async def content(deployments: hosted.Deployments) -> bytes:
            backend = self._view.backend(deployments)
            return await _found(_content(backend, self.name, name), backend, self.name, name)

        return self._view.door.on_host(content)

    def __setitem__(self, name: str, value: object) -> None:
        """Set the content of an object; the container is made where it does not exist."""
        with value.open("rb") if isinstance(value, Path) else BytesIO(encoded(value)) as content:
            self._view.door.on_host(lambda deployments: self._view.write(deployments, self.name, name, content))

    def __delitem__(self, name: str) -> None:
        """Delete an object. Raises NotThere, a KeyError."""
        __tracebackhide__ = True
        self._view.door.on_host(lambda deployments: self._view.delete(deployments, self.name, name))

    def _names(self) -> Sequence[str]:
        try:
            names: Sequence[str] = self._view.door.on_host(
                lambda deployments: self._view.backend(deployments).objects(self.name)
            )
        except hosted.NoSuchContainer:
            return ()
        return names

    def clear(self) -> None:
        """Delete all objects of the container at once; the container stays."""
        with suppress(hosted.NoSuchContainer):
            self._view.door.on_host(lambda deployments: self._view.backend(deployments).clear(self.name))

    def __iter__(self) -> Iterator[str]:
        """The names of the objects, sorted."""
        return iter(self._names())

    def __len__(self) -> int:
        """The number of objects."""
        return len(self._names())

    def download(self, name: str, path: str | Path) -> Path:
        """Write an object into a file, piece by piece, and return the file's path.

        The file appears when it is whole; a download that fails or is interrupted leaves what was there before. Raises
        NotThere for an object that does not exist, and OSError for a file that cannot be written.
        """
        __tracebackhide__ = True
        from washnb.host import whole_file  # `%load_ext` loads no host

        target = Path(path).expanduser()

        async def fetch(deployments: hosted.Deployments) -> None:
            backend = self._view.backend(deployments)
            read = await _found(backend.read(self.name, name), backend, self.name, name)
            async with aclosing(read) as reader:
                with whole_file(target) as file:
                    async for chunk in reader:
                        await asyncio.to_thread(file.write, chunk)

        self._view.door.on_host(fetch)
        return target

    def _closer(self) -> BlobsView:
        return self._view(self.name)


class BlobsView(View):
    """The containers and objects of a workload, live and editable: `wash.blobs["gallery"]["a.png"] = Path("a.png")`.

    `wash.blobs(container, name, of=WORKLOAD)` narrows the view. `.data` maps container to object to size in bytes; of
    a single container it maps object to size, and of a single object it is the content as bytes.
    """

    widget = "blobs"
    plugin = "wasi-blobstore"

    def __init__(
        self, door: Door, of: str | None = None, container: str | None = None, name: str | None = None
    ) -> None:
        """Show all containers, one container, or one object of it."""
        super().__init__(door, of)
        self.container = container
        self.name = name
        self._coming: dict[tuple[str, str], IO[bytes]] = {}

    def __call__(self, container: str | None = None, name: str | None = None, *, of: str | None = None) -> BlobsView:
        """Return a view of one container, of one object of it, or of the workload `of`: what `%wash blobs` shows."""
        return BlobsView(self.door, of or self.of, container, name)

    def __getitem__(self, container: str) -> Container:
        """Return a container as a mapping from object name to bytes, which can be written."""
        return Container(self, container)

    def __delitem__(self, container: str) -> None:
        """Delete a container and what is in it. Raises NotThere, a KeyError."""
        __tracebackhide__ = True
        self.door.on_host(lambda deployments: self.delete_container(deployments, container))

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.door.on_host(BlobsView(self.door, self.of).look).containers)

    def backend(self, deployments: hosted.Deployments) -> hosted.BlobstoreBackend:
        """The backend that keeps the blobs. Raises ConfigError where the workload does not use the blobstore."""
        kept = hosted.blobs_of(deployments, self.of)
        if kept is None:
            raise ConfigError("no blobs are kept here", repair=("%wash attach blobstore", "%wash load SOURCE"))
        return kept.backend

    async def read(self, deployments: hosted.Deployments) -> Any:
        """Read what `data` returns. Raises NotThere for a container or object that does not exist."""
        if self.container is not None:
            backend = self.backend(deployments)
            if self.name is not None:
                return await _found(_content(backend, self.container, self.name), backend, self.container, self.name)
            return _sizes(await _found(_infos(backend, self.container), backend, self.container))
        kept = hosted.blobs_of(deployments, self.of)
        if kept is None:
            return {}
        return {name: _sizes(await _infos(kept.backend, name)) for name in await kept.backend.containers()}

    async def look(self, deployments: hosted.Deployments) -> Look:
        """Read the first objects of the first containers, or the beginning of one object. Raises NotThere."""
        kept = hosted.blobs_of(deployments, self.of)
        if kept is None:
            return Look({} if self.container is None else await self.read(deployments))
        backend, container = kept.backend, self.container
        if container is not None and self.name is not None:
            info = await _found(backend.object_info(container, self.name), backend, container, self.name)
            start = await _found(_content(backend, container, self.name, 0, READ), backend, container, self.name)
            return Look({container: [info]}, place=kept.place, start=start)
        names = [container] if container is not None else await backend.containers()
        shown = {
            name: await _found(_infos(backend, name, _SHOWN + 1), backend, name) for name in names[:_SHOWN_CONTAINERS]
        }
        more = frozenset(name for name, infos in shown.items() if len(infos) > _SHOWN)
        cut = {name: infos[:_SHOWN] for name, infos in shown.items()}
        return Look(cut, more, len(names) - len(shown), kept.place)

    def still(self, look: Look) -> Face:
        """Show a row for each object, or what is in a single one."""
        title = titled(_TITLE, look.place)
        if self.name is not None:
            ((container, (info,)),) = look.containers.items()
            return Preview(f"{title}: {container} / {info.name}", info.name, look.start, info.size)
        rows = []
        for name, infos in look.containers.items():
            rows += [(name, info.name, size(info.size)) for info in infos] or [(name, "", "(empty)")]
            rows += [(name, "…", "and more objects")] if name in look.more else []
        rows += [("…", "", f"and {look.others} more containers")] if look.others else []
        return Table(("container", "object", "size"), rows, empty=_EMPTY, title=title)

    def picture(self, look: Look) -> dict[str, Any]:
        """Show containers to the widget as groups, and objects as their entries."""
        groups = [
            {"name": name, "more": name in look.more, "entries": [_entry(info) for info in infos]}
            for name, infos in look.containers.items()
        ]
        shown = {"title": _TITLE, "place": look.place, "word": "container", "groups": groups}
        return {**shown, "more": look.others, "empty": _EMPTY, "open": self.name is not None}

    async def grant(self, deployments: hosted.Deployments, wish: Wish, value: bytes) -> Answer:
        """Read, bring or delete an object, make or delete a container, as the widget asks."""
        container, name = wish["group"], wish.get("key")
        backend = self.backend(deployments)
        if wish["do"] == "create":
            await backend.create(container)
        elif name is None:
            await self.delete_container(deployments, container)
        elif wish["do"] == "read":
            info = await backend.object_info(container, name)
            return Answer({"size": info.size}, [await _content(backend, container, name, wish["start"], wish["end"])])
        elif wish["do"] == "upload":
            await self._take(deployments, wish, value)
        else:
            await self.delete(deployments, container, name)
        return Answer()

    async def _take(self, deployments: hosted.Deployments, wish: Wish, part: bytes) -> None:
        """Keep one part of an object that comes from the page; the last part has the whole object written."""
        place = wish["group"], wish["key"]
        if wish["start"] == 0:
            if place in self._coming:  # an upload that broke off begins anew
                self._coming.pop(place).close()
            self._coming[place] = tempfile.TemporaryFile()  # noqa: SIM115 - it is open until the last part has come
        file = self._coming[place]
        await asyncio.to_thread(file.write, part)
        if wish["last"]:
            with self._coming.pop(place) as content:
                content.seek(0)
                await self.write(deployments, *place, content)

    async def write(self, deployments: hosted.Deployments, container: str, name: str, content: IO[bytes]) -> None:
        """Set the content of an object; the container is made where it does not exist."""
        backend = self.backend(deployments)
        if not await backend.exists(container):
            await backend.create(container)
        await backend.write(container, name, _parts(content))

    async def delete(self, deployments: hosted.Deployments, container: str, name: str) -> None:
        """Delete an object. Raises NotThere where there is none."""
        backend = self.backend(deployments)
        await _found(backend.object_info(container, name), backend, container, name)
        await backend.delete_objects(container, [name])

    async def delete_container(self, deployments: hosted.Deployments, container: str) -> None:
        """Delete a container and what is in it. Raises NotThere where there is none."""
        backend = self.backend(deployments)
        if not await backend.exists(container):
            raise NotThere("container", container, await backend.containers())
        await backend.delete(container)


def _entry(info: hosted.ObjectInfo) -> dict[str, Any]:
    return {
        "key": info.name,
        "size": size(info.size),
        "created": info.created_at,
        "note": "",
        "secret": is_secret(info.name),
    }


def _sizes(infos: Sequence[hosted.ObjectInfo]) -> dict[str, int]:
    return {info.name: info.size for info in infos}


async def _infos(
    backend: hosted.BlobstoreBackend, container: str, most: int | None = None
) -> Sequence[hosted.ObjectInfo]:
    """The infos of the objects of a container, or of the first `most`; one that is deleted meanwhile is left out."""
    names = (await backend.objects(container))[:most]
    found = await asyncio.gather(*(backend.object_info(container, name) for name in names), return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException) and not isinstance(each, hosted.NoSuchObject):
            raise each
    return [each for each in found if not isinstance(each, BaseException)]


async def _found(asked: Awaitable[T], backend: hosted.BlobstoreBackend, container: str, name: str = "") -> T:
    """Await what a backend is asked for. Raises NotThere where it answers that the container or object is missing."""
    try:
        return await asked
    except hosted.NoSuchContainer:
        raise NotThere("container", container, await backend.containers()) from None
    except hosted.NoSuchObject:
        raise NotThere("object", name, await backend.objects(container), f"in container {container!r}") from None


async def _content(
    backend: hosted.BlobstoreBackend, container: str, name: str, start: int = 0, end: int | None = None
) -> bytes:
    async with aclosing(await backend.read(container, name, start, end)) as reader:
        return b"".join([chunk async for chunk in reader])


async def _parts(content: IO[bytes]) -> AsyncIterator[bytes]:
    while part := await asyncio.to_thread(content.read, _PART):
        yield part
