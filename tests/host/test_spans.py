"""Spans of OpenTelemetry: what is one, what is below it, and what they say."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from washnb.errors import ConfigError
from washnb.events import HostCall, MessageHandled, RequestHandled
from washnb.host import Spans
from washnb.host.recording import spans
from washnb.plugins import InMemoryKeyValue

from .guests import start


class Exported:
    """A provider, and what was exported of its spans."""

    def __init__(self) -> None:
        self.provider = TracerProvider()
        self._exporter = InMemorySpanExporter()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def __call__(self, name: str = ""):
        """The finished spans, or those of a name."""
        return [each for each in self._exporter.get_finished_spans() if each.name.endswith(name)]


@pytest.fixture
def exported():
    """Spans in memory."""
    exported = Exported()
    yield exported
    exported.provider.shutdown()


def told(request=1, number=1, error=None, provider="p", injected=""):
    """A host call as the host tells it: half a second, one second after the request began."""
    arguments = (("key", "k"),)
    return HostCall(
        request, number, "w", "w", "a:b/c@1.0.0", "get", arguments, b"v", error, provider, 1.0, 0.5, 8, injected
    )


async def test_a_request_is_a_span_and_its_calls_are_below_it(host, exported):
    """Method, path, status and workload; interface, function and provider; in time, and values not at all."""
    host.events().subscribe(Spans(exported.provider).take)
    host.tracing = True
    await host.attach(InMemoryKeyValue())
    await start(host, "counter")
    await host.send("GET", "/a?token=swordfish")
    (request,) = exported("GET")
    assert request.kind is SpanKind.SERVER
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["url.path"] == "/a"
    assert request.attributes["washnb.workload"] == "counter"
    assert request.status.status_code is StatusCode.UNSET
    calls = [each for each in exported() if each is not request]
    assert len(calls) == 11
    assert {each.parent.span_id for each in calls} == {request.context.span_id}
    assert {each.context.trace_id for each in calls} == {request.context.trace_id}
    assert all(request.start_time <= each.start_time <= each.end_time <= request.end_time for each in calls)
    (increment,) = exported("wasi:keyvalue/atomics#increment")
    assert increment.attributes["washnb.provider"] == "wasi-keyvalue"
    assert "swordfish" not in str([dict(each.attributes) for each in exported()])
    assert "washnb.call" not in increment.attributes


def test_trouble_is_an_error(exported):
    """A status of 500, an error of a message, a call that was denied; what a fault has only delayed is none."""
    made = Spans(exported.provider)
    made.take(told(number=1, error="access-denied"))
    made.take(told(number=2, injected="delay 1 s"))
    made.take(RequestHandled(1, "w", "GET", "/", 500, 2.0))
    denied, delayed, request = exported()
    assert [each.status.status_code for each in (denied, delayed, request)] == [
        StatusCode.ERROR,
        StatusCode.UNSET,
        StatusCode.ERROR,
    ]
    assert denied.attributes["washnb.outcome"] == "denied"
    assert delayed.attributes["washnb.outcome"] == "injected"
    assert denied.end_time - denied.start_time == pytest.approx(500_000_000, abs=2)
    made.take(MessageHandled(2, "w", "c", "orders.new", b"x", 1, None, "no", 0.1, 0.0))
    message = exported("process w")[0]
    assert message.kind is SpanKind.CONSUMER
    assert message.attributes["messaging.destination.name"] == "orders.new"
    assert message.status.description == "no"


def test_values_leave_only_where_asked(exported):
    """With `values` a call's sentence and its error are there, as in the trace."""
    made = Spans(exported.provider, values=True)
    made.take(told(error="other(1)"))
    made.take(RequestHandled(1, "w", "GET", "/", 200, 2.0))
    call = exported("get")[0]
    assert call.attributes["washnb.call"] == 'a:b/c.get("k") -> error other(1)'
    assert call.status.description == "other(1)"


def test_what_has_no_end_is_bounded(exported, monkeypatch):
    """Runs and calls of exports become spans when the program closes, or too many wait."""
    monkeypatch.setattr(spans, "_MAX_REQUESTS", 2)
    made = Spans(exported.provider)
    for request in (1, 2, 3):
        made.take(told(request))
    assert len(exported("call w")) == 1
    made.close()
    assert len(exported("call w")) == 3
    assert all(each.end_time >= each.start_time for each in exported())


def test_without_the_library_the_extra_is_named(monkeypatch):
    """Spans say what to install."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ConfigError) as caught:
        Spans()
    assert "washnb[otel]" in str(caught.value.repair)


async def test_a_call_of_an_export_is_a_span(host, exported):
    """Of no other program's asking; in an instance that is kept, too."""
    host.events().subscribe(Spans(exported.provider).take)
    host.tracing = True
    await start(host, "adder")
    await host.call("adder", "add", 1, 2)
    async with await host.instantiate("adder") as adder:
        await adder.call("docs:adder/add#add", 1, 2)
    for call in exported("call adder"):
        assert call.kind is SpanKind.INTERNAL
        assert call.attributes["washnb.export"].startswith("docs:adder/add")
    assert len(exported("call adder")) == 2


def sent(request, call, duration=0.1):
    """A message that was sent by a call of another request, and handled."""
    return MessageHandled(request, "w", "c", "orders.new", b"x", 1, None, None, duration, 0.0, cause=(1, call))


def test_a_message_is_below_the_call_that_has_sent_it(exported):
    """Whether it was handled before its sender, or after; so for what its handler has sent on."""
    made = Spans(exported.provider)
    call = told()._replace(interface="wasmcloud:messaging/consumer@0.2.0", function="publish")
    made.take(sent(3, call=1))
    assert exported() == []
    made.take(call)
    made.take(RequestHandled(1, "w", "GET", "/", 200, 2.0))
    made.take(sent(4, call=1))
    made.take(sent(5, call=7))
    (publish,) = exported("publish")
    (request,) = exported("GET")
    below = [each.parent.span_id for each in exported("process w")]
    assert below == [publish.context.span_id, publish.context.span_id, request.context.span_id]
    assert len({each.context.trace_id for each in exported()}) == 1


def test_messages_whose_sender_never_ends_are_not_kept_for_ever(exported, monkeypatch):
    """They are spans of their own when too many wait, or the program closes."""
    monkeypatch.setattr(spans, "_MAX_REQUESTS", 1)
    made = Spans(exported.provider)
    made.take(sent(3, call=1))
    made.take(replace(sent(4, call=1), cause=(2, 1)))
    assert len(exported("process w")) == 1
    made.close()
    assert [each.parent for each in exported("process w")] == [None, None]
