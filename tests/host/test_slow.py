"""Slow motion: which calls are held and for how long, what is told of it, and that it changes nothing else."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest

from tests.waiting import eventually
from washnb.errors import ConfigError, GuestError
from washnb.events import CallHeld, HostCall, RequestHandled
from washnb.host import Fault
from washnb.host.recording import slow
from washnb.plugins import InMemoryKeyValue, InMemoryMessaging

from .guests import component, request, start
from .test_messages import told


@pytest.fixture
async def slowed(host, monkeypatch):
    """A host that records calls and holds each for a moment; at speed 1, 20 ms a plugin's, 1 ms one of WASI."""
    monkeypatch.setattr(slow, "CALL_SECONDS", 0.02)
    monkeypatch.setattr(slow, "WASI_SECONDS", 0.001)
    host.events().subscribe(lambda _: None)
    await host.attach(InMemoryKeyValue())
    host.tracing = True
    host.slow_motion.speed = 1
    return host


async def test_a_call_is_told_of_before_it_is_served(slowed):
    """What is asked, as part of what; then it is held, and then there is the call with its answer."""
    await start(slowed, "counter")
    heard: list[tuple[str, str]] = []

    def hear(event):
        if isinstance(event, CallHeld):
            heard.append((event.doing, event.call.function))
        elif isinstance(event, HostCall):
            heard.append(("done", event.function))

    slowed.events().subscribe(hear)
    response = await slowed.send("GET", "/x?token=abc")
    assert response.text == "1"
    assert len(heard) == 2 * len(response.trace)
    assert heard[2:6] == [
        ("GET /x?token=<redacted>", "open"),
        ("done", "open"),
        ("GET /x?token=<redacted>", "increment"),
        ("done", "increment"),
    ]


async def test_calls_of_plugins_are_held_longest(slowed):
    """As long as the speed says; it is noted with the call, and is no part of its duration."""
    await start(slowed, "counter")
    slowed.slow_motion.speed = 0.5
    trace = (await slowed.send("GET", "/x")).trace
    for call in trace:
        assert call.held >= (0.002 if call.provider == "wasi" else 0.04)
    assert min(call.duration for call in trace if call.provider != "wasi") < 0.04
    assert all(later.started - call.started >= later.held for call, later in itertools.pairwise(trace))


async def test_what_runtimes_do_by_themselves_goes_at_once(slowed):
    """Clocks, random numbers, polls and the environment: a guest's language asks for them without being told to."""
    await start(slowed, "http_behaviours")
    trace = (await slowed.send("GET", "/w")).trace
    at_once = {call.interface.partition("@")[0] for call in trace if not call.held}
    assert at_once == {"wasi:clocks/monotonic-clock", "wasi:io/poll"}


@pytest.mark.parametrize("path", ["/n", "/e", "/p", "/b", "/c", "/w", "/l", "/x"])
async def test_the_outcome_is_the_same(slowed, path):
    """Of an answer, of a trap after the head, of one that breaks off: in slow motion as at full speed."""
    await start(slowed, "http_behaviours")

    async def outcome() -> object:
        try:
            response = await slowed.send("GET", path)
        except GuestError as error:
            return type(error), error.message
        return response.status, response.body, response.headers, type(response.error)

    held = await outcome()
    slowed.slow_motion.speed = None
    assert held == await outcome()


async def test_a_head_waits_for_what_follows_it(slowed):
    """A guest that traps after it has set its head, and has not waited since, is answered for with 500."""
    await start(slowed, "counter")
    slowed.faults.add(Fault("io.blocking_write_and_flush", trap=True))
    response = await slowed.send("GET", "/x")
    assert response.status == 500
    assert response.trace[-1].injected == "trap"


async def test_no_time_runs_out_while_calls_are_held(slowed):
    """A request has the time that it has without; a guest that takes too long by itself is ended all the same."""
    await start(slowed, "counter", "sleeper")
    slowed.slow_motion.speed = 0.1
    began = time.perf_counter()
    assert (await slowed.send("GET", "/x", to="counter", timeout=0.4)).status == 200
    assert time.perf_counter() - began > 0.4
    assert (await slowed.send("GET", "/", to="sleeper", timeout=0.05)).status == 504


async def test_who_waits_for_a_guest_that_is_held_waits(slowed, monkeypatch):
    """A request by message has its answer, however long the call that answers is held."""
    monkeypatch.setattr(slow, "CALL_SECONDS", 0.04)
    await slowed.attach(InMemoryMessaging())
    for name, config in (("asker", {"subscriptions": "none"}), ("clerk", {"subscriptions": "ask.*"})):
        await slowed.workload_start(request(component("messaging", name, config=config)))
    slowed.slow_motion.speed = 0.1
    answer = await slowed.call("asker", "request", "ask.me", b"how much?", 350, timeout=0.35)
    assert answer.body == b"how much?"


async def test_who_waits_for_a_place_waits(slowed, monkeypatch):
    """A message is not refused because the one before it is held."""
    monkeypatch.setattr(slow, "CALL_SECONDS", 0.04)
    messaging = InMemoryMessaging()
    await slowed.attach(messaging)
    held = told(slowed, CallHeld)
    config = {"subscriptions": "ask.*", "max_in_flight": "1", "admission_wait": "350ms"}
    await slowed.workload_start(request(component("messaging", config=config)))
    slowed.slow_motion.speed = 0.1
    answers = await asyncio.gather(*(messaging.request("ask.me", b"hi", timeout=0.35) for _ in range(2)))
    assert [each.body for each in answers] == [b"hi"] * 2
    assert len(held) == 2


async def test_others_go_on(slowed, monkeypatch):
    """While one request is held another workload answers, and a guest that waits goes on when its time has come."""
    await start(slowed, "counter", "hello", "http_behaviours")
    monkeypatch.setattr(slow, "CALL_SECONDS", 5)
    held = asyncio.create_task(slowed.send("GET", "/x", to="counter"))
    assert (await slowed.send("GET", "/", to="hello")).status == 200
    assert (await slowed.send("GET", "/w", to="http_behaviours")).text == "ok\nok\n"
    assert not held.done()
    slowed.slow_motion.speed = None
    assert (await held).text == "1"


async def test_a_fault_strikes_what_is_held(slowed):
    """After it was held; both are in the trace, and either ends without the other."""
    await start(slowed, "counter")
    slowed.faults.add(Fault("keyvalue.increment", error="access-denied", times=1))
    call = next(each for each in (await slowed.send("GET", "/x")).trace if each.function == "increment")
    assert (call.injected, call.error) == ("error access-denied", "access-denied")
    assert call.held >= 0.02
    slowed.faults.clear()
    assert (await slowed.send("GET", "/x")).text == "1"
    slowed.faults.add(Fault("keyvalue.increment", value=7))
    slowed.slow_motion.speed = None
    response = await slowed.send("GET", "/x")
    assert response.text == "7"
    assert not any(each.held for each in response.trace)


async def test_full_speed_again_at_once(slowed, monkeypatch):
    """Also for the call that is held."""
    monkeypatch.setattr(slow, "CALL_SECONDS", 30)
    await start(slowed, "counter")
    held = told(slowed, CallHeld)
    request = asyncio.create_task(slowed.send("GET", "/x"))
    await eventually(lambda: len(held) == 2)
    slowed.slow_motion.speed = None
    trace = (await asyncio.wait_for(request, 5)).trace
    assert [bool(call.held) for call in trace] == [True, True, *[False] * 9]


async def test_a_request_is_held_for_so_long(slowed, monkeypatch):
    """And goes its way then: nobody watches a loop for an hour."""
    monkeypatch.setattr(slow, "MOST_SECONDS", 0.03)
    await start(slowed, "counter")
    trace = (await slowed.send("GET", "/x")).trace
    assert sum(call.held for call in trace) >= 0.03
    assert [bool(call.held) for call in trace] == [*[True] * 3, *[False] * 8]


async def test_in_a_flood_only_some_are_held(slowed, monkeypatch):
    """So that no request lacks its place because of those that people look at."""
    monkeypatch.setattr(slow, "MOST_AT_ONCE", 3)
    monkeypatch.setattr(slow, "WASI_SECONDS", 30)
    await start(slowed, "hello")
    held = told(slowed, CallHeld)
    requests = [asyncio.create_task(slowed.send("GET", "/")) for _ in range(64)]
    await eventually(lambda: sum(each.done() for each in requests) == 61)
    assert len(held) == 3
    slowed.slow_motion.speed = None
    assert [(await each).status for each in requests] == [200] * 64


async def test_what_is_not_recorded_is_not_held(slowed):
    """Nobody could see it."""
    await start(slowed, "counter")
    held = told(slowed, CallHeld)
    slowed.tracing = False
    await slowed.send("GET", "/x")
    assert not held


async def test_calls_of_exports_are_held_too(slowed):
    """In a fresh instance and in one that is kept; they are named by the export."""
    await start(slowed, "keyvalue")
    held = told(slowed, CallHeld)
    await slowed.call("keyvalue", "set", "b", "k", b"v")
    async with await slowed.instantiate("keyvalue") as instance:
        assert await instance.call("get", "b", "k") == b"v"
    assert {each.doing for each in held} == {"set", "get"}


async def test_the_time_of_an_instance_that_is_kept_stands_still_too(slowed, monkeypatch):
    """What its caller allows for a call is for the guest, not for who watches it."""
    monkeypatch.setattr(slow, "CALL_SECONDS", 0.04)
    await start(slowed, "keyvalue")
    slowed.slow_motion.speed = 0.2
    async with await slowed.instantiate("keyvalue") as instance:
        assert await instance.call("get", "b", "k", timeout=0.35) is None


async def test_a_caller_that_goes_ends_what_is_held(slowed, monkeypatch):
    """At once; the call that was held is told as one that failed, and the next request is answered."""
    monkeypatch.setattr(slow, "WASI_SECONDS", 30)
    await start(slowed, "counter")
    held, calls, handled = (told(slowed, kind) for kind in (CallHeld, HostCall, RequestHandled))
    sent = asyncio.create_task(slowed.send("GET", "/x"))
    await eventually(lambda: held)
    sent.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sent
    assert [(call.error, call.number) for call in calls] == [("CancelledError", 1)]
    assert [event.status for event in handled] == [499]
    slowed.slow_motion.speed = None
    assert (await slowed.send("GET", "/x")).text == "1"


@pytest.mark.parametrize("speed", [0, -1, 0.01, 11, float("nan"), "fast"])
async def test_what_is_no_speed_is_refused(slowed, speed):
    """With what is one, and what ends it; the one before goes on."""
    with pytest.raises(ConfigError, match=r"is no speed: that is a number from 0\.1 to 10, or off"):
        slowed.slow_motion.speed = speed
    assert slowed.slow_motion.speed == 1
