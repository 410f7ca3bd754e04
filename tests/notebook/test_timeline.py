"""What belongs together in the trace: changes to calls, lines to calls, messages to those who sent them, time."""

from __future__ import annotations

import pytest

from washnb.events import HostCall, LogLine, MessageHandled, RequestHandled, StateChanged
from washnb.notebook.hosted import history
from washnb.notebook.hosted.crossings import passage_entry
from washnb.notebook.hosted.timeline import Timeline

KV = "wasi-keyvalue"
NOW = 1_000.0


@pytest.fixture
def told(monkeypatch):
    """A history, and what tells it events at chosen times: `told(at, event)`."""
    clock = [NOW]
    monkeypatch.setattr(history.time, "time", lambda: clock[0])
    remembered = history.History()

    def tell(at, event):
        clock[0] = NOW + at
        remembered.take(event)

    tell.history = remembered
    return tell


def call(number, started, took, function="set", *arguments, result=None, request=1, workload="w", interface="a:b/c"):
    """A host call that began `started` seconds after its request."""
    shown = "set-many" if function == "many" else function
    return HostCall(
        request, number, workload, workload, interface, shown, arguments, result, None, KV, started, took, 8
    )


def changed(key, action="set", workload="w", by=None, request=1):
    """A key of bucket b has changed, `by` the call of that number."""
    return StateChanged(workload, KV, ("b", key), action, None if by is None else (request, by))


def changes(told):
    """Each call's changes: key, before, after."""
    timeline = Timeline.of(told.history.memory())
    found = {each.call.number: each.changes for one in timeline.passages for each in one.crossings if each.changes}
    return {number: [(one.path[-1], one.before, one.after) for one in each] for number, each in found.items()}, [
        each.path[-1] for each in timeline.outside
    ]


def test_changes_belong_to_the_calls_that_made_them(told):
    """A set, a pair of many, a count and a delete show what was there before and is there now."""
    told(0.11, changed("k", by=1))
    told(0.2, call(1, 0.1, 0.1, "set", ("key", "k"), ("value", b"1")))
    told(0.31, changed("k", by=2))
    told(0.32, changed("l", by=2))
    told(0.4, call(2, 0.3, 0.1, "many", ("key-values", (("k", b"2"), ("l", b"3")))))
    told(0.51, changed("n", by=3))
    told(0.6, call(3, 0.5, 0.1, "increment", ("key", "n"), ("delta", 1), result=7))
    told(0.71, changed("k", "delete", by=4))
    told(0.8, call(4, 0.7, 0.1, "delete", ("key", "k")))
    assert changes(told) == (
        {
            1: [("k", None, "b'1'")],
            2: [("k", "b'1'", "b'2'"), ("l", None, "b'3'")],
            3: [("n", None, "7")],
            4: [("k", "b'2'", "none")],
        },
        [],
    )


def test_changes_that_no_call_made_are_outside(told):
    """An edit between two calls, and one of another workload, belong to nobody; what was known is no longer."""
    told(0.11, changed("k", by=1))
    told(0.2, call(1, 0.1, 0.1, "set", ("key", "k"), ("value", b"1")))
    told(0.25, changed("k"))
    told(0.31, changed("k", workload="other"))
    told(0.32, changed("k", by=2))
    told(0.4, call(2, 0.3, 0.1, "set", ("key", "k"), ("value", b"2")))
    assert changes(told) == ({1: [("k", None, "b'1'")], 2: [("k", None, "b'2'")]}, ["k", "k"])


def test_an_edit_while_a_call_lasts_is_not_its_work(told):
    """Whatever the time says: a change belongs to the call that it names."""
    told(0.15, changed("k"))
    told(0.2, call(1, 0.1, 0.1, "set", ("key", "other"), ("value", b"1")))
    assert changes(told) == ({}, ["k"])


def test_what_a_read_showed_is_known(told):
    """The value that a get returned is what a later set has replaced, in the bucket that was opened."""
    from washnb.host.recording.values import ResourceName

    bucket = ResourceName("bucket", 1)
    store = "wasi:keyvalue/store@0.2.0-draft"
    told(0.1, call(1, 0, 0.1, "open", ("identifier", "b"), result=bucket, interface=store))
    told(0.2, call(2, 0.1, 0.1, "[method]bucket.get", ("self", bucket), ("key", "k"), result=b"0", interface=store))
    told(0.31, changed("k", by=3))
    told(0.4, call(3, 0.3, 0.1, "[method]bucket.set", ("self", bucket), ("key", "k"), ("value", b"1"), interface=store))
    assert changes(told) == ({3: [("k", "b'0'", "b'1'")]}, [])


def test_lines_belong_to_their_call_or_request(told):
    """A line stands with the call that wrote it, one that no call names with the request, and others nowhere."""

    def line(at, message, cause=None):
        told(at, LogLine("w", "w", "log", "info", "", message, NOW + at, cause=cause))

    line(0.15, "hello", (1, 1))
    told(0.2, call(1, 0.1, 0.1, "log", ("message", "hello")))
    line(0.25, "printed")
    told(0.4, RequestHandled(1, "w", "GET", "/", 200, 0.4))
    line(0.9, "later")
    (passage,) = Timeline.of(told.history.memory()).passages
    assert [each.message for each in passage.crossings[0].lines] == ["hello"]
    assert [each.message for each in passage.lines] == ["printed"]


def test_time_is_shared_out(told):
    """Guest, host and waiting add up to the request, and a call within another does not count twice."""
    told(0.4, call(1, 0.0, 0.4))
    told(0.3, call(2, 0.1, 0.1))
    told(0.7, call(3, 0.5, 0.2, "poll", interface="wasi:io/poll@0.2.0"))
    told(1.0, RequestHandled(1, "w", "GET", "/", 200, 1.0))
    (passage,) = Timeline.of(told.history.memory()).passages
    shares = passage.shares
    assert (round(shares.guest, 6), round(shares.host, 6), round(shares.waiting, 6)) == (0.4, 0.4, 0.2)


def test_a_message_stands_below_the_call_that_sent_it(session):
    """The desk's request waits in a call for the worker's handling of the message."""
    session.load("example:worker", attach=["messaging"], config={"subscriptions": "tasks.*"})
    session.load("example:desk")
    assert session.send("POST", "/tasks.shout", body="hey", to="desk").text == "HEY"

    async def timeline(deployments):
        return Timeline.of(deployments.history.memory())

    desk, worker = session.on_host(timeline).passages
    assert worker.under is not None
    assert worker.under == worker.trace.handled.cause
    number, place = worker.under
    assert number == desk.number
    assert desk.crossings[place - 1].call.function == "request"


def test_messages_with_one_subject_stand_each_below_its_own_sender(told):
    """Of requests that send the same at the same time, each has the message that names its call."""
    for request in (1, 2):
        consumer = "wasmcloud:messaging/consumer@0.2.0"
        told(0, call(1, 0.0, 0.0001, "publish", ("subject", "s"), request=request, interface=consumer))
    for request, sender in ((3, 2), (4, 1)):
        told(0.1, MessageHandled(request, "w", "w", "s", b"", 0, None, None, 0.1, NOW, cause=(sender, 1)))
    passages = Timeline.of(told.history.memory()).passages
    assert {each.number: each.under for each in passages if each.number > 2} == {3: (2, 1), 4: (1, 1)}


def test_who_sends_itself_a_message_is_not_below_itself(told):
    """A handler that publishes where it listens stands below who sent it the message, not below its own call."""
    for request, at in ((1, 0.0), (2, 0.0001)):
        consumer = "wasmcloud:messaging/consumer@0.2.0"
        told(at, call(1, 0.0, 0.0001, "request", ("subject", "s"), request=request, interface=consumer))
    told(0.1, MessageHandled(2, "w", "w", "s", b"", 0, None, None, 0.1, NOW))
    first, second = Timeline.of(told.history.memory()).passages
    assert (first.under, second.under) == (None, (1, 1))


def test_what_pages_are_told_of_lines_is_bounded(told):
    """Of many lines the first are told, and how many more there are."""
    for number in range(50):
        told(0.1, LogLine("w", "w", "stdout", "info", "", f"line {number}", NOW + 0.1))
    told(0.4, RequestHandled(1, "w", "GET", "/", 200, 0.4))
    lines = passage_entry(Timeline.of(told.history.memory()).passages[0])["lines"]
    assert len(lines) == 21
    assert lines[-1] == "and 30 more lines"


def test_a_look_at_the_latest_leaves_out_what_came_before(told):
    """With a bound on calls the latest requests remain, one at least, and the changes and lines since then."""
    for request in (1, 2, 3):
        told(request, changed("k"))
        told(request, LogLine("w", "w", "stdout", "info", "", "x", NOW + request))
        told(request + 0.1, call(1, 0.0, 0.1, "set", ("key", "k"), request=request))
    memory = told.history.memory(2)
    assert [each.number for each in memory.requests] == [2, 3]
    assert (len(memory.changes), len(memory.lines)) == (2, 2)
    assert [each.number for each in told.history.memory(0).requests] == [3]
