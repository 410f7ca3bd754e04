"""Connections of clients that do not keep to HTTP: told in time, and never kept for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from washnb.host import server as server_module

from .guests import start


async def received(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server closes the connection, for two seconds at most."""
    async with asyncio.timeout(2):
        return await reader.read()


@asynccontextmanager
async def connected(host) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the host, closed when the test is over, however that ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", host.http.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


CHUNKED = b"POST /i HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"


async def test_a_body_that_stops_being_http_ends_for_the_guest(host, caplog):
    """It reads an error, and the client is told after the answer; nobody waits for chunks that cannot come."""
    await start(host, "http_behaviours")
    async with connected(host) as (reader, writer):
        writer.write(CHUNKED)
        await reader.readuntil(b"hello")
        writer.write(b"zz\r\n\r\n")
        assert (await received(reader)).startswith(b"\r\n0\r\n\r\nHTTP/1.1 400 Bad Request\r\n")
    assert not caplog.records


async def test_so_does_the_body_of_a_request_that_still_waits(host, caplog):
    """It may break before the answer to the request in front of it is out."""
    await start(host, "http_behaviours")
    async with connected(host) as (reader, writer):
        writer.write(CHUNKED)
        await reader.readuntil(b"hello")
        writer.write(b"0\r\n\r\n" + CHUNKED)
        writer.write(b"zz\r\n\r\n")
        answers = await received(reader)
    assert [line for line in answers.split(b"\r\n") if line.startswith(b"HTTP/1.1")][-1].endswith(b"400 Bad Request")
    assert not caplog.records


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: "])
async def test_a_client_that_never_asks_is_left(host, monkeypatch, sent):
    """Nothing, or the beginning of a head, holds a connection for a while only."""
    monkeypatch.setattr(server_module, "HEAD_SECONDS", 0.05)
    async with connected(host) as (reader, writer):
        writer.write(sent)
        assert await received(reader) == b""


async def test_a_client_that_has_asked_may_stay(host, monkeypatch):
    """What is bounded is the time to the first request; the body of it may take longer."""
    monkeypatch.setattr(server_module, "HEAD_SECONDS", 0.05)
    await start(host, "http_behaviours")
    async with connected(host) as (reader, writer):
        writer.write(b"POST /i HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhel")
        await reader.readuntil(b"hel\r\n")
        await asyncio.sleep(0.1)
        writer.write(b"lo")
        assert await received(reader) == b"2\r\nlo\r\n0\r\n\r\n"


@pytest.mark.parametrize(("version", "continued"), [("1.0", False), ("1.1", True)])
async def test_only_a_client_that_knows_of_it_is_told_to_continue(host, version, continued):
    """HTTP/1.0 has no interim responses: its clients would take one for the answer (RFC 9110, 10.1.1)."""
    await start(host, "http_behaviours")
    head = (
        f"POST /i HTTP/{version}\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\nconnection: close\r\n\r\n"
    )
    async with connected(host) as (reader, writer):
        writer.write(head.encode() + b"hello")
        assert (await received(reader)).startswith(b"HTTP/1.1 100 Continue") is continued
