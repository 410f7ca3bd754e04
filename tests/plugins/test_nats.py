"""The connection to a NATS server that plugins share."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from types import SimpleNamespace

import pytest

from washnb.errors import AccessDenied, BackendError, ConfigError
from washnb.plugins import NatsServer
from washnb.plugins.keyvalue.nats import NatsBackend
from washnb.plugins.nats import heard


@pytest.fixture
async def server(nats_server):
    """Give an open connection."""
    server = NatsServer(nats_server.url)
    await server.open()
    yield server
    await server.close()


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("nats://127.0.0.1:4222", "nats://127.0.0.1:4222"),
        ("127.0.0.1", "nats://127.0.0.1:4222"),
        ("nats.example", "nats://nats.example:4222"),
        ("tls://me:secret@nats.example:4333", "tls://nats.example:4333"),
        ("nats://s3cr3t-token@nats.example", "nats://nats.example:4222"),
        ("nats://a:1, nats://me:secret@b:2", "nats://a:1,nats://b:2"),
        ("nats://[::1]:4222", "nats://[::1]:4222"),
        ("ws://nats.example", "ws://nats.example:80"),
        ("wss://nats.example/secret?secret#secret", "wss://nats.example:443"),
    ],
)
def test_the_address_holds_no_secret(given, url):
    """What views and messages show is scheme, host and port, whatever was given."""
    server = NatsServer(given, password="hunter2", token="t0ken")
    assert server.url == url
    assert url in repr(server)
    assert not any(secret in repr(server) for secret in ("secret", "s3cr3t", "hunter2", "t0ken"))


@pytest.mark.parametrize(
    "given",
    [
        "",
        "http://127.0.0.1",
        "nats://",
        "nats://me:secret@h:port",
        "nats://me:secret",
        "nats://h:99999",
        "nats://[::1",
        "nats://secret#0@h",
        "nats://secret?0@h",
        "nats://me:1/secret@h",
        "nats://me:secret,0@h",
        "nats://secret,0@h",
        "nats://me:secret,1,2@h",
        "nats://@me:secret@",
    ],
)
def test_what_is_no_address(given):
    """It is refused when it is written, without what may be secret in it."""
    with pytest.raises(ConfigError) as raised:
        NatsServer(given)
    assert "secret" not in str(raised.value)
    assert raised.value.repair[0] == 'NatsServer("nats://127.0.0.1:4222")'
    assert ("%2c" in str(raised.value)) == ("@" in given)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("nats://127.0.0.1:4222", True),
        ("nats://localhost", True),
        ("nats://[::1]:4222", True),
        ("nats://127.8.8.8", True),
        ("nats://10.0.0.1", False),
        ("nats://localhost.example", False),
        ("nats://127.0.0.1,nats://10.0.0.1", False),
    ],
)
def test_other_machines_are_only_read(url, local):
    """Without a word of the user, a server is written to and joined only where all of it is on this machine."""
    assert (NatsServer(url).writes, NatsServer(url).joins) == (local, local)
    chosen = NatsServer(url, write=True, join=False)
    assert (chosen.writes, chosen.joins) == (True, False)
    assert repr(NatsServer("10.0.0.1")) == "NatsServer('nats://10.0.0.1:4222', write=False, join=False)"


async def test_plugins_share_one_connection(nats_server):
    """The first opens it, the last closes it, and after that it can be opened again."""
    server = NatsServer(nats_server.url)
    with pytest.raises(BackendError, match="is not connected"):
        _ = server.client
    await asyncio.gather(server.open(), server.open())
    client = server.client
    await server.open()
    assert server.client is client
    for _ in range(2):
        await server.close()
        assert client.is_connected
    await server.close()
    assert client.is_closed
    await server.open()
    assert server.client.is_connected
    await server.close()


async def test_a_cancelled_opener(nats_server):
    """Who gives up while the connection is being made leaves nothing behind, and takes it from nobody else."""
    server = NatsServer(nats_server.url)
    opening = [asyncio.ensure_future(server.open()) for _ in range(2)]
    await asyncio.sleep(0)
    opening[0].cancel()
    await asyncio.gather(*opening, return_exceptions=True)
    assert server.client.is_connected
    await server.close()
    others = asyncio.all_tasks()
    for steps in range(20):
        alone = asyncio.ensure_future(server.open())
        for _ in range(steps):
            await asyncio.sleep(0.0002)
        alone.cancel()
        await asyncio.wait([alone])
        if not alone.cancelled():
            await server.close()
        with pytest.raises(BackendError, match="is not connected"):
            _ = server.client
    assert asyncio.all_tasks() == others


async def test_nobody_is_there():
    """The error comes soon, names the server, and has the lines that start one; the next attempt is a new one."""
    server = NatsServer("nats://me:secret@127.0.0.1:1")
    for _ in range(2):
        begun = time.monotonic()
        with pytest.raises(BackendError, match=r"no NATS server answers at nats://127\.0\.0\.1:1: ") as raised:
            await server.open()
        assert time.monotonic() - begun < 2
        assert "secret" not in str(raised.value)
        assert raised.value.repair == ("%wash nats start", "nats-server -js")


async def test_a_server_elsewhere_is_not_to_be_started_here():
    """Whoever mistypes its name, or finds it away, is asked about the address."""
    server = NatsServer("nats://no-such-host.invalid:4222")
    with pytest.raises(BackendError, match="no NATS server answers at nats://no-such-host") as raised:
        await server.open()
    assert raised.value.repair == ("is the address right, and does a server with JetStream run there?",)


async def test_without_nats_py(monkeypatch):
    """The error names the extra that is to be installed."""
    monkeypatch.setitem(sys.modules, "nats", None)
    with pytest.raises(ConfigError, match="needs a package that is not installed: nats") as raised:
        await NatsServer().open()
    assert raised.value.repair == ('pip install "washnb[nats]"',)


async def test_credentials(nats_servers, tmp_path):
    """They are options of nats-py, or stand in the address; a server that refuses them is AccessDenied."""
    config = tmp_path / "server.conf"
    config.write_text("authorization { user: me, password: hunter2 }")
    running = await nats_servers("-c", str(config))
    place = running.url.removeprefix("nats://")
    for server in (NatsServer(running.url, user="me", password="hunter2"), NatsServer(f"nats://me:hunter2@{place}")):
        await server.open()
        assert server.client.is_connected
        await server.close()
    for server in (NatsServer(running.url), NatsServer(running.url, user="me", password="hunter3")):
        with pytest.raises(AccessDenied, match=r"refuses the connection: .*Authorization Violation") as raised:
            await server.open()
        assert "hunter3" not in str(raised.value)
        assert "env:NATS_URL" in raised.value.repair[0]
        assert "user=..., password=..." in raised.value.repair[1]


async def test_options_that_cannot_be(nats_server, monkeypatch):
    """What nats-py says of them is raised, without their values; a package that they need is named."""
    monkeypatch.setitem(sys.modules, "nkeys", None)
    for options, kind in [({"tokn": "s3cr3t"}, TypeError), ({"nkeys_seed_str": "s3cr3t"}, ConfigError)]:
        with pytest.raises(kind) as raised:
            await NatsServer(nats_server.url, **options).open()
        assert "s3cr3t" not in str(raised.value)
    assert raised.value.repair == ('pip install "nats-py[nkeys]"',)


async def test_nobody_answers(server):
    """What nobody answers says how to start a server that does."""
    with pytest.raises(BackendError, match=r"ask: nobody at NATS server .* takes it") as raised:
        async with server.asking("ask"):
            await server.client.request("nobody.home", b"")
    assert raised.value.repair == ("nats-server -js",)


async def test_other_errors_pass(server):
    """An error that is none of the server's stays what it is."""
    with pytest.raises(ZeroDivisionError):
        async with server.asking("divide"):
            _ = 1 // 0
    with pytest.raises(ConfigError), server.asking("configure"):
        raise ConfigError("no")


async def test_what_the_server_says(server):
    """An error that has no remedy of its own is told in the server's words."""
    with pytest.raises(BackendError, match=r"make it: NATS server .* says: .*description='") as raised:
        async with server.asking("make it"):
            await server.jetstream.add_stream(name="X", subjects=["a.>", "a.b"])
    assert raised.value.__cause__ is not None


async def test_calls_wait_for_a_lost_connection(nats_servers):
    """After a restart the next call works on the same connection; whoever asked to be told is told; the user, too."""
    running, told = await nats_servers(), []

    async def by_the_user() -> None:
        told.append("user")

    server = NatsServer(running.url, reconnected_cb=by_the_user)
    await server.open()
    forget = server.on_return(lambda: told.append("returned"))
    await running.kill()
    await running.restart()
    async with server.asking("ask"):
        await server.jetstream.account_info()
    assert told == ["user", "returned"]
    forget()
    await running.restart()
    async with server.asking("ask"):
        await server.jetstream.account_info()
    assert told == ["user", "returned", "user"]
    await server.close()


async def test_what_is_said_while_it_is_away_is_not_sent_later(nats_servers, monkeypatch):
    """A call fails in time, and what it would have sent does not arrive after it was told so."""
    monkeypatch.setattr("washnb.plugins.nats.server.PATIENCE", 0.2)
    running = await nats_servers()
    server = NatsServer(running.url)
    await server.open()
    await server.jetstream.add_stream(name="S", subjects=["s"])
    await running.kill()
    for asking in (server.asking("say"), server.asking("say")):
        with pytest.raises(BackendError, match=r"say: NATS server .* is away") as raised:
            async with asking:
                await server.jetstream.publish("s", b"lost")
        assert raised.value.repair == ("%wash nats start", "nats-server -js")
    await running.restart()
    monkeypatch.undo()
    async with server.asking("look"):
        assert (await server.jetstream.stream_info("S")).state.messages == 0
    await server.close()


async def test_a_caller_that_leaves_breaks_nothing(server):
    """Who stops to wait for the server, wherever that is, leaves a connection that works, and nothing behind."""
    subscribed = len(server.client._subs)

    async def listen() -> None:
        subscription = await server.client.subscribe("a.b")
        try:
            await heard(server.client)
        finally:
            await subscription.unsubscribe()

    for steps in range(12):
        leaving = asyncio.create_task(listen())
        for _ in range(steps):
            await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait([leaving])
    await heard(server.client)
    assert server.connected[1] == 0
    assert len(server.client._subs) == subscribed


async def test_what_one_caller_sends_ends_the_connection_of_nobody(server):
    """A server that breaks it, for a line that is too long, is connected to again."""
    returned = asyncio.Event()
    forget = server.on_return(returned.set)
    await server.client.publish("x" * 5000, b"")
    await asyncio.wait_for(returned.wait(), 5)
    forget()
    async with server.asking("ask"):
        await server.jetstream.account_info()


_INFO = b'INFO {"server_id": "x", "version": "2.15.1", "headers": true, "max_payload": 1048576}\r\n'


@pytest.mark.parametrize(
    "greeting",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b'INFO {"half',
        b"INFO [1]\r\n",
        b"INFO " + b"a" * 100_000,
        _INFO.replace(b"1048576", b'"big"') + b"PONG\r\n",
    ],
)
async def test_what_is_no_server(greeting):
    """Whatever answers at an address: what is wrong is told, and the connection closed."""
    gone = asyncio.Event()

    async def answer(reader, writer) -> None:
        writer.write(greeting)
        if b"half" in greeting or b"HTTP" in greeting:
            writer.close()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()
        gone.set()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    server = NatsServer(f"nats://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    with pytest.raises(BackendError, match="no NATS server answers at"):
        await server.open()
    await asyncio.wait_for(gone.wait(), 5)
    listening.close()


@pytest.mark.parametrize("reply", [b"nonsense", b"[]", b'{"streams": 5}', b""])
async def test_answers_that_cannot_be_read(server, monkeypatch, reply):
    """Nonsense in an answer is an error of that call, which says so."""

    async def lie(*_) -> SimpleNamespace:
        return SimpleNamespace(data=reply)

    monkeypatch.setattr(server, "request", lie)
    with pytest.raises(BackendError, match=r"list buckets: what NATS server .* answers cannot be read"):
        await NatsBackend(server, lambda *_: None).buckets()


async def test_a_connection_that_is_closed_for_good(nats_server):
    """Who attaches again gets another one, also where others still hold the one that the server has closed."""
    server = NatsServer(nats_server.url)
    await server.open()
    await server.client._process_err("'user authentication expired'")
    await asyncio.sleep(0.05)
    with pytest.raises(BackendError, match="has closed the connection"):
        async with server.asking("ask"):
            pass
    await server.open()
    async with server.asking("ask"):
        await server.jetstream.account_info()
    await server.close()
    await server.close()
