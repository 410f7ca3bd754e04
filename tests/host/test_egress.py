"""The client against real servers on loopback: what goes over the wire, and over which connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from washnb.engine import Err
from washnb.host.allowed_hosts import parse_allowed_hosts
from washnb.host.egress import Egress
from washnb.wasi import ClientResponse, Pipe, SentChunks, error_code

from .loopback import a_request, answering, exchange, http_server, raw_server, trusting, whole


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    """A client that trusts the certificate of the tests."""
    client = trusting()
    yield client
    await client.close()


class TestWire:
    async def test_only_what_the_guest_wrote_is_sent(self, egress: Egress) -> None:
        """Besides the Host header nothing is added: no agent, no accepted encodings, no content type."""
        heads = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

        async with raw_server(talk) as port:
            headers = (("x-a", b"1"), ("x-a", b"2"), ("x-text", "ä".encode()))
            response = await exchange(egress, a_request(port, path_with_query="/a%20b?c=%2F&d", headers=headers))
        assert response.status == 204
        assert heads == [
            b"GET /a%%20b?c=%%2F&d HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nx-a: 1\r\nx-a: 2\r\nx-text: \xc3\xa4\r\n\r\n"
            % port
        ]

    async def test_finished_body_has_a_length(self, egress: Egress) -> None:
        """A body that is complete when the request goes out is sent with its length."""
        seen = []

        async def handler(request: web.BaseRequest) -> web.Response:
            seen.append((request.method, request.headers.get("Content-Length"), await request.read()))
            return web.Response(text="fine")

        async with http_server(handler) as port:
            response = await exchange(egress, a_request(port, method="POST", body=lambda: b"hello"))
            assert await whole(response) == b"fine"
        assert seen == [("POST", "5", b"hello")]

    @pytest.mark.parametrize("headers", [(), (("content-length", b"9"),)])
    async def test_flowing_body_arrives_whole(self, egress: Egress, headers: tuple[tuple[str, bytes], ...]) -> None:
        """A body that still flows is sent in chunks, or with the length that the guest announced."""
        pipe = Pipe()

        async def handler(request: web.BaseRequest) -> web.Response:
            coding = request.headers.get("Transfer-Encoding"), request.headers.get("Content-Length")
            return web.Response(body=repr((coding, await request.read())))

        async with http_server(handler) as port:
            request = a_request(port, method="PUT", headers=headers, body=lambda: SentChunks(pipe))
            task = asyncio.ensure_future(exchange(egress, request))
            for piece in (b"abc", b"def", b"ghi"):
                await asyncio.sleep(0.01)
                pipe.push(piece)
            pipe.close()
            coding = (None, "9") if headers else ("chunked", None)
            assert await whole(await task) == repr((coding, b"abcdefghi")).encode()

    async def test_response_flows(self, egress: Egress) -> None:
        """The head is there before the body is, and the pieces come as they are sent."""
        more = asyncio.Event()

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse(status=201, headers={"X-Kind": "flow"})
            await response.prepare(request)
            await response.write(b"first")
            await more.wait()
            await response.write(b"second")
            return response

        async with http_server(handler) as port:
            response = await exchange(egress, a_request(port))
            assert (response.status, dict(response.headers)["X-Kind"]) == (201, b"flow")
            pieces = aiter(response.body)
            assert await anext(pieces) == b"first"
            more.set()
            assert await anext(pieces) == b"second"
            with pytest.raises(StopAsyncIteration):
                await anext(pieces)

    async def test_a_slow_reader_holds_the_server_back(self, egress: Egress) -> None:
        """What the guest does not read stays with the server, except for what buffers hold."""
        written = 0

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            nonlocal written
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(800):
                await response.write(bytes(64 * 1024))
                written += 64 * 1024
            return response

        async with http_server(handler) as port:
            response = await exchange(egress, a_request(port))
            await asyncio.sleep(0.2)
            held_back_at = written
            assert held_back_at < 20 * 1024 * 1024
            assert len(await whole(response)) == 800 * 64 * 1024

    async def test_small_response_is_bytes(self, egress: Egress) -> None:
        """A body that came with the head is handed over as it is, without a stream."""
        async with raw_server(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", then=1)) as port:
            assert (await exchange(egress, a_request(port))).body == b"ok"

    async def test_neither_redirects_nor_codings_are_touched(self, egress: Egress) -> None:
        """A redirect and a compressed body reach the guest as they are."""
        head = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nSet-Cookie: a=b\r\nContent-Encoding: gzip\r\n"
        async with raw_server(answering(head + b"Content-Length: 4\r\n\r\n\x1f\x8bxx")) as port:
            response = await exchange(egress, a_request(port))
        assert (response.status, await whole(response)) == (302, b"\x1f\x8bxx")

    async def test_no_cookie_is_kept(self, egress: Egress) -> None:
        """A cookie that a server sets is not sent by the host on its own."""

        async def handler(request: web.BaseRequest) -> web.Response:
            return web.Response(text=request.headers.get("Cookie", "none"), headers={"Set-Cookie": "a=b"})

        async with http_server(handler) as port:
            answers = [await whole(await exchange(egress, a_request(port))) for _ in range(2)]
        assert answers == [b"none", b"none"]

    async def test_no_proxy_of_the_environment(self, egress: Egress, monkeypatch: pytest.MonkeyPatch) -> None:
        """A proxy that the environment of the host names is not for guests."""
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        async with raw_server(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as port:
            assert (await exchange(egress, a_request(port))).status == 200

    async def test_head_has_no_body(self, egress: Egress) -> None:
        """The answer to HEAD may announce a length and has no body."""
        async with raw_server(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")) as port:
            assert await whole(await exchange(egress, a_request(port, method="HEAD"))) == b""

    async def test_tls(self, egress: Egress) -> None:
        """A server whose certificate is trusted is talked to over TLS."""

        async def handler(request: web.BaseRequest) -> web.Response:
            return web.Response(text=str(request.secure))

        async with http_server(handler, tls=True) as port:
            assert await whole(await exchange(egress, a_request(port, scheme="https"))) == b"True"


class TestConnections:
    async def test_are_kept_and_used_again(self, egress: Egress) -> None:
        """One connection after the other is not opened: the one that is there serves again."""
        peers = set()

        async def handler(request: web.BaseRequest) -> web.Response:
            peers.add(request.transport.get_extra_info("peername"))
            return web.Response(text="x" * 100_000)

        async with http_server(handler) as port:
            for _ in range(3):
                await whole(await exchange(egress, a_request(port)))
        assert len(peers) == 1

    async def test_closed_response_frees_its_connection(self, egress: Egress) -> None:
        """A response that the guest drops unread is cut, so that the server does not go on."""
        gone = asyncio.Event()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")(reader, writer)
            await reader.read()
            gone.set()

        async with raw_server(talk) as port:
            response = await exchange(egress, a_request(port))
            response.close()
            response.close()
            await asyncio.wait_for(gone.wait(), 5)

    async def test_closing_ends_all(self) -> None:
        """After `close` nothing is open, and closing again, or without a request, does no harm."""
        egress = Egress()
        await egress.close()
        async with raw_server(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", then=1)) as port:
            await exchange(egress, a_request(port))
            await egress.close()
            await egress.close()

    async def test_cancelled_request_tells_the_guest(self, egress: Egress) -> None:
        """When the request is given up, the guest finds the stream of its body closed."""
        pipe = Pipe()
        async with raw_server(answering(then=5)) as port:
            task = asyncio.ensure_future(exchange(egress, a_request(port, method="PUT", body=lambda: SentChunks(pipe))))
            await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.wait([task])
        assert pipe.abandoned

    async def test_early_answer_ends_the_upload(self, egress: Egress) -> None:
        """A server that answers before it has read the body need not read it: the guest's stream closes."""
        pipe = Pipe()
        async with raw_server(answering(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno", then=1)) as port:
            response = await exchange(egress, a_request(port, method="PUT", body=lambda: SentChunks(pipe)))
            assert (response.status, await whole(response)) == (413, b"no")
        assert pipe.abandoned

    @pytest.mark.parametrize("answer", [b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno", b""])
    async def test_guest_that_only_writes_hears_of_the_end(self, egress: Egress, answer: bytes) -> None:
        """A guest that reads no answer before it has written all finds its stream closed when nobody reads on."""
        pipe = Pipe()

        async def write_for_ever() -> None:
            while await pipe.put(bytes(65536)):
                pass

        async with raw_server(answering(answer, then=0.1)) as port:
            writing = asyncio.ensure_future(write_for_ever())
            asking = asyncio.ensure_future(
                exchange(egress, a_request(port, method="PUT", body=lambda: SentChunks(pipe)))
            )
            await asyncio.wait_for(writing, 5)
            (outcome,) = await asyncio.gather(asking, return_exceptions=True)
            assert isinstance(outcome, Err if not answer else ClientResponse)


class TestPolicy:
    @pytest.mark.parametrize("allowed", [(), ("example.com",), ("127.0.0.1:1",), ("https://127.0.0.1",)])
    async def test_denied(self, egress: Egress, allowed: tuple[str, ...], caplog: pytest.LogCaptureFixture) -> None:
        """What no entry allows is denied at once, before anything is opened; the log says why."""
        send = egress.sender(parse_allowed_hosts(allowed), component="counter")
        with pytest.raises(Err) as caught:
            send(a_request(80))
        assert caught.value.value == error_code.ErrorCode_HttpRequestDenied()
        assert "component counter: outgoing request to host '127.0.0.1'" in caplog.text
        assert ("deny-all" in caplog.text) == (not allowed)

    async def test_one_entry_is_enough(self, egress: Egress) -> None:
        """A request that some entry allows is sent."""
        async with raw_server(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as port:
            response = await exchange(egress, a_request(port), ("example.com", f"127.0.0.1:{port}"))
        assert response.status == 200
