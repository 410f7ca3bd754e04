"""What goes wrong on purpose: on which calls, in which way, for whom, and until when."""

from __future__ import annotations

import asyncio
import time
import traceback

import pytest

from washnb.engine import Err, case_class, shapes
from washnb.errors import BackendError, ConfigError, GuestError
from washnb.events import HostCall
from washnb.host import Fault, sentence, wit_error
from washnb.plugins import DynamicConfig, InMemoryKeyValue, TracingLogger
from washnb.types import Component

from .guests import component, request, start

ERROR = shapes.Variant((("no-such-store", None), ("access-denied", None), ("other", shapes.Primitive("string"))))
SAVED = b"a value"
PROMISED = b"""(component
  (import "wasi:random/random@0.2.0" (instance
    (export "get-random-bytes" (func (param "len" u64) (result (list u8)))))))"""
"""Imports what gives as many bytes as it is asked for: nobody asks for the rest."""


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

    async def test_an_exception_that_needs_more_than_a_text_is_to_be_given_whole(self, shop):
        """Its class alone is not enough."""
        with pytest.raises(ConfigError, match="UnicodeDecodeError is not made of a text alone") as caught:
            shop.faults.add(Fault("keyvalue.get", error=UnicodeDecodeError))
        assert caught.value.repair == ("error=UnicodeDecodeError(...)",)

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            ("other(full)", "error other(full)"),
            (ValueError, "error ValueError"),
            (OSError("full"), "error OSError: full"),
        ],
    )
    def test_it_is_told_in_words(self, error, said):
        """An exception by its kind and by what it says."""
        assert str(Fault("keyvalue.get", error=error)) == said

    @pytest.mark.parametrize(("short", "said"), [(1, "at most 1 byte"), (2, "at most 2 bytes")])
    def test_a_short_read_is_told_in_words(self, short, said):
        """One byte is no bytes."""
        assert str(Fault("io.read", short=short)) == said

    async def test_a_trap_ends_the_guest_and_says_why(self, shop):
        """With the line that ends it."""
        shop.faults.add(Fault("keyvalue.get", trap=True))
        with pytest.raises(
            GuestError, match=r"keyvalue: a fault ended the guest at wasi:.*bucket\.get\n  %wash fault clear"
        ):
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

    async def test_what_waits_goes_its_way_when_it_is_cleared(self, shop):
        """At once, and not as the fault has it."""
        shop.faults.add(Fault("keyvalue.get", delay=60, error="access-denied"))
        kept = await shop.instantiate("keyvalue")
        waiting = [asyncio.create_task(each) for each in (get(shop), kept.call("get", "b", "k"))]
        await asyncio.sleep(0.01)
        shop.faults.clear()
        async with asyncio.timeout(1):
            assert await asyncio.gather(*waiting) == [SAVED, SAVED]
        kept.close()

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

    async def test_what_starts_later_is_met_as_well(self, shop):
        """A fault on one interface of two versions fits each by itself."""
        shop.faults.add(Fault("keyvalue.get", error="access-denied"))
        await shop.workload_start(request(component("keyvalue"), name="later"))
        await shop.call("later", "set", "b", "k", SAVED)
        assert (await get(shop, "later"))[0] == "AccessDenied"

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
        assert await asyncio.gather(*(get(shop) for _ in range(20))) == [SAVED] * 20
        assert 0.05 <= time.perf_counter() - began < 1
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
        with pytest.raises(ConfigError, match="value is bucket, not 3"):
            shop.faults.add(Fault("keyvalue.open", value=3))

    async def test_types_are_called_by_their_names(self, host):
        """What is refused names the type as WIT does, and then what it is."""
        await start(host, "clocks")
        with pytest.raises(ConfigError, match=r"wall-clock#now: value is datetime, not 3 \(int\)") as caught:
            host.faults.add(Fault("wall-clock.now", value=3))
        assert caught.value.repair[0].startswith("record datetime { seconds: u64")
        assert caught.value.repair[1] == "now: func() -> datetime"

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
        await asyncio.sleep(0.002)
        assert await host.call("clocks", "nanoseconds") >= 2_000_000  # from where it has jumped to it goes on
        await start(host, "command")
        with pytest.raises(ConfigError, match="cannot jump"):
            host.faults.add(Fault("cli.get_stdin", jump=1))

    @pytest.mark.parametrize("jump", [3600.0, -3600.0])
    async def test_what_waits_for_an_instant_goes_by_the_clock_that_jumped(self, host, jump):
        """A guest that sleeps until an instant of it wakes when its time has passed, not an hour later or at once."""
        await start(host, "clocks")
        calls: list[HostCall] = []
        host.events().subscribe(lambda event: calls.append(event) if isinstance(event, HostCall) else None)
        host.tracing = True
        fault = host.faults.add(Fault("clocks.now", jump=jump))
        began = time.perf_counter()
        assert 10**7 <= await host.call("clocks", "sleep", 10**7, timeout=5) < 10**9
        assert 0.01 <= time.perf_counter() - began < 1
        assert fault.injected == 2
        assert [(each.function, each.injected) for each in calls if each.function.startswith("subscribe")] == [
            ("subscribe-instant", f"jump {jump:+g} s")
        ]
        host.faults.clear()
        assert await host.call("clocks", "sleep", 10**7, timeout=5) < 10**9

    async def test_a_clock_that_jumps_later_jumps_what_waits_for_it(self, host):
        """An instant that was told before the jump is over with it."""
        await start(host, "clocks")
        host.faults.add(Fault("clocks.now", jump=3600, after=1))
        kept = await host.instantiate("clocks")
        assert await kept.call("nanoseconds") < 3600 * 10**9
        assert await kept.call("nanoseconds") >= 3600 * 10**9
        assert await kept.call("sleep", 10**7) < 10**9
        kept.close()

    async def test_short_reads(self, host):
        """A command gets all of its input, in more pieces."""
        await start(host, "command")
        fault = host.faults.add(Fault("io.blocking-splice", short=2))
        result = await host.run("command", stdin=b"input")
        assert result.stdout.endswith(b"input")
        assert fault.injected >= 3
        await host.workload_start(request(Component("dicer", PROMISED)))
        for other in ("cli.get_stdin", "random.get_random_bytes"):
            with pytest.raises(ConfigError, match=f"{other.partition('.')[0]}.* reads no number of bytes"):
                host.faults.add(Fault(other, short=1))

    async def test_a_stream_that_fails(self, host):
        """The payload of its error is a resource of the host's own."""
        await start(host, "command")
        host.faults.add(Fault("wasi:io/streams#[method]output-stream.blocking-splice", error="last-operation-failed"))
        result = await host.run("command", stdin=b"input")
        assert b"input" not in result.stdout

    async def test_a_stream_says_why_it_failed(self, host):
        """The text of its error is what a guest is told that asks for it."""
        await start(host, "command")
        splice = "[method]output-stream.blocking-splice"
        function = host.component("command").imports["wasi:io/streams@0.2.0"].functions[splice]
        error = wit_error("last-operation-failed(the disk is gone)", splice, function)
        assert error.value.to_debug_string() == "the disk is gone"

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
            ({"delay": -1.0}, "delay is 0 to 3600 seconds, not -1"),
            ({"delay": float("nan")}, "delay is 0 to 3600 seconds, not nan"),
            ({"delay": "0.5"}, "delay is a number of seconds, not '0.5'"),
            ({"delay": None}, "delay is a number of seconds, not None"),
            ({"jump": float("inf")}, "jump is up to 1e\\+10 seconds, not inf"),
            ({"trap": True, "times": 0}, "times and short are 1 or more"),
            ({"trap": True, "times": 1.5}, "times is a whole number, not 1.5"),
            ({"trap": True, "times": True}, "times is a whole number, not True"),
            ({"trap": True, "after": -1}, "after is 0 or more"),
            ({"short": 0}, "short are 1 or more"),
            ({"trap": True, "of": 3}, "of is the name of a workload, not 3"),
            ({"trap": "no"}, "trap is True or False, not 'no'"),
            ({"error": KeyboardInterrupt}, "error is a WIT error or an Exception, not <class 'KeyboardInterrupt'>"),
            ({"error": SystemExit(1)}, "error is a WIT error or an Exception"),
            ({"error": int}, "error is a WIT error or an Exception"),
            ({"target": " ", "trap": True}, "a fault needs a target, not ' '"),
            ({"target": 3, "trap": True}, "a fault needs a target, not 3"),
        ],
    )
    def test_what_cannot_be_is_said_at_once(self, given, said):
        """Before anything is looked for, and with what would do."""
        with pytest.raises(ConfigError, match=said) as caught:
            Fault(**{"target": "keyvalue.get", **given})
        assert caught.value.repair


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
