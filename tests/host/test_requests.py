"""Requests, from the router into a guest and back."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.waiting import eventually
from washnb.engine import Engine
from washnb.errors import (
    GuestCancelled,
    GuestError,
    GuestTimeout,
    TrapError,
    WorkloadBusy,
    WorkloadNotFound,
)
from washnb.events import HostCall, LogLine, RequestHandled
from washnb.host import DevRouter, HostBuilder, HttpServer
from washnb.host.admission import IN_FLIGHT
from washnb.host.exchange import require_sendable
from washnb.host.invoke import REQUEST_SECONDS
from washnb.types import Request, StreamedResponse

from .guests import Buckets, Counting, component, request, start


def handled(host) -> list[RequestHandled]:
    """A list that grows with each request that is answered."""
    events: list[RequestHandled] = []
    host.events().subscribe(lambda event: events.append(event) if isinstance(event, RequestHandled) else None)
    return events


async def test_a_guest_answers_without_a_socket(host):
    """`send` returns status, headers, body and time of the guest's answer."""
    await start(host, "hello")
    response = await host.send("get", "/")
    assert (response.status, response.text, response.error) == (200, "Hello from a component!\n", None)
    assert 0 < response.elapsed < 5
    assert len(response.trace) == 0


async def test_nobody_answers_404(host):
    """Without a workload that takes HTTP the status is 404, and the body empty."""
    await start(host, "adder")
    response = await host.send("GET", "/")
    assert (response.status, response.body) == (404, b"")
    assert (await host.send("GET", "/", to="adder")).status == 404


async def test_to_goes_past_the_router(host):
    """A request can name its workload, by name or by id; an unknown one is an error of the caller."""
    await start(host, "hello", "http_behaviours")
    assert (await host.send("GET", "/x")).text == "ok\n"
    assert (await host.send("GET", "/x", to="hello")).text == "Hello from a component!\n"
    with pytest.raises(WorkloadNotFound, match="no workload is named 'helo'"):
        await host.send("GET", "/x", to="helo")


async def test_the_body_flows_through_the_guest(host):
    """What is sent comes back from a guest that splices it, also when it is more than any buffer holds."""
    await start(host, "http_behaviours")
    body = bytes(range(256)) * 4096
    response = await host.send("POST", "/i", body=body)
    assert response.body == body


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/n", "http_behaviours returned without an answer"),
        ("/e", "http_behaviours answered with an error: "),
        ("/p", "http_behaviours: wasi:http/incoming-handler@0.2.0#handle ended: "),
    ],
)
async def test_a_guest_without_an_answer_is_500(host, path, message):
    """No answer, an error-code and a trap are 500 with an empty body; event and error name the guest."""
    await start(host, "http_behaviours")
    events = handled(host)
    response = await host.send("GET", path)
    assert (response.status, response.body) == (500, b"")
    assert response.error.message.startswith(message)
    assert (response.error.workload, response.error.component) == ("http_behaviours", "http_behaviours")
    assert [(event.status, event.error, event.code, event.workload) for event in events] == [
        (500, response.error.message, response.error.code, "http_behaviours")
    ]


async def test_a_trap_carries_its_backtrace(host):
    """The error of a response is the TrapError of the engine."""
    await start(host, "trap")
    error = (await host.send("GET", "/")).error
    assert isinstance(error, TrapError)
    assert len(error.backtrace) >= 3


@pytest.mark.parametrize(("path", "error"), [("/b", TrapError), ("/c", GuestError)])
async def test_an_answer_that_breaks_off_is_an_error(host, path, error):
    """Where the head was out already, no status can tell: `send` raises, and the event says what happened."""
    await start(host, "http_behaviours")
    events = handled(host)
    with pytest.raises(error):
        await host.send("GET", path)
    assert [event.status for event in events] == [200]
    assert events[0].error


async def test_a_body_left_open_is_complete_when_the_guest_returns(host, caplog):
    """A guest may return without finishing its body, as on wasmtime; a JavaScript handler that throws does."""
    await start(host, "http_behaviours")
    response = await host.send("GET", "/l")
    assert (response.status, response.text, response.error) == (200, "ok\n", None)
    assert not caplog.records


async def test_a_head_request_has_no_body(host):
    """HEAD is answered without the body that the guest writes."""
    await start(host, "http_behaviours")
    assert (await host.send("HEAD", "/w")).body == b""
    assert (await host.send("HEAD", "/x")).body == b""


@pytest.mark.parametrize("guest", ["sleeper", "loop"])
async def test_a_guest_that_takes_too_long_is_504(host, guest):
    """A guest that waits for ever and one that never gives way are ended in time, and others run meanwhile."""
    await start(host, "hello", guest)
    begun = time.perf_counter()
    late, quick = await asyncio.gather(host.send("GET", "/", timeout=0.1), host.send("GET", "/", to="hello"))
    assert (late.status, quick.status) == (504, 200)
    assert isinstance(late.error, GuestTimeout)
    assert 0.1 <= time.perf_counter() - begun < 2


async def test_a_guest_has_thirty_seconds(host, monkeypatch):
    """Without a time of the caller the host's own limit holds; shortened here."""
    assert REQUEST_SECONDS == 30
    monkeypatch.setattr("washnb.host.dispatch.REQUEST_SECONDS", 0.05)
    await start(host, "sleeper")
    assert (await host.send("GET", "/")).status == 504


async def test_an_answer_that_has_begun_may_take_longer(host, monkeypatch):
    """The limit is for the head: a body that flows beyond it arrives whole."""
    monkeypatch.setattr("washnb.host.dispatch.REQUEST_SECONDS", 0.1)
    await start(host, "http_behaviours")
    assert (await host.send("GET", "/w")).text == "ok\nok\n"


@pytest.mark.slow
async def test_too_many_requests_are_503(host):
    """A workload takes 64 at once; one more is refused while others are in flight, and taken afterwards."""
    await start(host, "sleeper", "hello")
    waiting = [asyncio.create_task(host.send("GET", "/", to="sleeper", timeout=1.0)) for _ in range(IN_FLIGHT)]
    await eventually(lambda: [summary.in_flight for summary in host.workloads()] == [IN_FLIGHT, 0])
    refused = await host.send("GET", "/", to="sleeper")
    assert refused.status == 503
    assert isinstance(refused.error, WorkloadBusy)
    assert "64 calls in flight" in refused.error.message
    assert (await host.send("GET", "/", to="hello")).status == 200
    assert {response.status for response in await asyncio.gather(*waiting)} == {504}
    assert (await host.send("GET", "/", to="sleeper", timeout=0.05)).status == 504


async def test_stopping_ends_requests_in_flight(host):
    """`workload_stop` cancels what is in the workload, within a bounded time; its callers hear 503."""
    await start(host, "sleeper", "loop")
    waiting = [asyncio.create_task(host.send("GET", "/", to=name)) for name in ("sleeper", "loop", "sleeper")]
    await eventually(lambda: sum(summary.in_flight for summary in host.workloads()) == 3)
    begun = time.perf_counter()
    await asyncio.gather(host.workload_stop("sleeper"), host.workload_stop("loop"))
    assert time.perf_counter() - begun < 1
    assert [(await each).status for each in waiting] == [503] * 3
    assert host.workloads() == ()


async def test_cancelling_the_caller_cancels_the_guest(host):
    """A caller that goes away takes its guest along, and the event says so."""
    await start(host, "sleeper")
    events = handled(host)
    task = asyncio.create_task(host.send("GET", "/"))
    await eventually(lambda: host.workloads()[0].in_flight)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [(event.status, event.error) for event in events] == [(499, "the client went away")]


async def test_a_receiver_that_fails_ends_the_guest(host):
    """A guest that writes for ever ends when its answer cannot be delivered any more."""
    await start(host, "http_behaviours")

    async def deliver(response):
        async for _ in response.body:
            raise GuestCancelled("the client went away")

    with pytest.raises(GuestCancelled):
        await host._dispatcher.handle(Request("GET", "/f"), deliver)


async def test_memory_is_limited(host):
    """A guest that takes all it can get finds the end of its memory, and the host goes on."""
    await start(host, "hungry", memory_limit_mb=8)
    response = await host.send("GET", "/")
    assert response.status == 200
    assert "8" in response.text


async def test_the_limit_of_the_engine_holds_for_workloads_that_name_none():
    """A component without a limit of its own gets the engine's."""
    with Engine.builder().with_cache_dir(None).with_memory_limit(8).build() as engine:
        async with HostBuilder().with_engine(engine).with_http_handler(HttpServer(DevRouter())).build() as host:
            await start(host, "hungry")
            assert (await host.send("GET", "/")).text == "8 MiB\n"


async def test_a_host_that_makes_its_own_engine_keeps_guests_to_a_gibibyte():
    """Without any limit named, a guest that takes all it can get is stopped long before the machine is."""
    async with HostBuilder().with_http_handler(HttpServer(DevRouter())).build() as host:
        await start(host, "hungry")
        assert (await host.send("GET", "/")).text == "1024 MiB\n"


async def test_a_guest_that_cannot_start_is_500(host):
    """A component that needs more memory than its limit is an instantiate error on each request."""
    await start(host, "http_behaviours", memory_limit_mb=0)
    response = await host.send("GET", "/")
    assert response.status == 500
    assert isinstance(response.error, GuestError)


async def test_what_a_component_prints_is_told(host):
    """Lines of stdout and stderr are events with workload, component and stream."""
    lines: list[LogLine] = []
    host.events().subscribe(lambda event: lines.append(event) if isinstance(event, LogLine) else None)
    await host.workload_start(request(component("http_behaviours", "talker"), name="printing"))
    await host.send("GET", "/o")
    await asyncio.sleep(0)  # a line without an end is one in the next turn of the loop
    assert {(line.workload, line.component, line.stream, line.message) for line in lines} == {
        ("printing", "talker", "stdout", "a line of stdout"),
        ("printing", "talker", "stdout", "and one without an end"),
        ("printing", "talker", "stderr", "a line of stderr"),
    }


async def test_requests_run_concurrently(host):
    """Guests that wait do so together."""
    await start(host, "http_behaviours")
    begun = time.perf_counter()
    responses = await asyncio.gather(*(host.send("GET", "/w") for _ in range(20)))
    assert {response.text for response in responses} == {"ok\nok\n"}
    assert time.perf_counter() - begun < 2


async def test_tracing_records_host_calls(host):
    """With tracing on, a response carries its calls in order, and the same are events; off, neither."""
    calls: list[HostCall] = []
    host.events().subscribe(lambda event: calls.append(event) if isinstance(event, HostCall) else None)
    await start(host, "hello")
    assert len((await host.send("GET", "/")).trace) == 0
    assert not calls
    host.tracing = True
    trace = (await host.send("GET", "/")).trace
    assert [call.function for call in trace] == [
        "[constructor]fields",
        "[constructor]outgoing-response",
        "[method]outgoing-response.body",
        "[static]response-outparam.set",
        "[method]outgoing-body.write",
        "[method]output-stream.blocking-write-and-flush",
        "[static]outgoing-body.finish",
    ]
    assert calls == list(trace)
    assert {call.provider for call in calls} == {"wasi"}


@pytest.mark.parametrize(
    ("status", "headers"),
    [(101, ()), (200, (("x", b"a\r\nset-cookie: b"),)), (200, (("x", b"a\nb"),)), (200, (("x\r\ny", b"a"),))],
)
def test_a_head_that_cannot_be_is_refused(status, headers):
    """A line break in a header, or a status that ends nothing, is the guest's error before anything is sent."""
    with pytest.raises(GuestError):
        require_sendable(StreamedResponse(status, headers, b""))


async def test_an_error_keeps_its_cause(host):
    """Where an answer breaks off because of a plugin, what the plugin raised is the cause of what `send` raises."""

    class Failing(Buckets):
        def open(self, identifier: str) -> object:
            raise LookupError(identifier)

    await host.attach(Failing())
    await host.attach(Counting())
    await start(host, "counter")
    assert isinstance((await host.send("GET", "/")).error.__cause__, LookupError)
