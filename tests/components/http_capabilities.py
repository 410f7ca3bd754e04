"""A guest that uses every capability, built with componentize-py for the world `everything`.

For each request it reads the whole configuration; writes three keys to the bucket `default`, reads two of them and a
missing one back, counts, lists the keys, deletes; writes an object, reads it whole and in part, copies, moves and
deletes it; logs one line of each level; asks the subject `echo.capabilities`; and answers what came of it as JSON. It
handles messages, too: the reply is the body backwards.
"""

import json

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import atomics, batch, blobstore, consumer, wasi_config_store, wasi_keyvalue_store
from wit_world.imports.logging import Level, log
from wit_world.imports.wasi_blobstore_types import IncomingValue, ObjectId, OutgoingValue
from wit_world.imports.wasi_http_types import Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam
from wit_world.imports.wasmcloud_messaging_types import BrokerMessage


class IncomingHandler(exports.IncomingHandler):
    """What answers requests."""

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
        found["blobs"] = blobs()
        for level in Level:
            log(level, "capabilities", f"this is {level.name.lower()}")
        found["reply"] = consumer.request("echo.capabilities", b"hello", 2_000).body.decode()
        try:
            consumer.request("nobody.listens", b"", 100)
        except Err as error:
            found["nobody"] = error.value
        respond(response_out, json.dumps(found))


class Handler(exports.Handler):
    """What handles messages."""

    def handle_message(self, msg: BrokerMessage) -> None:
        """Reply with the body backwards."""
        if msg.reply_to is not None:
            consumer.publish(BrokerMessage(msg.reply_to, msg.body[::-1], None))


def blobs() -> dict[str, object]:
    """Do everything with a container that one can do."""
    with blobstore.create_container("things") as container:
        value = OutgoingValue.new_outgoing_value()
        container.write_data("a", value)
        with value.outgoing_value_write_body() as stream:
            stream.blocking_write_and_flush(b"0123")
            stream.blocking_write_and_flush(b"456789")
        OutgoingValue.finish(value)
        found = {"whole": IncomingValue.incoming_value_consume_sync(container.get_data("a", 0, 99)).decode()}
        with IncomingValue.incoming_value_consume_async(container.get_data("a", 3, 5)) as part:
            found["part"] = part.blocking_read(100).decode()
        blobstore.copy_object(ObjectId("things", "a"), ObjectId("things", "b"))
        blobstore.move_object(ObjectId("things", "a"), ObjectId("things", "c"))
        with container.list_objects() as names:
            found["names"] = names.read_stream_object_names(10)
        info = container.object_info("c")
        found["info"] = [info.container, info.name, info.size]
        container.delete_object("b")
        found["left"] = [name for name in "abc" if container.has_object(name)]
        container.clear()
        try:
            container.get_data("c", 0, 1)
        except Err as error:
            found["error"] = error.value
    blobstore.delete_container("things")
    found["there"] = blobstore.container_exists("things")
    return found


def respond(response_out: ResponseOutparam, text: str) -> None:
    """Answer 200 and a text."""
    response = OutgoingResponse(Fields())
    body = response.body()
    ResponseOutparam.set(response_out, Ok(response))
    with body.write() as stream:
        stream.blocking_write_and_flush(text.encode())
    OutgoingBody.finish(body, None)
