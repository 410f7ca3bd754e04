"""A component in Python: it counts the requests to each path in a key-value bucket.

    componentize-py -d wit -w counter componentize http_counter -o http_counter.wasm

`wit_world` is made by componentize-py from the WIT files in `wit`: every import of the world is a module of
`wit_world.imports`, every export a class of `wit_world.exports` that this file implements.
"""

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import atomics, store
from wit_world.imports.logging import Level, log
from wit_world.imports.types import (
    Fields,
    IncomingRequest,
    OutgoingBody,
    OutgoingResponse,
    ResponseOutparam,
)


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request: IncomingRequest, response_out: ResponseOutparam) -> None:
        path = (request.path_with_query() or "/").partition("?")[0]
        key = path.strip("/") or "hits"
        try:
            with store.open("default") as bucket:
                count = atomics.increment(bucket, key, 1)
        except Err as error:
            log(Level.ERROR, "counter", f"cannot count {key}: {error.value}")
            respond(response_out, 500, f"no count: {error.value}\n")
        else:
            log(Level.INFO, "counter", f"{key} is {count}")
            respond(response_out, 200, f"{key}: {count}\n")


def respond(response_out: ResponseOutparam, status: int, text: str) -> None:
    response = OutgoingResponse(Fields.from_list([("content-type", b"text/plain; charset=utf-8")]))
    response.set_status_code(status)
    body = response.body()
    ResponseOutparam.set(response_out, Ok(response))
    with body.write() as stream:
        stream.blocking_write_and_flush(text.encode())
    OutgoingBody.finish(body, None)
