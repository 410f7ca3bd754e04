"""Streams of a server that is at a deletion still: what nats-server does then is done to its directory by hand."""

from __future__ import annotations

import pytest
from nats.js.errors import ServerError

from washnb.errors import BackendError
from washnb.host import HostBuilder
from washnb.plugins import LocalNats, NatsBlobstore, NatsConfig, NatsKeyValue, NatsLogger, NatsMessaging, NatsServer
from washnb.plugins.blobstore.object_store import ObjectStoreBackend
from washnb.plugins.keyvalue.nats import NatsBackend


@pytest.fixture
async def running(nats_servers):
    """Give a server that the test has for itself."""
    return await nats_servers()


@pytest.fixture
async def server(running):
    """Give an open connection to it."""
    server = NatsServer(running.url)
    await server.open()
    yield server
    await server.close()


@pytest.mark.parametrize("what", ["bucket", "container"])
async def test_a_directory_that_is_none_at_first(running, server, what):
    """What the server could not make at first, because it was at the directory itself, is made."""
    buckets, containers = NatsBackend(server, lambda path, action: None, lambda: False), ObjectStoreBackend(server)
    make = {"bucket": buckets.open, "container": containers.create}[what]
    in_its_place = running.store / "jetstream" / "$G" / "streams"
    in_its_place.parent.mkdir(parents=True, exist_ok=True)
    in_its_place.touch()  # the server removes it, and says that no stream was made
    await make("b")


async def test_a_stream_that_cannot_be_made(server, monkeypatch):
    """Where the server never can, it is not asked for ever, and the error is what it says."""
    asked = []

    async def add_stream(config):
        asked.append(config.name)
        raise ServerError(code=500, err_code=10049, description="error creating store for stream")

    monkeypatch.setattr(server.jetstream, "add_stream", add_stream)
    with pytest.raises(BackendError, match=r"open bucket 'b': .* says: .*error creating store for stream"):
        await NatsBackend(server, lambda path, action: None, lambda: False).open("b")
    assert asked == ["KV_b"] * 5


async def test_deleted_again_in_a_moment(running, server):
    """A container that is made anew is empty, also while an earlier one of its name is being deleted still."""
    containers = ObjectStoreBackend(server)
    await containers.create("c")

    async def contents():
        yield b"old"

    await containers.write("c", "o", contents())
    aside = running.store / "jetstream" / "$G" / "streams" / ".OBJ_c"
    (aside / "msgs").mkdir(parents=True)
    await containers.delete("c")
    assert not await containers.exists("c")
    await containers.create("c")
    assert list(await containers.objects("c")) == []


async def test_what_cannot_be_emptied_is_deleted(server):
    """A container of others whose settings deny to remove its messages goes, too; one that is gone is no error."""
    containers = ObjectStoreBackend(server)
    await server.jetstream.add_stream(name="OBJ_c", subjects=["$O.c.>"], deny_purge=True)
    for _ in range(2):
        await containers.delete("c")
        assert list(await containers.containers()) == []


class Plain(LocalNats):
    """A server without JetStream."""

    def _command(self, binary, directory):
        return [each for each in super()._command(binary, directory) if each != "-js"]


@pytest.fixture
async def plain():
    """Give its URL."""
    server = Plain()
    yield await server.start()
    await server.stop()


@pytest.mark.parametrize(
    ("plugin", "what"), [(NatsKeyValue, "buckets"), (NatsBlobstore, "containers"), (NatsConfig, "settings")]
)
async def test_a_server_without_streams_is_found_out_at_once(plain, plugin, what):
    """By what keeps its state in streams, and not by the first call of a guest."""
    server = NatsServer(plain)
    with pytest.raises(BackendError, match=f"keep {what}: NATS server {plain} runs without JetStream") as raised:
        await plugin(server).start()
    assert raised.value.repair == ("nats-server -js",)
    with pytest.raises(BackendError, match="is not connected"):
        _ = server.client


@pytest.mark.parametrize("plugin", [NatsKeyValue, NatsBlobstore, NatsConfig])
async def test_a_plugin_that_could_not_start_closes_nobodys_connection(plain, plugin, caplog):
    """A host stops the plugin whose start has failed, too; another host goes on with the server."""
    server = NatsServer(plain)
    await server.open()
    with pytest.raises(BackendError, match="runs without JetStream"):
        await HostBuilder().with_plugin(plugin(server)).build().start()
    assert server.client.is_connected
    assert "failed to stop" not in caplog.text
    await server.close()


@pytest.mark.parametrize("plugin", [NatsLogger, NatsMessaging])
async def test_what_needs_no_streams_does_without(plain, plugin):
    """Messages and log records only go by."""
    needy = plugin(NatsServer(plain))
    await needy.start()
    await needy.stop()


@pytest.fixture
async def accounts(nats_servers, tmp_path):
    """Give key-value for a user: `without` streams, or `restricted` in what to ask about them."""
    config = tmp_path / "server.conf"
    restricted = '{ user: restricted, password: "", permissions: { publish: "$JS.API.STREAM.>" } }'
    config.write_text(
        'accounts {\n  one { users: [{ user: without, password: "" }] }\n'
        f"  two {{ jetstream: enabled, users: [{restricted}] }}\n}}\n"
    )
    running = await nats_servers("-c", str(config))
    return lambda user: NatsKeyValue(NatsServer(running.url, user=user, password=""))


async def test_an_account_without_streams_is_found_out_at_once(accounts):
    """The server keeps some, for others."""
    with pytest.raises(BackendError, match=r"keep buckets: NATS server .* has no JetStream for this account") as raised:
        await accounts("without").start()
    assert "jetstream: enabled" in raised.value.repair[0]


async def test_who_may_not_ask_for_streams_may_use_them(accounts):
    """What else is not permitted, the calls find out."""
    keyvalue = accounts("restricted")
    await keyvalue.start()
    assert await keyvalue.shared.buckets() == []
    await keyvalue.stop()
