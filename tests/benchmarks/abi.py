"""What a call from a guest to the host costs, against stock wasmtime-py with the same component.

Four ways: stock (its default configuration, synchronous), washnb on the fiber (as WASI runs), and washnb off the fiber,
with a plain method and with an async one (as plugins run). Times are processor time of the one thread that all of it
runs on, so that other work on the machine counts less.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import wasmtime
from wasmtime import component as wt

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.engine.echo import HOST, echo_component
from washnb.engine import Bindings, Engine, Instance, Interface, resource
from washnb.engine.abi.shapes import List, Primitive, Record, Tuple

ROUNDS = 15
BYTES = List(Primitive("u8"))
POINT = Record((("x", Primitive("s32")), ("y", Primitive("s32")), ("name", Primitive("string"))))
SHAPES = {
    "20-byte string": (Primitive("string"), "twenty bytes of text", 4000),
    "10 headers": (
        List(Tuple((Primitive("string"), BYTES))),
        [(f"x-header-{number}", b"a value of 20 bytes.") for number in range(10)],
        200,
    ),
    "record": (POINT, {"x": 1, "y": -2, "name": "origin"}, 2000),
    "64 KiB of bytes": (BYTES, bytes(range(256)) * 256, 4),
}
AIMS = {"scalar": 12, "four scalars": 12, "20-byte string": 7, "64 KiB of bytes": 12}
HANDMADE = {"scalar": ("add", 40000), "four scalars": ("mix", 40000), "own and borrow": ("hold", 10000)}
HANDMADE_TEXT = """(component
  (import "test:echo/host@1.0.0" (instance $host
    (export "thing" (type $thing (sub resource)))
    (export "add" (func (param "a" u32) (param "b" u32) (result u32)))
    (export "mix" (func (param "a" u32) (param "b" s64) (param "c" f64) (param "d" bool) (result f64)))
    (export "[constructor]thing" (func (result (own $thing))))
    (export "[method]thing.get" (func (param "self" (borrow $thing)) (result u64)))))
  (alias export $host "thing" (type $thing))
  (core func $add (canon lower (func $host "add")))
  (core func $mix (canon lower (func $host "mix")))
  (core func $new (canon lower (func $host "[constructor]thing")))
  (core func $get (canon lower (func $host "[method]thing.get")))
  (core func $drop (canon resource.drop $thing))
  (core module $module
    (import "host" "add" (func $add (param i32 i32) (result i32)))
    (import "host" "mix" (func $mix (param i32 i64 f64 i32) (result f64)))
    (import "host" "new" (func $new (result i32)))
    (import "host" "get" (func $get (param i32) (result i64)))
    (import "host" "drop" (func $drop (param i32)))
    (func (export "add") (param $n i32) (local $sum i32)
      (loop $again
        (local.set $sum (call $add (i32.const 3) (local.get $n)))
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
    (func (export "mix") (param $n i32) (local $sum f64)
      (loop $again
        (local.set $sum (call $mix (i32.const 3) (i64.const -4) (local.get $sum) (i32.const 1)))
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
    (func (export "hold") (param $n i32) (local $thing i32)
      (loop $again
        (local.set $thing (call $new))
        (drop (call $get (local.get $thing)))
        (call $drop (local.get $thing))
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
  (core instance $guest (instantiate $module (with "host" (instance (export "add" (func $add))
    (export "mix" (func $mix)) (export "new" (func $new)) (export "get" (func $get)) (export "drop" (func $drop))))))
  (func (export "add") (param "n" u32) (canon lift (core func $guest "add")))
  (func (export "mix") (param "n" u32) (canon lift (core func $guest "mix")))
  (func (export "hold") (param "n" u32) (canon lift (core func $guest "hold"))))"""
WHAT = {
    "scalar": "(u32, u32) -> u32",
    "four scalars": "(u32, s64, f64, bool) -> f64",
    "own and borrow": "a constructor, a method and the drop",
    "20-byte string": "(string) -> string",
    "10 headers": "(list<tuple<string, list<u8>>>) -> the same",
    "record": "(record) -> record",
    "64 KiB of bytes": "(list<u8>) -> list<u8>",
}


@resource("thing")
class Thing:
    """What the guest makes, asks and drops."""

    def get(self) -> int:
        """Answer a number."""
        return 42


class AsyncThing(Thing):
    """The same with an async method."""

    async def get(self) -> int:
        """Answer a number."""
        return 42


class Things(Interface, wit=HOST):
    """Serves the resource."""

    Thing = Thing

    def add(self, a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    def mix(self, _a: int, _b: int, c: float, _d: bool) -> float:
        """Give back one of four."""
        return c


class AsyncThings(Interface, wit=HOST):
    """Serves the resource with an async method."""

    Thing = AsyncThing

    async def add(self, a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    async def mix(self, _a: int, _b: int, c: float, _d: bool) -> float:
        """Give back one of four."""
        return c


def echo(_self: Any, a: Any) -> Any:
    """Answer what came."""
    return a


async def async_echo(_self: Any, a: Any) -> Any:
    """Answer what came."""
    return a


def interface(method: Any) -> Interface:
    """An interface that serves every echo with `method`."""
    names = {f"echo{index}": method for index in range(len(SHAPES))}
    return type("Echo", (Interface,), names, wit=HOST)()


class Stock:
    """The component on stock wasmtime-py."""

    def __init__(self, text: str) -> None:
        self.engine = wasmtime.Engine()
        self.store = wasmtime.Store(self.engine)
        linker = wt.Linker(self.engine)
        with linker.root() as root, root.add_instance(HOST) as host:
            if text is HANDMADE_TEXT:
                host.add_resource("thing", wt.ResourceType.host(1), lambda _store, _rep: None)
                host.add_func("add", lambda _store, a, b: a + b)
                host.add_func("mix", lambda _store, _a, _b, c, _d: c)
                host.add_func("[constructor]thing", lambda _store: wt.ResourceHost.own(1, 1))
                host.add_func("[method]thing.get", self.get)
            else:
                for index in range(len(SHAPES)):
                    host.add_func(f"echo{index}", lambda _store, a: a)
        self.instance = linker.instantiate(self.store, wt.Component(self.engine, text))

    @staticmethod
    def get(store: Any, thing: Any) -> int:
        """The method of the resource."""
        thing.to_host(store)
        return 42

    def run(self, name: str, *arguments: Any) -> None:
        """Call an export."""
        function = self.instance.get_func(self.store, name)
        assert function is not None
        function(self.store, *arguments)


def stock_value(value: Any) -> Any:
    """An argument in stock's form: records are objects."""
    if isinstance(value, dict):
        record = wt.Record()
        vars(record).update(value)
        return record
    return value


def stock_runs() -> dict[str, Callable[[], float]]:
    """For each shape, a function that measures stock wasmtime-py in microseconds a call."""
    echoes, handmade = Stock(echo_component(*(shape for shape, _, _ in SHAPES.values()))), Stock(HANDMADE_TEXT)

    def measured(index: int, value: Any, times: int) -> float:
        started = time.thread_time()
        echoes.run(f"repeat{index}", stock_value(value), times)
        return (time.thread_time() - started) / times * 1e6

    def measured_handmade(export: str, times: int) -> float:
        started = time.thread_time()
        handmade.run(export, times)
        return (time.thread_time() - started) / times * 1e6

    runs: dict[str, Callable[[], float]] = {}
    for name, (export, times) in HANDMADE.items():
        runs[name] = partial(measured_handmade, export, times // 10)
    for index, (name, (_, value, times)) in enumerate(SHAPES.items()):
        runs[name] = partial(measured, index, value, max(1, times // 10))
    return runs


async def washnb_runs(
    engine: Engine, method: Any, things: Interface, *, on_fiber: bool
) -> dict[str, Callable[[], Any]]:
    """For each shape, a coroutine function that measures washnb in microseconds a call."""
    component = await engine.compile(echo_component(*(shape for shape, _, _ in SHAPES.values())).encode())
    bindings = Bindings(component)
    bindings.bind(HOST, interface(method), provider="bench", on_fiber=on_fiber)
    instance = await Instance.new(component, bindings)
    component = await engine.compile(HANDMADE_TEXT.encode())
    bindings = Bindings(component)
    bindings.bind(HOST, things, provider="bench", on_fiber=on_fiber)
    handmade = await Instance.new(component, bindings)

    async def measured(index: int, value: Any, times: int) -> float:
        started = time.thread_time()
        await instance.call(f"repeat{index}", value, times)
        return (time.thread_time() - started) / times * 1e6

    async def measured_handmade(export: str, times: int) -> float:
        started = time.thread_time()
        await handmade.call(export, times)
        return (time.thread_time() - started) / times * 1e6

    runs: dict[str, Callable[[], Any]] = {}
    for name, each in HANDMADE.items():
        runs[name] = partial(measured_handmade, *each)
    for index, (name, (_, value, times)) in enumerate(SHAPES.items()):
        runs[name] = partial(measured, index, value, times)
    return runs


async def main() -> None:
    """Alternate between the four ways, and compare medians."""
    with Engine.builder().with_cache_dir(None).build() as engine:
        stock = stock_runs()
        ways = {
            "on fiber": await washnb_runs(engine, echo, Things(), on_fiber=True),
            "plugin, def": await washnb_runs(engine, echo, Things(), on_fiber=False),
            "plugin, async": await washnb_runs(engine, async_echo, AsyncThings(), on_fiber=False),
        }
        print(f"{'microseconds a call':20} {'stock':>10} {'on fiber':>20} {'plugin, def':>20} {'plugin, async':>20}")
        for name, what in WHAT.items():
            times: dict[str, list[float]] = {way: [] for way in ("stock", *ways)}
            for _ in range(ROUNDS):
                times["stock"].append(stock[name]())
                for way, runs in ways.items():
                    times[way].append(await runs[name]())
            medians = {way: statistics.median(each) for way, each in times.items()}
            row = f"{name:20} {medians['stock']:10.1f}"
            for way in ways:
                row += f" {medians[way]:11.1f} {medians['stock'] / medians[way]:6.1f}x"
            print(row + (f"   aim {AIMS[name]}x" if name in AIMS else "") + f"   {what}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
