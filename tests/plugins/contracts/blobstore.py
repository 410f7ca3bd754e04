"""What every blobstore backend must do. One is done when it passes, and its plugin the contract of the surface."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from washnb.plugins.blobstore import Backend, ContainerAlreadyExists, NoSuchContainer, NoSuchObject, chunked

CHUNK = 64 * 1024
ODD_NAMES = ["..", ".", "a/b", "/a", "a\\b", "a b", "A", "ü", "\0", "con", "%41", "~", "x" * 1000, "\U0001f511", "*.>"]


async def put(backend: Backend, container: str, name: str, contents: bytes) -> None:
    """Write an object."""
    await backend.write(container, name, chunked(contents))


async def get(backend: Backend, container: str, name: str, start: int = 0, end: int | None = None) -> bytes:
    """Read an object, or a part of it."""
    return b"".join([chunk async for chunk in await backend.read(container, name, start, end)])


async def contents_of(backend: Backend, container: str) -> dict[str, bytes]:
    """Read all objects of a container."""
    return {name: await get(backend, container, name) for name in await backend.objects(container)}


async def broken(contents: bytes) -> AsyncIterator[bytes]:
    """Yield some bytes, then fail."""
    yield contents
    raise RuntimeError("the guest has gone")


class BackendContract:
    """A subclass has a fixture `backend`, empty."""

    @pytest.fixture
    def backend(self) -> Backend:
        """Give the backend under test."""
        raise AssertionError("a contract needs a backend")

    @pytest.fixture
    async def container(self, backend) -> str:
        """Make a container."""
        await backend.create("c")
        return "c"

    async def test_containers_come_and_go(self, backend):
        """A container is there from `create` to `delete`; making it twice is an error, deleting it twice is none."""
        assert list(await backend.containers()) == []
        for name in ("b", "a"):
            await backend.create(name)
        assert list(await backend.containers()) == ["a", "b"]
        with pytest.raises(ContainerAlreadyExists, match="container 'a' already exists"):
            await backend.create("a")
        await put(backend, "a", "o", b"1")
        for _ in range(2):
            await backend.delete("a")
        assert [await backend.exists(name) for name in ("a", "b")] == [False, True]
        await backend.create("a")
        assert list(await backend.objects("a")) == []

    async def test_knows_when_and_how_large(self, backend, container):
        """Containers and objects know when they were made, in seconds, and objects their size."""
        await put(backend, container, "o", b"12345")
        info = await backend.object_info(container, "o")
        assert (info.name, info.container, info.size) == ("o", container, 5)
        assert abs(info.created_at - time.time()) < 10
        told = await backend.info(container)
        assert told.name == container
        assert abs(told.created_at - time.time()) < 10

    @pytest.mark.parametrize("size", [0, 1, CHUNK, 2 * CHUNK, 300_000])
    async def test_objects_come_back_as_they_were(self, backend, container, size):
        """Any bytes can be an object, none at all too."""
        contents = bytes(index * 7 % 256 for index in range(size))
        await put(backend, container, "o", contents)
        reader = await backend.read(container, "o")
        assert (reader.info, reader.size) == (await backend.object_info(container, "o"), size)
        chunks = [chunk async for chunk in reader]
        assert b"".join(chunks) == contents
        assert all(0 < len(chunk) <= CHUNK for chunk in chunks)

    @pytest.mark.parametrize(
        ("start", "end"),
        [(0, 5), (3, None), (3, 3), (5, 3), (199_999, 200_001), (0, 2**64), (2**63, 2**64), (131_000, 131_100)],
    )
    async def test_parts(self, backend, container, start, end):
        """A part goes from its start up to, not including, its end, as far as the object does."""
        contents = bytes(index * 7 % 256 for index in range(200_000))
        await put(backend, container, "o", contents)
        reader = await backend.read(container, "o", start, end)
        part = b"".join([chunk async for chunk in reader])
        assert part == contents[start:end]
        assert reader.size == len(part)

    async def test_writing_replaces(self, backend, container):
        """The second object of a name stays, also where it is shorter."""
        await put(backend, container, "o", b"first")
        await put(backend, container, "o", b"2nd")
        assert await contents_of(backend, container) == {"o": b"2nd"}

    async def test_nothing_stays_of_what_breaks_off(self, backend, container):
        """An object whose writer fails leaves nothing, and what was there stays."""
        await put(backend, container, "kept", b"old")
        for name in ("kept", "new"):
            with pytest.raises(RuntimeError, match="gone"):
                await backend.write(container, name, broken(b"x" * 200_000))
        assert await contents_of(backend, container) == {"kept": b"old"}

    async def test_nothing_stays_of_what_is_cancelled(self, backend, container):
        """A writer that is cancelled while it waits leaves nothing."""
        begun = asyncio.Event()

        async def waiting() -> AsyncIterator[bytes]:
            yield b"x" * 200_000
            begun.set()
            await asyncio.Event().wait()

        writing = asyncio.create_task(backend.write(container, "o", waiting()))
        await begun.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert list(await backend.objects(container)) == []

    async def test_an_object_is_seen_when_it_is_whole(self, backend, container):
        """While an object is written, readers have the one before."""
        await put(backend, container, "o", b"old")
        seen = []

        async def slowly() -> AsyncIterator[bytes]:
            for _ in range(3):
                yield b"new" * 50_000
                seen.append(await get(backend, container, "o"))

        await backend.write(container, "o", slowly())
        assert seen == [b"old"] * 3
        assert await get(backend, container, "o") == b"new" * 150_000

    async def test_a_reader_may_leave(self, backend, container):
        """A reader that is closed, before its first chunk or after it, leaves the object readable and deletable."""
        await put(backend, container, "o", b"x" * 200_000)
        untouched = await backend.read(container, "o")
        await untouched.aclose()
        begun = await backend.read(container, "o")
        await anext(begun)
        await begun.aclose()
        assert len(await get(backend, container, "o")) == 200_000
        await backend.delete_objects(container, ["o"])
        assert not await backend.has(container, "o")

    async def test_names_are_sorted(self, backend, container):
        """Objects are listed in the order of their names, whatever the order that they came in."""
        for name in ("b", "a/c", "a", "B"):
            await put(backend, container, name, b"")
        assert list(await backend.objects(container)) == ["B", "a", "a/c", "b"]

    @pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
    async def test_any_text_is_a_name_of_an_object(self, backend, container, name):
        """No name leads out of its container or to another object."""
        await put(backend, container, "other", b"other")
        await put(backend, container, name, name.encode())
        await backend.copy(container, name, container, f"{name}2")
        assert await contents_of(backend, container) == {
            "other": b"other",
            name: name.encode(),
            f"{name}2": name.encode(),
        }
        await backend.delete_objects(container, [name])
        assert await backend.has(container, name) is False
        assert await get(backend, container, f"{name}2") == name.encode()

    async def test_delete_and_clear(self, backend, container):
        """Objects go one by one, many at once, or all; one that is not there is no error."""
        for name in "abcd":
            await put(backend, container, name, b"")
        await backend.delete_objects(container, ["a", "gone", "b"])
        await backend.delete_objects(container, ["a"])
        await backend.delete_objects(container, [])
        assert list(await backend.objects(container)) == ["c", "d"]
        await backend.clear(container)
        assert list(await backend.objects(container)) == []
        assert await backend.exists(container)
        await put(backend, container, "a", b"again")
        assert await contents_of(backend, container) == {"a": b"again"}

    async def test_copy_and_move(self, backend):
        """An object is copied and moved within a container and between two, over what is there."""
        await backend.create("c")
        await backend.create("d")
        await put(backend, "c", "o", b"x" * 200_000)
        await put(backend, "d", "p", b"old")
        await backend.copy("c", "o", "d", "p")
        await backend.copy("c", "o", "c", "q")
        await backend.move("c", "o", "d", "r")
        await backend.move("c", "q", "c", "s")
        assert await contents_of(backend, "c") == {"s": b"x" * 200_000}
        assert await contents_of(backend, "d") == {"p": b"x" * 200_000, "r": b"x" * 200_000}

    async def test_onto_itself(self, backend, container):
        """To copy or move an object onto itself leaves it as it is."""
        await put(backend, container, "o", b"here")
        await backend.copy(container, "o", container, "o")
        await backend.move(container, "o", container, "o")
        assert await contents_of(backend, container) == {"o": b"here"}

    async def test_a_move_that_fails_loses_nothing(self, backend, container):
        """Where the destination does not exist, the object stays where it was; where the object does not, all stays."""
        await put(backend, container, "o", b"here")
        for work in (backend.move, backend.copy):
            with pytest.raises(NoSuchContainer):
                await work(container, "o", "gone", "o")
            with pytest.raises(NoSuchObject, match="object 'gone' does not exist in container 'c'"):
                await work(container, "gone", container, "o")
        assert await contents_of(backend, container) == {"o": b"here"}

    async def test_what_is_not_there(self, backend, container):
        """An object that was never written cannot be read, and has no metadata."""
        assert await backend.has(container, "gone") is False
        for work in (backend.read, backend.object_info):
            with pytest.raises(NoSuchObject):
                await work(container, "gone")

    @pytest.mark.parametrize(
        "call",
        [
            lambda backend: backend.info("gone"),
            lambda backend: backend.clear("gone"),
            lambda backend: backend.objects("gone"),
            lambda backend: backend.has("gone", "o"),
            lambda backend: backend.object_info("gone", "o"),
            lambda backend: backend.read("gone", "o"),
            lambda backend: backend.write("gone", "o", chunked(b"1")),
            lambda backend: backend.delete_objects("gone", ["o"]),
            lambda backend: backend.copy("gone", "o", "gone", "p"),
        ],
        ids=["info", "clear", "objects", "has", "object_info", "read", "write", "delete_objects", "copy"],
    )
    async def test_a_container_that_was_never_created(self, backend, call):
        """Every method says that the container is missing, and makes none."""
        with pytest.raises(NoSuchContainer, match="container 'gone' does not exist"):
            await call(backend)
        assert list(await backend.containers()) == []

    async def test_many_objects(self, backend, container):
        """Writers at once all get their object, and the last of those for one name stays, whole."""
        await asyncio.gather(
            *(put(backend, container, str(number % 5), bytes([number]) * 1000) for number in range(40))
        )
        held = await contents_of(backend, container)
        assert sorted(held) == list("01234")
        assert all(len(set(contents)) == 1 and len(contents) == 1000 for contents in held.values())
