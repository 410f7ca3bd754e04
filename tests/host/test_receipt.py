"""The capability receipt: a fold over what the host tells, and the least that a workload needs."""

from __future__ import annotations

import pytest

from washnb.engine import INJECTOR
from washnb.events import HostCall, RequestHandled, WorkloadChanged
from washnb.host import Receipts
from washnb.host.recording import receipt
from washnb.host.recording.values import CaseValue, Excerpt, RecordValue, ResourceName
from washnb.plugins import DynamicConfig, InMemoryBlobstore, InMemoryKeyValue, InMemoryMessaging, TracingLogger
from washnb.types import WorkloadState
from washnb.wit import WitInterface

from .guests import ATOMICS, STORE, component, request, start

PLUGINS = (InMemoryKeyValue, InMemoryBlobstore, InMemoryMessaging, DynamicConfig, TracingLogger)
HTTP = "wasi:http/types@0.2.0"


@pytest.fixture
async def counting(host):
    """A host that traces, with every plugin, and the receipts of its workloads."""
    receipts = Receipts()
    host.events().subscribe(receipts.take)
    host.tracing = True
    for plugin in PLUGINS:
        await host.attach(plugin())
    return host, receipts


def of(host, receipts, name):
    """Write the receipt of a workload of that host."""
    plugins = host.plugins.values()
    return receipts.of(name, host.component(name), plugins, lambda plugin_id: host.granted(plugin_id, name))


def told(interface, function, *arguments, result=None, error=None, request=1, provider="plugin"):
    """A host call of workload `w`, as the host tells it."""
    return HostCall(request, 1, "w", "w", interface, function, arguments, result, error, provider, 0.0, 0.0, 8)


def touched(receipts, workload="w"):
    """What was touched, without how often."""
    ledger = receipts._ledgers[workload]
    return sorted(ledger.touched)


async def test_what_was_used_and_what_never(counting):
    """Functions are counted, keys are named with their bucket, and what was not called shows as not used."""
    host, receipts = counting
    await start(host, "counter")
    for _ in range(3):
        await host.send("GET", "/a")
    seen = of(host, receipts, "counter")
    uses = {use.interface: use for use in seen.imports}
    assert {name: tally.calls for name, tally in uses[ATOMICS].used.items()} == {"increment": 3}
    assert uses[STORE].provider == "wasi-keyvalue"
    assert uses[STORE].granted
    assert seen.touched["buckets"]["default"].calls == 3
    assert seen.touched["keys"]["default/a"].calls == 3
    assert seen.allowed_hosts == seen.denied_hosts == ()


async def test_what_was_revoked_shows_as_denied(counting):
    """A call to what was taken back is a denied one, and its interface is not granted any more."""
    host, receipts = counting
    await start(host, "counter")
    await host.detach("wasi-keyvalue", from_="counter")
    await host.send("GET", "/a")
    use = {each.interface: each for each in of(host, receipts, "counter").imports}[STORE]
    assert (use.granted, use.denied) == (False, 1)


async def test_hosts_are_those_that_were_reached(counting):
    """An address that was let through becomes an entry of `allowed_hosts`; one that was not is named apart."""
    host, receipts = counting
    await start(host, "proxy", allowed_hosts=("127.0.0.1:9",))
    await host.send("GET", "/http://127.0.0.1:9/x")
    await host.send("GET", "/http://evil.example/x")
    seen = of(host, receipts, "proxy")
    assert seen.allowed_hosts == ("http://127.0.0.1:9",)
    assert seen.denied_hosts == ("http://evil.example",)


@pytest.mark.parametrize("source", ["counter", "greeter", "gallery", "desk", "worker", "proxy", "hello"])
async def test_the_least_is_enough(counting, source):
    """A workload starts with the interfaces of its receipt and nothing else, and answers HTTP as before."""
    host, receipts = counting
    await start(host, source)
    least = of(host, receipts, source).host_interfaces
    again = request(component(source), name="again", interfaces=least)
    response = await host.workload_start(again)
    assert response.error is None
    if source != "worker":
        assert (await host.send("GET", "/x", to="again")).status == (await host.send("GET", "/x", to=source)).status


async def test_the_least_is_no_more(counting):
    """Interfaces of WASI and interfaces that only hold types are not asked for; a message handler is."""
    host, receipts = counting
    await start(host, "counter", "worker")
    assert of(host, receipts, "counter").host_interfaces == (
        WitInterface.parse("wasi:http/incoming-handler@0.2.0"),
        WitInterface.parse("wasi:keyvalue/atomics,store@0.2.0-draft"),
    )
    assert of(host, receipts, "worker").host_interfaces == (
        WitInterface.parse("wasmcloud:messaging/consumer,handler@0.2.0"),
    )


def test_names_behind_values_are_found():
    """Lists of keys, pairs, ids of objects, messages, files: each by its name; a reply's own subject is no name."""
    receipts = Receipts()
    bucket, sent = ResourceName("bucket", 1), RecordValue((("subject", "orders.new"), ("body", b"")))
    inbox = RecordValue((("subject", "_INBOX.a1b2"), ("body", b"")))
    source = RecordValue((("container", "c"), ("object", "o")))
    many = Excerpt((("k3", b""),), 70)
    for call in (
        told(STORE, "open", ("identifier", "b"), result=bucket),
        told("wasi:keyvalue/batch@0.2.0-draft", "get-many", ("bucket", bucket), ("keys", ("k1", "k2"))),
        told("wasi:keyvalue/batch@0.2.0-draft", "set-many", ("bucket", bucket), ("key-values", many)),
        told("wasi:blobstore/blobstore@0.2.0-draft", "copy-object", ("src", source), ("dest", source)),
        told("wasmcloud:messaging/consumer@0.2.0", "publish", ("msg", sent)),
        told("wasmcloud:messaging/consumer@0.2.0", "publish", ("msg", inbox)),
        told("wasi:filesystem/types@0.2.0", "[method]descriptor.open-at", ("self", bucket), ("path", "a.txt")),
        told("wasi:config/store@0.2.0-rc.1", "get", ("key", "colour")),
        told("mine:own/thing@0.1.0", "get", ("key", "unknown")),
    ):
        receipts.take(call)
    assert touched(receipts) == [
        ("buckets", "b"),
        ("files", "b/a.txt"),
        ("keys", "b/k1"),
        ("keys", "b/k2"),
        ("keys", "b/k3"),
        ("objects", "c/o"),
        ("settings", "colour"),
        ("subjects", "_INBOX.…"),
        ("subjects", "orders.new"),
    ]


def test_requests_do_not_share_resources():
    """The bucket#1 of one request is not that of another, and is forgotten with its request."""
    receipts = Receipts()
    bucket = ResourceName("bucket", 1)
    receipts.take(told(STORE, "open", ("identifier", "one"), result=bucket, request=1))
    receipts.take(told(STORE, "open", ("identifier", "two"), result=bucket, request=2))
    receipts.take(told(STORE, "[method]bucket.get", ("self", bucket), ("key", "k"), request=1))
    assert ("keys", "one/k") in touched(receipts)
    receipts.take(RequestHandled(1, "w", "GET", "/", 200, 0.1))
    assert list(receipts._meanings) == [2]


def test_a_host_is_named_as_the_request_named_it():
    """Its scheme, or https, and its authority without a password; one that was refused is none."""
    receipts = Receipts()
    first, second = ResourceName("outgoing-request", 1), ResourceName("outgoing-request", 2)
    for function, arguments, error in (
        (
            "[method]outgoing-request.set-scheme",
            (("self", first), ("scheme", CaseValue("HTTP"))),
            None,
        ),
        ("[method]outgoing-request.set-authority", (("self", first), ("authority", "a.example:81")), None),
        ("[method]outgoing-request.set-authority", (("self", first), ("authority", "b b")), "error"),
        ("handle", (("request", first), ("options", CaseValue("none"))), None),
        ("[method]outgoing-request.set-authority", (("self", second), ("authority", "ada:love@c.example")), None),
        ("[method]outgoing-request.set-scheme", (("self", second), ("scheme", CaseValue("none"))), None),
        ("handle", (("request", second), ("options", CaseValue("none"))), "HTTP-request-denied"),
    ):
        receipts.take(told(HTTP, function, *arguments, error=error, provider="wasi"))
    assert touched(receipts) == [("hosts", "http://a.example:81"), ("hosts", "https://c.example")]
    assert receipts._ledgers["w"].touched["hosts", "https://c.example"].denied == 1


def test_what_is_kept_is_bounded(monkeypatch):
    """Names over the limit are counted, not kept; so are workloads and requests that end without a word."""
    monkeypatch.setattr(receipt, "MAX_NAMES", 2)
    monkeypatch.setattr(receipt, "MAX_WORKLOADS", 2)
    monkeypatch.setattr(receipt, "_MAX_REQUESTS", 2)
    receipts = Receipts()
    for number, key in enumerate("abcad"):
        receipts.take(told("wasi:config/store@0.2.0", "get", ("key", key), request=number))
    assert touched(receipts) == [("settings", "a"), ("settings", "b")]
    assert receipts._ledgers["w"].left_out == {"settings": 2}
    assert receipts._ledgers["w"].functions["wasi:config/store@0.2.0", "get"].calls == 5
    assert list(receipts._meanings) == [3, 4]
    for name in ("x", "y"):
        receipts.take(told("a:b/c", "f")._replace(workload=name))
    assert list(receipts._ledgers) == ["x", "y"]


def test_only_another_workload_of_the_name_begins_anew():
    """A command that runs under the name of a loaded workload takes nothing from it; a new one starts at nought."""
    receipts = Receipts()

    def change(workload_id, state):
        receipts.take(WorkloadChanged(workload_id, "w", state, ""))

    change("1", WorkloadState.STARTING)
    receipts.take(told("a:b/c", "f"))
    change("2", WorkloadState.STARTING)
    change("2", WorkloadState.STOPPING)
    assert "w" in receipts._ledgers
    change("1", WorkloadState.STOPPING)
    assert "w" in receipts._ledgers
    change("3", WorkloadState.STARTING)
    assert "w" not in receipts._ledgers


def test_the_next_version_of_a_workload_begins_anew():
    """When it runs; as long as another workload has its name, what that one did is not forgotten."""
    receipts = Receipts()

    def change(workload_id, state):
        receipts.take(WorkloadChanged(workload_id, "w", state, ""))

    change("1", WorkloadState.STARTING)
    change("1", WorkloadState.RUNNING)
    receipts.take(told("a:b/c", "f"))
    change("2", WorkloadState.STARTING)
    change("2", WorkloadState.RUNNING)
    change("1", WorkloadState.RUNNING)
    assert "w" in receipts._ledgers
    change("2", WorkloadState.STOPPING)
    change("1", WorkloadState.RUNNING)
    assert "w" not in receipts._ledgers


def test_what_is_injected_into_an_export_is_no_call_of_the_guest():
    """Faults of imports are counted, since the guest has called."""
    receipts = Receipts()
    receipts.take(told("wasi:http/incoming-handler@0.2.0", "handle", provider=INJECTOR))
    assert not receipts._ledgers
