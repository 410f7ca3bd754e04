"""A container on NATS has thousands of objects: they are asked for many at once, and each as seldom as can be."""

from __future__ import annotations

import asyncio

import pytest

from washnb.plugins.blobstore.object_store import ObjectStoreBackend

from .contracts.blobstore import contents_of, put


@pytest.fixture
def backend(server):
    """Give the backend."""
    return ObjectStoreBackend(server)


@pytest.fixture
async def asked(server, backend, monkeypatch):
    """Count the requests that wait at the same time, in a container with a hundred objects."""
    await backend.create("c")
    await asyncio.gather(*(put(backend, "c", f"o{number}", b"x") for number in range(100)))
    request, waiting, counts = server.request, set(), []

    async def counted(subject, *rest):
        waiting.add(token := object())
        counts.append(len(waiting))
        try:
            return await request(subject, *rest)
        finally:
            waiting.remove(token)

    monkeypatch.setattr(server, "request", counted)
    return counts


async def test_a_list_is_asked_for_at_once(server, backend, asked):
    """With one request for each object, and one for their subjects."""
    before = server.client.stats["out_msgs"]
    assert len(await backend.objects("c")) == 100
    assert server.client.stats["out_msgs"] - before == len(asked) == 101
    assert max(asked) == 100


async def test_a_container_is_cleared_at_once(server, backend, asked):
    """With two requests more for each object: what says that it is deleted, and its chunks."""
    before = server.client.stats["out_msgs"]
    await backend.clear("c")
    assert server.client.stats["out_msgs"] - before == len(asked) == 301
    assert max(asked) == 100
    assert (await server.jetstream.stream_info("OBJ_c")).state.messages == 100


async def test_what_is_written_while_others_are_cleared_stays(server, backend, monkeypatch):
    """A writer that has its acknowledgement has its object, whenever it came."""
    await backend.create("c")
    await asyncio.gather(*(put(backend, "c", f"o{number}", b"before") for number in range(20)))
    request, written = server.request, asyncio.Event()
    other = ObjectStoreBackend(server)

    async def interrupted(subject, *rest):
        if subject.startswith("$O.c.M.") and not written.is_set():  # the first one is about to be deleted
            written.set()
            for number in range(0, 20, 2):
                await put(other, "c", f"o{number}", b"meanwhile")
            await put(other, "c", "new", b"meanwhile")
        return await request(subject, *rest)

    monkeypatch.setattr(server, "request", interrupted)
    await backend.clear("c")
    stays = ["new", *(f"o{number}" for number in range(0, 20, 2))]
    assert await contents_of(backend, "c") == dict.fromkeys(sorted(stays), b"meanwhile")
    state = (await server.jetstream.stream_info("OBJ_c", subjects_filter="$O.c.C.>")).state
    assert len(state.subjects) == len(stays)
