"""Streams made and deleted on a NATS server, which goes on deleting for a moment after it has answered."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from .nats import NatsServer

_PAUSES = (0.01, 0.02, 0.05, 0.1)  # seconds
_NOT_MADE = 10049  # the error code of JetStream where a directory went away that it was about to use


async def make_stream(server: NatsServer, config: Any) -> Any:
    """Make a stream as a `nats.js.api.StreamConfig` says, and return its `StreamInfo`; to be called in an `asking`.

    One that is there already is none the worse for it. nats-server removes the directory of an account without streams,
    after it has said that the last one is deleted: a stream that is made at that moment is tried again.
    """
    from nats.js.errors import APIError

    for pause in _PAUSES:
        try:
            return await server.jetstream.add_stream(config)
        except APIError as error:
            if error.err_code != _NOT_MADE:
                raise
        await asyncio.sleep(pause)
    return await server.jetstream.add_stream(config)


async def purge(server: NatsServer, name: str, subject: str, last: int) -> None:
    """Remove the messages of a subject up to the number `last`, which needs no room; to be called in an `asking`."""
    await server.jetstream.purge_stream(name, subject=subject, seq=last + 1)


async def delete_stream(server: NatsServer, name: str) -> None:
    """Delete a stream with all that is in it, if it is there; to be called in an `asking`.

    Its messages first: nats-server puts files aside and then removes them, and a stream that is deleted while those of
    an earlier one of its name are still aside would leave its messages to the next one.
    """
    from nats.js.errors import APIError, NotFoundError

    with suppress(APIError):  # it is sealed, or its settings deny it
        await server.jetstream.purge_stream(name)
    with suppress(NotFoundError):
        await server.jetstream.delete_stream(name)
