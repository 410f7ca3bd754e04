"""The keys of a bucket on a real NATS server: pages of them, and what is none."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest

from tests.waiting import eventually
from washnb.errors import BackendError
from washnb.plugins.keyvalue import nats_keys
from washnb.plugins.keyvalue.nats import NatsBackend
from washnb.plugins.keyvalue.nats_keys import PAGE

from .contracts.keyvalue import all_keys


@pytest.fixture
async def backend(server):
    """Give a backend whose changes nobody hears, with a bucket."""
    backend = NatsBackend(server, lambda path, action: None, lambda: False)
    await backend.open("b")
    yield backend
    await backend.stop()


async def test_what_others_put_there(server, backend):
    """What others publish that is no key of a bucket is not seen, and stands in nobody's way."""
    await backend.set("b", "k", b"v")
    for name in ("ü", "a!b", "x" * 3000):
        await server.jetstream.publish(f"$KV.b.{name}", b"x")
    assert await all_keys(backend, "b") == ["k"]


async def test_pages_are_of_a_thousand_and_stand_still(server, backend):
    """Keys come in the order of their last change; what is deleted between two pages takes no other key with it."""
    for number in range(PAGE + 10):
        await server.client.publish(f"$KV.b.{number}", b"v")

    async def are_stored():
        return (await server.jetstream.stream_info("KV_b")).state.messages == PAGE + 10

    await eventually(are_stored)
    await backend.set("b", "0", b"again")
    page = await backend.keys("b")
    assert list(page.keys) == [str(number) for number in range(1, PAGE + 1)]
    await backend.delete_many("b", ["1", "2"])
    rest = await backend.keys("b", page.cursor)
    assert (list(rest.keys), rest.cursor) == ([*map(str, range(PAGE + 1, PAGE + 10)), "0"], None)
    assert await backend.keys("b", 2**63) == await backend.keys("b", 2**62)


@pytest.fixture
def pulled(server, monkeypatch):
    """Let the requests for keys be other ones, as a function says of their number, and give a list of them."""
    asked, publish = [], server.client.publish

    def limit(to):
        async def other(subject, payload=b"", reply="", headers=None):
            if ".MSG.NEXT." in subject:
                payload = json.dumps({**json.loads(payload), **to(len(asked))}).encode()
                asked.append(subject)
            await publish(subject, payload, reply, headers)

        monkeypatch.setattr(server.client, "publish", other)
        return asked

    return limit


async def test_a_server_that_ends_too_early(backend, pulled):
    """What a server says that has no more keys at the moment is believed only where it is so."""
    names = [f"{number:03}" for number in range(40)]
    for name in names:
        await backend.set("b", name, b"")
    asked = pulled(lambda number: {"max_bytes": 400} if number < 3 else {})  # it gives a few, and a status
    assert await all_keys(backend, "b") == names
    assert len(asked) == 4


async def test_a_server_that_gives_nothing(backend, pulled, monkeypatch):
    """A listing that gets no key of those that there are ends with an error, and not in the midst."""
    monkeypatch.setattr(nats_keys, "PATIENCE", 0.2)
    await backend.set("b", "k", b"")
    pulled(lambda _: {"max_bytes": 1})
    with pytest.raises(BackendError, match=r"list bucket 'b': .* did not answer"):
        await all_keys(backend, "b")


async def test_a_request_that_keeps_a_cancellation_to_itself(server, backend, pulled, monkeypatch):
    """Such a server's listing ends, too: a request that was answered in the moment of the timeout went on for ever."""
    monkeypatch.setattr(nats_keys, "PATIENCE", 0.2)
    await backend.set("b", "k", b"")
    pulled(lambda _: {"max_bytes": 1})
    ask = server.jetstream.consumer_info

    async def answered_late(*args):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.3)
        return await ask(*args)

    monkeypatch.setattr(server.jetstream, "consumer_info", answered_late)
    with pytest.raises(BackendError, match=r"list bucket 'b': .* did not answer"):
        await all_keys(backend, "b")


async def test_a_bucket_without_keys_is_one_request(backend, pulled):
    """Where there is nothing, nothing is asked for; marks of what was deleted are none."""
    asked = pulled(lambda _: {})
    assert await all_keys(backend, "b") == []
    assert asked == []
    await backend.set("b", "k", b"")
    await backend.delete("b", "k")
    assert await all_keys(backend, "b") == []


@pytest.mark.slow
async def test_many_keys(backend):
    """Ten thousand keys come in pages."""
    names = [f"{number:05}" for number in range(10_000)]
    await backend.set_many("b", [(name, b"") for name in names])
    assert sorted(await all_keys(backend, "b")) == names
    await backend.delete_many("b", names[:-1])
    assert await all_keys(backend, "b") == names[-1:]
