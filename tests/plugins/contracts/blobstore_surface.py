"""What guests must see of wasi:blobstore over every backend."""

from __future__ import annotations

import asyncio

import pytest

from washnb.engine import Err
from washnb.plugins.blobstore import (
    Blobstore,
    BlobstoreInterface,
    Container,
    IncomingValue,
    ObjectId,
    OutgoingValue,
)
from washnb.plugins.blobstore.values import given_up

from ..bound import Item, bind
from .blobstore import contents_of, put


async def written(container: Container, name: str, contents: bytes, *, first: bool = True) -> OutgoingValue:
    """Make an outgoing value as a guest does, its destination first or last."""
    value = OutgoingValue.new_outgoing_value()
    if first:
        await container.write_data(name, value)
    stream = value.outgoing_value_write_body()
    for position in range(0, len(contents), 4096):
        if later := stream.blocking_write_and_flush(contents[position : position + 4096]):
            await later
    stream.drop()
    if not first:
        await container.write_data(name, value)
    return value


async def consumed(container: Container, name: str, start: int = 0, end: int = 2**64 - 1) -> bytes:
    """Read an object as a guest does."""
    return await IncomingValue.incoming_value_consume_sync(await container.get_data(name, start, end))


class SurfaceContract:
    """What a guest sees. A subclass has a fixture `plugin`, a Blobstore that is started and was not bound yet."""

    @pytest.fixture
    def plugin(self) -> Blobstore:
        """Give the plugin under test."""
        raise AssertionError("a contract needs a plugin")

    @pytest.fixture
    async def item(self, plugin) -> Item:
        """Bind a workload with one component."""
        return await bind(plugin)

    @pytest.fixture
    def blobstore(self, item) -> BlobstoreInterface:
        """Give the interface as it was linked."""
        return item.linked[BlobstoreInterface.wit]

    @pytest.fixture
    async def container(self, blobstore) -> Container:
        """Make a container as a guest."""
        return await blobstore.create_container("c")

    @pytest.mark.parametrize("first", [True, False], ids=["destination-first", "destination-last"])
    @pytest.mark.parametrize("size", [0, 5, 700_000])
    async def test_contents_and_destination_in_any_order(self, container, size, first):
        """A guest may say where an object goes before it writes it or afterwards, however large it is."""
        contents = bytes(index * 11 % 256 for index in range(size))
        value = await written(container, "o", contents, first=first)
        assert await container.has_object("o") is False
        await OutgoingValue.finish(value)
        assert await consumed(container, "o") == contents

    async def test_ranges_are_inclusive(self, container):
        """Both ends of a range belong to it, as WIT says, and `size` is that of the part."""
        await OutgoingValue.finish(await written(container, "o", b"0123456789"))
        assert await consumed(container, "o", 2, 4) == b"234"
        assert await consumed(container, "o", 9, 9) == b"9"
        assert await consumed(container, "o", 10, 20) == b""
        assert await consumed(container, "o", 4, 2) == b""
        value = await container.get_data("o", 8, 2**64 - 1)
        assert value.size() == 2
        value.drop()

    async def test_a_value_that_is_not_finished_is_not_kept(self, container, plugin, item):
        """What a guest drops, or leaves behind when it traps, is no object, and replaces none."""
        await OutgoingValue.finish(await written(container, "o", b"old"))
        for contents in (b"new", b"x" * 500_000):
            for first in (True, False):
                value = await written(container, "o", contents, first=first)
                value.drop()
        await given_up()
        assert await contents_of(plugin.backend(item.workload_id), "c") == {"o": b"old"}

    async def test_a_value_without_destination(self):
        """To finish a value that goes nowhere is an error of WIT."""
        value = OutgoingValue.new_outgoing_value()
        with pytest.raises(Err) as raised:
            await OutgoingValue.finish(value)
        assert raised.value.value == "outgoing value not associated with a container"

    async def test_one_body_and_one_destination(self, container):
        """The body of a value is given out once, and it goes to one object."""
        value = OutgoingValue.new_outgoing_value()
        value.outgoing_value_write_body()
        with pytest.raises(Err) as raised:
            value.outgoing_value_write_body()
        assert raised.value.value is None
        await container.write_data("o", value)
        with pytest.raises(Err, match="goes to object 'o' already"):
            await container.write_data("p", value)
        value.drop()

    async def test_names_come_in_pages(self, container):
        """A guest reads and skips names, and hears when it has come to the end."""
        for name in "abcde":
            await OutgoingValue.finish(await written(container, name, b""))
        names = await container.list_objects()
        assert names.read_stream_object_names(2) == (["a", "b"], False)
        assert names.skip_stream_object_names(1) == (1, False)
        assert names.read_stream_object_names(2**64 - 1) == (["d", "e"], True)
        assert names.read_stream_object_names(1) == ([], True)
        assert names.skip_stream_object_names(1) == (0, True)

    async def test_a_whole_life(self, blobstore, container):
        """Containers and objects through every function of the interfaces."""
        assert container.name() == "c"
        assert (await container.info()).name == "c"
        await OutgoingValue.finish(await written(container, "o", b"1"))
        await blobstore.copy_object(ObjectId("c", "o"), ObjectId("c", "p"))
        await blobstore.move_object(ObjectId("c", "o"), ObjectId("c", "q"))
        assert (await container.object_info("q")).size == 1
        await container.delete_object("p")
        assert (await container.list_objects()).read_stream_object_names(9) == (["q"], True)
        await container.delete_objects(["q", "gone"])
        await OutgoingValue.finish(await written(container, "o", b"1"))
        await container.clear()
        assert await container.has_object("o") is False
        assert (await blobstore.get_container("c")).name() == "c"
        await blobstore.delete_container("c")
        assert await blobstore.container_exists("c") is False

    async def test_failures_are_text(self, blobstore, container):
        """The errors of the interface are strings, in the words of wash-runtime."""
        for work, told in [
            (blobstore.get_container("gone"), "container 'gone' does not exist"),
            (blobstore.create_container("c"), "container 'c' already exists"),
            (container.get_data("gone", 0, 1), "object 'gone' does not exist in container 'c'"),
            (container.object_info("gone"), "object 'gone' does not exist in container 'c'"),
        ]:
            with pytest.raises(Err) as raised:
                await work
            assert raised.value.value == told
        await blobstore.delete_container("c")
        with pytest.raises(Err, match="container 'c' does not exist"):
            await container.write_data("o", OutgoingValue.new_outgoing_value())

    async def test_the_container_goes_while_an_object_is_written(self, blobstore, container):
        """The guest hears of it at `finish` at the latest."""
        value = await written(container, "o", b"x" * 1000)
        await blobstore.delete_container("c")
        with pytest.raises(Err) as raised:
            await OutgoingValue.finish(value)
        assert raised.value.value == "container 'c' does not exist"

    async def test_a_view_sees_what_guests_see(self, plugin, item, container):
        """The backend of a workload is the one that its guests write to."""
        await OutgoingValue.finish(await written(container, "o", b"1"))
        backend = plugin.backend(item.workload_id)
        assert list(await backend.containers()) == ["c"]
        await put(backend, "c", "o", b"edited")
        assert await consumed(container, "o") == b"edited"

    async def test_each_change_is_told(self, plugin, item, blobstore):
        """What becomes different is told, by workload, container and object; what does not is not."""
        told = []
        plugin.events.subscribe(lambda event: told.append((event.workload, event.plugin, event.path, event.action)))
        container = await blobstore.create_container("c")
        await OutgoingValue.finish(await written(container, "o", b"1"))
        await blobstore.move_object(ObjectId("c", "o"), ObjectId("c", "p"))
        await container.delete_objects(["p", "gone"])
        with pytest.raises(Err):
            await consumed(container, "gone")
        for _ in range(2):
            await blobstore.delete_container("c")
        for _ in range(500):  # changes on a server are heard when it tells them
            if len(told) < 6:
                await asyncio.sleep(0.01)
        who = (item.workload_name, plugin.id)
        assert [each for each in told if each[2] == ("c",)] == [(*who, ("c",), "set"), (*who, ("c",), "delete")]
        assert [each for each in told if each[2] != ("c",)] == [
            (*who, ("c", "o"), "set"),
            (*who, ("c", "p"), "set"),
            (*who, ("c", "o"), "delete"),
            (*who, ("c", "p"), "delete"),
        ]
