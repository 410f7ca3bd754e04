"""A guest that uses every capability, built with componentize-py for the world `everything`.

For each request it reads the whole configuration, writes three keys to the bucket `default`, reads two of them and a
missing one back, counts, lists the keys, deletes, logs one line of each level, and answers what came of it as JSON.
"""

import json

from componentize_py_types import Ok
from wit_world import exports
from wit_world.imports import atomics, batch, wasi_config_store, wasi_keyvalue_store
from wit_world.imports.logging import Level, log
from wit_world.imports.types import Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam


class IncomingHandler(exports.IncomingHandler):
    """The component's only export."""

    def handle(self, request: IncomingRequest, response_out: ResponseOutparam) -> None:
        """Use everything, and answer what came of it."""
        found = {"config": dict(wasi_config_store.get_all()), "missing": wasi_config_store.get("no such key")}
        with wasi_keyvalue_store.open("default") as bucket:
            batch.set_many(bucket, [("a", b"1"), ("b", b"2"), ("c", b"3")])
            found["many"] = [pair and [pair[0], pair[1].decode()] for pair in batch.get_many(bucket, ["a", "x", "c"])]
            found["count"] = atomics.increment(bucket, "count", 2)
            found["keys"] = bucket.list_keys(None).keys
            bucket.delete("a")
            batch.delete_many(bucket, ["b", "c"])
            found["left"] = [key for key in ("a", "b", "c", "count") if bucket.exists(key)]
        for level in Level:
            log(level, "capabilities", f"this is {level.name.lower()}")
        respond(response_out, json.dumps(found))


def respond(response_out: ResponseOutparam, text: str) -> None:
    """Answer 200 and a text."""
    response = OutgoingResponse(Fields())
    body = response.body()
    ResponseOutparam.set(response_out, Ok(response))
    with body.write() as stream:
        stream.blocking_write_and_flush(text.encode())
    OutgoingBody.finish(body, None)
