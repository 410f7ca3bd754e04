"""What guests wrote is shown, not obeyed."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from washnb.notebook.text import Table, Text, escape, face, hex_dump, one_line, plain, size


@given(st.text() | st.text(alphabet="\x1b[31m\r\n\t\x9b\u202e\u2066\x00\x7fa"))
def test_no_control_character_survives(text):
    """Of all control and direction characters only newline and tab reach a terminal."""
    shown = plain(text)
    assert not [c for c in shown if c not in "\n\t" and unicodedata.category(c) == "Cc"]
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
    shown.encode()


def test_markup_is_text():
    """HTML of a guest's, with control characters in it, is text on the page."""
    assert escape('<img src=x onerror="x"> & \x1b[2J') == "&lt;img src=x onerror=&quot;x&quot;&gt; &amp; ␛[2J"


@given(st.text(), st.integers(2, 200))
def test_one_line_is_one_line(text, limit):
    """However long and broken a text is, it becomes a single line within the limit."""
    line = one_line(text, limit)
    assert "\n" not in line
    assert len(line) <= limit


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        (b"", "empty", ""),
        (b"hello\n", "text", "hello\n"),
        (b'{"a":[1]}', "json", '{\n  "a": [\n    1\n  ]\n}'),
        (b"{not json", "text", "{not json"),
        ((7).to_bytes(8, "little"), "counter", "7"),
        (b"\xff\x00", "hex", hex_dump(b"\xff\x00")),
        (b"a\x1bb", "hex", hex_dump(b"a\x1bb")),
    ],
)
def test_bytes_have_a_face(data, kind, text):
    """Bytes are JSON, text, a counter or hex, whichever they look like."""
    assert (face(data).kind, face(data).text) == (kind, text)


@given(st.binary(max_size=300), st.integers(1, 64))
def test_faces_are_bounded(data, limit):
    """A long value is shown in part, and said to be."""
    shown = face(data, limit)
    if len(data) > limit and shown.kind != "counter":
        assert f"{limit:,} of {len(data):,} bytes" in shown.note
        assert len(shown.text) <= limit * 6 + 80


def test_hex_dump_shows_offsets_and_letters():
    """The classic form, sixteen bytes to a line."""
    assert hex_dump(b"0123456789abcdef\xff").splitlines()[1] == f"00000010  {'ff':<47}  ."


def test_sizes_are_read_by_people():
    """Bytes, then binary units."""
    assert [size(n) for n in (12, 2048, 20 * 1024**2, 3 * 1024**3)] == ["12 B", "2.0 KiB", "20.0 MiB", "3.0 GiB"]


def test_table_shows_itself_as_text_and_html():
    """Aligned text, escaped HTML, and rows as mappings."""
    table = Table(("name", "value"), [("a", "<b>"), ("long", "x\x1b")], empty="none", title="things")
    assert repr(table).splitlines() == ["things", "name  value", "────  ─────", "a     <b>", "long  x␛"]
    assert "&lt;b&gt;" in table._repr_html_()
    assert "\x1b" not in table._repr_html_()
    assert table.data == [{"name": "a", "value": "<b>"}, {"name": "long", "value": "x\x1b"}]


def test_words_in_a_table_stay_whole():
    """A column is as wide as an address of a server; what is longer is broken, as it would push others off the page."""
    row = ("D08", "nats://127.0.0.1:44479 and more", "x" * 80)
    page = Table(("id", "place", "value"), [row], empty="none")._repr_html_()
    assert re.findall(r'overflow-wrap: (\w+)">(\w+)', page) == [
        ("normal", "D08"),
        ("normal", "nats"),
        ("anywhere", row[2]),
    ]


def test_empty_table_says_so():
    """Where nothing is, a sentence stands."""
    assert repr(Table(("a",), [], empty="nothing", title="t")) == "t: nothing"
    assert "nothing" in Table(("a",), [], empty="nothing")._repr_html_()


def test_text_is_shown_without_quotes():
    """Help and the like read as text."""
    assert repr(Text("a\nb")) == "a\nb"
    assert Text("<x>")._repr_html_().count("&lt;x&gt;") == 1
