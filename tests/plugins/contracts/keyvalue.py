"""What every key-value backend must do, and what guests must see over it. A backend is done when it passes."""

from __future__ import annotations

import asyncio

import pytest

from washnb.engine import Err
from washnb.errors import BackendError, WorkloadNotFound
from washnb.plugins.keyvalue import (
    Atomics,
    Backend,
    Batch,
    Bucket,
    Error_NoSuchStore,
    Error_Other,
    KeyValue,
    NoSuchBucket,
    Snapshot,
    Store,
    draft2,
)

from ..bound import Item, bind

U64_MAX = 2**64 - 1


async def all_keys(backend: Backend, bucket: str) -> list[str]:
    """Follow the cursors to the end."""
    page = await backend.keys(bucket)
    keys = list(page.keys)
    while page.cursor is not None:
        page = await backend.keys(bucket, page.cursor)
        keys += page.keys
    return keys


class BackendContract:
    """A subclass has a fixture `backend`, empty."""

    @pytest.fixture
    def backend(self) -> Backend:
        """Give the backend under test."""
        raise AssertionError("a contract needs a backend")

    async def test_begins_without_buckets(self, backend):
        """A new backend has no bucket."""
        assert list(await backend.buckets()) == []

    async def test_open_makes_a_bucket_once(self, backend):
        """Opening makes a bucket, opening it again leaves its values alone."""
        await backend.open("b")
        await backend.set("b", "k", b"v")
        await backend.open("b")
        await backend.open("a")
        assert list(await backend.buckets()) == ["a", "b"]
        assert await backend.get("b", "k") == b"v"

    async def test_keeps_buckets_apart(self, backend):
        """The same key in two buckets has two values."""
        for bucket in ("a", "b"):
            await backend.open(bucket)
            await backend.set(bucket, "k", bucket.encode())
        assert [await backend.get("a", "k"), await backend.get("b", "k")] == [b"a", b"b"]

    @pytest.mark.parametrize("value", [b"", b"v", bytes(range(256)), b"\0" * 70_000], ids=["empty", "v", "all", "long"])
    async def test_values_come_back_as_they_were(self, backend, value):
        """Any bytes can be a value, none at all too."""
        await backend.open("b")
        await backend.set("b", "k", value)
        assert await backend.get("b", "k") == value
        assert await backend.exists("b", "k")

    async def test_set_replaces(self, backend):
        """The second value of a key stays."""
        await backend.open("b")
        await backend.set("b", "k", b"one")
        await backend.set("b", "k", b"two")
        assert await backend.get("b", "k") == b"two"

    async def test_what_is_not_there(self, backend):
        """A key without value is None, does not exist, and can be deleted."""
        await backend.open("b")
        await backend.delete("b", "k")
        assert await backend.get("b", "k") is None
        assert not await backend.exists("b", "k")

    async def test_delete_forgets(self, backend):
        """A deleted key is gone from everywhere."""
        await backend.open("b")
        await backend.set("b", "k", b"v")
        await backend.delete("b", "k")
        assert await backend.get("b", "k") is None
        assert await all_keys(backend, "b") == []

    async def test_pages_hold_every_key_once(self, backend):
        """Following the cursors shows each key, and once; an empty bucket has one empty page."""
        await backend.open("b")
        assert await all_keys(backend, "b") == []
        names = [f"key-{number}" for number in range(250)]
        await backend.set_many("b", [(name, b"v") for name in names])
        keys = await all_keys(backend, "b")
        assert sorted(keys) == sorted(names)

    async def test_counts(self, backend):
        """A counter begins at 0 and returns its new value."""
        await backend.open("b")
        assert [await backend.increment("b", "n", delta) for delta in (1, 2, 0)] == [1, 3, 3]

    async def test_counter_stops_at_the_top(self, backend):
        """A counter never wraps: it stays at the greatest u64."""
        await backend.open("b")
        assert await backend.increment("b", "n", U64_MAX - 1) == U64_MAX - 1
        assert await backend.increment("b", "n", 5) == U64_MAX
        assert await backend.increment("b", "n", 5) == U64_MAX

    async def test_counts_with_a_sign(self, backend):
        """A signed counter goes below zero, in the same eight bytes; what is no s64 is an error and changes nothing."""
        await backend.open("b")
        assert await backend.increment("b", "n", -3, signed=True) == -3
        assert await backend.increment("b", "n", 0) == U64_MAX - 2
        assert await backend.increment("b", "n", 5, signed=True) == 2
        with pytest.raises(BackendError, match=f"counter overflow: {2**63} is no s64"):
            await backend.increment("b", "n", 2**63 - 2, signed=True)
        assert await backend.increment("b", "n", 0, signed=True) == 2

    async def test_loses_no_increment(self, backend):
        """Increments at the same time all count, and each sees a value of its own."""
        await backend.open("b")
        seen = await asyncio.gather(*(backend.increment("b", "n", 1) for _ in range(50)))
        assert sorted(seen) == list(range(1, 51))

    async def test_swaps_what_was_seen(self, backend):
        """A value takes the place of the one that was seen, none too, and its own of the next."""
        await backend.open("b")
        for before, after in ((None, b""), (b"", b"one"), (b"one", b"one")):
            seen = await backend.snapshot("b", "k")
            assert seen.value == before
            assert await backend.swap("b", "k", seen, after)
            assert await backend.get("b", "k") == after

    @pytest.mark.parametrize("between", ["set", "set the same", "delete", "swap", "increment"])
    async def test_swaps_nothing_else(self, backend, between):
        """Whoever has seen a value that was set or deleted since does not replace it."""
        await backend.open("b")
        await backend.set("b", "k", b"1")
        seen = await backend.snapshot("b", "k")
        if between == "set":
            await backend.set("b", "k", b"2")
        elif between == "set the same":
            await backend.set("b", "k", b"1")
        elif between == "delete":
            await backend.delete("b", "k")
        elif between == "swap":
            assert await backend.swap("b", "k", seen, b"2")
        else:
            await backend.increment("b", "k", 0)
        now = await backend.get("b", "k")
        assert not await backend.swap("b", "k", seen, b"late")
        assert await backend.get("b", "k") == now

    async def test_one_of_many_swaps(self, backend):
        """Of those who have seen the same only one replaces it."""
        await backend.open("b")
        seen = await backend.snapshot("b", "k")
        swapped = await asyncio.gather(*(backend.swap("b", "k", seen, b"%d" % number) for number in range(20)))
        assert sum(swapped) == 1
        assert await backend.get("b", "k") == b"%d" % swapped.index(True)

    async def test_many(self, backend):
        """Batches do what single calls do, in the order of the keys asked for."""
        await backend.open("b")
        await backend.set_many("b", [("x", b"1"), ("y", b"2"), ("x", b"3")])
        assert list(await backend.get_many("b", ["y", "gone", "x", "y"])) == [
            ("y", b"2"),
            None,
            ("x", b"3"),
            ("y", b"2"),
        ]
        await backend.delete_many("b", ["x", "gone"])
        assert await all_keys(backend, "b") == ["y"]
        assert list(await backend.get_many("b", [])) == []

    @pytest.mark.parametrize(
        "call",
        [
            lambda backend: backend.get("gone", "k"),
            lambda backend: backend.set("gone", "k", b""),
            lambda backend: backend.delete("gone", "k"),
            lambda backend: backend.exists("gone", "k"),
            lambda backend: backend.keys("gone"),
            lambda backend: backend.increment("gone", "k", 1),
            lambda backend: backend.snapshot("gone", "k"),
            lambda backend: backend.swap("gone", "k", Snapshot(None, 0), b""),
            lambda backend: backend.get_many("gone", []),
            lambda backend: backend.set_many("gone", []),
            lambda backend: backend.delete_many("gone", []),
        ],
        ids=[
            "get",
            "set",
            "delete",
            "exists",
            "keys",
            "increment",
            "snapshot",
            "swap",
            "get_many",
            "set_many",
            "delete_many",
        ],
    )
    async def test_a_bucket_that_was_never_opened(self, backend, call):
        """Every method says that the bucket is missing, and makes none."""
        with pytest.raises(NoSuchBucket, match="bucket 'gone' does not exist"):
            await call(backend)
        assert list(await backend.buckets()) == []


class SurfaceContract:
    """What a guest sees. A subclass has a fixture `plugin`, a KeyValue that was not bound yet."""

    @pytest.fixture
    def plugin(self) -> KeyValue:
        """Give the plugin under test."""
        raise AssertionError("a contract needs a plugin")

    @pytest.fixture
    async def item(self, plugin) -> Item:
        """Bind a workload with one component."""
        return await bind(plugin)

    @pytest.fixture
    async def bucket(self, item) -> Bucket:
        """Open a bucket as a guest."""
        return await item.linked[Store.wit].open("b")

    async def test_one_bucket_through_all_three_interfaces(self, item, bucket):
        """What store wrote, atomics and batch see, and the other way round."""
        await bucket.set("x", b"1")
        assert await item.linked[Atomics.wit].increment(bucket, "n", 7) == 7
        batch = item.linked[Batch.wit]
        await batch.set_many(bucket, [("y", b"2")])
        assert list(await batch.get_many(bucket, ["x", "y", "z"])) == [("x", b"1"), ("y", b"2"), None]
        await batch.delete_many(bucket, ["y"])
        await bucket.delete("x")
        page = await bucket.list_keys(None)
        assert (list(page.keys), page.cursor) == (["n"], None)
        assert not await bucket.exists("x")
        assert await bucket.get("x") is None

    async def test_a_view_sees_what_guests_see(self, plugin, item, bucket):
        """The backend of a workload is the one that its guests write to."""
        await bucket.set("k", b"v")
        backend = plugin.backend(item.workload_id)
        assert list(await backend.buckets()) == ["b"]
        await backend.set("b", "k", b"edited")
        assert await bucket.get("k") == b"edited"

    async def test_each_change_is_told(self, plugin, item, bucket):
        """A set and a delete become events that name workload, bucket and key."""
        told = []
        plugin.events.subscribe(lambda event: told.append((event.workload, event.plugin, event.path, event.action)))
        await bucket.set("k", b"v")
        await bucket.get("k")
        await item.linked[Atomics.wit].increment(bucket, "n", 1)
        await item.linked[Batch.wit].delete_many(bucket, ["k", "gone"])
        who = (item.workload_name, plugin.id)
        assert told == [
            (*who, ("b", "k"), "set"),
            (*who, ("b", "n"), "set"),
            (*who, ("b", "k"), "delete"),
        ]

    async def test_failure_of_the_backend_is_an_error_of_wit(self, item):
        """A guest gets error.other with the message of the backend, and goes on."""
        bucket = Bucket("gone", item.linked[Store.wit].backend)
        with pytest.raises(Err) as raised:
            await bucket.get("k")
        assert raised.value.value == Error_Other("bucket 'gone' does not exist")

    async def test_draft2_fails_in_its_own_words(self, item):
        """A bucket that is gone is no-such-store there, for a swap as the error of the store."""
        bucket = draft2.Bucket("gone", item.linked[draft2.Store.wit].backend)
        with pytest.raises(Err) as raised:
            await bucket.get("k")
        assert raised.value.value == Error_NoSuchStore()
        with pytest.raises(Err) as raised:
            await item.linked[draft2.Atomics.wit].swap(draft2.Cas(bucket, "k", Snapshot(None, 0)), b"")
        assert raised.value.value == draft2.CasError_StoreError(Error_NoSuchStore())

    async def test_both_versions_see_the_same(self, item, bucket):
        """A counter of one version is counted on by the other, and a page of keys is the same but for its cursor."""
        other = await item.linked[draft2.Store.wit].open("b")
        assert await item.linked[Atomics.wit].increment(bucket, "n", 5) == 5
        assert await item.linked[draft2.Atomics.wit].increment(other, "n", -7) == -2
        assert list((await other.list_keys(None)).keys) == list((await bucket.list_keys(None)).keys) == ["n"]


class SharedContract:
    """What a plugin does whose state all workloads share. A subclass has a fixture `plugin`, as SurfaceContract."""

    async def test_workloads_share(self, plugin):
        """Two workloads open the same bucket, and each change is told in the name of both."""
        told = []
        plugin.events.subscribe(lambda event: told.append((event.workload, event.path)))
        one, two = [await bind(plugin, Item(workload_id=each, workload_name=each)) for each in ("one", "two")]
        await (await one.linked[Store.wit].open("b")).set("k", b"v")
        assert await (await two.linked[Store.wit].open("b")).get("k") == b"v"
        assert told == [("one", ("b", "k")), ("two", ("b", "k"))]

    async def test_only_those_who_use_it(self, plugin):
        """A workload that does not use the plugin has no backend there."""
        with pytest.raises(WorkloadNotFound):
            plugin.backend("nobody")
