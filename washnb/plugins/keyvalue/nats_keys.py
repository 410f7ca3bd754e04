"""The keys of a bucket on NATS: which names they may have, and how they are listed."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from ..nats import PATIENCE, NatsServer
from .backend import KeyResponse
from .nats_stream import stream_name, subject
from .nats_watch import is_deleted

PAGE = 1000
"""Keys in one page, as in wash-runtime."""

LONGEST = 2000
"""Bytes that a key may have: it has to fit, with the name of its bucket twice, into a line of the NATS protocol."""

_AGAIN_SECONDS = 0.01
_KEY = re.compile(r"[-/_=a-zA-Z0-9]+(\.[-/_=a-zA-Z0-9]+)*")


def is_key(name: str) -> bool:
    """Whether NATS takes `name` as the name of a key."""
    return len(name) <= LONGEST and _KEY.fullmatch(name) is not None


async def page(server: NatsServer, bucket: str, cursor: int | None) -> KeyResponse:
    """Return a page of the bucket's keys, the one that was set longest ago first; a cursor is a revision of the bucket.

    To be called in an `asking`. The keys are read with a consumer, which the server deletes when it is no longer used.
    A key that is set while it is read comes twice, and is listed once.
    """
    from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

    config = ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=cursor or 1,
        ack_policy=AckPolicy.NONE,
        headers_only=True,
        mem_storage=True,
        num_replicas=1,
        inactive_threshold=PATIENCE,
    )
    consumer = await server.jetstream.add_consumer(stream_name(bucket), config)
    if not consumer.num_pending:
        return KeyResponse([], None)
    arrived: asyncio.Queue[Any] = asyncio.Queue()
    inbox = server.client.new_inbox()
    subscription = await server.client.subscribe(inbox, cb=arrived.put)
    try:
        return await _read(server, bucket, consumer.name, inbox, arrived)
    finally:
        await subscription.unsubscribe()


async def _read(server: NatsServer, bucket: str, consumer: str, inbox: str, arrived: asyncio.Queue[Any]) -> KeyResponse:
    """Ask a consumer for keys until it has no more or a page is full. Its answers come through `inbox` to `arrived`.

    Raises TimeoutError where no key comes for `PATIENCE`. That is looked at between the requests, for a request to the
    server may keep a cancellation to itself: Python 3.11's `wait_for` does, where the answer comes at that moment.
    """
    names: dict[str, None] = {}
    stream, loop = stream_name(bucket), asyncio.get_running_loop()
    batch = json.dumps({"batch": PAGE, "no_wait": True}).encode()
    pending, until = 1, loop.time() + PATIENCE
    while pending:
        if loop.time() > until:
            raise TimeoutError
        await server.client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", batch, reply=inbox)
        for _ in range(PAGE):
            message = await _next(arrived, until)
            if "Status" in (message.headers or ()):  # says that there are no more; a busy server says so too early
                pending = (await server.jetstream.consumer_info(stream, consumer)).num_pending
                await asyncio.sleep(_AGAIN_SECONDS if pending else 0)
                break
            until = loop.time() + PATIENCE
            pending = message.metadata.num_pending
            name = message.subject.removeprefix(subject(bucket))
            if is_key(name) and not is_deleted(message.headers):  # other programs may use names that are no keys
                names[name] = None
            if not pending:
                break
            if len(names) == PAGE:
                return KeyResponse([*names], message.metadata.sequence.stream + 1)
    return KeyResponse([*names], None)


async def _next(arrived: asyncio.Queue[Any], until: float) -> Any:
    """Return the next message. Raises TimeoutError where none has come at `until`, a time of the loop."""
    if not arrived.empty():  # as mostly, and without the price of a timeout
        return arrived.get_nowait()
    async with asyncio.timeout_at(until):
        return await arrived.get()
