"""Methods, schemes and the parts of a target: what setters take, and how an authority is parted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from washnb.wasi.http import uri


@pytest.mark.parametrize("name", ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"])
def test_known_methods_have_their_case(name: str) -> None:
    """The nine methods of WIT have a case each, and keep their name."""
    method = uri.method_of(name)
    assert type(method).__name__ == f"Method_{name.title()}"
    assert uri.method_name(method) == name


@pytest.mark.parametrize("name", ["PURGE", "get", "Get"])
def test_other_methods_keep_their_spelling(name: str) -> None:
    """Methods have a case: `get` is not GET."""
    assert uri.method_of(name) == uri.Method_Other(name)
    assert uri.method_name(uri.method_of(name)) == name


def test_schemes() -> None:
    """HTTP and HTTPS have a case each, any other scheme its name."""
    assert (uri.scheme_of("http"), uri.scheme_of("https")) == (uri.Scheme_Http(), uri.Scheme_Https())
    assert uri.scheme_of("ws") == uri.Scheme_Other("ws")


@pytest.mark.parametrize("text", ["ws", "WS", "a+b-c.d", "x" * 64])
def test_is_scheme(text: str) -> None:
    """Letters, digits, plus, minus and dot make a scheme."""
    assert uri.is_scheme(text)


@pytest.mark.parametrize("text", ["", "bad\nscheme", "a:b", "a/b", "ä", "x" * 65])
def test_is_no_scheme(text: str) -> None:
    """What could end a scheme cannot be in it."""
    assert not uri.is_scheme(text)


@pytest.mark.parametrize("text", ["/", "*", "/a/b?c=d&e=/?", "?a", "/%20", "/ä", '/{"a"}', "/a?`x", "/a#f"])
def test_is_path_with_query(text: str) -> None:
    """Paths begin with a slash or are a query alone; characters that browsers leave as they are may stay."""
    assert uri.is_path_with_query(text)


@pytest.mark.parametrize(
    "text", ["", "a", "/a b", "/bad\npath", "/a\x00", "/\x7f", "/a<b", "/a`b", "**", "/" + "a" * 65535]
)
def test_is_no_path_with_query(text: str) -> None:
    """Spaces, control characters and what is not rooted are refused."""
    assert not uri.is_path_with_query(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("example.com", ("example.com", None)),
        ("example.com:443", ("example.com", 443)),
        ("example.com:0", ("example.com", 0)),
        ("example.com:00080", ("example.com", 80)),
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("[::1]", ("[::1]", None)),
        ("[2001:db8::1]:443", ("[2001:db8::1]", 443)),
        ("user:secret@example.com:1", ("example.com", 1)),
        ("allowed.com@evil.com", ("evil.com", None)),
    ],
)
def test_split_authority(text: str, parts: tuple[str, int | None]) -> None:
    """Host and port come apart; what stands before an @ never is the host."""
    assert uri.split_authority(text) == parts


@pytest.mark.parametrize(
    "text",
    ["example.com:", "example.com:abc", "example.com:65536", "[::1]:abc", "::1", "a:1:2", f"example.com:{'9' * 5000}"],
)
def test_port_is_a_number(text: str) -> None:
    """What follows a colon is a port of 16 bits."""
    assert uri.split_authority(text) is None


@pytest.mark.parametrize(
    "text", ["", "bad-\nhost", "a b", "a/b", "@", "a@", "a@b@c", "a?b", "a#b", "[::1", "a%20b", "ä.com"]
)
def test_is_no_authority(text: str) -> None:
    """Empty, unfinished and ambiguous authorities are refused."""
    assert uri.split_authority(text) is None


@given(st.text(max_size=20))
def test_parts_rebuild_the_authority(text: str) -> None:
    """Whatever is accepted ends in exactly the host and port that it was parted into."""
    parts = uri.split_authority(text)
    if parts is not None:
        host, port = parts
        rest = text.rpartition("@")[2]
        assert rest.partition(":")[0] == host or rest.startswith("[")
        assert port is None or int(rest.rpartition(":")[2]) == port
