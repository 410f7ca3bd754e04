"""Finding and calling exports, and the life of an instance."""

from __future__ import annotations

import pytest

from tests.engine.guests import COUNTER, DRIVEN
from tests.engine.hosting import bound, started
from washnb.engine import Instance
from washnb.errors import ConfigError, GuestError

TWO_VERSIONS = """(component
  (core module $module
    (func (export "one") (result i32) (i32.const 1))
    (func (export "two") (result i32) (i32.const 2)))
  (core instance $guest (instantiate $module))
  (func $one (result u32) (canon lift (core func $guest "one")))
  (func $two (result u32) (canon lift (core func $guest "two")))
  (instance $one (export "get" (func $one)))
  (instance $two (export "get" (func $two)))
  (export "test:pkg/api@0.1.0" (instance $one))
  (export "test:pkg/api@0.2.0" (instance $two))
  (export "get-it" (func $one)))"""


async def test_exports_are_found_by_full_and_by_short_names(shared_engine):
    """With the version, with a compatible one, without, and by the function alone where that is unambiguous."""
    async with await started(shared_engine, COUNTER) as instance:
        for name in (
            "test:count/api@0.1.0#dropped",
            "test:count/api@0.1.7#dropped",
            "test:count/api#dropped",
            "dropped",
        ):
            assert await instance.call(name) == 0
    async with await started(shared_engine, TWO_VERSIONS) as instance:
        assert await instance.call("get-it") == 1
        assert await instance.call("test:pkg/api@0.1.0#get") == 1
        assert await instance.call("test:pkg/api@0.2.0#get") == 2


@pytest.mark.parametrize(
    ("export", "said"),
    [
        ("get", "guest exports several get"),
        ("test:pkg/api#get", "guest exports several test:pkg/api#get"),
        ("test:pkg/api@0.3.0#get", "guest exports no test:pkg/api@0.3.0#get"),
        ("nothing", "guest exports no nothing"),
    ],
)
async def test_an_unknown_export_is_refused_with_the_known_ones(shared_engine, export, said):
    """The instance lives on."""
    async with await started(shared_engine, TWO_VERSIONS) as instance:
        with pytest.raises(ConfigError) as caught:
            await instance.call(export)
        assert str(caught.value).splitlines() == [
            said,
            "  it exports test:pkg/api@0.1.0#get",
            "  it exports test:pkg/api@0.2.0#get",
            "  it exports get-it",
        ]
        assert await instance.call("get-it") == 1


async def test_a_closed_instance_takes_no_calls(shared_engine, no_stores_left):
    """And closing is idempotent."""
    instance = await started(shared_engine, DRIVEN, label="shop")
    assert repr(instance) == "<Instance shop: ready>"
    instance.close()
    instance.close()
    with pytest.raises(GuestError, match="shop takes no more calls: it was closed"):
        await instance.call("five")
    assert repr(instance) == "<Instance shop: it was closed>"


async def test_instances_of_one_component_share_nothing(shared_engine):
    """Each has its own memory."""
    bindings = await bound(shared_engine, COUNTER)
    async with (
        await Instance.new(bindings.component, bindings) as one,
        await Instance.new(bindings.component, bindings) as two,
    ):
        counter = await one.call("[constructor]counter", 1)
        await one.call("end", counter)
        assert [await one.call("dropped"), await two.call("dropped")] == [1, 0]


async def test_an_instance_that_nobody_closed_says_so_and_is_closed(shared_engine, no_stores_left):
    """As a file does."""
    held = [await started(shared_engine, DRIVEN, label="shop")]
    with pytest.warns(ResourceWarning, match="<Instance shop: ready> was never closed"):
        held.clear()
