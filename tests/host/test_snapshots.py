"""Snapshots of a whole host: taken, compared, kept in files, and brought back."""

from __future__ import annotations

import asyncio
import pickle

import pytest

from tests.full_disk import full_disk
from washnb.engine import Interface
from washnb.errors import ConfigError
from washnb.host import Change, Fault, StateSnapshot, restore_snapshot, take_snapshot
from washnb.plugins import (
    DynamicConfig,
    FilesystemKeyValue,
    HostPlugin,
    InMemoryBlobstore,
    InMemoryKeyValue,
    NatsKeyValue,
    NatsServer,
    TracingLogger,
)

from .guests import component, request, start

KEY = ("one", "wasi-keyvalue")


@pytest.fixture
async def shop(host):
    """Two workloads, each with a key of its own."""
    await host.attach(InMemoryKeyValue())
    for name in ("one", "two"):
        await host.workload_start(request(component("keyvalue"), name=name))
        await host.call(name, "set", "b", "k", name.encode())
    return host


async def test_all_state_comes_back(shop):
    """Of each workload by itself, also where it was loaded anew under its name."""
    first = await take_snapshot(shop)
    assert first.contents == {KEY: {("b", "k"): b"one"}, ("two", KEY[1]): {("b", "k"): b"two"}}
    await shop.call("one", "set", "b", "k", b"changed")
    await shop.call("one", "set", "b", "more", b"new")
    await shop.workload_stop("two")
    await shop.workload_start(request(component("keyvalue"), name="two", workload_id="another"))
    second = await take_snapshot(shop)
    assert first.diff(second) == [
        Change(*KEY, ("b", "k"), "set", b"one", b"changed"),
        Change(*KEY, ("b", "more"), "set", None, b"new"),
        Change("two", KEY[1], ("b", "k"), "delete", b"two", None),
    ]
    assert await restore_snapshot(shop, first) == {}
    assert await take_snapshot(shop) == first
    assert await shop.call("two", "get", "b", "k") == b"two"


async def test_what_is_not_there_is_named(shop):
    """A workload or a plugin that is gone; the others are restored."""
    taken = await take_snapshot(shop)
    await shop.call("two", "delete", "b", "k")
    await shop.workload_stop("one")
    assert await restore_snapshot(shop, taken) == {"wasi-keyvalue of one": "no workload of that name is loaded"}
    assert await shop.call("two", "get", "b", "k") == b"two"
    await start(shop, "adder")
    foreign = StateSnapshot({("adder", KEY[1]): {}, ("", KEY[1]): {}, ("two", "gone"): {}}, {"other": "it is away"})
    assert await restore_snapshot(shop, foreign) == {
        "other": "it was left out when the snapshot was taken",
        "wasi-keyvalue of adder": "adder does not use it",
        "wasi-keyvalue": "each workload has its own now, and the snapshot has what all shared",
        "gone of two": "it is not attached",
    }


@pytest.mark.parametrize(
    ("plugin", "state", "said"),
    [
        (InMemoryKeyValue(), {("b",): b""}, "it keeps no bytes at 'b'"),
        (InMemoryKeyValue(), {("b", "k"): "text"}, "it keeps no str at 'b / k'"),
        (InMemoryBlobstore(), {("b", "k", "x"): b""}, "it keeps no bytes at 'b / k / x'"),
        (InMemoryBlobstore(), {("b", "k"): None}, "it keeps no empty value at 'b / k'"),
        (DynamicConfig(), {(): "text"}, "it keeps no str at ''"),
    ],
)
async def test_what_a_plugin_cannot_keep_is_refused(host, plugin, state, said):
    """A file may say anything: nothing has changed then, and the others are restored."""
    await host.attach(plugin, TracingLogger())
    source = {"wasi-blobstore": "blobs", "wasi-keyvalue": "keyvalue"}.get(plugin.id, "config_logging")
    await start(host, source)
    key = (source, plugin.id)
    taken = await take_snapshot(host)
    assert await restore_snapshot(host, StateSnapshot({key: state})) == {f"{plugin.id} of {source}": said}
    assert await take_snapshot(host) == taken


async def test_a_container_comes_with_what_is_in_it(host):
    """Also where a snapshot that somebody has edited does not name it by itself."""
    await host.attach(InMemoryBlobstore())
    await start(host, "blobs")
    objects = StateSnapshot({("blobs", "wasi-blobstore"): {("here", "it"): b"is"}})
    assert await restore_snapshot(host, objects) == {}
    assert (await take_snapshot(host)).diff(objects) == [
        Change("blobs", "wasi-blobstore", ("here",), "delete", None, None)
    ]


async def test_what_one_kept_by_itself_is_not_put_where_all_share(shop, tmp_path):
    """Nor the other way round: it would overwrite what is of others."""
    taken = await take_snapshot(shop)
    await shop.attach(FilesystemKeyValue(tmp_path), replace=True)
    refused = await restore_snapshot(shop, taken)
    assert list(refused) == ["wasi-keyvalue of one", "wasi-keyvalue of two"]
    assert refused["wasi-keyvalue of one"].startswith(f"all workloads share what is in file:{tmp_path}")
    assert taken.beside(await take_snapshot(shop)) == [KEY, ("two", KEY[1])]


async def test_a_call_that_waits_takes_effect_after_what_is_restored(shop):
    """What has not been done yet is in no snapshot, and is done to what was brought back."""
    taken = await take_snapshot(shop)
    slow = shop.faults.add(Fault("keyvalue.set", delay=60, of="one"))
    waiting = asyncio.create_task(shop.call("one", "set", "b", "k", b"late"))
    while not slow.seen:  # noqa: ASYNC110 - it is seen in a moment
        await asyncio.sleep(0.001)
    assert await take_snapshot(shop) == taken
    assert await restore_snapshot(shop, taken) == {}
    shop.faults.clear()
    await waiting
    assert taken.diff(await take_snapshot(shop)) == [Change(*KEY, ("b", "k"), "set", b"one", b"late")]


async def test_state_that_all_share_is_taken_once(host, tmp_path):
    """Files serve every workload: the snapshot has them once, for all."""
    await host.attach(FilesystemKeyValue(tmp_path))
    for name in ("one", "two"):
        await host.workload_start(request(component("keyvalue"), name=name))
        await host.call(name, "set", "b", name, b"")
    taken = await take_snapshot(host)
    assert taken.contents == {("", KEY[1]): {("b", "one"): b"", ("b", "two"): b""}}
    await host.call("one", "delete", "b", "two")
    await restore_snapshot(host, taken)
    assert await host.call("one", "exists", "b", "two") is True


async def test_what_other_hosts_share_is_left_out_and_named(host):
    """Of a plugin on NATS nothing is taken, and nothing goes there."""

    class Away(NatsKeyValue):
        """Needs no server, as long as nothing is asked of it."""

        async def start(self):
            """Connect to nothing."""

        async def stop(self):
            """Leave nothing."""

    await host.attach(Away(NatsServer("nats://127.0.0.1:1")))
    await start(host, "keyvalue")
    taken = await take_snapshot(host)
    assert not taken.contents
    assert "which other hosts share" in taken.left_out["wasi-keyvalue"]
    refused = await restore_snapshot(host, StateSnapshot({("", KEY[1]): {}}))
    assert "none restored" in refused["wasi-keyvalue"]


async def test_own_plugins_have_state_too(host):
    """A class with `dump` and `restore` is in it."""

    class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
        def roll(self, sides: int) -> int:
            return sides

    class Dice(HostPlugin):
        id = "dice"
        interfaces = (Roll,)
        seed = "1"

        async def dump(self, workload_id):
            return {("seed",): self.seed}

        async def restore(self, workload_id, state):
            self.seed = state["seed",]

    dice = Dice()
    await host.attach(dice)
    await start(host, "dice")
    taken = await take_snapshot(host)
    dice.seed = "2"
    assert taken.diff(await take_snapshot(host)) == [Change("dice", "dice", ("seed",), "set", "1", "2")]
    await restore_snapshot(host, taken)
    assert dice.seed == "1"


def test_a_save_that_breaks_off_destroys_nothing(tmp_path):
    """The file of before stays as it is, with its permissions, and nothing of the new one stays beside it."""
    path = tmp_path / "state.json"
    before = StateSnapshot({KEY: {("b", "k"): b"1"}})
    before.save(path)
    path.chmod(0o640)
    with full_disk(), pytest.raises(ConfigError, match="cannot be written: File too large"):
        StateSnapshot({KEY: {("b", "k"): b"2" * 1_000}}).save(path)
    assert (StateSnapshot.load(path), list(tmp_path.iterdir())) == (before, [path])
    before.save(path)
    assert path.stat().st_mode & 0o777 == 0o640


def test_it_can_be_kept(tmp_path):
    """Pickled, and in a file that another session reads; what is no such file is named."""
    taken = StateSnapshot(
        {KEY: {("b", "k"): b"\0\xff", ("main", "t"): "text", ("gone",): None}, ("", "x"): {}}, {"y": "away"}, 12.5
    )
    assert pickle.loads(pickle.dumps(taken)) == taken
    path = tmp_path / "state.json"
    taken.save(path)
    read = StateSnapshot.load(path)
    assert (read, read.taken_at, read.left_out) == (taken, 12.5, {"y": "away"})
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(ConfigError, match="cannot be written: No such file or directory"):
        taken.save(tmp_path / "nowhere" / "state.json")
    for broken in (
        "{}",
        "nothing",
        "[" * 100_000,
        '{"about": [["w", "p"]], "taken_at": 1, "left_out": {}, "values": [["w", "p", ["k"], 3]]}',
        '{"about": [["w", "p"]], "taken_at": 1, "left_out": {}, "values": [["w", "p", [3], "v"]]}',
        '{"about": [["w", 3]], "taken_at": 1, "left_out": {}, "values": []}',
    ):
        path.write_text(broken)
        with pytest.raises(ConfigError, match="is no snapshot"):
            StateSnapshot.load(path)
