"""What guests and users are told when the NATS server behind key-value fails: each with a real one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time

import pytest

from tests.waiting import eventually
from washnb.engine import Err
from washnb.errors import BackendError
from washnb.plugins import NatsKeyValue, NatsServer

from .guests import bound_guest, instance_of


@pytest.fixture
def impatient(monkeypatch):
    """Wait for a server no longer than the tests want to."""
    monkeypatch.setattr("washnb.plugins.nats.server.PATIENCE", 0.4)


@contextlib.asynccontextmanager
async def guest_on(engine, url: str, **options):
    """A guest, and the plugin it uses, on a server."""
    plugin = NatsKeyValue(NatsServer(url, **options))
    await plugin.start()
    try:
        item = await bound_guest(engine, "keyvalue", plugin)
        async with await instance_of(item) as guest:
            yield guest, plugin.backend(item.workload_id)
    finally:
        await plugin.stop()


async def refused(guest, *call) -> object:
    """Call a guest, which gets an error of WIT and passes it on, and give that."""
    with pytest.raises(Err) as raised:
        await guest.call(*call)
    return raised.value.value


async def told_as_other(guest, *call) -> str:
    """Call a guest, which gets error.other, and give what it says."""
    error = await refused(guest, *call)
    assert type(error).__name__.endswith("Other")
    return error.value


async def test_down_at_attach():
    """The plugin does not start, and the user is told where nobody answers and how to start somebody."""
    with pytest.raises(BackendError, match=r"no NATS server answers at nats://127\.0\.0\.1:1: ") as raised:
        await NatsKeyValue(NatsServer("nats://127.0.0.1:1")).start()
    assert "nats-server -js" in raised.value.repair


@pytest.mark.slow
async def test_killed_and_restarted(engine, nats_servers, impatient):
    """Calls fail in time while it is away; after that the next one works, and finds all that was acknowledged."""
    running = await nats_servers()
    async with guest_on(engine, running.url) as (guest, backend):
        await guest.call("set", "b", "k", b"kept")
        acknowledged = []

        async def write(name: str) -> None:
            with contextlib.suppress(BackendError):
                for number in range(10_000):
                    await backend.set("b", f"{name}.{number}", b"v")
                    acknowledged.append(f"{name}.{number}")

        writing = [asyncio.create_task(write(name)) for name in "pqrs"]
        await eventually(lambda: len(acknowledged) > 100)
        await running.kill()
        await asyncio.gather(*writing)
        begun = time.monotonic()
        message = await told_as_other(guest, "open", "b")
        assert message == f"open bucket 'b': NATS server {running.url} is away"
        assert time.monotonic() - begun < 2
        await running.restart()
        assert await guest.call("get", "b", "k") == b"kept"
        assert all(await backend.get_many("b", acknowledged))
        assert await guest.call("increment", "b", "n", 1) == 1


@pytest.mark.slow
@pytest.mark.parametrize("harm", [signal.SIGKILL, signal.SIGSTOP])
async def test_many_who_count_while_it_is_away(engine, nats_servers, impatient, harm):
    """Those who wait for one counter do not wait one after the other, also where the server only stands still."""
    running = await nats_servers()
    async with guest_on(engine, running.url) as (_, backend):
        await backend.open("b")
        await backend.increment("b", "n", 1)
        os.kill(running.pid, harm)
        begun = time.monotonic()
        counting = [backend.increment("b", "n", 1) for _ in range(50)]
        assert all(isinstance(each, BackendError) for each in await asyncio.gather(*counting, return_exceptions=True))
        assert time.monotonic() - begun < 1.5
        if harm == signal.SIGSTOP:
            os.kill(running.pid, signal.SIGCONT)
            assert await backend.increment("b", "n", 1) in {2, 3}  # the first of them may have been at it


async def test_restarted_without_its_streams(engine, nats_servers):
    """A bucket that went away with the server is made again when it is opened."""
    running = await nats_servers()
    async with guest_on(engine, running.url) as (guest, _):
        await guest.call("set", "b", "k", b"v")
        await running.stop()
        running.store = running.store / "empty"
        await running.start(running.store)
        assert await guest.call("get", "b", "k") is None
        assert await guest.call("set", "b", "k", b"v") is None


@pytest.mark.slow
async def test_slow(engine, nats_servers, impatient):
    """A server that stands still is an error in time, which says that it may still do it; after that all is well."""
    running = await nats_servers()
    async with guest_on(engine, running.url) as (guest, backend):
        await guest.call("set", "b", "k", b"v")
        os.kill(running.pid, signal.SIGSTOP)
        await asyncio.sleep(0.05)
        try:
            begun = time.monotonic()
            message = await told_as_other(guest, "get", "b", "k")
            assert "did not answer in 0.4 s; it may still do it" in message
            assert running.url in message
            assert time.monotonic() - begun < 2
            with pytest.raises(BackendError) as raised:
                await backend.exists("b", "k")
            assert raised.value.repair == ("look at its load and its log, then try again",)
        finally:
            os.kill(running.pid, signal.SIGCONT)
        assert await guest.call("get", "b", "k") == b"v"


async def test_full(engine, nats_servers, tmp_path):
    """What the server has no room for is an error with the remedy; the old value stays, and can be deleted."""
    config = tmp_path / "server.conf"
    config.write_text("jetstream { max_file_store: 200KB }")
    running = await nats_servers("-c", str(config))
    async with guest_on(engine, running.url) as (guest, backend):
        await guest.call("set", "b", "k", b"old")
        with pytest.raises(BackendError, match=f"NATS server {running.url} has no room for it: ") as raised:
            await backend.set_many("b", [(f"filler-{number}", b"x" * 50_000) for number in range(8)])
        assert "max_file_store" in raised.value.repair[0]
        for size in (50_000, 10_000, 2_000, 400, 80, 0, 0):  # until there is no room for anything
            with contextlib.suppress(BackendError):
                for number in range(8):
                    await backend.set("b", f"{size}-{number}", b"x" * size)
        assert "has no room for it" in await told_as_other(guest, "set", "b", "k", b"")
        assert "has no room for it" in await told_as_other(guest, "increment", "b", "n", 1)
        assert await guest.call("get", "b", "k") == b"old"
        assert await guest.call("delete", "b", "k") is None
        assert await guest.call("get", "b", "k") is None
        await backend.delete_many("b", [f"filler-{number}" for number in range(8)])
        assert await guest.call("set", "b", "k", b"new") is None


async def test_too_large(engine, nats_servers, tmp_path):
    """A value over max_payload names the limit, in every kind of call, and the connection survives it."""
    config = tmp_path / "server.conf"
    config.write_text("max_payload: 64KB")
    running = await nats_servers("-c", str(config))
    async with guest_on(engine, running.url) as (guest, backend):
        await guest.call("set", "b", "k", b"v" * 65_536)
        message = await told_as_other(guest, "set", "b", "k", b"v" * 65_537)
        assert message == (
            f"set key 'k' of bucket 'b': more than the 65536 bytes that a message of NATS server {running.url} may have"
        )
        seen = await backend.snapshot("b", "k")
        with pytest.raises(BackendError, match="swap key 'k' of bucket 'b': more than the 65536 bytes") as raised:
            await backend.swap("b", "k", seen, b"v" * 65_536)
        assert "max_payload" in raised.value.repair[0]
        assert await backend.swap("b", "k", seen, b"v")
        assert await guest.call("get", "b", "k") == b"v"


USERS = """
authorization {
  users = [
    { user: admin, password: a }
    { user: guest, password: g, permissions: {
        publish: { deny: ["$KV.closed.>", "$JS.API.DIRECT.GET.KV_closed.>", "$JS.API.CONSUMER.CREATE.>"] }
    } }
  ]
}
"""


@pytest.mark.slow
async def test_not_permitted(engine, nats_servers, tmp_path, impatient):
    """What the server does not permit is access-denied to the guest, and the user is told what was not permitted."""
    config = tmp_path / "server.conf"
    config.write_text(USERS)
    running = await nats_servers("-c", str(config))
    async with guest_on(engine, running.url, user="guest", password="g") as (guest, backend):
        for call in (("set", "closed", "k", b""), ("get", "closed", "k"), ("increment", "closed", "n", 1)):
            error = await refused(guest, *call)
            assert type(error).__name__.endswith("AccessDenied")
        with pytest.raises(BackendError, match="does not permit it: permissions violation for publish") as raised:
            await backend.set("closed", "k", b"")
        assert raised.value.repair == ("grant it to the user in the server's configuration, or attach as another user",)
        assert await guest.call("set", "open", "k", b"v") is None
        assert await guest.call("get", "open", "k") == b"v"


async def test_a_bucket_with_other_settings(engine, nats_servers):
    """The guest is told that the bucket is another one, and in what."""
    running = await nats_servers()
    async with guest_on(engine, running.url) as (guest, backend):
        await backend._server.jetstream.add_stream(name="KV_b", subjects=["$KV.b.>"], max_age=60)
        message = await told_as_other(guest, "open", "b")
        assert running.url in message
        assert "max_age is 60, not 0" in message


async def test_watching_goes_on_after_a_restart(nats_servers):
    """What another host changes is told again when the server is back, also what it changed before we were."""

    class Telling(NatsKeyValue):
        def changed(self, path, action):
            told.append((path, action))

    running, told = await nats_servers(), []
    here, there = Telling(NatsServer(running.url)), NatsServer(running.url)
    here.events.subscribe(lambda event: None)
    await here.start()
    await there.open()
    await here.shared.open("b")
    await asyncio.sleep(0.1)
    await there.jetstream.publish("$KV.b.before", b"v")
    await running.kill()
    await running.restart()
    async with there.asking("set"):
        await there.jetstream.publish("$KV.b.after", b"v")
    await eventually(lambda: len(told) == 2)
    assert told == [(("b", "before"), "set"), (("b", "after"), "set")]
    await here.stop()
    await there.close()
