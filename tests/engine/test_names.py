"""Names of WIT that mean something else in Python."""

from __future__ import annotations

import pytest

from washnb.engine import Bindings, Instance, Interface, resource
from washnb.errors import ConfigError

METHOD_DROP = """
(component
  (import "docs:notes/pad" (instance $pad
    (export "page" (type $page (sub resource)))
    (export "[constructor]page" (func (result (own $page))))
    (export "[method]page.drop" (func (param "self" (borrow $page))))))
  (alias export $pad "page" (type $page))
  (core func $new (canon lower (func $pad "[constructor]page")))
  (core func $call (canon lower (func $pad "[method]page.drop")))
  (core func $gone (canon resource.drop $page))
  (core module $m
    (import "pad" "new" (func $new (result i32)))
    (import "pad" "call" (func $call (param i32)))
    (import "pad" "gone" (func $gone (param i32)))
    (func (export "run") (local $page i32)
      (local.set $page (call $new))
      (call $call (local.get $page))
      (call $gone (local.get $page))))
  (core instance $i (instantiate $m (with "pad" (instance
    (export "new" (func $new)) (export "call" (func $call)) (export "gone" (func $gone))))))
  (func (export "run") (canon lift (core func $i "run"))))
"""


async def test_a_method_that_wit_calls_drop_is_not_the_end_of_a_resource(shared_engine):
    """Such a method is `drop_` in Python; `drop` is called once, when the guest lets go of its handle."""
    told = []

    @resource("page")
    class Page:
        def drop_(self) -> None:
            told.append("method")

        def drop(self) -> None:
            told.append("gone")

    pad = type("Pad", (Interface,), {"Page": Page}, wit="docs:notes/pad")
    bindings = Bindings(await shared_engine.compile(METHOD_DROP.encode(), name="guest"))
    bindings.bind("docs:notes/pad", pad(), provider="test")
    async with await Instance.new(bindings.component, bindings) as instance:
        await instance.call("run")
    assert told == ["method", "gone"]


async def test_an_end_of_a_resource_does_not_pass_for_a_method_that_wit_calls_drop(shared_engine):
    """Where only `drop` is written, the error has the line that serves the method."""

    @resource("page")
    class Page:
        def drop(self) -> None:
            pass

    pad = type("Pad", (Interface,), {"Page": Page}, wit="docs:notes/pad")
    bindings = Bindings(await shared_engine.compile(METHOD_DROP.encode(), name="guest"))
    with pytest.raises(ConfigError, match=r"serves docs:notes/pad#.*page\.drop") as caught:
        bindings.bind("docs:notes/pad", pad(), provider="test")
    assert caught.value.repair == ("def drop_(self): ...",)
