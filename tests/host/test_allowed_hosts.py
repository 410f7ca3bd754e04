"""Which entries the allowlist takes, and which requests they match: the table of wash-runtime's own behaviour."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from washnb.errors import ConfigError
from washnb.host.allowed_hosts import AllowedHost, parse_allowed_hosts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", AllowedHost(None)),
        (" * ", AllowedHost(None)),
        ("example.com", AllowedHost("example.com")),
        ("Example.COM:8080", AllowedHost("example.com", port=8080)),
        ("https://api.example.com:8443", AllowedHost("api.example.com", scheme="https", port=8443)),
        ("https://api.example.com/", AllowedHost("api.example.com", scheme="https")),
        ("HTTPS://api.example.com:443", AllowedHost("api.example.com", scheme="https")),
        ("*.Example.com", AllowedHost("example.com", below=True)),
        ("*.example.com:8443", AllowedHost("example.com", below=True, port=8443)),
        ("https://*.example.com/", AllowedHost("example.com", below=True, scheme="https")),
        ("https://*.example.com:443", AllowedHost("example.com", below=True, scheme="https", port=443)),
        ("[::1]", AllowedHost("[::1]")),
        ("[::1]:8080", AllowedHost("[::1]", port=8080)),
        ("localhost:1", AllowedHost("localhost", port=1)),
    ],
)
def test_forms(text: str, expected: AllowedHost) -> None:
    """Every form of the grammar is read into its parts."""
    assert AllowedHost.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("*com", "leading dot required"),
        ("*example.com", "leading dot required"),
        ("https://*com", "leading dot required"),
        ("**", "leading dot required"),
        ("*.", "empty host"),
        ("*.:80", "empty host before ':'"),
        ("*.*.com", "invalid host '*.com'"),
        (":80", "empty host before ':'"),
        ("https://", "empty host"),
        ("https://api.example.com/v1", "must not include a path; got '/v1'"),
        ("https://api.example.com//", "must not include a path; got '//'"),
        ("*.example.com/v1", "must not include a path; got '/v1'"),
        ("example.com/v1?q", "must not include a path; got '/v1'"),
        ("https://api.example.com/?q=1", "must not include a query string"),
        ("https://api.example.com?q=1", "must not include a query string"),
        ("https://api.example.com/#frag", "must not include a fragment"),
        ("example.com:notaport", "invalid port 'notaport'"),
        ("example.com:", "invalid port ''"),
        ("example.com:65536", "invalid port '65536'"),
        ("[::1]:notaport", "invalid port 'notaport'"),
        ("::1", "invalid host ':'"),
        ("a b", "invalid host 'a b'"),
        ("user@example.com", "invalid host 'user@example.com'"),
        ("h%74tp://example.com", "invalid scheme 'h%74tp'"),
        ("://example.com", "invalid scheme ''"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    """What is no host is refused with a reason."""
    with pytest.raises(ValueError, match=re.escape(reason)):
        AllowedHost.parse(text)


@pytest.mark.parametrize(
    ("entry", "request_parts", "allowed"),
    [
        ("*", ("http", "foo.example.com", 8080), True),
        ("Example.COM", ("https", "example.com", 443), True),
        ("Example.COM", ("http", "EXAMPLE.com", None), True),
        ("Example.COM", ("http", "api.example.com", None), False),
        ("example.com:8443", ("https", "example.com", 8443), True),
        ("example.com:8443", ("https", "example.com", 443), False),
        ("example.com:443", ("https", "example.com", None), False),
        ("https://api.example.com", ("https", "api.example.com", None), True),
        ("https://api.example.com", ("http", "api.example.com", None), False),
        ("https://api.example.com", ("https", "other.example.com", None), False),
        ("https://api.example.com:443", ("https", "api.example.com", None), True),
        ("*.example.com", ("http", "api.example.com", None), True),
        ("*.example.com", ("http", "a.b.EXAMPLE.com", 99), True),
        ("*.example.com", ("http", "example.com", None), False),
        ("*.example.com", ("http", ".example.com", None), False),
        ("*.example.com", ("http", "evilexample.com", None), False),
        ("https://*.example.com:8443", ("https", "api.example.com", 8443), True),
        ("https://*.example.com:8443", ("http", "api.example.com", 8443), False),
        ("https://*.example.com:8443", ("https", "api.example.com", None), False),
        ("[::1]:8080", ("http", "[::1]", 8080), True),
        ("[::1]:8080", ("http", "[::1]", 9090), False),
        ("[::1]", ("http", "[::1]", 9090), True),
        ("localhost:8080", ("http", "localhost", 9090), False),
    ],
)
def test_matching(entry: str, request_parts: tuple[str, str, int | None], allowed: bool) -> None:
    """An entry matches by host, and by scheme and explicit port where it has them."""
    assert AllowedHost.parse(entry).matches(*request_parts) is allowed


def test_every_bad_entry_is_named() -> None:
    """One error lists all bad entries with their reasons, so that one edit repairs them all."""
    with pytest.raises(ConfigError) as caught:
        parse_allowed_hosts(["example.com", "*com", "https://x/y"])
    assert caught.value.message == (
        "invalid allowed_hosts:\n"
        "  - '*com': wildcard must be of the form `*.<rest>` (leading dot required)\n"
        "  - 'https://x/y': must not include a path; got '/y'"
    )


def test_nothing_is_an_empty_policy() -> None:
    """No entries make an empty policy, which allows nothing."""
    assert parse_allowed_hosts([]) == ()


_hosts = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z0-9]{1,5}){0,3}", fullmatch=True)
_ports = st.none() | st.integers(1, 65535)
_schemes = st.sampled_from(["http", "https", "ws", "x-y"])


@given(_hosts, st.booleans(), st.none() | _schemes, _ports)
def test_text_form_round_trips(host: str, below: bool, scheme: str | None, port: int | None) -> None:
    """An entry printed and read again is the same entry."""
    entry = AllowedHost.parse(
        f"{f'{scheme}://' if scheme else ''}{'*.' if below else ''}{host}{f':{port}' if port else ''}"
    )
    assert AllowedHost.parse(str(entry)) == entry


@given(_hosts, _hosts, _schemes, _ports)
def test_wildcard_allows_only_what_is_below(suffix: str, label: str, scheme: str, port: int | None) -> None:
    """A wildcard allows each host below its suffix, never the suffix itself nor one that merely ends with it."""
    entry = AllowedHost.parse(f"*.{suffix}")
    assert entry.matches(scheme, f"{label}.{suffix}", port)
    assert not entry.matches(scheme, suffix, port)
    assert not entry.matches(scheme, f"{label}{suffix}", port) or f"{label}{suffix}".endswith(f".{suffix}")


@given(st.text(max_size=30))
def test_no_text_crashes_the_parser(text: str) -> None:
    """Whatever is written, it is an entry or a ValueError with a reason."""
    with contextlib.suppress(ValueError):
        assert AllowedHost.parse(text)
