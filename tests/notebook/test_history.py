"""What the session remembers of what the host told."""

from __future__ import annotations

from pathlib import Path

import pytest

from washnb.engine import Err
from washnb.errors import TrapError
from washnb.events import HostCall, RequestHandled, WorkloadChanged
from washnb.notebook.hosted import history
from washnb.notebook.hosted.history import History
from washnb.types import WorkloadState

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


def opening(request):
    """A host call of a request."""
    arguments = (("identifier", "b"),)
    place = ("w", "w", "wasi:keyvalue/store@0.2.0-draft", "open")
    return HostCall(request, 1, *place, arguments, None, None, "kv", 0.0, 0.0, 8)


def counted(remembered):
    """How many calls the receipts have counted, altogether and of one bucket."""
    ledger = remembered.receipts._ledgers["w"]
    return [sum(tally.calls for tally in each.values()) for each in (ledger.functions, ledger.touched)]


def test_a_flood_leaves_the_latest_requests_and_all_counts():
    """What is counted together with others is counted; how much waits for that is bounded."""
    remembered, requests = History(), 10 * history.KEPT_REQUESTS
    for number in range(1, requests + 1):
        remembered.take(opening(number))
        remembered.take(RequestHandled(number, "w", "GET", "/", 200, 0.0))
        assert len(remembered._uncounted) < history._UNCOUNTED
    kept = remembered.requests()
    assert [each.number for each in kept] == list(range(requests - history.KEPT_REQUESTS + 1, requests + 1))
    assert all(len(each.calls) == 1 and each.handled is not None for each in kept)
    assert counted(remembered) == [requests, requests]
    assert not remembered.receipts._meanings  # what the resources of a request stand for goes with it


def test_what_is_not_counted_yet_was_done_by_the_version_before():
    """A workload that is loaded again begins its receipt anew, with the calls after that."""
    remembered = History()
    for number in (1, 2):
        remembered.take(WorkloadChanged(f"id-{number}", "w", WorkloadState.STARTING, ""))
        remembered.take(WorkloadChanged(f"id-{number}", "w", WorkloadState.RUNNING, ""))
        for request in range(number):
            remembered.take(opening(request))
        assert counted(remembered) == [number, number]
        remembered.take(opening(9))
        remembered.take(WorkloadChanged(f"id-{number}", "w", WorkloadState.STOPPING, ""))
