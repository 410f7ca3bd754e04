"""Several plugins attached at once: all of them or none, and what was there before is as it was."""

from __future__ import annotations

import asyncio

import pytest

from washnb.errors import ConfigError
from washnb.host import HostBuilder
from washnb.plugins import FilesystemBlobstore, FilesystemKeyValue, HostPlugin, InMemoryKeyValue, Interface

from .guests import component, request, start


class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
    """Always one."""

    async def roll(self, sides: int) -> int:
        return 1


class Dice(HostPlugin):
    """Fails where it is told to, and counts."""

    id = "dice"
    interfaces = (Roll,)

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.running = self.bound = 0

    async def start(self):
        self._fail("start")
        self.running += 1

    async def stop(self):
        self.running -= 1

    async def on_workload_bind(self, workload, interfaces):
        self.bound += 1
        await asyncio.sleep(0)
        self._fail("bind")

    async def on_workload_unbind(self, workload_id, interfaces):
        self.bound -= 1

    def _fail(self, step: str) -> None:
        if self.fails == step:
            raise ConfigError(f"no {step} today")


class Settings(HostPlugin):
    """Serves nobody here."""

    id = "a-first"


class Counting(InMemoryKeyValue):
    """Key-value that says whether it was stopped."""

    running = False

    async def start(self):
        await super().start()
        self.running = True

    async def stop(self):
        await super().stop()
        self.running = False


@pytest.fixture
async def before(host):
    """Key-value for one workload, and dice for all, both in use."""
    keyvalue, dice = Counting(), Dice()
    await host.attach(keyvalue, to="keyvalue")
    await host.attach(dice)
    await start(host, "keyvalue", "dice")
    await host.call("keyvalue", "set", "b", "k", b"mine")
    return keyvalue, dice


@pytest.mark.parametrize("step", ["start", "bind"])
async def test_all_or_none(host, before, step):
    """Where one cannot start, or serve a workload, the others are gone again; state and grants are as they were."""
    keyvalue, dice = before
    first, other, broken = Settings(), Counting(), Dice(step)
    with pytest.raises(ConfigError, match=f"no {step} today") as caught:
        await host.attach(first, other, broken, replace=True)
    assert caught.value.__notes__ == [
        "plugin 'dice' failed, so nothing was changed: of a-first, wasi-keyvalue, dice all are attached or none"
    ]
    assert dict(host.plugins) == {"wasi-keyvalue": keyvalue, "dice": dice}
    assert (host.grants("wasi-keyvalue"), host.grants("dice")) == ("keyvalue", "all")
    assert await host.call("keyvalue", "get", "b", "k") == b"mine"
    assert await host.call("dice", "play", 6) == 1
    assert (keyvalue.running, dice.running, dice.bound) == (True, 1, 1)
    assert (other.running, broken.running, broken.bound) == (False, 0, 0)


async def test_all_of_them(host, before):
    """Each takes the place of the one before, which is parted from and stopped."""
    keyvalue, dice = before
    other, newer = Counting(), Dice()
    await host.attach(other, newer, replace=True)
    assert dict(host.plugins) == {"wasi-keyvalue": other, "dice": newer}
    assert (keyvalue.running, dice.running, dice.bound) == (False, 0, 0)
    assert (other.running, newer.running, newer.bound) == (True, 1, 1)
    assert await host.call("keyvalue", "get", "b", "k") is None


async def test_what_is_new_and_does_not_fit_is_gone_again(host, before):
    """A workload that had lost its plugin goes on without; the error of one plugin needs no note."""
    await host.detach("dice")
    broken = Dice("bind")
    with pytest.raises(ConfigError, match="no bind today") as caught:
        await host.attach(broken)
    assert not hasattr(caught.value, "__notes__")
    assert list(host.plugins) == ["wasi-keyvalue"]
    assert (broken.running, broken.bound) == (0, 0)
    await host.attach(before[1])
    assert await host.call("dice", "play", 6) == 1


async def test_a_block_that_fails_attaches_nothing(host, before):
    """They serve in it, and what they replaced serves on after it, with its state and its grants."""
    keyvalue, dice = before
    other = Counting()

    async def fail():
        async with host.attaching(other, Settings(), replace=True):
            assert await host.call("keyvalue", "get", "b", "k") is None
            assert keyvalue.running
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert dict(host.plugins) == {"wasi-keyvalue": keyvalue, "dice": dice}
    assert host.grants("wasi-keyvalue") == "keyvalue"
    assert await host.call("keyvalue", "get", "b", "k") == b"mine"
    assert (keyvalue.running, other.running) == (True, False)


@pytest.mark.parametrize("count", range(0, 24, 3))
async def test_who_is_interrupted_has_attached_all_or_none(host, before, count):
    """At whatever moment; nothing is left that runs and is not attached."""
    keyvalue, dice = before
    other, newer = Counting(), Dice()
    attaching = asyncio.create_task(host.attach(other, newer, replace=True))
    for _ in range(count):
        await asyncio.sleep(0)
    attaching.cancel()
    await asyncio.wait([attaching])
    assert set(host.plugins.values()) in ({other, newer}, {keyvalue, dice})
    stays = newer if host.plugins["dice"] is newer else dice
    assert [each.running for each in (dice, newer)] == [each.bound for each in (dice, newer)]
    assert (stays.running, dice.running + newer.running) == (1, 1)
    assert keyvalue.running is not other.running


async def test_a_host_that_stops_meanwhile_leaves_none_running(host, before):
    """Neither of the new ones nor of those before."""
    keyvalue, dice = before
    for count in range(0, 12, 2):
        other, newer = Counting(), Dice()
        if not host.running:
            await host.start()
        attaching = asyncio.create_task(host.attach(other, newer, replace=True))
        for _ in range(count):
            await asyncio.sleep(0)
        await host.stop()
        await asyncio.wait([attaching])
        attaching.cancelled() or attaching.exception()
        assert [each.running for each in (keyvalue, other)] == [False, False]
        assert [each.running for each in (dice, newer)] == [0, 0]


@pytest.mark.parametrize("taken", ["wasi", "fault"])
async def test_no_plugin_passes_for_the_host(host, taken):
    """What these serve is the host's own in a trace, and a receipt would not count it."""
    dice = Dice()
    dice.id = taken
    with pytest.raises(ConfigError, match=f"plugin ID '{taken}' is taken") as raised:
        await host.attach(dice)
    assert raised.value.repair == (f'id = "my-{taken}"  # in the class of the plugin',)
    with pytest.raises(ConfigError, match="is taken"):
        HostBuilder().with_plugin(dice)


async def test_one_id_is_one_plugin(host):
    """Two of it at once are a mistake; nothing is attached, and the name of the workload is free."""
    with pytest.raises(ConfigError, match="Duplicate plugin ID 'dice'"):
        await host.attach(Dice(), Dice())
    assert dict(host.plugins) == {}
    await host.attach(Dice())
    await host.workload_start(request(component("dice")))


async def test_a_directory_is_of_one_plugin(host, tmp_path):
    """Buckets would be containers, and what one deletes the other loses; who moves on leaves room."""
    with pytest.raises(ConfigError, match="'wasi-keyvalue' and 'wasi-blobstore' cannot have one directory") as caught:
        await host.attach(FilesystemKeyValue(tmp_path), FilesystemBlobstore(tmp_path))
    assert caught.value.repair == (f"%wash attach blobstore=file:{tmp_path}/blobstore",)
    assert not host.plugins
    await host.attach(FilesystemKeyValue(tmp_path))
    moved = FilesystemKeyValue(tmp_path / "moved")
    await host.attach(moved, FilesystemBlobstore(tmp_path), replace=True)
    with pytest.raises(ConfigError, match="cannot have one directory"):
        await host.attach(FilesystemKeyValue(tmp_path), replace=True)
    assert host.plugins["wasi-keyvalue"] is moved
    with pytest.raises(ConfigError, match="cannot have one directory"):
        HostBuilder().with_plugin(FilesystemKeyValue(tmp_path)).with_plugin(FilesystemBlobstore(tmp_path))
