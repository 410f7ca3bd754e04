"""Plugins around others: what they have a say in, what they pass on, and that nobody notices otherwise."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.plugins.guests import COMPONENTS, bound_guest, instance_of
from washnb import Engine, HostBuilder
from washnb.errors import ConfigError
from washnb.plugins import (
    Call,
    Err,
    HostPlugin,
    InMemoryKeyValue,
    Interface,
    Wrapper,
    around,
    layers,
    resource,
    unwrapped,
)
from washnb.plugins.keyvalue import Error_AccessDenied, Error_Other
from washnb.types import Component, Workload, WorkloadStartRequest


class Audit(Wrapper):
    """Writes down who called what, and how it ended."""

    def __init__(self, plugin: HostPlugin) -> None:
        super().__init__(plugin)
        self.lines: list[str] = []

    @around("*")
    async def note(self, call: Call, *arguments: Any) -> Any:
        try:
            value = await call(*arguments)
        except Err as error:
            self.lines.append(f"{call.workload}: {call.function} failed: {error.value}")
            raise
        self.lines.append(f"{call.workload}: {call.function}")
        return value


class Cache(Wrapper):
    """Answers `get` from memory for some seconds; what is written is forgotten."""

    def __init__(self, plugin: HostPlugin, seconds: float = 60) -> None:
        super().__init__(plugin)
        self.seconds = seconds
        self.known: dict[tuple[str, str], tuple[float, bytes | None]] = {}

    @around("store#bucket.get")
    async def look(self, call: Call, bucket: Any, key: str) -> bytes | None:
        until, value = self.known.get((bucket.name, key), (0.0, None))
        if time.monotonic() < until:
            return value
        value = await call(bucket, key)
        self.known[bucket.name, key] = time.monotonic() + self.seconds, value
        return value

    @around("bucket.set", "bucket.delete", "increment", "*-many")
    async def forget(self, call: Call, bucket: Any, *rest: Any) -> Any:
        if not call.function.startswith("get"):
            self.known.clear()
        return await call(bucket, *rest)


class Quota(Wrapper):
    """Lets each workload write so many bytes."""

    def __init__(self, plugin: HostPlugin, most: int) -> None:
        super().__init__(plugin)
        self.most = most
        self.written: dict[str, int] = {}

    @around("bucket.set")
    async def count(self, call: Call, bucket: Any, key: str, value: bytes) -> None:
        total = self.written.get(call.workload, 0) + len(value)
        if total > self.most:
            raise Err(Error_Other(f"{call.workload} may write {self.most} bytes"))
        await call(bucket, key, value)
        self.written[call.workload] = total


class Access(Wrapper):
    """Lets nobody open a bucket whose name begins with a point."""

    @around("open")
    def only_open_ones(self, call: Call, identifier: str) -> Any:
        if identifier.startswith("."):
            raise Err(Error_AccessDenied())
        return call(identifier)


async def guest_of(engine, plugin: HostPlugin):
    """A guest that uses every function of wasi:keyvalue."""
    return await instance_of(await bound_guest(engine, "keyvalue", plugin))


async def test_an_audit_sees_every_call_and_changes_none(engine):
    """Functions, methods of resources and errors, in their order; plain ones are passed on as well as async ones."""
    audit = Audit(Access(InMemoryKeyValue()))
    async with await guest_of(engine, audit) as guest:
        await guest.call("set", "b", "k", b"v")
        assert await guest.call("get", "b", "k") == b"v"
        with pytest.raises(Err) as raised:
            await guest.call("open", ".secret")
    assert type(raised.value.value).__name__ == "Error_AccessDenied"
    assert audit.lines == [
        "counter: open",
        "counter: bucket.set",
        "counter: open",
        "counter: bucket.get",
        "counter: open failed: Error_AccessDenied()",
    ]


async def test_a_cache_answers_for_what_it_wraps(engine):
    """A call that is not passed on has its result from the wrapper."""
    audit = Audit(InMemoryKeyValue())
    async with await guest_of(engine, Cache(audit)) as guest:
        await guest.call("set", "b", "k", b"v")
        for _ in range(3):
            assert await guest.call("get", "b", "k") == b"v"
        assert audit.lines.count("counter: bucket.get") == 1
        await guest.call("set", "b", "k", b"w")
        assert await guest.call("get", "b", "k") == b"w"


async def test_a_quota_refuses_with_an_error_of_the_interface(engine):
    """The guest gets the error and goes on."""
    async with await guest_of(engine, Quota(InMemoryKeyValue(), 5)) as guest:
        await guest.call("set", "b", "k", b"12345")
        with pytest.raises(Err) as raised:
            await guest.call("set", "b", "k", b"6")
        assert raised.value.value.value == "counter may write 5 bytes"
        assert await guest.call("get", "b", "k") == b"12345"


async def test_methods_around_one_function_go_from_the_first_to_the_last(engine):
    """Each call goes to the next, and the arguments may be others by then."""
    order = []

    class Both(Wrapper):
        @around("bucket.set")
        async def first(self, call, bucket, key, value):
            order.append("first")
            await call(bucket, key.upper(), value)

        @around("set")
        async def second(self, call, bucket, key, value):
            order.append(f"second {key} of {call.interface}: {call!r}")
            await call(bucket, key, value)

    async with await guest_of(engine, Both(InMemoryKeyValue())) as guest:
        await guest.call("set", "b", "k", b"v")
        assert await guest.call("get", "b", "K") == b"v"
    name = "wasi:keyvalue/store@0.2.0-draft"
    assert order == ["first", f"second K of {name}: <call of wasi:keyvalue/store#bucket.set by counter>"]


def test_a_wrapper_that_is_defined_again_takes_the_place_of_the_one_before():
    """Else both had a say after a cell was edited and run again; two of one class are meant."""
    inner = InMemoryKeyValue()
    former, edited = (type("Edited", (Wrapper,), {}) for _ in range(2))
    attached = Quota(former(former(inner)), 5)
    assert [type(each) for each in layers(edited(attached))] == [edited, Quota, former, former, InMemoryKeyValue]
    assert edited(attached.wrapped).wrapped is inner
    assert len([*layers(edited(edited(inner)))]) == 3


@resource("deck")
class Deck:
    def __init__(self, cards: int) -> None: ...

    def draw_card(self) -> int: ...

    @staticmethod
    def from_list(cards: list[int]) -> Deck: ...


class Table(Interface, wit="workshop:cards/table@0.1.0"):
    Deck = Deck

    def shuffle(self, deck: Deck) -> None: ...


@pytest.mark.parametrize(
    "name",
    [
        "shuffle", "Shuffle", "table#shuffle", "workshop:cards/table#shuffle", "workshop:cards/table@0.1.0#shuffle",
        "deck", "deck.draw-card", "deck.draw_card", "draw-card", "table#[method]deck.draw-card", "[constructor]deck",
        "deck.from_list", "deck.*", "*",
    ],
)  # fmt: skip
def test_functions_are_spelled_as_in_wit_or_in_python(name):
    """Alone, or behind their interface or resource."""
    type("Named", (Wrapper,), {"say": around(name)(lambda self, call: call())})(Table())


@pytest.mark.parametrize("name", ["shufle", "deck.shuffle", "other#shuffle", "workshop:cards/table@0.2.0#shuffle"])
def test_a_function_that_is_not_served_is_refused(name):
    """What has a say nowhere guards nothing, so that it is no wrapper."""
    with pytest.raises(ConfigError, match="which plugin 'table' does not serve") as caught:
        type("Named", (Wrapper,), {"say": around(name)(lambda self, call: call())})(Table)
    assert caught.value.repair
    assert name != "shufle" or caught.value.repair == ('@around("shuffle")',)


@pytest.mark.parametrize(
    ("function", "method", "fitting"),
    [
        ("bucket.get", lambda self, call, key: call(key), "self, call, bucket, key"),
        ("open", lambda self, call: call(), "self, call, identifier"),
        ("*", lambda self, call, bucket, key, *, more: call(bucket, key), "self, call, identifier"),
    ],
)
async def test_a_method_with_another_number_of_parameters_is_refused_when_it_is_bound(
    engine, function, method, fitting
):
    """As that of an interface is: with what it takes, and what it would have to take."""
    say = around(function)(method)
    with pytest.raises(ConfigError, match=r"<lambda>\(self, call.*\) does not fit wasi:keyvalue/") as caught:
        await bound_guest(engine, "keyvalue", type("Miscounted", (Wrapper,), {"say": say})(InMemoryKeyValue()))
    assert caught.value.repair[0] == f"def <lambda>({fitting}): ..."


async def test_annotations_of_methods_around_a_function_are_held_against_wit(engine):
    """As those of the method that it is around; what it says nothing of agrees."""

    class Numbered(Wrapper):
        @around("bucket.get")
        async def look(self, call: Call, bucket: Any, key: int) -> bytes | None:
            return await call(bucket, key)

    with pytest.raises(
        ConfigError, match=r"Numbered\.look does not fit wasi:keyvalue/store@.*#\[method\]bucket\.get"
    ) as caught:
        await bound_guest(engine, "keyvalue", Numbered(InMemoryKeyValue()))
    assert str(caught.value).endswith("parameter key is string in WIT, and annotated int\n  key: str")
    Numbered.look.__annotations__["key"] = "str"
    await bound_guest(engine, "keyvalue", Numbered(InMemoryKeyValue()))


class Notes(HostPlugin):
    """A plugin that uses a sibling."""

    id = "notes"

    def first_bucket(self, workload_id: str) -> Any:
        return self.siblings["wasi-keyvalue"].backend(workload_id).buckets()


class Store(InMemoryKeyValue):
    """Keeps count of its life."""

    def __init__(self) -> None:
        self.life: list[str] = []

    async def start(self) -> None:
        self.life.append("start")

    async def stop(self) -> None:
        self.life.append("stop")


async def test_a_wrapper_lives_the_life_of_what_it_wraps():
    """In a host: attached in place of the plugin it keeps the state, is found by siblings, and is taken away again."""
    component = Component("main", (COMPONENTS / "keyvalue.wat").read_bytes())
    workload = Workload("default", "counter", components=(component,))
    notes, store = Notes(), Store()
    with Engine.builder().with_cache_dir(None).build() as engine:
        builder = HostBuilder().with_engine(engine).with_plugin(store).with_plugin(notes)
        async with builder.build() as host:
            response = await host.workload_start(WorkloadStartRequest("id-1", workload))
            assert response.error is None
            await host.call("counter", "set", "b", "k", b"v")
            audit = Audit(store)
            await host.attach(audit, replace=True)
            assert await host.call("counter", "get", "b", "k") == b"v"
            assert audit.lines == ["counter: open", "counter: bucket.get"]
            assert await notes.first_bucket("id-1") == ["b"]
            assert (audit.location, audit.backend_kind, audit.wrapped.host_id) == ("memory", "memory", host.id)
            assert (await audit.dump("id-1")) == (await audit.wrapped.dump("id-1")) != {}
            await host.attach(store, replace=True)
            assert await host.call("counter", "get", "b", "k") == b"v"
            assert len(audit.lines) == 2
            assert "wasi-config" not in notes.siblings
            await host.attach(Access(Audit(store)), replace=True)
            assert store.life == ["start"]
    assert store.life == ["start", "stop"]


def test_what_is_inside():
    """However much is wrapped around it."""
    inner = InMemoryKeyValue()
    assert unwrapped(Audit(Cache(inner))) is inner is unwrapped(inner)
    assert Audit(inner).id == "wasi-keyvalue"
    with pytest.raises(AttributeError):
        _ = Audit(inner).nothing
