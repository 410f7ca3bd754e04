"""Who may use which plugin: granted to all or by name, taken back while guests run, given back, replaced."""

from __future__ import annotations

import asyncio

import pytest

from washnb.errors import ConfigError, GuestError, UnsatisfiedImportError
from washnb.events import PluginChanged
from washnb.host import Host, HostBuilder
from washnb.plugins import HostPlugin, InMemoryKeyValue, Interface
from washnb.types import WorkloadState
from washnb.wit import WitWorld

from .guests import component, refused, request, start


class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
    """Rolls what it was made with."""

    def __init__(self, answer: int = 1) -> None:
        """Know the answer."""
        self.answer = answer

    async def roll(self, sides: int) -> int:
        """Take a turn of the loop for it."""
        await asyncio.sleep(0)
        return self.answer


class Dice(HostPlugin):
    """Counts who is bound to it. Each step takes some turns of the loop; `breaks` is what it raises once linked."""

    id = "dice"

    def __init__(self, answer: int = 1, breaks: Exception | None = None) -> None:
        """Begin with nobody."""
        self.interfaces = (Roll(answer),)
        self.bound: list[str] = []
        self.running = 0
        self.breaks = breaks

    async def start(self):
        """Count."""
        self.running += 1
        await asyncio.sleep(0)

    async def on_workload_bind(self, workload, interfaces):
        """Count."""
        self.bound.append(workload.workload_name)
        await asyncio.sleep(0)

    async def on_workload_resolved(self, workload, component_id):
        """Raise what it was made to raise."""
        if self.breaks:
            raise self.breaks

    async def on_workload_unbind(self, workload_id, interfaces):
        """Count."""
        await asyncio.sleep(0)
        self.bound.remove(workload_id)

    async def stop(self):
        """Count."""
        self.running -= 1


def named(name: str, source: str = "dice"):
    """A request to start a guest under a name, which is its id, too."""
    return request(component(source), name=name, workload_id=name)


async def runs(host: Host, *names: str) -> None:
    """Start the guest under these names."""
    for name in names:
        response = await host.workload_start(named(name))
        assert response.state is WorkloadState.RUNNING, response.message


async def test_a_workload_without_the_grant_is_denied_at_load(host):
    """The error says that the plugin is attached and not granted, and its lines repair it."""
    await host.attach(InMemoryKeyValue(), to="friend")
    assert (await host.workload_start(named("friend", "counter"))).error is None
    response = await refused(host, named("stranger", "counter"))
    assert isinstance(response.error, UnsatisfiedImportError)
    assert "attached: nothing\nattached, but not granted to stranger: wasi-keyvalue" in response.error.message
    notebook, program = response.error.repair
    assert notebook == "%wash attach keyvalue --to stranger"
    await eval(program.removeprefix("await "), {"host": host})
    await host.workload_stop("stranger")
    assert (await host.workload_start(named("stranger", "counter"))).error is None


async def test_a_plugin_that_is_not_attached_at_all_is_suggested_as_ever(host):
    """A grant of something else does not change the line that attaches it."""
    await host.attach(Dice(), to="friend")
    response = await refused(host, named("stranger", "counter"))
    assert "%wash attach keyvalue" in response.error.repair
    assert not any("--to" in line for line in response.error.repair)


async def test_grants_are_for_names_that_come_later_too(host):
    """By name, whether or not there is a workload of that name; without a name, for all."""
    dice = Dice()
    await host.attach(dice, to="a")
    await host.attach(dice, to="b")
    await runs(host, "a", "b")
    await refused(host, named("c"))
    assert [host.granted("dice", name) for name in ("a", "b", "c", None)] == [True, True, False, False]
    await host.attach(dice)
    assert host.granted("dice", "c")
    assert host.granted("dice")
    assert not host.granted("cups", "a")
    assert dice.running == 1


async def test_a_builder_grants_to_all(engine):
    """A plugin that a host begins with serves everybody."""
    async with HostBuilder().with_engine(engine).with_plugin(Dice()).build() as host:
        await runs(host, "anybody")


async def test_a_revoked_workload_fails_at_its_next_call_and_the_others_go_on(host):
    """With the interface's own access-denied where it has one; given back, the same workload goes on."""
    await host.attach(InMemoryKeyValue())
    for name in ("a", "b"):
        assert (await host.workload_start(named(name, "counter"))).error is None
        assert (await host.send("GET", "/", to=name)).text == "1"
    await host.detach("wasi-keyvalue", from_="a")
    denied = await host.send("GET", "/", to="a")
    assert (denied.status, denied.text) == (500, "access denied\n")
    assert (await host.send("GET", "/", to="b")).text == "2"
    await host.attach(host.plugins["wasi-keyvalue"], to="a")
    assert (await host.send("GET", "/", to="a")).status == 200
    assert (await host.send("GET", "/", to="b")).text == "3"


async def test_where_the_interface_has_no_such_error_the_call_says_revoked(host):
    """The guest ends with what happened, to whom, and the line that gives it back."""
    await host.attach(Dice())
    await runs(host, "a", "b")
    await host.detach("dice", from_="a")
    with pytest.raises(GuestError, match="revoked: plugin 'dice' was detached from workload 'a'") as caught:
        await host.call("a", "play", 6)
    assert caught.value.repair == ("%wash attach dice --to a",)
    assert caught.value.interface == "workshop:dice/roll@0.1.0"
    assert await host.call("b", "play", 6) == 1


async def test_a_call_that_what_replaced_its_plugin_does_not_serve_says_so(host):
    """To grant that one would change nothing: it serves another interface, perhaps a mistyped one."""

    class Mistyped(Interface, wit="workshop:dice/rol@0.1.0"):
        """Serves nobody."""

    await host.attach(Dice())
    await runs(host, "a")
    mistyped = Dice()
    mistyped.interfaces = (Mistyped(),)
    await host.attach(mistyped, replace=True)
    with pytest.raises(GuestError, match="the plugin that took the place of 'dice' does not serve it") as caught:
        await host.call("a", "play", 6)
    assert caught.value.repair == ("%wash plugin new workshop:dice/roll@0.1.0  # writes a class that serves it",)


@pytest.mark.parametrize("tracing", [False, True])
async def test_an_instance_that_runs_is_refused_too(host, tracing):
    """Guests that were there before the grant was taken back lose it like those that come after, traced or not."""
    await host.attach(Dice())
    await runs(host, "a")
    host.tracing = tracing
    async with await host.instantiate("a") as kept:
        assert await kept.call("play", 6) == 1
        await host.detach("dice", from_="a")
        with pytest.raises(GuestError, match="revoked"):
            await kept.call("play", 6)
    with pytest.raises(GuestError, match="revoked"):
        await host.call("a", "play", 6)


async def test_a_plugin_without_any_grant_stays_attached(host):
    """It runs, unused, until it is detached itself or granted again; what is not granted cannot be taken back."""
    dice = Dice()
    await host.attach(dice, to="a")
    await host.detach("dice", from_="a")
    assert (list(host.plugins), dice.running, host.granted("dice", "a")) == (["dice"], 1, False)
    with pytest.raises(ConfigError, match="plugin 'dice' is not granted to workload 'a'") as caught:
        await host.detach("dice", from_="a")
    assert caught.value.repair == ("it is granted to: nobody",)
    await host.detach("dice")
    assert dice.running == 0
    await host.attach(Dice())
    assert host.granted("dice", "a")


async def test_taken_from_one_it_is_still_granted_to_all_others(host):
    """Also to those that come later; and a new start of the one is denied."""
    dice = Dice()
    await host.attach(dice)
    await host.detach("dice", from_="a")
    await runs(host, "b")
    assert "--to a" in (await refused(host, named("a"))).error.repair[0]
    await host.attach(dice, to="a")
    await host.workload_stop("a")
    await runs(host, "a")


async def test_a_reload_keeps_what_was_granted_and_what_was_taken(host):
    """The name decides: a new version has the grants of the old one, and no more."""
    await host.attach(Dice(), to="a")
    await runs(host, "a")
    assert (await host.workload_reload(named("a"))).error is None
    assert await host.call("a", "play", 6) == 1
    await host.detach("dice", from_="a")
    assert isinstance((await host.workload_reload(named("a"))).error, UnsatisfiedImportError)
    with pytest.raises(GuestError, match="revoked"):
        await host.call("a", "play", 6)


async def test_who_watches_is_told_which_workload(host):
    """The event of a grant names the workload; of one for all it names none."""
    told = []
    host.events().subscribe(lambda event: told.append(event) if isinstance(event, PluginChanged) else None)
    dice = Dice()
    await host.attach(dice, to="a")
    await host.detach("dice", from_="a")
    await host.attach(dice)
    await host.detach("dice")
    assert [(event.action, event.workload) for event in told] == [
        ("attach", "a"),
        ("detach", "a"),
        ("attach", ""),
        ("detach", ""),
    ]


async def test_what_replaced_wasi_gives_it_back(host):
    """An interface of WASI that a plugin served is WASI's again when the plugin goes, and nobody fails."""

    class Fair(Interface, wit="wasi:random/random@0.2.0"):
        def get_random_u64(self) -> int:
            return 4

    plugin = type("Fixed", (HostPlugin,), {"id": "fixed", "interfaces": (Fair,)})()
    await host.attach(plugin)
    await start(host, "random")
    assert await host.call("random", "draw") == 4
    await host.detach("fixed", from_="random")
    drawn = {await host.call("random", "draw") for _ in range(3)}
    assert len(drawn) == 3
    await host.attach(plugin, to="random")
    assert await host.call("random", "draw") == 4


async def test_exports_that_a_plugin_calls_come_and_go_with_it(host):
    """A workload that only exports is bound to a plugin that comes later, parted from it, and bound again."""

    class Adding(Dice):
        interfaces = ()

        def world(self):
            return WitWorld.of(exports=["docs:adder/add@0.1.0"])

    adding = Adding()
    await start(host, "adder")
    await host.attach(adding)
    assert adding.bound == ["adder"]
    await host.detach("dice", from_="adder")
    assert adding.bound == []
    await host.attach(adding, to="adder")
    assert adding.bound == ["adder"]


async def test_a_replaced_plugin_leaves_no_gap(host):
    """Calls go to one or to the other, none is refused; grants stay, and the old plugin is parted from and stopped."""
    old, new = Dice(1), Dice(2)
    await host.attach(old, to="a")
    await runs(host, "a")
    answers: list[int] = []

    async def play() -> None:
        while True:
            answers.append(await host.call("a", "play", 6))

    playing = asyncio.create_task(play())
    await asyncio.sleep(0.02)
    await host.attach(new, to="b", replace=True)
    await asyncio.sleep(0.02)
    assert not playing.done(), playing.exception()
    playing.cancel()
    await asyncio.wait([playing])
    assert set(answers) == {1, 2}
    assert answers == sorted(answers)
    assert (old.bound, old.running, new.bound, new.running) == ([], 0, ["a"], 1)
    assert [host.granted("dice", name) for name in "abc"] == [True, True, False]


async def test_a_plugin_that_cannot_start_replaces_nothing(host):
    """The one that is attached goes on."""

    class Away(Dice):
        async def start(self):
            raise OSError("no server")

    await host.attach(Dice(1))
    await runs(host, "a")
    with pytest.raises(ConfigError, match="no server"):
        await host.attach(Away(2), replace=True)
    assert await host.call("a", "play", 6) == 1


async def test_a_replacement_that_cannot_be_bound_is_told_and_replaces_nothing(host):
    """What it raises reaches who attached it; the old plugin goes on, for all workloads; a good one comes later."""
    old = Dice(1)
    await host.attach(old, to="a")
    await runs(host, "a")
    for _ in range(2):
        broken = Dice(2, breaks=ConfigError("wrong bucket"))
        with pytest.raises(ConfigError, match="wrong bucket"):
            await host.attach(broken, to="b", replace=True)
        assert (old.bound, old.running, broken.bound, broken.running) == (["a"], 1, [], 0)
        assert host.plugins["dice"] is old
        assert not host.granted("dice", "b")
        assert await host.call("a", "play", 6) == 1
    await host.attach(InMemoryKeyValue())  # tries nothing again
    await host.attach(Dice(3), replace=True)
    assert await host.call("a", "play", 6) == 3


async def test_a_plugin_that_fails_does_not_stand_in_the_way_of_others(host):
    """What could not be bound is tried again when it is attached again, and not whenever something else is."""
    await host.attach(Dice())
    await runs(host, "a")
    await host.detach("dice")
    broken = Dice(breaks=ConfigError("wrong bucket"))
    with pytest.raises(ConfigError):
        await host.attach(broken)
    await host.attach(InMemoryKeyValue())
    with pytest.raises(ConfigError):
        await host.attach(broken)
    broken.breaks = None
    await host.attach(broken, to="a")
    assert await host.call("a", "play", 6) == 1


@pytest.mark.parametrize("count", range(0, 24, 2))
async def test_grants_and_starts_at_the_same_moment_agree_in_the_end(host, count):
    """Whoever comes first: a workload is bound to the plugin when it may use it, and only then."""
    dice = Dice()
    await host.attach(dice)
    await runs(host, "warm")
    starting = asyncio.create_task(host.workload_start(named("a")))
    for _ in range(count):
        await asyncio.sleep(0)
    await host.detach("dice", from_="a")
    await starting
    assert dice.bound == ["warm"]
    back = asyncio.create_task(host.attach(dice, to="a"))
    again = asyncio.create_task(host.workload_reload(named("a")))
    for _ in range(count):
        await asyncio.sleep(0)
    taken = asyncio.create_task(host.detach("dice", from_="a"))
    outcomes = await asyncio.gather(back, again, taken, return_exceptions=True)
    assert [type(each) for each in outcomes[::2]] == [type(None), type(None)]
    assert dice.bound == ["warm"]
    await host.attach(dice, to="a")
    assert (await host.workload_reload(named("a"))).error is None
    assert sorted(dice.bound) == ["a", "warm"]


@pytest.mark.parametrize("count", range(10))
async def test_a_detach_that_is_cancelled_is_done_all_the_same(host, count):
    """At whatever moment: no workload is left in the midst of its unbind, and the plugin is stopped."""
    dice = Dice()
    await host.attach(dice)
    await runs(host, "a", "b")
    detaching = asyncio.create_task(host.detach("dice"))
    await asyncio.sleep(0)
    for _ in range(count):
        await asyncio.sleep(0)
    detaching.cancel()
    await asyncio.wait([detaching])
    assert (dice.bound, dice.running, list(host.plugins)) == ([], 0, [])


async def test_one_object_is_started_once(host):
    """Attached twice at the same moment, the second is refused; attached again later, it is only granted."""
    dice = Dice()
    outcomes = await asyncio.gather(host.attach(dice, to="a"), host.attach(dice, to="b"), return_exceptions=True)
    assert [type(each) for each in outcomes] == [type(None), ConfigError]
    await host.attach(dice, to="b")
    assert dice.running == 1
