"""What is kept of values that cross the border: by their WIT types, nothing secret, nothing without bounds."""

from __future__ import annotations

import enum
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from washnb.engine import Callee, Err, Function, Ok, Some, resource, shapes
from washnb.events import HostCall
from washnb.host.recording.trace import Recorder
from washnb.host.recording.values import REDACTED, ValueKeeper
from washnb.secrecy import without_secrets

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
        ("http://ada:hunter2@h/", "http://<redacted>@h/"),
        ("ada:hunter2@h:80", "<redacted>@h:80"),
        ("ada@h", "ada@h"),
        ("/", "/"),
    ],
)
def test_secrets_are_redacted_in_queries(target, shown_as):
    """A query parameter of a secret name shows no value, in events as in traces."""
    assert without_secrets(target) == shown_as
    assert ValueKeeper().safe(target, STRING) == shown_as


@pytest.mark.parametrize("begins", ["http://ada:hunter2", "/?password=hunter2"])
@pytest.mark.parametrize("behind", [100, 1_000_000])
def test_a_secret_that_goes_on_behind_what_is_kept_is_redacted(begins, behind):
    """What is kept of a text is its beginning, after the secrets are gone; they are looked for in a bounded part."""
    text = f"{begins}{'x' * 200}@h/{'y' * behind}"
    kept = ValueKeeper().safe(text, STRING)
    assert "hunter2" not in repr(kept)
    assert kept.size == len(text) if behind > 100 else "<redacted>" in repr(kept)


class Endless(Sequence):
    """A sequence that breaks off nowhere."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index) -> str:
        return "read"


@pytest.mark.parametrize("shape", [shapes.Flags(("read",)), shapes.Tuple((STRING, STRING)), shapes.List(STRING)])
def test_a_value_without_an_end_is_not_followed(shape):
    """What a plugin returns by mistake must not fill the memory before the engine says what is wrong."""
    assert len(shown(Endless(), shape)) < 60


def test_a_wide_value_is_kept_to_a_bounded_number_of_values():
    """Lists in lists, each of them short, would make millions."""
    wide: object = "x"
    shape: shapes.Shape = STRING
    for _ in range(5):
        wide, shape = [wide] * 20, shapes.List(shape)
    assert len(shown(wide, shape)) < 10_000


def test_resources_are_remembered_to_a_bounded_number():
    """A guest that makes one after the other for as long as it runs keeps no more of them alive."""
    keeper, alive = ValueKeeper(), weakref.WeakSet()
    for _ in range(3000):
        alive.add(bucket := Bucket())
        keeper.safe(bucket, shapes.Own(BUCKET))
    assert len(alive) < 1500
    assert repr(keeper.safe(bucket, shapes.Own(BUCKET))) == "bucket#3000"


@pytest.mark.parametrize(
    ("value", "shape", "low", "high"),
    [
        ([("accept", b"x" * 1000)], HEADERS, 70, 110),
        (Error_Other("why"), ERROR, 3, 30),
        (Bucket(), shapes.Own(BUCKET), 1, 30),
        ([7] * 1000, shapes.List(U64), 64, 1000),
    ],
)
def test_what_is_kept_is_measured(value, shape, low, high):
    """Long values count with their excerpts, everything else with a little."""
    calls: list[HostCall] = []
    recorder = Recorder(1, "w", "c", calls.append)
    function = Function("f", (("value", shape),), None)
    recorder.returned(recorder.called(Callee("x:y/z", function, "p"), (value,)), None)
    assert low <= calls[0].size <= high
