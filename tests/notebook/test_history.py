"""What the session remembers of what the host told."""

from __future__ import annotations

from pathlib import Path

import pytest

from washnb.engine import Err
from washnb.errors import TrapError

COMPONENTS = Path(__file__).parent.parent / "components"
COMMAND, KEYVALUE, CARTS = (COMPONENTS / f"{name}.wat" for name in ("command", "keyvalue", "carts"))


def test_a_run_is_not_taken_for_a_request(session):
    """A command's host calls stand in the trace as those of a call."""
    session.run(COMMAND)
    assert repr(session.trace()).startswith("call command.run  returned")


def test_a_call_is_traced_and_counted_like_a_request(session):
    """Each call by itself in `%wash trace last`, with its host calls, and all of them in the receipt."""
    session.load(KEYVALUE, "shop", attach=["keyvalue"])
    session["shop"].set("b", "k", b"v")
    assert session.call("shop", "get", "b", "k") == b"v"
    first, last = session.trace.data
    assert first.headline == "call shop.set  returned"
    assert [call.function for call in first.calls] == ["open", "[method]bucket.set"]
    assert repr(session.trace("last")).startswith("call shop.get  returned\n  1  wasi:keyvalue/store.open")
    assert [call.request for call in last.calls] == [last.number] * 2
    assert session.receipt("shop").data["touched"]["keys"]["b/k"]["calls"] == 2


def test_a_call_that_fails_says_with_what(session):
    """The WIT error or the trap stands in the row, and marks it as failed."""
    session.load(KEYVALUE, "shop", attach=["keyvalue"])
    session.detach("keyvalue", from_="shop")
    with pytest.raises(Err):
        session["shop"].open("b")
    assert session.trace("last").data[0].headline.startswith("call shop.open  failed  error ")
    session.load(CARTS)
    with pytest.raises(TrapError):
        session["carts"].Cart(1).boom()
    assert session.trace("last").data[0].headline.startswith("call carts.cart.boom  failed  carts: ")


def test_nothing_is_remembered_of_a_call_while_tracing_is_off(session):
    """It costs nothing then, and begins again with the next call."""
    adder = session.load("example:adder")
    session.tracing = False
    adder.add(1, 2)
    assert session.trace.data == []
    session.tracing = True
    adder.add(1, 2)
    assert len(session.trace.data) == 1
