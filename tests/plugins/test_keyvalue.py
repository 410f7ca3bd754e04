"""Key-value in memory: the contract, and what is its own."""

from __future__ import annotations

import pytest

from washnb.errors import WorkloadNotFound
from washnb.plugins import InMemoryKeyValue
from washnb.plugins.keyvalue import Store
from washnb.plugins.keyvalue.counters import counter_value
from washnb.plugins.keyvalue.in_memory import PAGE, InMemoryBackend

from .bound import Item, bind
from .contracts.keyvalue import BackendContract, SurfaceContract


class TestInMemoryBackend(BackendContract):
    @pytest.fixture
    def backend(self):
        """Give a backend whose changes nobody hears."""
        return InMemoryBackend(lambda path, action: None)

    async def test_pages_are_sorted_and_of_a_hundred(self, backend):
        """The reference sorts its keys, cuts pages of 100, and makes the index of the next key the cursor."""
        await backend.open("b")
        await backend.set_many("b", [(f"{number:03}", b"") for number in reversed(range(250))])
        pages = [await backend.keys("b", cursor) for cursor in (None, PAGE, 2 * PAGE)]
        assert [(page.keys[0], len(page.keys), page.cursor) for page in pages] == [
            ("000", 100, 100),
            ("100", 100, 200),
            ("200", 50, None),
        ]

    async def test_a_full_last_page_is_the_last(self, backend):
        """Exactly 100 keys are one page, and a cursor beyond the end leads to an empty one."""
        await backend.open("b")
        await backend.set_many("b", [(str(number), b"") for number in range(PAGE)])
        assert (await backend.keys("b")).cursor is None
        beyond = await backend.keys("b", 2**64 - 1)
        assert (beyond.keys, beyond.cursor) == ([], None)

    async def test_counters_are_eight_bytes_little_endian(self, backend):
        """The bytes of a counter are those of the reference in memory."""
        await backend.open("b")
        await backend.increment("b", "n", 258)
        assert await backend.get("b", "n") == b"\x02\x01\0\0\0\0\0\0"

    async def test_counts_on_from_text(self, backend):
        """A value that a guest wrote as decimal text is counted on, and becomes eight bytes."""
        await backend.open("b")
        await backend.set("b", "n", b"41")
        assert await backend.increment("b", "n", 1) == 42


@pytest.mark.parametrize(
    ("stored", "counter"),
    [
        (b"", 0),
        (b"\x01\0\0\0\0\0\0\0", 1),
        (b"12345678", int.from_bytes(b"12345678", "little")),
        (b"17", 17),
        (b"+17", 17),
        (b"0017", 17),
        (b"18446744073709551615", 2**64 - 1),
        (b"18446744073709551616", 0),
        (b"0" * 5000 + b"7", 7),
        (b"9" * 5000, 0),
        (b"-1", 0),
        (b" 17", 0),
        (b"1_7", 0),
        (b"\xff", 0),
        ("٣".encode(), 0),
    ],
)
def test_counters_are_read_as_the_reference_does(stored, counter):
    """Eight bytes are a number, other lengths decimal text that Rust's u64 would parse, and the rest is 0."""
    assert counter_value(stored) == counter


class TestInMemoryKeyValue(SurfaceContract):
    @pytest.fixture
    def plugin(self):
        """Give the plugin with its defaults."""
        return InMemoryKeyValue()

    async def test_workloads_do_not_see_each_other(self, plugin):
        """A bucket of the same name in another workload is another bucket."""
        one, two = [await bind(plugin, Item(workload_id=each)) for each in ("one", "two")]
        await (await one.linked[Store.wit].open("b")).set("k", b"v")
        assert await (await two.linked[Store.wit].open("b")).get("k") is None

    async def test_components_of_a_workload_share(self, plugin):
        """Two components of one workload open the same bucket."""
        first, second = Item(component="first"), Item(component="second")
        await bind(plugin, first, second)
        await (await first.linked[Store.wit].open("b")).set("k", b"v")
        assert await (await second.linked[Store.wit].open("b")).get("k") == b"v"

    async def test_state_goes_with_the_workload(self, plugin):
        """A workload that is stopped and started again begins empty."""
        item = await bind(plugin)
        await item.linked[Store.wit].open("b")
        await plugin.on_workload_unbind(item.workload_id, ())
        with pytest.raises(WorkloadNotFound, match=f"{item.workload_id} does not use plugin 'wasi-keyvalue'"):
            plugin.backend(item.workload_id)
        await bind(plugin)
        assert await plugin.backend(item.workload_id).buckets() == []
