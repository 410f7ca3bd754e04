"""What tests of the host share: a running host, and a word for starting guests on it."""

from __future__ import annotations

import asyncio

import pytest

from washnb.engine.store import STORES
from washnb.host import DevRouter, HostBuilder, HttpServer


@pytest.fixture
async def host(engine):
    """A running host with an HTTP server at a free port and no plugins; nothing may be left when the test is over."""
    http = await HttpServer.new(DevRouter(), "127.0.0.1:0")
    async with HostBuilder().with_engine(engine).with_http_handler(http).build() as host:
        yield host
        assert sum(summary.in_flight for summary in host.workloads()) == 0
    await asyncio.sleep(0)
    assert not STORES
    assert asyncio.all_tasks() == {asyncio.current_task()}
