"""What is kept of host calls: who called what with what, what came back, and how it reads."""

from __future__ import annotations

import asyncio

import pytest

from tests.engine import echo
from tests.host.test_values import BUCKET, BYTES, ERROR, STRING, Bucket, Error_Other
from washnb.engine import Callee, Err, Function, shapes
from washnb.errors import AccessDenied, BackendError, GuestError, MismatchError
from washnb.events import Event, HostCall, LogLine, StateChanged
from washnb.host.recording.trace import MAX_BYTES, MAX_CALLS, Recorder, Trace, sentence
from washnb.host.recording.values import REDACTED
from washnb.plugins import Call, InMemoryKeyValue, Interface, Wrapper, around
from washnb.types import Component

from .guests import request, start


async def test_tracing_leaves_errors_as_they_are(host):
    """A function that returns what its interface does not say ends the guest with the same words, traced or not."""

    class Echo(Interface, wit=echo.HOST):
        def echo0(self, a: bytes):  # with an annotation it would be refused when it is bound
            """Return a number instead of bytes."""
            return len(a)

    await host.attach(Echo)
    await host.workload_start(request(Component("wrong", echo.echo_component(BYTES).encode())))
    host.events().subscribe(lambda _event: None)
    for host.tracing in (False, True):
        with pytest.raises(MismatchError, match=r"result is list<u8>, not 3 \(int\)"):
            await host.call("wrong", "echo0", b"abc")


async def test_an_exception_that_cannot_say_what_it_is(host):
    """It is told like any other, traced or not."""

    class Mute(Exception):  # noqa: N818
        def __str__(self) -> str:
            return self.nothing

    class Echo(Interface, wit=echo.HOST):
        def echo0(self, a):
            raise Mute

    await host.attach(Echo)
    await host.workload_start(request(Component("mute", echo.echo_component(BYTES).encode())))
    host.events().subscribe(lambda _event: None)
    for host.tracing in (False, True):
        with pytest.raises(GuestError, match="raised Mute: its __str__ raised AttributeError"):
            await host.call("mute", "echo0", b"abc")


async def test_what_changes_names_the_call_whose_work_it_is(host):
    """Of calls that last at the same time each has its own changes and lines; an edit meanwhile is nobody's work."""
    meet = asyncio.Barrier(4)

    class Meeting(Wrapper):
        @around("increment")
        async def wait(self, call: Call, *arguments: object) -> int:
            """Let three calls and an edit begin before any of them changes something."""
            await meet.wait()
            self.warn("met")
            return await call(*arguments)

    plugin = Meeting(InMemoryKeyValue())
    await host.attach(plugin)
    host.tracing = True
    told: list[Event] = []
    host.events().subscribe(told.append)
    await start(host, "counter")

    async def edit() -> None:
        await meet.wait()
        await plugin.backend("counter").set("default", "edited", b"1")

    await asyncio.gather(edit(), *(host.send("GET", f"/{number}", to="counter") for number in range(3)))
    calls = {
        (each.request, each.number): dict(each.arguments).get("key") for each in told if isinstance(each, HostCall)
    }
    changes = [each for each in told if isinstance(each, StateChanged)]
    assert sorted(each.path[1] for each in changes) == ["0", "1", "2", "edited"]
    for each in changes:
        assert each.cause is None if each.path[1] == "edited" else calls[each.cause] == each.path[1]
    lines = [each.cause for each in told if isinstance(each, LogLine)]
    assert sorted(calls[cause] for cause in lines) == ["0", "1", "2"]


async def test_what_a_call_has_begun_is_its_work(host):
    """A task that a plugin begins in a call, and that ends after it, tells of its changes under that call."""

    class Later(Wrapper):
        @around("increment")
        async def note(self, call: Call, bucket: object, key: str, delta: int) -> int:
            """Change something else a moment later."""
            self.task = asyncio.create_task(self.soon(key))
            return await call(bucket, key, delta)

        async def soon(self, key: str) -> None:
            """Wait until the request is over."""
            await over.wait()
            self.state_changed("counter", ("later", key), "set")

    over = asyncio.Event()
    plugin = Later(InMemoryKeyValue())
    await host.attach(plugin)
    host.tracing = True
    told: list[Event] = []
    host.events().subscribe(told.append)
    await start(host, "counter")
    await host.send("GET", "/a", to="counter")
    over.set()
    await plugin.task
    counted = next(each for each in told if isinstance(each, HostCall) and each.function == "increment")
    causes = {each.path[0]: each.cause for each in told if isinstance(each, StateChanged)}
    assert causes == dict.fromkeys(("default", "later"), (counted.request, counted.number))


def recorded(function: Function, arguments: tuple[object, ...], result: object) -> HostCall:
    """What one call leaves behind; an exception as result is raised by it."""
    calls: list[HostCall] = []
    recorder = Recorder(1, "shop", "counter", calls.append)
    token = recorder.called(Callee("wasi:keyvalue/store@0.2.0-draft", function, "in-memory"), arguments)
    if isinstance(result, BaseException):
        recorder.failed(token, result)
    else:
        recorder.returned(token, result)
    return calls[0]


GET = Function(
    "[method]bucket.get",
    (("self", shapes.Borrow(BUCKET)), ("key", STRING)),
    shapes.Result(shapes.Option(BYTES), ERROR),
)
SET = Function(
    "[method]bucket.set",
    (("self", shapes.Borrow(BUCKET)), ("key", STRING), ("value", BYTES)),
    shapes.Result(None, ERROR),
)
OPEN = Function("open", (("identifier", STRING),), shapes.Result(shapes.Own(BUCKET), ERROR))


def test_a_call_has_names_values_and_times():
    """A recorded call says who called what with what, what came back, who served it, and how long it took."""
    call = recorded(OPEN, ("default",), Bucket())
    assert (call.request, call.number, call.workload, call.component) == (1, 1, "shop", "counter")
    assert (call.interface, call.function) == ("wasi:keyvalue/store@0.2.0-draft", "open")
    assert (call.arguments, repr(call.result), call.error) == ((("identifier", "default"),), "bucket#1", None)
    assert call.provider == "in-memory"
    assert 0 <= call.started < 1
    assert 0 <= call.duration < 1


@pytest.mark.parametrize(
    ("function", "arguments", "result", "text"),
    [
        (OPEN, ("default",), Bucket(), 'wasi:keyvalue/store.open("default") -> bucket#1'),
        (GET, (Bucket(), "count"), b"3", "wasi:keyvalue/store.bucket#1.get(\"count\") -> b'3'"),
        (GET, (Bucket(), "count"), None, 'wasi:keyvalue/store.bucket#1.get("count") -> none'),
        (SET, (Bucket(), "count", b"3"), None, "wasi:keyvalue/store.bucket#1.set(\"count\", b'3')"),
        (OPEN, ("x",), Err(Error_Other("no")), 'wasi:keyvalue/store.open("x") -> error other("no")'),
        (OPEN, ("x",), LookupError("y"), 'wasi:keyvalue/store.open("x") -> error LookupError("y")'),
        (
            Function("[static]bucket.join", (("a", shapes.Own(BUCKET)),), None),
            (Bucket(),),
            None,
            "wasi:keyvalue/store.bucket.join(bucket#1)",
        ),
        (
            Function("[constructor]bucket", (), shapes.Own(BUCKET)),
            (),
            Bucket(),
            "wasi:keyvalue/store.bucket() -> bucket#1",
        ),
    ],
)
def test_a_call_reads_as_a_sentence(function, arguments, result, text):
    """Functions, methods, statics and constructors each read as they are written in code."""
    assert sentence(recorded(function, arguments, result)) == text


def test_what_belongs_to_a_secret_key_is_redacted():
    """A call whose key or name is a secret's shows neither what is stored nor what comes back."""
    stored = recorded(SET, (Bucket(), "session-token", b"abc"), None)
    assert stored.arguments[1:] == (("key", "session-token"), ("value", REDACTED))
    assert recorded(GET, (Bucket(), "password"), b"hunter2").result is REDACTED
    assert recorded(Function("login", (("password", STRING),), None), ("hunter2",), None).arguments == (
        ("password", REDACTED),
    )


@pytest.mark.parametrize(
    ("cause", "value", "told"),
    [
        (BackendError("x" * 200, repair=("a", "b")), Error_Other("x" * 200), f"error other: {'x' * 200}  (a; b)"),
        (BackendError("full"), Error_Other("full"), "error other: full"),
        (AccessDenied("not you", repair="ask"), type("AccessDenied", (), {})(), "error access-denied: not you  (ask)"),
        (ValueError("x"), Error_Other("x"), 'error other("x")'),
    ],
)
def test_a_failing_backend_comes_with_its_remedy(cause, value, told):
    """The guest is told what its interface has words for; who reads the trace sees what mends it, too."""
    error = Err(value)
    error.__cause__ = cause
    assert sentence(recorded(OPEN, ("x",), error)).partition(" -> ")[2] == told


def test_an_error_without_a_payload_is_no_more_than_that():
    """A result whose error has no type says only that it failed; an exception without words says its name."""
    calls: list[HostCall] = []
    recorder = Recorder(1, "w", "c", calls.append)
    function = Function("f", (), shapes.Result(None, None))
    recorder.failed(recorder.called(Callee("x:y/z", function, "p"), ()), Err(None))
    recorder.failed(recorder.called(Callee("x:y/z", function, "p"), ()), asyncio.CancelledError())
    assert [sentence(call) for call in calls] == ["x:y/z.f() -> error", "x:y/z.f() -> error CancelledError"]


def test_values_are_copied_when_they_cross():
    """What a plugin does to a list afterwards changes nothing of the record."""
    calls: list[HostCall] = []
    recorder = Recorder(1, "w", "c", calls.append)
    keys = ["a"]
    token = recorder.called(Callee("x:y/z", Function("f", (("keys", shapes.List(STRING)),), None), "p"), (keys,))
    keys.append("b")
    recorder.returned(token, None)
    assert calls[0].arguments == (("keys", ("a",)),)


def test_a_trace_is_a_table_in_text():
    """One line per call, in columns."""
    trace = Trace()
    for call in (recorded(OPEN, ("default",), Bucket()), recorded(SET, (Bucket(), "count", b"3"), None)):
        trace.append(call)
    first, second = str(trace).splitlines()
    assert first.startswith('1  wasi:keyvalue/store.open("default") -> bucket#1 ')
    assert first.endswith("s  in-memory")
    assert first.index("  in-memory") == second.index("  in-memory")
    assert str(Trace()) == "no host calls"
    assert (len(trace), trace[0].function, [call.function for call in trace[1:]]) == (2, "open", ["[method]bucket.set"])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2e-7, "<1 µs"), (1.25e-5, "12 µs"), (1.25e-3, "1.2 ms"), (0.994, "994.0 ms"), (2.5, "2.50 s")],
)
def test_durations_come_in_the_unit_that_fits(seconds, text):
    """Microseconds for most calls, and no more digits than tell something."""
    trace = Trace()
    trace.append(recorded(OPEN, ("default",), Bucket())._replace(duration=seconds))
    assert trace.rows[0][2] == text


def test_a_trace_is_bounded_by_count_and_by_bytes():
    """What is over the bounds is counted, not kept."""
    trace, call = Trace(), recorded(OPEN, ("default",), Bucket())
    for _ in range(MAX_CALLS + 5):
        trace.append(call)
    assert (len(trace), trace.dropped) == (MAX_CALLS, 5)
    assert str(trace).endswith("... and 5 more calls that were not kept")
    heavy = Trace()
    recorder = Recorder(1, "w", "c", lambda _call: None, heavy)
    function = Function("f", (("x", shapes.List(STRING)),), shapes.List(STRING))
    for _ in range(MAX_CALLS):
        recorder.returned(recorder.called(Callee("x:y/z", function, "p"), (["x" * 64] * 64,)), ["x" * 1000] * 64)
    assert len(heavy) + heavy.dropped == MAX_CALLS
    assert MAX_BYTES / 2 < len(str(heavy)) < 2 * MAX_BYTES
