"""Streams of JetStream: whether a NATS server keeps any, and how they are made and deleted.

They are made and deleted here only, because nats-server goes on deleting for a moment after it has answered.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

from washnb.errors import BackendError

from .server import NatsServer

_PAUSES = (0.01, 0.02, 0.05, 0.1)  # seconds between the tries to make a stream
_NOT_MADE = 10049  # the error code of JetStream where it could not store the stream, its directory being deleted
_GLANCE_SECONDS = 0.5  # how long to wait for the answer whether the server has JetStream
_NOT_FOR_THE_ACCOUNT = 10039  # the error code of JetStream where the account has none


async def open_for_streams(server: NatsServer, user: object, what: str) -> None:
    """Open `server` for `user`, who needs JetStream; `what` begins the message where the server, or account, has none.

    Raises BackendError for that, and whatever `server.open` raises. Where the server does not permit the question, or
    takes long to answer, the first call finds out.
    """
    await server.open(user)
    try:
        await _require_streams(server, what)
    except BaseException:
        await server.close(user)
        raise


async def _require_streams(server: NatsServer, what: str) -> None:
    from nats.errors import Error, NoRespondersError

    try:
        async with asyncio.timeout(_GLANCE_SECONDS):
            answer = json.loads((await server.request("$JS.API.INFO")).data)
        refused = answer["error"]["err_code"] == _NOT_FOR_THE_ACCOUNT
    except NoRespondersError:
        raise BackendError(
            f"{what}: NATS server {server.url} runs without JetStream", repair="nats-server -js"
        ) from None
    except (Error, TimeoutError, OSError, LookupError, TypeError, ValueError):
        return
    if refused:
        raise BackendError(
            f"{what}: NATS server {server.url} has no JetStream for this account",
            repair="jetstream: enabled  # for the account, in the configuration of the server",
        )


async def make_stream(server: NatsServer, config: Any) -> Any:
    """Make a stream as `config`, a `nats.js.api.StreamConfig`, says, and return its `nats.js.api.StreamInfo`.

    To be called in an `asking`. A stream with the same settings may exist already. When the last stream of an account
    is deleted, nats-server removes the account's directory, after it has answered: a stream that is made just then
    fails, and is tried again.
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
    """Remove the messages of a subject up to the one with the sequence `last`; to be called in an `asking`.

    Unlike a mark of deletion this needs no room at the server.
    """
    await server.jetstream.purge_stream(name, subject=subject, seq=last + 1)


async def delete_stream(server: NatsServer, name: str) -> None:
    """Delete a stream with its messages, if it exists; to be called in an `asking`.

    The messages are purged first. nats-server moves the files of a deleted stream aside before it removes them; while
    files of an earlier stream of the same name are still there, those of this one would be left to the next.
    """
    from nats.js.errors import APIError, NotFoundError

    with suppress(APIError):  # the stream is sealed, or its settings deny purges
        await server.jetstream.purge_stream(name)
    with suppress(NotFoundError):
        await server.jetstream.delete_stream(name)
