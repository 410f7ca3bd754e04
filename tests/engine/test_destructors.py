"""Resources that a guest defines are dropped by the host: the destructor runs, and nothing else is different."""

from __future__ import annotations

from pathlib import Path

import pytest
from wasmtime import wat2wasm

from tests.engine.hosting import bound
from washnb.engine import Engine, Instance, engine, example_names, read_source
from washnb.engine.destructors import with_destructors
from washnb.errors import ConfigError, GuestError, TrapError

CARTS = (Path(__file__).parent.parent / "components" / "carts.wat").read_text()
BINARY = bytes(wat2wasm(CARTS))


async def carts(of: Engine) -> Instance:
    """An instance of a component with a resource."""
    bindings = await bound(of, CARTS)
    return await Instance.new(bindings.component, bindings)


async def test_the_destructor_runs_and_the_handle_is_used_up(shared_engine):
    """Each time, and once for each."""
    async with await carts(shared_engine) as instance:
        for count in range(1, 4):
            cart = await instance.call("[constructor]cart", 7)
            assert await instance.drop(cart)
            assert await instance.call("[static]cart.dropped") == count
            with pytest.raises(GuestError, match="was given away before"):
                await instance.drop(cart)
        assert not instance._store.handles


async def test_a_destructor_that_traps_is_a_call_that_traps(shared_engine):
    """It is named as the canonical ABI does."""
    async with await carts(shared_engine) as instance:
        cart = await instance.call("[constructor]cart", 13)
        with pytest.raises(TrapError, match=r"docs:shop/carts@0.1.0#\[resource-drop\]cart"):
            await instance.drop(cart)
        assert instance.ended is not None


async def test_nobody_sees_the_functions(shared_engine):
    """Neither among the exports nor in the world."""
    component = (await bound(shared_engine, CARTS)).component
    assert list(component.exports) == ["docs:shop/carts@0.1.0"]
    assert str(component.world()).count("export") == 1
    assert len(with_destructors(BINARY)) < len(BINARY) + 100


async def test_a_resource_of_two_interfaces_has_one_function(shared_engine):
    """It is dropped in the name of either, and nothing of that is seen."""
    both = '(export "docs:shop/other@0.1.0" (instance $api))'
    bindings = await bound(shared_engine, CARTS.rstrip().removesuffix(")") + both + ")")
    assert set(bindings.component.exports) == {"docs:shop/carts@0.1.0", "docs:shop/other@0.1.0"}
    async with await Instance.new(bindings.component, bindings) as instance:
        for count, interface in enumerate(bindings.component.exports, 1):
            assert await instance.drop(await instance.call(f"{interface}#[constructor]cart", 7))
            assert await instance.call(f"{interface}#[static]cart.dropped") == count


async def test_nobody_calls_the_functions(shared_engine):
    """Not by their names either, before one was used and after that."""
    async with await carts(shared_engine) as instance:
        cart, other = [await instance.call("[constructor]cart", 7) for _ in range(2)]
        for _ in range(2):
            with pytest.raises(ConfigError, match="exports no washnb-drop0"):
                await instance.call("washnb-drop0", other)
            await instance.drop(cart)
            cart = await instance.call("[constructor]cart", 7)


async def test_they_are_in_the_cache_as_well(tmp_path):
    """A component that was compiled before by another engine has them."""
    for _ in range(2):
        with Engine.builder().with_cache_dir(tmp_path).build() as another:
            async with await carts(another) as instance:
                assert await instance.drop(await instance.call("[constructor]cart", 7))


@pytest.mark.parametrize("name", example_names())
def test_a_component_without_resources_of_its_own_stays_as_it_is(name):
    """Resources that it imports are its host's, also where they are in what it exports."""
    binary = read_source(f"example:{name}").data
    assert with_destructors(binary) is binary


def test_what_breaks_off_is_left_to_wasmtime():
    """Nothing but a whole component is read to its end."""
    for size in range(len(BINARY)):
        assert with_destructors(BINARY[:size]).startswith(BINARY[:size])


def test_what_is_read_is_bounded_by_what_is_there():
    """Neither a number of types without these, nor instances of instances, take time or memory."""
    head = BINARY[:8]
    numbered = head + b"\x07\x05\xff\xff\xff\xff\x0f"
    assert with_destructors(numbered) is numbered
    nested = head
    for _ in range(500):  # each has another one in it, and exports two instances of that
        inner = _section(4, nested)
        instances = _section(5, b"\x02\x00\x00\x00\x00\x00\x00")
        nested = head + inner + instances + _section(11, b"\x02\x00\x01a\x05\x00\x00\x00\x01b\x05\x01\x00")
    assert with_destructors(nested) is nested


def _section(kind: int, content: bytes) -> bytes:
    size = len(content)
    return bytes([kind, size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14]) + content


async def test_what_wasmtime_refuses_is_compiled_as_it_was(monkeypatch):
    """The handle is given up then, and the guest keeps its resource."""
    monkeypatch.setattr(engine, "with_destructors", lambda binary: binary + b"\x07\x01\x7f")
    with Engine.builder().with_cache_dir(None).build() as another:
        async with await carts(another) as instance:
            cart = await instance.call("[constructor]cart", 7)
            assert not await instance.drop(cart)
            assert await instance.call("[static]cart.dropped") == 0
            with pytest.raises(GuestError, match="was given away before"):
                await instance.call("check-out", cart)
