"""What goes wrong on purpose: on which calls, in which way, for whom, and until when."""

from __future__ import annotations

import asyncio
import time
import traceback

import pytest

from washnb.engine import Err, case_class, shapes
from washnb.errors import BackendError, ConfigError, GuestError
from washnb.events import HostCall
from washnb.host import Fault, sentence
from washnb.plugins import DynamicConfig, InMemoryKeyValue, Interface, TracingLogger

from .guests import component, request, start

ERROR = shapes.Variant((("no-such-store", None), ("access-denied", None), ("other", shapes.Primitive("string"))))
SAVED = b"a value"


@pytest.fixture
async def shop(host):
    """A workload with a value in a bucket; `shop.get` reads it through a fresh instance."""
    await host.attach(InMemoryKeyValue())
    await start(host, "keyvalue")
    assert await host.call("keyvalue", "set", "b", "k", SAVED) is None
    return host


async def get(host, workload: str = "keyvalue") -> object:
    """What the guest gets: the value, or the name and the payload of the error."""
    try:
        return await host.call(workload, "get", "b", "k")
    except Err as error:
        return type(error.value).__name__.removeprefix("Error_"), getattr(error.value, "value", None)


class TestErrors:
    """What an error may be."""

    @pytest.mark.parametrize(
        ("error", "seen"),
        [
            ("no-such-store", ("NoSuchStore", None)),
            ("NoSuchStore", ("NoSuchStore", None)),
            ("other", ("Other", "injected by a fault")),
            ("other(no space)", ("Other", "no space")),
            ('other("no space")', ("Other", "no space")),
            ("other(42)", ("Other", "42")),
            (case_class(ERROR, "other")("mine"), ("Other", "mine")),
            (Err(case_class(ERROR, "access-denied")()), ("AccessDenied", None)),
        ],
    )
    async def test_of_the_wit_type(self, shop, error, seen):
        """A case by its name, with a payload in brackets or some payload, or a value as a plugin would raise it."""
        shop.faults.add(Fault("keyvalue.get", error=error))
        assert await get(shop) == seen

    @pytest.mark.parametrize("error", ["gone", Err("gone"), object()])
    async def test_one_that_the_type_lacks_is_refused_with_those_that_it_has(self, shop, error):
        """When the fault is set, not when it strikes."""
        with pytest.raises(ConfigError) as caught:
            shop.faults.add(Fault("keyvalue.get", error=error))
        assert "wasi:keyvalue/store#[method]bucket.get has no error" in str(caught.value)
        assert caught.value.repair == ("its errors are no-such-store, access-denied, other(string)",)
        assert not len(shop.faults)

    async def test_a_function_without_errors_is_named(self, host):
        """With what would do."""
        await start(host, "clocks")
        with pytest.raises(
            ConfigError, match=r"monotonic-clock#now has no error in WIT: now: func\(\) -> u64"
        ) as caught:
            host.faults.add(Fault("clocks.now", error="late"))
        assert "trap" in caught.value.repair[0]

    @pytest.mark.parametrize("error", [BackendError("the disk is gone"), BackendError])
    async def test_an_exception_ends_the_guest(self, shop, error):
        """As it would if the plugin raised it; an object or a class, each time anew."""
        shop.faults.add(Fault("keyvalue.get", error=error))
        depths = []
        for _ in range(3):  # the first has one more frame, in which code is generated
            with pytest.raises(GuestError) as caught:
                await get(shop)
            assert isinstance(caught.value.__cause__, BackendError)
            depths.append(len(traceback.extract_tb(caught.value.__cause__.__traceback__)))
        assert depths[1] == depths[2]
        assert await shop.call("keyvalue", "exists", "b", "k") is True

    async def test_a_trap_ends_the_guest_and_says_why(self, shop):
        """With the line that ends it."""
        shop.faults.add(Fault("keyvalue.get", trap=True))
        with pytest.raises(GuestError, match=r"bucket\.get: a fault ended the guest\n  %wash fault clear"):
            await get(shop)


class TestWhen:
    """Which calls go wrong."""

    async def test_after_some_for_a_while(self, shop):
        """The first go well, then some do not, then they do again; of all workloads together."""
        fault = shop.faults.add(Fault("keyvalue.get", error="no-such-store", after=3, times=2))
        seen = [await get(shop) for _ in range(7)]
        assert [each == SAVED for each in seen] == [True, True, True, False, False, True, True]
        assert (fault.seen, fault.injected, fault.spent) == (7, 2, True)

    async def test_until_it_is_cleared(self, shop):
        """By itself, by its target, or with all others."""
        for clear in (lambda fault: fault, lambda _: "keyvalue.get", lambda _: None):
            fault = shop.faults.add(Fault("keyvalue.get", error="no-such-store"))
            assert await get(shop) != SAVED
            assert shop.faults.clear(clear(fault)) == (fault,)
            assert await get(shop) == SAVED
        assert shop.faults.clear(fault) == ()

    async def test_a_target_without_fault_is_named(self, shop):
        """With the closest one that has."""
        shop.faults.add(Fault("keyvalue.get", trap=True))
        with pytest.raises(ConfigError, match=r"no fault is set on keyvalue.got; there are keyvalue.get") as caught:
            shop.faults.clear("keyvalue.got")
        assert caught.value.repair == ("%wash fault clear keyvalue.get",)

    async def test_an_instance_that_runs_meets_it_at_its_next_call(self, shop):
        """And what replaces the plugin, and a reload, change nothing about it."""
        instance = await shop.instantiate("keyvalue")
        assert await instance.call("get", "b", "k") == SAVED
        shop.faults.add(Fault("keyvalue.get", error="access-denied"))
        with pytest.raises(Err):
            await instance.call("get", "b", "k")
        await shop.attach(InMemoryKeyValue(), replace=True)
        assert (await get(shop))[0] == "AccessDenied"
        await shop.workload_reload(request(component("keyvalue")))
        assert (await get(shop))[0] == "AccessDenied"
        shop.faults.clear()
        assert await get(shop) is None

    async def test_of_one_workload(self, shop):
        """Others go on; one that starts later under its name is about it, too."""
        await shop.workload_start(request(component("keyvalue"), name="other"))
        await shop.call("other", "set", "b", "k", SAVED)
        shop.faults.add(Fault("keyvalue.get", error="no-such-store", of="other"))
        assert await get(shop) == SAVED
        assert await get(shop, "other") != SAVED
        await shop.workload_stop("other")
        await shop.workload_start(request(component("keyvalue"), name="other"))
        assert await get(shop, "other") != SAVED
        with pytest.raises(ConfigError, match="no workload 'othr' runs") as caught:
            shop.faults.add(Fault("keyvalue.get", trap=True, of="othr"))
        assert caught.value.repair == ("did you mean 'other'?",)

    async def test_the_first_of_several_strikes(self, shop):
        """Each call goes wrong in one way."""
        shop.faults.add(Fault("keyvalue.get", error="no-such-store", times=1))
        shop.faults.add(Fault("keyvalue.bucket.get", error="access-denied"))
        assert [(await get(shop))[0] for _ in range(3)] == ["NoSuchStore", "AccessDenied", "AccessDenied"]


class TestWays:
    """What else can happen to a call."""

    async def test_a_delay(self, shop):
        """The call itself comes after it; others are served meanwhile, and a timeout holds."""
        shop.faults.add(Fault("keyvalue.get", delay=0.05))
        began = time.perf_counter()
        assert await asyncio.gather(get(shop), get(shop)) == [SAVED, SAVED]
        assert 0.05 <= time.perf_counter() - began < 0.1
        shop.faults.clear()
        shop.faults.add(Fault("keyvalue.get", delay=5, error="no-such-store"))
        with pytest.raises(GuestError):
            await shop.call("keyvalue", "get", "b", "k", timeout=0.02)

    async def test_a_value(self, shop):
        """In place of the right one; one that does not fit is refused."""
        shop.faults.add(Fault("keyvalue.get", value=b"wrong"))
        assert await get(shop) == b"wrong"
        shop.faults.clear()
        shop.faults.add(Fault("keyvalue.get", value=None))
        assert await get(shop) is None
        with pytest.raises(ConfigError, match="value is list<u8>, not 3"):
            shop.faults.add(Fault("keyvalue.get", value=3))

    async def test_a_clock_that_jumps(self, host):
        """Both clocks, forwards and backwards, never below zero; nothing else jumps."""
        await start(host, "clocks")
        host.faults.add(Fault("clocks.now", jump=3600))
        assert await host.call("clocks", "nanoseconds") >= 3600 * 10**9
        assert 3590 < await host.call("clocks", "seconds") - time.time() < 3610
        host.faults.clear()
        host.faults.add(Fault("clocks.now", jump=-3600))
        assert await host.call("clocks", "nanoseconds") == 0
        assert 3590 < time.time() - await host.call("clocks", "seconds") < 3610
        await start(host, "command")
        with pytest.raises(ConfigError, match="cannot jump"):
            host.faults.add(Fault("cli.get_stdin", jump=1))

    async def test_short_reads(self, host):
        """A command gets all of its input, in more pieces."""
        await start(host, "command")
        fault = host.faults.add(Fault("io.blocking-splice", short=2))
        result = await host.run("command", stdin=b"input")
        assert result.stdout.endswith(b"input")
        assert fault.injected >= 3
        with pytest.raises(ConfigError, match="reads no number of bytes"):
            host.faults.add(Fault("cli.get_stdin", short=1))

    async def test_a_stream_that_fails(self, host):
        """The payload of its error is a resource of the host's own."""
        await start(host, "command")
        host.faults.add(Fault("wasi:io/streams#[method]output-stream.blocking-splice", error="last-operation-failed"))
        result = await host.run("command", stdin=b"input")
        assert b"input" not in result.stdout

    async def test_a_connection_that_is_refused(self, host):
        """The error-codes of wasi:http are those of its handler."""
        await start(host, "proxy")
        calls: list[HostCall] = []
        host.events().subscribe(lambda event: calls.append(event) if isinstance(event, HostCall) else None)
        host.tracing = True
        host.faults.add(Fault("http.handle", error="connection-refused"))
        response = await host.send("GET", "/?http://example.com/")
        assert response.status >= 500
        (refused,) = [each for each in calls if each.function == "handle"]
        assert (refused.error, refused.injected) == ("connection-refused", "error connection-refused")
        assert sentence(refused).endswith("-> error connection-refused  ⚡ injected error connection-refused")

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({}, "nothing is said of what happens to keyvalue.get"),
            ({"trap": True, "value": 1}, "a fault is one of trap, value, not several"),
            ({"delay": -1.0}, "must be seconds"),
            ({"delay": float("nan")}, "must be seconds"),
            ({"trap": True, "times": 0}, "times and short are 1 or more"),
            ({"trap": True, "after": -1}, "after is 0 or more"),
        ],
    )
    def test_what_cannot_be_is_said_at_once(self, given, said):
        """Before anything is looked for."""
        with pytest.raises(ConfigError, match=said):
            Fault("keyvalue.get", **given)


class TestTargets:
    """What a fault is set on."""

    @pytest.mark.parametrize(
        ("target", "functions"),
        [
            ("keyvalue.get", ["store#[method]bucket.get"]),
            ("kv.get", ["store#[method]bucket.get"]),
            ("wasi-keyvalue.get", ["store#[method]bucket.get"]),
            ("keyvalue.bucket.get", ["store#[method]bucket.get"]),
            ("KeyValue.Bucket.list_keys", ["store#[method]bucket.list-keys"]),
            ("wasi:keyvalue/store#open", ["store#open"]),
            ("wasi:keyvalue/store@0.2.0-draft#[method]bucket.get", ["store#[method]bucket.get"]),
            ("store.open", ["store#open"]),
            ("wasi:keyvalue/atomics@0.2.0-draft", ["atomics#increment"]),
            ("keyvalue/batch", ["batch#get-many", "batch#set-many", "batch#delete-many"]),
        ],
    )
    async def test_spellings(self, shop, target, functions):
        """A word and a function, WIT's name or Python's; an interface, with its version or without it."""
        added = shop.faults.add(Fault(target, trap=True))
        assert [each.removeprefix("wasi:keyvalue/") for each in added.functions] == functions

    async def test_an_unknown_function_is_named_with_the_closest(self, shop):
        """And with those of the capability that are imported."""
        with pytest.raises(ConfigError, match=r"no loaded component imports or exports keyvalue\.gett") as caught:
            shop.faults.add(Fault("keyvalue.gett", trap=True))
        near, there, exported = caught.value.repair
        assert near == "did you mean keyvalue.get?"
        assert there.startswith("loaded components import keyvalue.open, keyvalue.get, keyvalue.set")
        assert there.endswith(" more (TAB lists them)")
        assert there.count(",") == 6
        assert exported.startswith("loaded components export open, get, set")  # at the root, and not of wasi:keyvalue

    async def test_an_unknown_capability_is_named_with_what_is_imported(self, shop):
        """The same function of another package is close."""
        with pytest.raises(ConfigError) as caught:
            shop.faults.add(Fault("blobs.increment", trap=True))
        assert caught.value.repair[0] == "did you mean keyvalue.increment?"

    async def test_nothing_is_loaded(self, host):
        """Then no fault can be set."""
        with pytest.raises(ConfigError, match=r"nothing is loaded that imports or exports keyvalue\.get"):
            host.faults.add(Fault("keyvalue.get", trap=True))

    async def test_own_interfaces_have_targets_too(self, host):
        """Of any package."""

        class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
            def roll(self, sides: int) -> int:
                return sides

        await host.attach(Roll)
        await start(host, "dice")
        added = host.faults.add(Fault("dice.roll", value=1))
        assert added.functions == ("workshop:dice/roll#roll",)

    async def test_what_starts_later_is_met_as_well(self, shop):
        """A fault on one interface of two versions fits each by itself."""
        shop.faults.add(Fault("keyvalue.get", error="access-denied"))
        await shop.workload_start(request(component("keyvalue"), name="later"))
        await shop.call("later", "set", "b", "k", SAVED)
        assert (await get(shop, "later"))[0] == "AccessDenied"


async def test_injected_calls_are_marked_in_the_trace(shop):
    """With what was done; a call that was left alone is not."""
    calls: list[HostCall] = []
    shop.events().subscribe(lambda event: calls.append(event) if isinstance(event, HostCall) else None)
    shop.tracing = True
    shop.faults.add(Fault("keyvalue.get", error="other(no space)", delay=0.01, after=1))
    await get(shop)
    await get(shop)
    marks = [(each.function, each.injected) for each in calls]
    assert marks == [
        ("open", ""),
        ("[method]bucket.get", ""),
        ("open", ""),
        ("[method]bucket.get", "delay 0.01 s, error other"),
    ]
    assert calls[-1].duration >= 0.01
    assert calls[-1].provider == "wasi-keyvalue"


async def test_config_is_hit_as_well(host):
    """A capability whose functions are async, of a plugin with another error."""
    await host.attach(DynamicConfig())
    await host.attach(TracingLogger())
    await start(host, "config_logging")
    added = host.faults.add(Fault("config.get", error="upstream(away)"))
    assert added.functions == ("wasi:config/store#get",)
