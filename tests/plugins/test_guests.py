"""The built-in plugins as a guest meets them."""

from __future__ import annotations

import pytest

from washnb.engine import Err
from washnb.plugins import DynamicConfig, InMemoryKeyValue, TracingLogger
from washnb.types import LocalResources

from .guests import bound_guest, instance_of

U64_MAX = 2**64 - 1


async def test_keyvalue_store(engine):
    """A guest sets, gets, asks for, lists and deletes values, empty ones and ones that are not text too."""
    item = await bound_guest(engine, "keyvalue", InMemoryKeyValue())
    async with await instance_of(item) as guest:
        assert await guest.call("get", "b", "k") is None
        assert await guest.call("set", "b", "k", b"\0\xff") is None
        assert await guest.call("set", "b", "", b"") is None
        assert await guest.call("get", "b", "k") == b"\0\xff"
        assert await guest.call("get", "b", "") == b""
        assert await guest.call("exists", "b", "k") is True
        page = await guest.call("list-keys", "b", None)
        assert (list(page.keys), page.cursor) == (["", "k"], None)
        assert await guest.call("delete", "b", "k") is None
        assert await guest.call("exists", "b", "k") is False
        assert await guest.call("get", "other", "") is None


async def test_keyvalue_pages(engine):
    """A guest follows the cursor through the pages."""
    plugin = InMemoryKeyValue()
    item = await bound_guest(engine, "keyvalue", plugin)
    backend = plugin.backend(item.workload_id)
    await backend.open("b")
    await backend.set_many("b", [(f"{number:03}", b"") for number in range(101)])
    async with await instance_of(item) as guest:
        first = await guest.call("list-keys", "b", None)
        assert (len(first.keys), first.cursor) == (100, 100)
        last = await guest.call("list-keys", "b", first.cursor)
        assert (list(last.keys), last.cursor) == (["100"], None)


async def test_keyvalue_atomics(engine):
    """A guest counts with the whole range of u64, and the counter outlives the instance."""
    item = await bound_guest(engine, "keyvalue", InMemoryKeyValue())
    async with await instance_of(item) as guest:
        assert await guest.call("increment", "b", "n", 7) == 7
    async with await instance_of(item) as guest:
        assert await guest.call("increment", "b", "n", U64_MAX) == U64_MAX
        assert await guest.call("get", "b", "n") == b"\xff" * 8


async def test_keyvalue_batch(engine):
    """A guest sets, gets and deletes many values in one call."""
    item = await bound_guest(engine, "keyvalue", InMemoryKeyValue())
    async with await instance_of(item) as guest:
        assert await guest.call("set-many", "b", [("x", b"1"), ("y", b"2")]) is None
        assert list(await guest.call("get-many", "b", ["y", "gone", "x"])) == [("y", b"2"), None, ("x", b"1")]
        assert await guest.call("delete-many", "b", ["x", "gone"]) is None
        assert list(await guest.call("get-many", "b", ["x"])) == [None]


async def test_keyvalue_errors(engine):
    """A bucket that went away behind the guest's back is error.other; a revoked store is error.access-denied."""

    class Forgetful(InMemoryKeyValue):
        def new_state(self, workload):
            backend = super().new_state(workload)

            async def lose(bucket):
                """Leave the bucket unmade."""

            backend.open = lose
            return backend

    item = await bound_guest(engine, "keyvalue", Forgetful())
    async with await instance_of(item) as guest:
        with pytest.raises(Err) as raised:
            await guest.call("get", "b", "k")
        assert type(raised.value.value).__name__.endswith("Other")
        assert raised.value.value.value == "bucket 'b' does not exist"
        item.bindings.unbind("wasi:keyvalue/store@0.2.0-draft", "revoked")
        with pytest.raises(Err) as raised:
            await guest.call("open", "b")
        assert type(raised.value.value).__name__.endswith("AccessDenied")


async def test_config(engine):
    """A guest reads its settings, and an edit at its next call, in the same instance."""
    plugin = DynamicConfig()
    resources = LocalResources(config={"greeting": "hello", "ü": ""})
    item = await bound_guest(engine, "config_logging", plugin, TracingLogger(), resources=resources)
    async with await instance_of(item) as guest:
        assert await guest.call("get", "greeting") == "hello"
        assert await guest.call("get", "nothing") is None
        assert list(await guest.call("get-all")) == [("greeting", "hello"), ("ü", "")]
        await plugin.backend(item.workload_id, item.component).set("greeting", "good day")
        assert await guest.call("get", "greeting") == "good day"


@pytest.mark.parametrize("level", ["trace", "debug", "info", "warn", "error", "critical"])
async def test_logging(engine, level):
    """A line of a guest arrives with its level, also critical."""
    plugin = TracingLogger()
    item = await bound_guest(engine, "config_logging", DynamicConfig(), plugin)
    async with await instance_of(item) as guest:
        await guest.call("log", level, "set-up", "ready ✓")
    (line,) = plugin.backend(item.workload_id, item.component).lines()
    assert (line.level, line.context, line.message) == (level, "set-up", "ready ✓")
