"""wasi:keyvalue 0.2.0-draft2 as guests meet it, and beside 0.2.0-draft."""

from __future__ import annotations

import pytest

from washnb.engine import Err
from washnb.errors import AccessDenied, ConfigError
from washnb.plugins import InMemoryKeyValue
from washnb.plugins.keyvalue import NoSuchBucket

from .guests import COMPONENTS, bound_guest, instance_of


def failing(error: Exception) -> InMemoryKeyValue:
    """A plugin on which every value is refused."""

    class Refusing(InMemoryKeyValue):
        def new_state(self, workload):
            backend = super().new_state(workload)

            async def refuse(*_arguments):
                raise error

            backend.get = backend.snapshot = refuse
            return backend

    return Refusing()


async def test_store(engine):
    """A guest of draft2 sets, gets, asks for, lists and deletes values."""
    item = await bound_guest(engine, "keyvalue_draft2", InMemoryKeyValue())
    async with await instance_of(item) as guest:
        assert await guest.call("get", "b", "k") is None
        assert await guest.call("set", "b", "k", b"\0\xff") is None
        assert await guest.call("get", "b", "k") == b"\0\xff"
        assert await guest.call("exists", "b", "k") is True
        page = await guest.call("list-keys", "b", None)
        assert (list(page.keys), page.cursor) == (["k"], None)
        assert await guest.call("delete", "b", "k") is None
        assert await guest.call("exists", "b", "k") is False


async def test_cursors_are_text(engine):
    """A guest of draft2 follows text from page to page; text that is no cursor is error.other."""
    plugin = InMemoryKeyValue()
    item = await bound_guest(engine, "keyvalue_draft2", plugin)
    backend = plugin.backend(item.workload_id)
    await backend.open("b")
    await backend.set_many("b", [(f"{number:03}", b"") for number in range(101)])
    async with await instance_of(item) as guest:
        first = await guest.call("list-keys", "b", None)
        assert (len(first.keys), first.cursor) == (100, "100")
        last = await guest.call("list-keys", "b", first.cursor)
        assert (list(last.keys), last.cursor) == (["100"], None)
        for wrong in ("", "x", "-1", "1.5", "9" * 5000):
            with pytest.raises(Err) as raised:
                await guest.call("list-keys", "b", wrong)
            assert raised.value.value.value == f"{wrong!r:.80} is no cursor of list-keys"


async def test_signed_counters(engine):
    """A guest of draft2 counts down below zero, and what fits in no s64 is an error that changes nothing."""
    item = await bound_guest(engine, "keyvalue_draft2", InMemoryKeyValue())
    async with await instance_of(item) as guest:
        assert await guest.call("increment", "b", "n", 3) == 3
        assert await guest.call("increment", "b", "n", -5) == -2
        assert await guest.call("get", "b", "n") == b"\xfe" + b"\xff" * 7
        assert await guest.call("increment", "b", "n", 2**63 - 1) == 2**63 - 3
        with pytest.raises(Err) as raised:
            await guest.call("increment", "b", "n", 3)
        assert raised.value.value.value == f"counter overflow: {2**63} is no s64"
        assert await guest.call("increment", "b", "n", 0) == 2**63 - 3


async def test_swap(engine):
    """A guest replaces the value that it has seen, none too."""
    item = await bound_guest(engine, "keyvalue_draft2", InMemoryKeyValue())
    async with await instance_of(item) as guest:
        assert await guest.call("swap", "b", "k", b"1") is None
        assert await guest.call("swap", "b", "k", b"2") == b"1"
        assert await guest.call("forget", "b", "k") == b"2"


@pytest.mark.parametrize("before", [None, b"0", b"between"])
async def test_swap_after_a_change(engine, before):
    """A swap fails where somebody set the key meanwhile, to the same value too, and gives the key as it is now."""
    item = await bound_guest(engine, "keyvalue_draft2", InMemoryKeyValue())
    async with await instance_of(item) as guest:
        if before is not None:
            await guest.call("set", "b", "k", before)
        assert await guest.call("rival", "b", "k", b"last", b"between") == b"between"
        assert await guest.call("get", "b", "k") == b"last"


async def test_batch(engine):
    """A guest of draft2 gets a pair for each key, without a value where there is none."""
    item = await bound_guest(engine, "keyvalue_draft2", InMemoryKeyValue())
    async with await instance_of(item) as guest:
        assert await guest.call("set-many", "b", [("x", b"1"), ("y", b"")]) is None
        assert list(await guest.call("get-many", "b", ["y", "gone", "x"])) == [("y", b""), ("gone", None), ("x", b"1")]
        assert await guest.call("delete-many", "b", ["x", "gone"]) is None
        assert list(await guest.call("get-many", "b", ["x"])) == [("x", None)]


@pytest.mark.parametrize(
    ("element", "found"),
    [
        ("(option (tuple string (list u8)))", [("y", b""), None, ("x", b"1")]),
        ("(tuple string (list u8))", [("y", b""), ("x", b"1")]),
    ],
)
async def test_batch_of_its_time(engine, element, found):
    """A guest whose `get-many` is of another time gets what it declares, and goes on where a key is missing."""
    of_spin, text = "(tuple string (option (list u8)))", (COMPONENTS / "keyvalue_draft2.wat").read_text()
    assert text.count(of_spin) == 2
    item = await bound_guest(engine, text.replace(of_spin, element).encode(), InMemoryKeyValue())
    async with await instance_of(item) as guest:
        await guest.call("set-many", "b", [("x", b"1"), ("y", b"")])
        assert list(await guest.call("get-many", "b", ["y", "gone", "x"])) == found


async def test_batch_of_no_time(engine):
    """A shape that `get-many` never had is refused when the guest is bound."""
    text = (COMPONENTS / "keyvalue_draft2.wat").read_text().replace("(tuple string (option (list u8)))", "u8")
    with pytest.raises(ConfigError, match="get-many"):
        await bound_guest(engine, text.encode(), InMemoryKeyValue())


@pytest.mark.parametrize(
    ("guest", "error", "told"),
    [
        ("keyvalue_draft2", AccessDenied("not you"), "AccessDenied"),
        ("keyvalue", AccessDenied("not you"), "AccessDenied"),
        ("keyvalue_draft2", NoSuchBucket("b"), "NoSuchStore"),
        ("keyvalue", NoSuchBucket("b"), "Other"),
    ],
)
async def test_errors_of_their_own(engine, guest, error, told):
    """What may not be used is access-denied; a bucket that is gone is no-such-store, in 0.2.0-draft other."""
    item = await bound_guest(engine, guest, failing(error))
    async with await instance_of(item) as instance:
        with pytest.raises(Err) as raised:
            await instance.call("get", "b", "k")
        assert type(raised.value.value).__name__.endswith(told)


async def test_both_versions_in_one_component(engine):
    """A component that imports both sees the same values through them."""
    plugin = InMemoryKeyValue()
    item = await bound_guest(engine, "keyvalue_both", plugin)
    backend = plugin.backend(item.workload_id)
    await backend.open("b")
    await backend.set("b", "k", b"v")
    async with await instance_of(item) as guest:
        assert await guest.call("first", "b", "k") == b"v"
        assert await guest.call("second", "b", "k") == b"v"
        assert await guest.call("first", "b", "k") == b"v"
