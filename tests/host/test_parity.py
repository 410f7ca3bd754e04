"""The deviations from wash-runtime: the table is the one in the documentation, and names what a workload relied on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from washnb.errors import UnsatisfiedImportError
from washnb.events import HostCall, LogLine, RequestHandled
from washnb.host import DEVIATIONS, MadeOf, Parity
from washnb.plugins import (
    DynamicConfig,
    FilesystemKeyValue,
    InMemoryKeyValue,
    InMemoryMessaging,
    NatsBlobstore,
    NatsMessaging,
    NatsServer,
    TracingLogger,
)
from washnb.types import LocalResources

from .guests import component, refused, request, start

ARCHITECTURE = Path(__file__).parent.parent.parent / "ARCHITECTURE.md"
PLAIN = MadeOf((), LocalResources())


def ids(parity: Parity, workload: str, made: MadeOf = PLAIN) -> list[str]:
    """Name what a workload relied on."""
    return [each.id for each in parity.relied_on(workload, made)]


def test_the_table_is_the_one_in_the_documentation():
    """Whoever adds a deviation adds it to both, in the same words."""
    rows = re.findall(r"^\| (D\d+) \| (.*) \| (.*) \| (.*) \|$", ARCHITECTURE.read_text(), re.MULTILINE)
    assert rows == [(each.id, each.reference, each.here, each.why) for each in DEVIATIONS]
    assert len({each.id for each in DEVIATIONS}) == len(DEVIATIONS)


async def test_what_a_workload_is_made_of(host):
    """A denied import, a limit of memory and state in memory show without any event."""
    response = await refused(host, request(component("counter")))
    assert isinstance(response.error, UnsatisfiedImportError)
    missing = response.error.missing["counter"]
    assert ids(Parity(), "counter", MadeOf((), LocalResources(), missing)) == ["D01"]
    assert ids(Parity(), "counter", MadeOf((), LocalResources(memory_limit_mb=16))) == ["D05"]
    assert ids(Parity(), "counter", MadeOf((InMemoryKeyValue(),), LocalResources())) == ["D08"]
    assert ids(Parity(), "counter", MadeOf((TracingLogger(),), LocalResources())) == []


async def test_what_a_workload_did(host):
    """What its requests and log lines show is noted under its own name."""
    parity = Parity()
    host.events().subscribe(parity.take)
    for plugin in (DynamicConfig(), TracingLogger()):
        await host.attach(plugin)
    await start(host, "config_logging", "hello")
    await host.call("config_logging", "log", "warn", "", "low")
    assert ids(parity, "config_logging") == []
    await host.call("config_logging", "log", "critical", "", "burning")
    assert ids(parity, "config_logging") == ["D15"]
    assert ids(parity, "hello") == []


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (RequestHandled(1, "w", "GET", "/", 504, 30.0, "late"), ["D03"]),
        (RequestHandled(1, "w", "GET", "/", 503, 0.0, "too many are in flight", "W303"), ["D04"]),
        (RequestHandled(1, "w", "GET", "/", 503, 0.0, "workload 'w' was stopped", "W302"), []),
        (RequestHandled(1, "w", "GET", "/", 499, 0.1, "the client went away"), ["D16"]),
        (LogLine("w", "c", "stderr", "error", "", "text", 1.0), ["D07"]),
        (LogLine("w", "c", "log", "critical", "", "text", 1.0, "another host"), []),
    ],
)
def test_what_an_event_shows(event, expected):
    """Each event is taken for what it is, and those of other hosts are theirs."""
    parity = Parity()
    parity.take(event)
    assert ids(parity, "w") == expected


@pytest.mark.parametrize(
    ("plugin", "expected"),
    [
        (InMemoryMessaging(), ["D24"]),
        (NatsMessaging(NatsServer()), ["D35"]),
        (FilesystemKeyValue(Path("state")), ["D28"]),
        (NatsBlobstore(NatsServer()), ["D21", "D39"]),
    ],
)
def test_what_a_backend_does_otherwise(plugin, expected):
    """Where a plugin keeps its state says which deviations it brings."""
    assert ids(Parity(), "w", MadeOf((plugin,), LocalResources())) == expected


def test_call_that_fails_is_not_one_that_succeeds():
    """What the reference does otherwise only with a failure shows only there."""
    for function, deviation in (("publish", "D23"), ("move-object", "D19")):
        parity = Parity()
        parity.take(call(function, ()))
        assert ids(parity, "w") == []
        parity.take(call(function, (), "away"))
        assert ids(parity, "w") == [deviation]


def test_what_only_a_trace_shows():
    """A call is seen while host calls are recorded, and the table says which deviations depend on that."""
    traced = "D10 D12 D13 D17 D19 D20 D22 D23 D30 D31 D32 D40"
    assert [each.id for each in DEVIATIONS if each.traced] == traced.split()
    parity = Parity()
    parity.take(call("get-random-bytes", (("len", 1024),)))
    assert ids(parity, "w") == []
    parity.take(call("get-random-bytes", (("len", 2 * 1024 * 1024),)))
    parity.take(call("[static]outgoing-body.finish", (("this", None),)))
    assert ids(parity, "w") == ["D17"]
    parity.take(call("[static]outgoing-body.finish", (("this", None), ("trailers", "fields#1"))))
    assert ids(parity, "w") == ["D10", "D17"]


async def test_option_without_a_value_is_not_relied_on(host):
    """Who answers without trailers has not relied on them: the trace has a `none` there."""
    parity = Parity()
    host.events().subscribe(parity.take)
    host.tracing = True
    await start(host, "hello")
    assert (await host.send("GET", "/")).status == 200
    assert ids(parity, "hello") == []


@pytest.mark.parametrize("status", [499, 504])
def test_status_that_a_guest_has_chosen_is_no_deviation(status):
    """A guest may answer 504 for somebody behind it: only what the host says by it is ours."""
    parity = Parity()
    parity.take(RequestHandled(1, "w", "GET", "/", status, 0.1))
    assert ids(parity, "w") == []


def test_what_cannot_be_seen_is_said_to_be_so():
    """These are never named, whatever a workload does: who asks is told that the host does not see them."""
    unseen = "D02 D06 D09 D11 D14 D18 D25 D26 D27 D29 D33 D34 D37 D38"
    assert [each.id for each in DEVIATIONS if not each.shows] == unseen.split()


def test_newer_drafts_and_denials_show_in_calls():
    """A call of wasi:keyvalue 0.2.0-draft2 or of wasi:config/runtime, and one that was not permitted."""
    parity = Parity()
    parity.take(call("get", ())._replace(interface="wasi:keyvalue/store@0.2.0-draft"))
    parity.take(call("get", (), "other: full"))
    assert ids(parity, "w") == []
    parity.take(call("get", ())._replace(interface="wasi:keyvalue/store@0.2.0-draft2"))
    assert ids(parity, "w") == ["D31"]
    parity.take(call("set", (), "access-denied: read only"))
    assert ids(parity, "w") == ["D31", "D32"]


def call(function: str, arguments: tuple[tuple[str, object], ...], error: str | None = None) -> HostCall:
    """A host call as a trace has it."""
    return HostCall(1, 1, "w", "c", "wasi:x/y@0.2.0", function, arguments, None, error, "wasi", 0.0, 0.0, 0)
