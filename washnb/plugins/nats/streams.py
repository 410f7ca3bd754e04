"""Streams on a NATS server: whether it keeps any, and how they are made and deleted.

It goes on deleting for a moment after it has answered.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

from washnb.errors import BackendError

from .server import NatsServer

_PAUSES = (0.01, 0.02, 0.05, 0.1)  # seconds
_NOT_MADE = 10049  # the error code of JetStream where a directory went away that it was about to use
_GLANCE_SECONDS = 0.5
_NOT_FOR_THE_ACCOUNT = 10039  # an error code of JetStream


async def open_for_streams(server: NatsServer, user: object, what: str) -> None:
    """Open a server that is to keep streams, for `what`. Raises as `open`, and BackendError where JetStream is missing.

    Where nobody may ask for that, or the answer takes long, the calls find out.
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
