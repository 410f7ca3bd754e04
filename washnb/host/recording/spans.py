"""Spans of OpenTelemetry: each request, message and call of an export is a span, with its host calls below it.

`Spans` subscribes to the event bus. Only opentelemetry's API is used: the provider that a program sets up decides where
spans go. The library is the extra `otel`, imported when a `Spans` is made.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any

from washnb.errors import ConfigError
from washnb.events import CallId, Event, ExportCalled, Handled, HostCall, MessageHandled, RequestHandled

from .outcome import outcome_of
from .trace import Trace, sentence

_MAX_REQUESTS = 1_000
_SECOND = 1_000_000_000  # nanoseconds, which OpenTelemetry's times are in
_FIRST_FAILURE = 500
"""The lowest HTTP status for which OpenTelemetry's conventions call the span of a server failed."""

_SENDS = "wasmcloud:messaging/consumer"
_WHOLE = 0
"""The number of a request itself among those of its host calls, which begin with 1."""


class Spans:
    """Makes spans of a host's events: `host.events().subscribe(Spans().take)`, or `wash.subscribe(Spans().take)`.

    The spans of a request are made when it has been handled. Host calls have spans while the host traces, as many as a
    trace keeps; below one that has sent a message is the span of its handler, where that ran in this process.
    Attributes have the names of OpenTelemetry's conventions where there are any, and `washnb.*` otherwise. Values of
    calls leave the process only with `values`, redacted as in traces.
    """

    def __init__(self, provider: Any = None, *, values: bool = False) -> None:
        """Give spans to `provider`, by default the tracer provider that is set for the process.

        Raises ConfigError where opentelemetry is not installed.
        """
        try:
            from opentelemetry import trace
        except ImportError:
            raise ConfigError("spans need opentelemetry", repair="pip install 'washnb[otel]'") from None
        self._otel = trace
        self._tracer = trace.get_tracer("washnb", tracer_provider=provider)
        self._values = values
        self._open: OrderedDict[int, _Begun] = OrderedDict()
        self._below: OrderedDict[int, list[_Ended]] = OrderedDict()  # messages whose senders have no span yet
        self._made: OrderedDict[int, dict[int, Any]] = OrderedDict()  # contexts of senders, by request and call

    def take(self, event: Event) -> None:
        """Keep a host call until its request, message or call of an export has ended; then make spans of all."""
        if isinstance(event, HostCall):
            self._begun(event.request, event.started + event.duration).calls.append(event)
        elif isinstance(event, Handled):
            begun = self._open.pop(event.request, None) or _Begun(_ago(event.duration))
            begun.at = min(begun.at, _ago(event.duration))
            sender = _cause(event)
            if sender is None or sender[0] in self._made:
                self._tell([(event, begun)])
            else:
                self._below.setdefault(sender[0], []).append((event, begun))
                if len(self._below) > _MAX_REQUESTS:
                    self._tell(self._below.popitem(last=False)[1])

    def close(self) -> None:
        """Make spans of the requests, messages and calls that have not ended, as far as they have come."""
        while self._open:
            self._end(*self._open.popitem(last=False))
        while self._below:
            self._tell(self._below.popitem(last=False)[1])

    def _tell(self, ended: list[_Ended]) -> None:
        """Make spans of what has ended, then of the messages that it has sent, and that their handlers have sent."""
        for event, begun in ended:
            self._handled(event, begun)
            ended += self._below.pop(event.request, ())

    def _begun(self, number: int, ago: float) -> _Begun:
        begun = self._open.get(number)
        if begun is None:
            begun = self._open[number] = _Begun(_ago(ago))
            if len(self._open) > _MAX_REQUESTS:
                self._end(*self._open.popitem(last=False))
        return begun

    def _handled(self, event: Handled, begun: _Begun) -> None:
        attributes: dict[str, str | int] = {"washnb.workload": event.workload}
        if isinstance(event, RequestHandled):
            path, _, query = event.target.partition("?")
            kind, name = self._otel.SpanKind.SERVER, event.method
            attributes |= {"http.request.method": event.method, "url.path": path}
            attributes |= {"http.response.status_code": event.status} | ({"url.query": query} if query else {})
            failed = event.error is not None or event.status >= _FIRST_FAILURE
        elif isinstance(event, ExportCalled):
            kind, name = self._otel.SpanKind.INTERNAL, f"call {event.component}"
            attributes |= {"washnb.component": event.component, "washnb.export": event.export}
            failed = event.error is not None
        else:
            kind, name = self._otel.SpanKind.CONSUMER, f"process {event.workload}"
            attributes |= {"messaging.operation.type": "process", "messaging.destination.name": event.subject}
            attributes |= {"messaging.message.body.size": event.size, "washnb.component": event.component}
            failed = event.error is not None
        context = self._context(_cause(event))
        span = self._tracer.start_span(name, context, kind=kind, attributes=attributes, start_time=begun.at)
        end = begun.at + int(event.duration * _SECOND)
        self._close(span, event.request, begun, event.error or "" if failed else None, end)

    def _context(self, sender: CallId | None) -> Any:
        """Return the context of the call that sent a message, or of the call's request; None where it is unknown."""
        made = self._made.get(sender[0], {}) if sender else {}
        return made.get(sender[1], made.get(_WHOLE)) if sender else None

    def _end(self, number: int, begun: _Begun) -> None:
        """Make a span of a request that has not ended: only its host calls are known."""
        first = begun.calls[0]
        attributes = {"washnb.workload": first.workload, "washnb.component": first.component}
        span = self._tracer.start_span(f"call {first.component}", attributes=attributes, start_time=begun.at)
        self._close(span, number, begun, None, begun.at)
        self._tell(self._below.pop(number, []))

    def _close(self, span: Any, number: int, begun: _Begun, error: str | None, end: int) -> None:
        """Make spans of the host calls below `span`, and end it at `end`, or with the last of them if that is later."""
        context = self._otel.set_span_in_context(span)
        made = self._made[number] = {_WHOLE: context}
        for call in begun.calls:
            made_call, ended = self._call(call, begun.at, context)
            end = max(end, ended)
            if call.interface.startswith(_SENDS):
                made[call.number] = self._otel.set_span_in_context(made_call)
        if begun.calls.dropped:
            span.set_attribute("washnb.calls_dropped", begun.calls.dropped)
        self._fail(span, error)
        span.end(end)
        if len(self._made) > _MAX_REQUESTS:
            self._made.popitem(last=False)

    def _call(self, call: HostCall, origin: int, context: Any) -> tuple[Any, int]:
        """Make the span of one host call; return it with the time of its end, in nanoseconds since 1970."""
        interface = call.interface.partition("@")[0]
        outcome = outcome_of(call)
        attributes = {
            "washnb.interface": call.interface,
            "washnb.function": call.function,
            "washnb.provider": call.provider,
            "washnb.outcome": outcome,
        }
        if self._values:
            attributes["washnb.call"] = sentence(call)
        start = origin + int(call.started * _SECOND)
        end = start + int(call.duration * _SECOND)
        name = f"{interface}#{call.function}" if interface else call.function
        span = self._tracer.start_span(name, context=context, attributes=attributes, start_time=start)
        told = call.error if self._values else outcome
        self._fail(span, None if outcome == "ok" or call.error is None else told)
        span.end(end)
        return span, end

    def _fail(self, span: Any, error: str | None) -> None:
        if error is not None:
            span.set_status(self._otel.Status(self._otel.StatusCode.ERROR, error))


class _Begun:
    """A request that has not ended: when it began, in nanoseconds since 1970, and its host calls so far."""

    __slots__ = ("at", "calls")

    def __init__(self, at: int) -> None:
        self.at = at
        self.calls = Trace()


_Ended = tuple[Handled, _Begun]


def _cause(event: Handled) -> CallId | None:
    """Return the host call that has sent the message which was handled; None for a request or a call of an export."""
    return event.cause if isinstance(event, MessageHandled) else None


def _ago(seconds: float) -> int:
    return time.time_ns() - int(seconds * _SECOND)
