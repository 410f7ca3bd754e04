"""Resources that have a function `drop` in WIT, beside the `drop` of Python that is called when a handle ends."""

from __future__ import annotations

import pytest

from tests.engine.guests import HOST
from tests.engine.hosting import bound, started
from washnb.engine import Interface, resource
from washnb.errors import ConfigError

GUEST = """(component
  (import "test:drive/host@1.0.0" (instance $host
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (result (own $thing))))
    (export "[method]thing.drop" (func (param "self" (borrow $thing)) (param "count" u32) (result u32)))
    (export "[static]thing.drop-all" (func (result u32)))))
  (alias export $host "thing" (type $thing))
  (core func $new (canon lower (func $host "[constructor]thing")))
  (core func $method (canon lower (func $host "[method]thing.drop")))
  (core func $static (canon lower (func $host "[static]thing.drop-all")))
  (core func $drop (canon resource.drop $thing))
  (core module $module
    (import "host" "new" (func $new (result i32)))
    (import "host" "method" (func $method (param i32 i32) (result i32)))
    (import "host" "static" (func $static (result i32)))
    (import "host" "drop" (func $drop (param i32)))
    (func (export "use") (result i32) (local $it i32) (local $sum i32)
      (local.set $it (call $new))
      (local.set $sum (i32.add (call $method (local.get $it) (i32.const 2)) (call $static)))
      (call $drop (local.get $it))
      (local.get $sum)))
  (core instance $guest (instantiate $module (with "host" (instance
    (export "new" (func $new)) (export "method" (func $method))
    (export "static" (func $static)) (export "drop" (func $drop))))))
  (func (export "use") (result u32) (canon lift (core func $guest "use"))))"""


@pytest.mark.parametrize("on_fiber", [True, False])
async def test_a_function_drop_is_no_end_of_a_handle(shared_engine, on_fiber):
    """The guest calls `drop_`; the end of the handle calls `drop`."""
    heard = []

    @resource("thing")
    class Thing:
        def drop_(self, count: int) -> int:
            heard.append("method")
            return count

        @staticmethod
        def drop_all() -> int:
            return 40

        def drop(self) -> None:
            heard.append("end")

    host = type("Host", (Interface,), {"Thing": Thing}, wit=HOST)()
    async with await started(shared_engine, GUEST, host, on_fiber=on_fiber) as instance:
        assert await instance.call("use") == 42
    assert heard == ["method", "end"]


async def test_a_drop_that_is_not_written_is_named(shared_engine):
    """With the line that serves it: a `drop` for handles does not pass for it."""

    @resource("thing")
    class Thing:
        @staticmethod
        def drop_all() -> int:
            return 40

        def drop(self) -> None:
            pass

    with pytest.raises(ConfigError, match=r"serves .*thing\.drop") as caught:
        await bound(shared_engine, GUEST, type("Host", (Interface,), {"Thing": Thing}, wit=HOST)())
    assert caught.value.repair == ("def drop_(self, count): ...",)
