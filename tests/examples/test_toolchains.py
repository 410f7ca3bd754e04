"""Components that real toolchains built, on a whole host."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from washnb.engine import Engine, read_source
from washnb.events import LogLine
from washnb.host import DevRouter, Host, HostBuilder, HttpServer
from washnb.plugins import catalog
from washnb.types import Component, LocalResources, Workload, WorkloadStartRequest, WorkloadState

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@contextlib.asynccontextmanager
async def running(path: Path, **resources) -> AsyncIterator[Host]:
    """A host on which a built guest runs; its code is kept beside the guest, for the next time."""
    with Engine.builder().with_cache_dir(path.parent / "code").build() as engine:
        builder = HostBuilder().with_engine(engine).with_http_handler(HttpServer(DevRouter()))
        for entry in catalog.CATALOG:
            builder.with_plugin(entry.create())
        component = Component("guest", read_source(path).data, local_resources=LocalResources(**resources))
        async with builder.build() as host:
            workload = Workload("toolchains", "guest", components=(component,))
            started = await host.workload_start(WorkloadStartRequest("guest", workload))
            assert started.state is WorkloadState.RUNNING, started.message
            yield host


async def test_the_counter_of_the_quickstart_counts(built_guest):
    """The guest that the first notebook builds from Python counts each path in key-value."""
    async with running(built_guest("http_counter")) as host:
        answers = [(await host.send("GET", path)).text for path in ("/", "/apples", "/apples?ripe")]
        assert answers == ["hits: 1\n", "apples: 1\n", "apples: 2\n"]
        assert await host.plugins["wasi-keyvalue"].backend("guest").exists("default", "apples")


async def test_every_capability_works_from_python(built_guest):
    """Batches, cursors, options, enums, streams and messages come through a real toolchain's bindings unharmed."""
    config = {"colour": "blue", "subscriptions": "echo.*"}
    async with running(built_guest("http_capabilities"), config=config) as host:
        assert json.loads((await host.send("GET", "/")).text) == {
            "config": config,
            "missing": None,
            "many": [["a", "1"], None, ["c", "3"]],
            "count": 2,
            "keys": ["a", "b", "c", "count"],
            "left": ["count"],
            "blobs": {
                "whole": "0123456789",
                "part": "345",
                "names": [["b", "c"], True],
                "info": ["things", "c", 10],
                "left": ["c"],
                "error": "object 'c' does not exist in container 'things'",
                "there": False,
            },
            "reply": "olleh",
            "nobody": "no responders available for request to 'nobody.listens'",
        }


async def test_two_fetches_of_one_guest_wait_at_the_same_time(built_guest):
    """Two upstreams that take half a second each are fetched in less than the sum."""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.5)
        writer.write(b"HTTP/1.1 203 Slow\r\nContent-Length: 5\r\n\r\nhello")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(slow, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    urls = [f"http://{address}/{each}" for each in "ab"]
    async with server, running(built_guest("http_fetch_echo"), allowed_hosts=(address,)) as host:
        await host.send("GET", "/warm-up")
        started = time.monotonic()
        response = await host.send("GET", "/fetch", headers=[("url", url.encode()) for url in urls])
        assert response.text == "".join(f"203 5 {url}\n" for url in urls)
        assert time.monotonic() - started < 0.9


@pytest.mark.parametrize(("guest", "size"), [("http_fetch_echo", 5_000_000), ("http_hello_js", 300_000)])
async def test_a_body_streams_through_a_guest_unharmed(built_guest, guest, size):
    """What goes in comes out, byte for byte, in Python as in JavaScript."""
    body = bytes(range(256)) * (size // 256)
    async with running(built_guest(guest)) as host:
        response = await host.send("POST", "/echo", body=body, timeout=60)
        assert response.status == 200
        assert response.body == body


async def test_a_guest_in_javascript_answers(built_guest):
    """A component of a second toolchain, with imports of other versions, is served as well."""
    async with running(built_guest("http_hello_js")) as host:
        response = await host.send("GET", "/there?x=1")
        assert (response.status, response.text) == (200, "Hello from JavaScript at /there\n")
        assert response.headers["content-type"] == "text/plain"


async def test_an_exception_in_javascript_is_a_500(built_guest):
    """The runtime of componentize-js answers for a handler that threw, and leaves the body of that answer open."""
    async with running(built_guest("http_hello_js")) as host:
        lines = []
        host.events().subscribe(lambda event: lines.append(event.message) if isinstance(event, LogLine) else None)
        response = await host.send("GET", "/throw")
        assert (response.status, response.body, response.error) == (500, b"", None)
        assert any("as asked" in line for line in lines)
