"""nats-py's client for a connection that many callers share: the failure of one call must not end it for the others."""

from __future__ import annotations

import asyncio
from typing import Any

from nats.aio.client import Client
from nats.errors import Error


class SharedClient(Client):
    """A client that keeps its connection, or makes it again, where nats-py's closes it or does not find it lost."""

    async def _process_connect_init(self) -> None:
        """Greet the server. Raises `nats.errors.Error`, which nats-py expects, whatever it is that answers there."""
        try:
            await super()._process_connect_init()
            self._max_payload = int(self._max_payload)
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise Error(f"nats: what answers there is no NATS server: {error}") from error

    async def _process_pong(self) -> None:
        """Accept a pong whose ping nobody waits for any more, because the caller was cancelled or timed out."""
        if self._pongs and self._pongs[0].done():
            self._pongs[0] = asyncio.get_running_loop().create_future()
        await super()._process_pong()

    async def _process_err(self, err_msg: str) -> None:
        """Report an error of the server to `error_cb`, and keep the connection; only authorisation errors may close it.

        Where the server closes the connection after the error, the client finds it lost, and connects again.
        """
        if self.is_connected and "auth" not in err_msg.lower():
            await self._error_cb(Error("nats: " + err_msg.strip("'")))
        else:
            await super()._process_err(err_msg)

    async def _send_subscribe(self, sub: Any) -> None:
        """Subscribe; where this is cancelled or fails, undo it, since the caller gets no subscription to end."""
        try:
            await super()._send_subscribe(sub)
        except BaseException:
            await sub.unsubscribe()
            raise

    async def _read_loop(self) -> None:
        """Read until the connection is lost, and treat it as lost where nats-py cannot read what the server sends."""
        await super()._read_loop()
        if self.is_connected and self._reading_task is asyncio.current_task():
            await self._process_op_err(Error("nats: the server sends what cannot be read"))
