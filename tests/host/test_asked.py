"""What a host is asked wrongly is refused before any guest meets it, with the line that is right."""

from __future__ import annotations

import math

import pytest

from washnb.errors import ConfigError
from washnb.host.asked import request_of, require_seconds, require_texts

from .guests import start


def test_a_request_is_as_it_would_come_from_a_socket():
    """Names are in lower case, text is UTF-8, and the length of a body is given unless it is there."""
    request = request_of("post", "/x?y", {"X-Name": "ü\t!"}, b"abc")
    assert (request.method, request.target, request.body) == ("POST", "/x?y", b"abc")
    assert request.headers == (("x-name", b"\xc3\xbc\t!"), ("content-length", b"3"))
    assert request.authority == "localhost"
    named = request_of("GET", "/", [("Host", b"shop.test"), ("content-length", "0")], b"")
    assert (named.authority, len(named.headers)) == ("shop.test", 2)


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"a": "b\r\nx: y"}, "header a has a line break"),
        ({"a": "b\n"}, "header a has a line break"),
        ({"a": b"b\0"}, "header a has a line break or another control character"),
        ({"a b": "c"}, "'a b' is no name of a header"),
        ({"": "c"}, "'' is no name of a header"),
        ({"a:": "c"}, "'a:' is no name of a header"),
        ({"ä": "c"}, "'ä' is no name of a header"),
        ({5: "c"}, "5 is no name of a header"),
        ({"a": 5}, "header a is text, not int 5"),
        (["a: b"], r"\['a: b'\] are no headers"),
        (5, "5 are no headers"),
    ],
)
def test_headers_that_could_not_be_sent_are_refused(headers, message):
    """A name is a token and a value is one line: nobody smuggles a header into another."""
    with pytest.raises(ConfigError, match=message) as caught:
        request_of("GET", "/", headers, b"")
    assert caught.value.repair


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("G T", "/", b"", "'G T' is no HTTP method"),
        ("", "/", b"", "'' is no HTTP method"),
        ("GET", "/a b", b"", "'/a b' is no path"),
        ("GET", "/a\r\nx: y", b"", "is no path"),
        ("GET", "", b"", "'' is no path"),
        ("GET", "/", 5, "a body is bytes, not int 5"),
        ("GET", "/", "text", "a body is bytes, not str 'text'"),
        ("GET", "/", {"n": 1}, "a body is bytes, not dict {'n': 1}"),
    ],
)
def test_what_is_no_request_is_refused(method, path, body, message):
    """Methods are tokens, paths have no spaces, bodies are bytes."""
    with pytest.raises(ConfigError, match=message) as caught:
        request_of(method, path, (), body)
    assert caught.value.repair


@pytest.mark.parametrize("seconds", [0, -1, math.nan, "2", b"2"])
async def test_a_time_is_a_number_over_zero(host, seconds):
    """So it is for every way to call a guest, and no guest is asked."""
    await start(host, "adder")
    with pytest.raises(ConfigError, match=r"timeout=.* is no time"):
        await host.send("GET", "/", timeout=seconds)
    with pytest.raises(ConfigError, match=r"timeout=.* is no time"):
        await host.call("adder", "add", 1, 2, timeout=seconds)
    with pytest.raises(ConfigError, match=r"timeout=.* is no time"):
        await host.run("adder", timeout=seconds)


@pytest.mark.parametrize("timeout", [None, 1, 0.5, math.inf])
def test_other_times_are_taken(timeout):
    """None is the time that the host gives, and there may be no end."""
    require_seconds(timeout)


@pytest.mark.parametrize(
    ("argument", "message"), [(5, "are text, not int 5"), (None, "not NoneType None"), ("a\0b", "has no NUL")]
)
def test_arguments_of_a_command_are_text(argument, message):
    """The error shows how the argument is written."""
    with pytest.raises(ConfigError, match=message) as caught:
        require_texts(["-v", argument])
    assert caught.value.repair


async def test_they_are_looked_at_before_the_command_runs(host):
    """`run` takes any number of them."""
    await start(host, "adder")
    with pytest.raises(ConfigError, match="are text, not int 5") as caught:
        await host.run("adder", "a", 5)
    assert caught.value.repair == ('wash.run(SOURCE, "5")',)
