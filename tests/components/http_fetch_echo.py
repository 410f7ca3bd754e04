"""A guest that streams and waits for several things at once, built with componentize-py for the world `proxy`.

`GET /fetch` with `url` headers fetches all of them at the same time and answers a line of status and size for each;
`POST /echo` streams the body back as it comes.
"""

import asyncio
from urllib.parse import urlsplit

import poll_loop
from componentize_py_types import Ok
from poll_loop import PollLoop, Sink, Stream
from wit_world import exports
from wit_world.imports.types import (
    Fields,
    IncomingRequest,
    OutgoingRequest,
    OutgoingResponse,
    ResponseOutparam,
    Scheme_Http,
    Scheme_Https,
)


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request: IncomingRequest, response_out: ResponseOutparam) -> None:
        loop = PollLoop()
        asyncio.set_event_loop(loop)
        loop.run_until_complete(answer(request, response_out))


async def answer(request: IncomingRequest, response_out: ResponseOutparam) -> None:
    """Send the request to what its path names."""
    path = (request.path_with_query() or "/").partition("?")[0]
    sink = begin(response_out, 404 if path not in {"/fetch", "/echo"} else 200)
    if path == "/fetch":
        urls = [value.decode() for value in request.headers().get("url")]
        for line in await asyncio.gather(*map(fetch, urls)):
            await sink.send(line.encode())
    elif path == "/echo":
        stream = Stream(request.consume())
        while (chunk := await stream.next()) is not None:
            await sink.send(chunk)
    sink.close()


def begin(response_out: ResponseOutparam, status: int) -> Sink:
    """Begin the answer, and give back where its body goes."""
    response = OutgoingResponse(Fields())
    response.set_status_code(status)
    body = response.body()
    ResponseOutparam.set(response_out, Ok(response))
    return Sink(body)


async def fetch(url: str) -> str:
    """Fetch one address; other fetches go on while this one waits."""
    parts = urlsplit(url)
    request = OutgoingRequest(Fields())
    request.set_scheme(Scheme_Https() if parts.scheme == "https" else Scheme_Http())
    request.set_authority(parts.netloc)
    request.set_path_with_query(parts.path or "/")
    response = await poll_loop.send(request)
    stream = Stream(response.consume())
    size = 0
    while (chunk := await stream.next()) is not None:
        size += len(chunk)
    return f"{response.status()} {size} {url}\n"
