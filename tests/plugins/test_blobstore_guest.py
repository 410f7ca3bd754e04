"""wasi:blobstore as a guest meets it, on every backend that needs no server."""

from __future__ import annotations

from functools import partial

import pytest

from washnb.engine import Err, read_source
from washnb.errors import GuestError
from washnb.host import HostBuilder
from washnb.plugins import FilesystemBlobstore, InMemoryBlobstore
from washnb.plugins.blobstore.values import SYNC_LIMIT, given_up
from washnb.types import Component, Workload, WorkloadStartRequest, WorkloadState
from washnb.wit import WitInterface

from .contracts.blobstore import contents_of, put
from .guests import COMPONENTS

ALL = (0, 2**64 - 1)
CONTENTS = bytes(index * 13 % 256 for index in range(300_000))


@pytest.fixture(params=["memory", "files"])
def plugin(request, tmp_path):
    """Give a blobstore."""
    return InMemoryBlobstore() if request.param == "memory" else FilesystemBlobstore(tmp_path)


def request(*granted: WitInterface) -> WorkloadStartRequest:
    """Ask for the guest, whose container is made by hand."""
    component = Component("main", read_source(COMPONENTS / "blobs.wat").data)
    return WorkloadStartRequest("guest", Workload("default", "guest", components=(component,), host_interfaces=granted))


@pytest.fixture
async def host(engine, plugin):
    """Run a host with the plugin and the guest, and a container."""
    async with HostBuilder().with_engine(engine).with_plugin(plugin).build() as host:
        response = await host.workload_start(request())
        assert response.state is WorkloadState.RUNNING, response.message
        await plugin.backend("guest").create("c")
        yield host


@pytest.fixture
def call(host):
    """Give what calls the guest: a fresh instance each time."""
    return partial(host.call, "guest")


@pytest.mark.parametrize("how", ["put", "put-late"])
@pytest.mark.parametrize("size", [0, 1, len(CONTENTS)])
async def test_there_and_back(call, how, size):
    """A guest writes as its stream has room, before or after it says where to, and reads what it wrote."""
    assert await call(how, "c", "o", CONTENTS[:size]) is None
    assert await call("get", "c", "o", *ALL) == CONTENTS[:size]
    assert await call("get-sync", "c", "o", *ALL) == CONTENTS[:size]
    assert await call("size", "c", "o", *ALL) == size


async def test_ranges(call):
    """Both ends of a range are part of it."""
    await call("put", "c", "o", b"0123456789")
    for how in ("get", "get-sync"):
        assert await call(how, "c", "o", 3, 5) == b"345"
        assert await call(how, "c", "o", 8, 100) == b"89"
        assert await call(how, "c", "o", 10, 11) == b""


async def test_splice(call):
    """Bytes go from one object to another without passing through the guest."""
    await call("put", "c", "o", CONTENTS)
    assert await call("splice", "c", "o", "p") is None
    assert await call("get", "c", "p", *ALL) == CONTENTS


async def test_a_trap_keeps_nothing(plugin, call):
    """Of an object that a guest writes when it traps nothing stays, and what was there does."""
    backend = plugin.backend("guest")
    await put(backend, "c", "o", b"old")
    for contents in (b"new", CONTENTS):
        with pytest.raises(GuestError):
            await call("trap", "c", "o", contents)
    await given_up()
    assert await contents_of(backend, "c") == {"o": b"old"}


async def test_names_and_metadata(call):
    """A guest lists, looks, moves and deletes."""
    for name in ("b", "a", "d", "c"):
        await call("put", "c", name, b"12")
    assert await call("names", "c", 1, 2) == (["b", "c"], False)
    assert await call("names", "c", 3, 2**64 - 1) == (["d"], True)
    await call("move", {"container": "c", "object": "d"}, {"container": "c", "object": "e"})
    await call("delete", "c", "a")
    await call("delete", "c", "gone")
    assert await call("names", "c", 0, 9) == (["b", "c", "e"], True)
    info = await call("info", "c", "e")
    assert (info.name, info.container, info.size) == ("e", "c", 2)


async def test_errors_are_strings(call):
    """Where something is missing, or too large to be taken at once, the guest is told in words."""
    for asked, told in [
        (("get", "c", "gone", *ALL), "object 'gone' does not exist in container 'c'"),
        (("info", "c", "gone"), "object 'gone' does not exist in container 'c'"),
        (("create", "c"), "container 'c' already exists"),
    ]:
        with pytest.raises(Err) as raised:
            await call(*asked)
        assert raised.value.value == told


async def test_too_large_at_once(plugin, call):
    """Above 8 MiB a guest has to read a stream."""
    await put(plugin.backend("guest"), "c", "o", bytes(SYNC_LIMIT + 1))
    with pytest.raises(Err, match="use incoming-value-consume-async"):
        await call("get-sync", "c", "o", *ALL)
    assert await call("get-sync", "c", "o", 1, 100) == bytes(100)


async def test_what_the_entry_permits(host, plugin, call):
    """The config of a workload's entry limits a guest to some containers, and to reading them."""
    await put(plugin.backend("guest"), "c", "o", b"1")
    entry = WitInterface.parse(
        "wasi:blobstore/blobstore,container,types@0.2.0-draft", config={"buckets": "c , d", "read_only": "true"}
    )
    assert (await host.workload_reload(request(entry))).state is WorkloadState.RUNNING
    assert await call("get", "c", "o", *ALL) == b"1"
    for asked in [
        ("put", "c", "o", b"2"),
        ("delete", "c", "o"),
        ("create", "d"),
        ("move", {"container": "c", "object": "o"}, {"container": "c", "object": "p"}),
    ]:
        with pytest.raises(Err, match=r"unauthorized write: container '[cd]' is read-only for the workload"):
            await call(*asked)
    with pytest.raises(Err) as raised:
        await call("create", "x")
    assert raised.value.value == "unauthorized: container 'x' is not among the workload's buckets (c, d)"
    assert await contents_of(plugin.backend("guest"), "c") == {"o": b"1"}
