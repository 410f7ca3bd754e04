"""What goes wrong on purpose with calls of exports: requests, messages, and calls of the host's owner."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.waiting import eventually
from washnb.engine import INJECTOR, Err
from washnb.errors import BackendError, ConfigError, GuestError, TrapError
from washnb.events import CallHeld, ExportCalled, HostCall, MessageHandled
from washnb.host import Fault, sentence
from washnb.host.recording import slow
from washnb.plugins import InMemoryKeyValue, InMemoryMessaging
from washnb.types import Component

from .guests import component, request, start
from .test_messages import told

SHOP = b"""(component
  (core module $Main (memory (export "memory") 1) (func (export "look") (result i32) (i32.const 0)))
  (core instance $main (instantiate $Main))
  (type $item (record (field "cents" u32)))
  (type $why (enum "gone" "sold-out"))
  (func $look (result (result $item (error $why)))
    (canon lift (core func $main "look") (memory (core memory $main "memory"))))
  (component $Stock
    (type $item' (record (field "cents" u32)))
    (type $why' (enum "gone" "sold-out"))
    (import "item" (type $item (eq $item')))
    (import "why" (type $why (eq $why')))
    (import "look" (func $look (result (result $item (error $why)))))
    (export $item2 "item" (type $item'))
    (export $why2 "why" (type $why'))
    (export "look" (func $look) (func (result (result $item2 (error $why2))))))
  (instance $stock (instantiate $Stock
    (with "item" (type $item)) (with "why" (type $why)) (with "look" (func $look))))
  (export "docs:shop/stock@0.1.0" (instance $stock)))"""
"""Exports a function whose result has types with names."""


async def test_a_component_that_is_slow_to_answer(host):
    """The trace has the time as injected, and what the guest does comes after it; a client's patience holds."""
    await start(host, "hello")
    host.tracing = True
    fault = host.faults.add(Fault("incoming-handler.handle", delay=0.05, times=1))
    assert fault.functions == ("wasi:http/incoming-handler#handle",)
    slow, quick = await host.send("GET", "/"), await host.send("GET", "/")
    assert (slow.status, slow.text) == (quick.status, quick.text)
    assert slow.elapsed >= 0.05
    first, second = slow.trace[:2]
    assert sentence(first) == (
        "wasi:http/incoming-handler.handle(incoming-request#1, response-outparam#1)  ⚡ injected delay 0.05 s"
    )
    assert (first.provider, second.injected) == (INJECTOR, "")
    assert 0.05 <= first.duration <= second.started + 0.001
    assert not any(call.injected for call in quick.trace)
    host.faults.add(Fault("incoming-handler.handle", delay=5))
    late = await host.send("GET", "/", timeout=0.02)
    assert late.status == 504


@pytest.mark.parametrize(
    ("given", "raised", "said"),
    [
        ({"trap": True}, TrapError, "hello: wasi:http/incoming-handler#handle ended: injected by a fault"),
        ({"error": BackendError("away")}, GuestError, "handle raised BackendError: away"),
        ({"value": None}, GuestError, "hello returned without an answer"),
    ],
)
async def test_a_component_that_fails(host, given, raised, said):
    """A client gets what it gets where a guest does so; `after` that the next ones are answered."""
    await start(host, "hello")
    host.faults.add(Fault("incoming-handler.handle", after=1, times=1, **given))
    answers = [await host.send("GET", "/") for _ in range(3)]
    assert [each.status for each in answers] == [200, 500, 200]
    failure = answers[1].error
    assert type(failure) is raised
    assert said in failure.message
    assert failure.workload == failure.component == "hello"


async def test_a_message_that_cannot_be_handled(host):
    """With the error of the handler's result, as its publisher and the events see it."""
    broker = InMemoryMessaging()
    await host.attach(broker)
    await start(host, "messaging", config={"subscriptions": "orders.*"})
    handled = told(host, MessageHandled)
    fault = host.faults.add(Fault("messaging.handle_message", error="the shelf is full", times=1))
    for _ in range(2):
        await broker.publish("orders.new", b"1")
    await eventually(lambda: len(handled) == 2)
    assert fault.functions == ("wasmcloud:messaging/handler#handle-message",)
    assert ["the shelf is full" in (each.error or "") for each in handled] == [True, False]


async def test_a_call_of_the_hosts_owner(host):
    """By the package of the interface, or the name of the component; it is told, and the instance ends as of a trap."""
    await start(host, "adder")
    calls, ended = told(host, HostCall), told(host, ExportCalled)
    host.tracing = True
    for target in ("adder.add", "docs:adder/add#add", "adder"):
        with_seven = host.faults.add(Fault(target, value=7))
        assert await host.call("adder", "add", 1, 2) == 7
        host.faults.clear(with_seven)
    assert [(each.result, each.injected) for each in calls] == [(7, "value")] * 3
    kept = await host.instantiate("adder")
    host.faults.add(Fault("adder.add", trap=True, after=1))
    assert await kept.call("add", 1, 2) == 3
    with pytest.raises(TrapError, match="%wash fault clear"):
        await kept.call("add", 1, 2)
    with pytest.raises(GuestError, match="takes no more calls"):
        await kept.call("add", 1, 2)
    kept.close()
    assert [bool(each.error) for each in ended] == [False, False, False, False, True]
    assert (calls[-1].request, calls[-1].injected) == (ended[-1].request, "trap")


async def test_values_and_errors_are_of_the_classes_of_wit(host):
    """As if the guest had answered, however they were given; a resource of the guest nobody else can make."""
    await host.workload_start(request(Component("shop", SHOP), component("carts")))
    types = host.component("shop").export_surfaces["docs:shop/stock@0.1.0"].types
    for item in ({"cents": 3}, types["Item"](3)):
        with_it = host.faults.add(Fault("stock.look", value=item))
        assert await host.call("shop", "look") == types["Item"](3)
        host.faults.clear(with_it)
    for error in ("sold-out", types["Why"].SOLD_OUT, Err("sold-out")):
        with_it = host.faults.add(Fault("stock.look", error=error))
        with pytest.raises(Err) as caught:
            await host.call("shop", "look")
        assert caught.value.value is types["Why"].SOLD_OUT
        host.faults.clear(with_it)
    with pytest.raises(ConfigError, match="answers a resource of the guest, which nobody else can make"):
        host.faults.add(Fault("carts.cart", value=3))


async def test_a_function_at_the_root_goes_by_the_name_of_its_component(host):
    """Where that is the name of an import, by its own alone: a name that fits both is the import's."""
    await host.attach(InMemoryKeyValue())
    await start(host, "keyvalue")
    await host.workload_start(request(component("keyvalue", "shop")))
    assert host.faults.add(Fault("shop.get", error="other(no)")).functions == ("get",)
    with pytest.raises(Err):
        await host.call("shop", "get", "b", "k")
    assert await host.call("keyvalue", "get", "b", "k") is None
    host.faults.clear()
    assert host.faults.add(Fault("keyvalue.get", trap=True)).functions == ("wasi:keyvalue/store#[method]bucket.get",)
    assert host.faults.add(Fault("get", trap=True)).functions == ("get",)
    assert {"keyvalue.get", "get"} <= set(host.faults.targets())


async def test_imports_come_first_also_for_what_starts_later(host):
    """A fault stays on the side that it was set on."""
    await start(host, "hello")
    slow = host.faults.add(Fault("http.handle", delay=0.03))  # nothing imports it
    assert slow.functions == ("wasi:http/incoming-handler#handle",)
    await start(host, "proxy")
    assert (await host.send("GET", "/", to="proxy")).elapsed >= 0.03
    assert slow.seen == 1
    host.faults.clear()
    assert {"http.handle", "incoming-handler.handle"} <= set(host.faults.targets())
    refused = host.faults.add(Fault("http.handle", error="connection-refused"))
    assert refused.functions == ("wasi:http/outgoing-handler#handle",)
    assert (await host.send("GET", "/", to="hello")).status == 200


async def test_of_one_workload_and_over_a_reload(host):
    """Others go on; what takes the workload's place is met, too, while calls of the old version end."""
    await start(host, "hello")
    await host.workload_start(request(component("hello"), name="other"))
    fault = host.faults.add(Fault("incoming-handler.handle", delay=0.05, of="other"))
    begun = asyncio.create_task(host.send("GET", "/", to="other"))
    await asyncio.sleep(0.01)
    reloaded = await host.workload_reload(request(component("hello"), name="other"))
    assert reloaded.error is None
    assert (await begun).status == 200
    assert (await host.send("GET", "/", to="other")).elapsed >= 0.05
    assert (await host.send("GET", "/", to="hello")).status == 200
    assert fault.injected == 2


async def test_a_request_that_waits_goes_its_way_when_the_fault_is_cleared(host):
    """The guest answers it."""
    await start(host, "hello")
    host.faults.add(Fault("incoming-handler.handle", delay=60, trap=True))
    waiting = asyncio.create_task(host.send("GET", "/"))
    await asyncio.sleep(0.01)
    host.faults.clear()
    async with asyncio.timeout(1):
        assert (await waiting).status == 200


async def test_a_call_that_waits_ends_with_its_workload(host):
    """A delay holds nothing up."""
    await start(host, "hello")
    host.faults.add(Fault("incoming-handler.handle", delay=60))
    waiting = asyncio.create_task(host.send("GET", "/"))
    await asyncio.sleep(0.01)
    began = time.perf_counter()
    await host.workload_stop("hello")
    assert (await waiting).status == 503
    assert time.perf_counter() - began < 1


async def test_in_slow_motion_it_is_seen_before_it_is_done(host, monkeypatch):
    """It is held like the calls that the guest makes, and the time of that is no part of its own."""
    monkeypatch.setattr(slow, "CALL_SECONDS", 0.02)
    monkeypatch.setattr(slow, "WASI_SECONDS", 0.0)
    await start(host, "hello")
    held = told(host, CallHeld)
    host.tracing, host.slow_motion.speed = True, 1
    host.faults.add(Fault("incoming-handler.handle", trap=True))
    response = await host.send("GET", "/")
    assert [(each.call.function, each.call.injected) for each in held] == [("handle", "trap")]
    assert response.elapsed >= 0.02 > response.trace[0].duration


@pytest.mark.parametrize("given", [{"jump": 1.0}, {"short": 1}])
async def test_clocks_and_reads_are_imports(host, given):
    """What cannot be of an export is said, with what can."""
    await start(host, "adder")
    with pytest.raises(ConfigError, match="jump and short are for what a guest imports") as caught:
        host.faults.add(Fault("adder.add", **given))
    assert caught.value.repair == ("delay, error, value and trap are for exports, too",)


async def test_what_there_is_is_named_on_both_sides(host):
    """Within the words that were said, else all."""
    await start(host, "hello")
    with pytest.raises(ConfigError, match=r"no loaded component imports or exports incoming-handler\.handel") as caught:
        host.faults.add(Fault("incoming-handler.handel", trap=True))
    assert caught.value.repair == (
        "did you mean incoming-handler.handle?",
        "loaded components export incoming-handler.handle",
    )
