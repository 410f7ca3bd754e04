"""How host calls ended: what views give a colour and a shape of its own."""

from __future__ import annotations

import pytest

from washnb.events import HostCall
from washnb.host import outcome_of


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "ok"),
        ("access-denied", "denied"),
        ("access-denied: the server is read-only", "denied"),
        ("HTTP-request-denied", "denied"),
        ("not-permitted", "denied"),
        ("access", "denied"),
        ("accessible", "failed"),
        ('other("access-denied")', "failed"),
        ("no-such-store", "failed"),
        ("closed", "failed"),
    ],
)
def test_an_error_says_how_a_call_ended(error, outcome):
    """A denial is known by the case that an interface has for it, not by words in a value."""
    call = HostCall(1, 1, "w", "w", "a:b/c", "f", (), None, error, "plugin", 0.0, 0.0, 8)
    assert outcome_of(call) == outcome
    assert outcome_of(call._replace(injected="delay")) == "injected"


def test_what_nobody_serves_is_denied_and_the_end_of_a_stream_is_none():
    """A call that found nobody was denied, whatever it was told; a stream that ends has not failed."""
    call = HostCall(1, 1, "w", "w", "a:b/c", "f", (), None, "GuestError", "", 0.0, 0.0, 8)
    assert outcome_of(call) == "denied"
    assert outcome_of(call._replace(interface="wasi:io/streams@0.2.0", error="closed", provider="wasi")) == "ok"
