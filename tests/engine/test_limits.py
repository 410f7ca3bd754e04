"""What a guest may use: memory, memories, and the size of a value in one call."""

from __future__ import annotations

import pytest

from tests.engine.echo import HOST, echo_component
from tests.engine.guests import growing
from tests.engine.hosting import bound, started
from washnb.engine import Engine, Instance, Interface, Limits
from washnb.engine.abi.shapes import List, Primitive
from washnb.errors import GuestError

PAGE = 65536


async def test_memory_grows_to_the_limit_and_no_further(shared_engine):
    """`memory.grow` answers -1 then, and the guest goes on."""
    async with await started(shared_engine, growing(), limits=Limits(memory_mib=2)) as instance:
        assert await instance.call("grow", 31) == 1
        assert await instance.call("grow", 1) == -1


async def test_the_engines_limit_holds_where_the_instance_has_none():
    """And an instance may be given another."""
    with Engine.builder().with_cache_dir(None).with_memory_limit(1).build() as engine:
        bindings = await bound(engine, growing())
        async with await Instance.new(bindings.component, bindings) as instance:
            assert await instance.call("grow", 16) == -1
        async with await Instance.new(bindings.component, bindings, limits=Limits(memory_mib=4)) as instance:
            assert await instance.call("grow", 16) == 1


async def test_more_memory_at_the_start_than_the_limit_is_an_error_that_says_so(shared_engine, no_stores_left):
    """With the component, what it asks for and what it may have."""
    with pytest.raises(GuestError) as caught:
        await started(shared_engine, growing(pages=64), limits=Limits(memory_mib=1), label="shop")
    assert str(caught.value).startswith("shop cannot start within its limit of 1 MiB for each memory")


async def test_more_memories_than_the_limit_are_an_error_that_says_so(shared_engine, no_stores_left):
    """Each memory may grow to the limit by itself, so that their number is bounded too."""
    async with await started(shared_engine, growing(memories=3), limits=Limits(memories=3)):
        pass
    with pytest.raises(GuestError, match="shop cannot start with more than 2 memories"):
        await started(shared_engine, growing(memories=3), limits=Limits(memories=2), label="shop")


async def test_the_limit_is_for_each_memory_by_itself(shared_engine):
    """They are not counted together, which is why their number is bounded."""
    async with await started(shared_engine, growing(memories=3), limits=Limits(memory_mib=1, memories=3)) as instance:
        assert await instance.call("grow", 15) == 1


class Echo(Interface, wit=HOST):
    """Answers what came."""

    def echo0(self, a):
        return a


@pytest.mark.slow
async def test_a_guest_that_passes_more_than_wasmtime_allows_is_told_the_limit(shared_engine, no_stores_left):
    """2,796,202 bytes of list<u8> pass to the host in one call, one more does not."""
    text = echo_component(List(Primitive("u8")))
    async with await started(shared_engine, text, Echo()) as instance:
        most = bytes(2_796_202)
        assert await instance.call("echo0", most) == most
    instance = await started(shared_engine, text, Echo(), label="shop")
    with pytest.raises(GuestError, match=r"shop: echo0 passed more than 2.67 MiB") as caught:
        await instance.call("echo0", bytes(2_796_203))
    assert "2,796,202 bytes" in str(caught.value)
    assert "in pieces" in str(caught.value)


async def test_long_strings_pass(shared_engine):
    """Of text wasmtime passes more."""
    text = "x" * 10_000_000
    async with await started(shared_engine, echo_component(Primitive("string")), Echo()) as instance:
        assert await instance.call("echo0", text) == text
