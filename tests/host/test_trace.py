"""What is kept of host calls: values by their WIT types, nothing secret, nothing without bounds."""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass, replace

import pytest

from tests.engine import echo
from washnb.engine import Err, Function, Ok, Some, resource, shapes
from washnb.errors import MismatchError
from washnb.events import HostCall
from washnb.host.trace import MAX_CALLS, REDACTED, Recorder, Trace, ValueKeeper, is_secret, sentence, without_secrets
from washnb.plugins import Interface
from washnb.types import Component

from .guests import request

STRING, U64, U8 = shapes.Primitive("string"), shapes.Primitive("u64"), shapes.Primitive("u8")
BYTES = shapes.List(U8)
BUCKET = shapes.Resource("wasi:keyvalue/store/bucket", "bucket", host=True)
ERROR = shapes.Variant((("no-such-store", None), ("access-denied", None), ("other", STRING)))
HEADERS = shapes.List(shapes.Tuple((STRING, BYTES)))


class Color(enum.Enum):
    """An enum of WIT."""

    DARK_RED = 0


class Access(enum.Flag):
    """Flags of WIT."""

    READ = enum.auto()
    WRITE_ALL = enum.auto()


@dataclass(frozen=True)
class Error_Other:  # noqa: N801
    """A case of a variant."""

    value: str


@dataclass(frozen=True)
class NoSuchStore:
    """A case, by its name alone."""


@dataclass(frozen=True)
class Login:
    """A record."""

    user_name: str
    password: str


@resource("bucket")
class Bucket:
    """A resource."""


def shown(value: object, shape: shapes.Shape) -> str:
    """The text of a value that was kept."""
    return repr(ValueKeeper().safe(value, shape))


@pytest.mark.parametrize(
    ("value", "shape", "text"),
    [
        ("a", STRING, "'a'"),
        (7, U64, "7"),
        (b"ab", BYTES, "b'ab'"),
        ([1, 2], shapes.List(U64), "(1, 2)"),
        (None, shapes.Option(STRING), "none"),
        ("a", shapes.Option(STRING), "'a'"),
        (Some(None), shapes.Option(shapes.Option(STRING)), "some(none)"),
        (Ok("a"), shapes.Result(STRING, None), 'ok("a")'),
        (Err(3), shapes.Result(None, U64), "err(3)"),
        (Ok(), shapes.Result(None, None), "ok"),
        (Error_Other("x"), ERROR, 'other("x")'),
        (NoSuchStore(), ERROR, "no-such-store"),
        (Color.DARK_RED, shapes.Enum(("dark-red",)), "dark-red"),
        ("dark-red", shapes.Enum(("dark-red",)), "dark-red"),
        (Access.READ | Access.WRITE_ALL, shapes.Flags(("read", "write-all")), "(read, write-all)"),
        ({"read"}, shapes.Flags(("read",)), "(read,)"),
        (Login("ada", "x"), shapes.Record((("user-name", STRING),)), '{user-name: "ada"}'),
        ({"user-name": "ada"}, shapes.Record((("user-name", STRING),)), '{user-name: "ada"}'),
        (True, shapes.Primitive("bool"), "True"),
        (1.5, shapes.Primitive("f64"), "1.5"),
        (object(), STRING, "object"),
    ],
)
def test_values_are_kept_by_their_types(value, shape, text):
    """Each kind of WIT value has a safe form that reads like WIT."""
    assert shown(value, shape) == text


@pytest.mark.parametrize(
    ("value", "shape", "text"),
    [
        (None, BYTES, "NoneType"),
        (5, shapes.List(U64), "int"),
        ([5, None], shapes.List(shapes.List(U64)), "(int, NoneType)"),
        (5, shapes.Tuple((U64, U64)), "int"),
        (5, shapes.Flags(("read",)), "int"),
    ],
)
def test_a_value_that_does_not_fit_its_type_is_kept_by_its_class(value, shape, text):
    """Recording must not fail before the engine says what is wrong with it."""
    assert shown(value, shape) == text


async def test_tracing_leaves_errors_as_they_are(host):
    """A function that returns what its interface does not say ends the guest with the same words, traced or not."""

    class Echo(Interface, wit=echo.HOST):
        def echo0(self, a: bytes) -> int:
            """Return a number instead of bytes."""
            return len(a)

    await host.attach(Echo)
    await host.workload_start(request(Component("wrong", echo.echo_component(BYTES).encode())))
    host.events().subscribe(lambda _event: None)
    for host.tracing in (False, True):
        with pytest.raises(MismatchError, match=r"result is list<u8>, not 3 \(int\)"):
            await host.call("wrong", "echo0", b"abc")


def test_resources_are_numbered_by_their_first_appearance():
    """One object keeps its number; another one of its type gets the next."""
    keeper, first, second = ValueKeeper(), Bucket(), Bucket()
    own, borrow = shapes.Own(BUCKET), shapes.Borrow(BUCKET)
    assert [repr(keeper.safe(each, own)) for each in (first, second)] == ["bucket#1", "bucket#2"]
    assert repr(keeper.safe(first, borrow)) == "bucket#1"


def test_a_number_is_not_given_twice_to_objects_that_came_and_went():
    """An object that is gone keeps its number, though Python may use its address again."""
    keeper = ValueKeeper()
    assert len({repr(keeper.safe(Bucket(), shapes.Own(BUCKET))) for _ in range(50)}) == 50


@pytest.mark.parametrize(
    ("value", "shape", "text"),
    [
        ("x" * 1000, STRING, f'"{"x" * 64}"... (1,000 characters)'),
        (b"x" * 1000, BYTES, f"{b'x' * 64!r}... (1,000 bytes)"),
        (b"x" * 64, BYTES, repr(b"x" * 64)),
        (bytes(64), BYTES, f"{bytes(16)!r}... (64 bytes)"),
        ([0] * 1000, shapes.List(U64), f"[{', '.join(['0'] * 64)}]... (1,000 items)"),
    ],
)
def test_long_values_are_shortened(value, shape, text):
    """Only the beginning is kept, with the whole length."""
    assert shown(value, shape) == text


def test_deep_values_end():
    """A value is kept to a bounded depth."""
    shape, value = STRING, "deep"
    for _ in range(50):
        shape, value = shapes.List(shape), [value]
    assert len(shown(value, shape)) < 60


@pytest.mark.parametrize(
    "name",
    ["Authorization", "proxy-authorization", "COOKIE", "set-cookie", "api-token", "client_secret", "DB_PASSWORD"],
)
def test_names_of_secrets(name):
    """These names hide their values everywhere."""
    assert is_secret(name)
    assert not is_secret("accept")


def test_secrets_are_redacted_in_headers_and_records():
    """A pair loses its second half by the name in its first, a record's field by its name."""
    headers = [("Authorization", b"Basic xyz"), ("accept", b"*/*"), ("Set-Cookie", b"id=1")]
    assert ValueKeeper().safe(headers, HEADERS) == (
        ("Authorization", REDACTED),
        ("accept", b"*/*"),
        ("Set-Cookie", REDACTED),
    )
    record = shapes.Record((("user-name", STRING), ("password", STRING)))
    assert shown(Login("ada", "hunter2"), record) == '{user-name: "ada", password: <redacted>}'


@pytest.mark.parametrize(
    ("target", "shown_as"),
    [
        ("/a?x=1&access_token=abc&y=2", "/a?x=1&access_token=<redacted>&y=2"),
        ("/a?password=p#f", "/a?password=<redacted>#f"),
        ("/token=1?x=2", "/token=1?x=2"),
        ("/", "/"),
    ],
)
def test_secrets_are_redacted_in_queries(target, shown_as):
    """A query parameter of a secret name shows no value, in events as in traces."""
    assert without_secrets(target) == shown_as
    assert ValueKeeper().safe(target, STRING) == shown_as


def recorded(function: Function, arguments: tuple[object, ...], result: object) -> HostCall:
    """What one call leaves behind; an exception as result is raised by it."""
    calls: list[HostCall] = []
    recorder = Recorder(1, "shop", "counter", calls.append)
    token = recorder.called("wasi:keyvalue/store@0.2.0-draft", function, arguments, "in-memory")
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


def test_an_error_without_a_payload_is_no_more_than_that():
    """A result whose error has no type says only that it failed; an exception without words says its name."""
    calls: list[HostCall] = []
    recorder = Recorder(1, "w", "c", calls.append)
    function = Function("f", (), shapes.Result(None, None))
    recorder.failed(recorder.called("x:y/z", function, (), "p"), Err(None))
    recorder.failed(recorder.called("x:y/z", function, (), "p"), asyncio.CancelledError())
    assert [sentence(call) for call in calls] == ["x:y/z.f() -> error", "x:y/z.f() -> error CancelledError"]


def test_values_are_copied_when_they_cross():
    """What a plugin does to a list afterwards changes nothing of the record."""
    calls: list[HostCall] = []
    recorder = Recorder(1, "w", "c", calls.append)
    keys = ["a"]
    token = recorder.called("x:y/z", Function("f", (("keys", shapes.List(STRING)),), None), (keys,), "p")
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
    trace.append(replace(recorded(OPEN, ("default",), Bucket()), duration=seconds))
    assert trace.rows[0][2] == text


def test_a_trace_is_bounded_by_count_and_by_bytes():
    """What is over the bounds is counted, not kept."""
    trace, call = Trace(), recorded(OPEN, ("default",), Bucket())
    for _ in range(MAX_CALLS + 5):
        trace.append(call)
    assert (len(trace), trace.dropped) == (MAX_CALLS, 5)
    assert str(trace).endswith("... and 5 more calls that were not kept")
    heavy, long = Trace(), recorded(Function("f", (("x", shapes.List(STRING)),), None), (["x" * 64] * 64,), None)
    for _ in range(MAX_CALLS):
        heavy.append(long)
    assert heavy.dropped > MAX_CALLS / 2
