"""Fields: an ordered multimap whose names have no case, under the rules of wasi:http."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from washnb.engine import Err
from washnb.wasi.http.fields import (
    ENTRY_COST,
    FIELD_SIZE_LIMIT,
    FORBIDDEN_FIELDS,
    Fields,
    HeaderError_Forbidden,
    HeaderError_Immutable,
    HeaderError_InvalidSyntax,
)


def refusal(act: Callable[[], object]) -> object:
    """What `act` is refused with."""
    with pytest.raises(Err) as caught:
        act()
    return caught.value.value


def test_names_have_no_case() -> None:
    """A name is found in whatever case, and is handed out in lower case."""
    fields = Fields.from_list([("X-Kind", b"a"), ("x-kind", b"b")])
    assert fields.get("X-KIND") == [b"a", b"b"]
    assert fields.has("x-Kind")
    assert fields.entries() == [("x-kind", b"a"), ("x-kind", b"b")]


def test_long_names_are_names() -> None:
    """Length is no matter up to the limit of one name."""
    fields = Fields.from_list([("A" * 65535, b"x")])
    assert fields.get("a" * 65535) == [b"x"]


def test_values_of_a_name_stand_together() -> None:
    """Entries are grouped by name, in the order of the first value of each."""
    fields = Fields.from_list([("a", b"1"), ("b", b"2"), ("a", b"3")])
    assert fields.entries() == [("a", b"1"), ("a", b"3"), ("b", b"2")]


def test_empty_value_is_a_value() -> None:
    """A name with an empty value is present; a name without values is not."""
    fields = Fields()
    fields.set("a", [b""])
    assert (fields.has("a"), fields.get("a")) == (True, [b""])
    fields.set("a", [])
    assert (fields.has("a"), fields.get("a")) == (False, [])


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "ä", "a:", "a\x00", "(a)", "a" * 65536])
def test_what_is_no_name(name: str) -> None:
    """A name that is no token is absent to readers and invalid-syntax to writers."""
    fields = Fields()
    assert (fields.has(name), fields.get(name)) == (False, [])
    assert refusal(lambda: fields.set(name, [b"x"])) == HeaderError_InvalidSyntax()
    assert refusal(lambda: fields.append(name, b"x")) == HeaderError_InvalidSyntax()
    assert refusal(lambda: fields.delete(name)) == HeaderError_InvalidSyntax()
    assert refusal(lambda: Fields.from_list([(name, b"x")])) == HeaderError_InvalidSyntax()


@pytest.mark.parametrize("value", [b"a\nb", b"a\r", b"\x00", b"\x7f", b"\x1f"])
def test_what_is_no_value(value: bytes) -> None:
    """A value with control characters is invalid-syntax, and leaves what was there."""
    fields = Fields.from_list([("a", b"old")])
    assert refusal(lambda: fields.set("a", [b"fine", value])) == HeaderError_InvalidSyntax()
    assert refusal(lambda: fields.append("a", value)) == HeaderError_InvalidSyntax()
    assert fields.entries() == [("a", b"old")]


@pytest.mark.parametrize("value", [b"", b"a\tb", b" padded ", b"\xff\x80", "ä".encode()])
def test_what_is_a_value(value: bytes) -> None:
    """Tabs, spaces and all bytes over 127 may stand in a value."""
    fields = Fields.from_list([("a", value)])
    assert fields.get("a") == [value]


@pytest.mark.parametrize(
    "value", [b"", b"+5", b"-5", b" 5", b"5x", b"5, 5", b"18446744073709551616", b"9" * 5000, "٣".encode()]
)
def test_content_length_is_a_number(value: bytes) -> None:
    """Content-Length takes digits of a 64-bit number and nothing else."""
    assert refusal(lambda: Fields.from_list([("Content-Length", value)])) == HeaderError_InvalidSyntax()


@pytest.mark.parametrize(
    ("value", "length"), [(b"0", 0), (b"007", 7), (b"0" * 5000, 0), (b"18446744073709551615", 2**64 - 1)]
)
def test_content_length_has_one_spelling(value: bytes, length: int) -> None:
    """Leading zeroes go, so that nobody on the way reads another number."""
    fields = Fields.from_list([("content-length", value)])
    assert fields.get("Content-Length") == [b"%d" % length]
    assert fields.content_length() == length


def test_contradicting_content_lengths_are_none() -> None:
    """Two equal lengths are one, two different ones announce nothing."""
    assert Fields.from_list([("content-length", b"5"), ("content-length", b"05")]).content_length() == 5
    assert Fields.from_list([("content-length", b"5"), ("content-length", b"6")]).content_length() is None
    assert Fields().content_length() is None


@pytest.mark.parametrize("value", [b"abc", b"-5", b"1_0", b"", b"9" * 5000])
def test_a_received_length_that_is_no_number_announces_nothing(value: bytes) -> None:
    """A guest that copies the headers of a request into its response does not end on what a client wrote there."""
    assert Fields.received([("Content-Length", value)]).content_length() is None


@pytest.mark.parametrize("name", sorted(FORBIDDEN_FIELDS))
def test_forbidden(name: str) -> None:
    """What belongs to the host cannot be set, appended, deleted or listed, in any case."""
    fields = Fields()
    for spelling in (name, name.title()):
        assert refusal(lambda text=spelling: fields.set(text, [b"x"])) == HeaderError_Forbidden()
        assert refusal(lambda text=spelling: fields.append(text, b"x")) == HeaderError_Forbidden()
        assert refusal(lambda text=spelling: fields.delete(text)) == HeaderError_Forbidden()
        assert refusal(lambda text=spelling: Fields.from_list([(text, b"x")])) == HeaderError_Forbidden()


def test_received_fields_hide_what_is_forbidden_and_cannot_change() -> None:
    """What came over the wire is immutable and without the host's fields; its clone can change."""
    received = Fields.received([("Host", b"h"), ("X-A", b"1"), ("Connection", b"close"), ("x-a", b"2")])
    assert received.entries() == [("x-a", b"1"), ("x-a", b"2")]
    assert refusal(lambda: received.set("x-a", [b"3"])) == HeaderError_Immutable()
    assert refusal(lambda: received.append("x-a", b"3")) == HeaderError_Immutable()
    assert refusal(lambda: received.delete("x-a")) == HeaderError_Immutable()
    assert refusal(lambda: received.delete("host")) == HeaderError_Forbidden()
    clone = received.clone()
    clone.append("x-a", b"3")
    assert clone.get("x-a") == [b"1", b"2", b"3"]
    assert received.get("x-a") == [b"1", b"2"]


@pytest.mark.parametrize("name", ["a", "n{}"], ids=["one name", "many names"])
def test_size_is_bounded(name: str) -> None:
    """A guest that fills the host's memory with headers is ended, not told."""
    fields = Fields()
    for number in range(120):
        fields.append(name.format(number), b"x" * 1000)
    with pytest.raises(ValueError, match=f"may hold {FIELD_SIZE_LIMIT}"):
        fields.set("last", [b"y" * 1000] * 10)
    assert len(fields.entries()) == 120


def test_what_is_deleted_or_replaced_no_longer_counts() -> None:
    """The bound is on what the fields hold, not on what they ever held; a clone of received ones counts too."""
    fields = Fields()
    for _ in range(10):
        fields.set("a", [b"x" * 100_000])
        fields.delete("a")
    clone = Fields.received([("a", b"x" * (FIELD_SIZE_LIMIT - 2 * ENTRY_COST - 1))]).clone()
    with pytest.raises(ValueError, match="the guest put"):
        clone.append("a", b"")


_names = st.sampled_from(["a", "A", "b", "X-Long-Name", "x-long-name"])
_values = st.from_regex(rb"[\t -~\x80-\xff]{0,4}", fullmatch=True)


class FieldsMachine(RuleBasedStateMachine):
    """Fields against a list of pairs."""

    def __init__(self) -> None:
        super().__init__()
        self.fields = Fields()
        self.model: list[tuple[str, bytes]] = []

    @rule(name=_names, value=_values)
    def append(self, name: str, value: bytes) -> None:
        self.fields.append(name, value)
        self.model.append((name.lower(), value))

    @rule(name=_names, values=st.lists(_values, max_size=3))
    def set(self, name: str, values: list[bytes]) -> None:
        self.fields.set(name, values)
        key = name.lower()
        place = next((at for at, (other, _) in enumerate(self.model) if other == key), len(self.model))
        self.model = [pair for pair in self.model if pair[0] != key]
        self.model[place:place] = [(key, value) for value in values]

    @rule(name=_names)
    def delete(self, name: str) -> None:
        self.fields.delete(name)
        self.model = [pair for pair in self.model if pair[0] != name.lower()]

    @rule()
    def clone(self) -> None:
        old, self.fields = self.fields, self.fields.clone()
        old.append("only-in-the-old", b"")

    @rule()
    def through_entries(self) -> None:
        self.fields = Fields.from_list(self.fields.entries())

    @invariant()
    def same_entries(self) -> None:
        order = list(dict.fromkeys(name for name, _ in self.model))
        assert self.fields.entries() == sorted(self.model, key=lambda pair: order.index(pair[0]))
        for name in ("a", "B", "X-LONG-NAME", "missing"):
            expected = [value for key, value in self.model if key == name.lower()]
            assert self.fields.get(name) == expected
            assert self.fields.has(name) == bool(expected)


TestFieldsModel = FieldsMachine.TestCase


@given(st.text(max_size=8), st.binary(max_size=8))
def test_whatever_is_accepted_is_safe_on_the_wire(name: str, value: bytes) -> None:
    """No accepted name or value can end a line or begin another one."""
    try:
        fields = Fields.from_list([(name, value)])
    except Err:
        return
    ((key, kept),) = fields.entries()
    assert key.isascii()
    assert not set(key) & set(" :\r\n\t\x00")
    assert not set(kept) & set(b"\r\n\x00")
