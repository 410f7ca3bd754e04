"""nats-py's client for a connection that many share: what befalls one caller must not end it for the others."""

from __future__ import annotations

import asyncio
from typing import Any

from nats.aio.client import Client
from nats.errors import Error


class SharedClient(Client):
    """A client that makes its connection again where nats-py would close it, or not notice that it is dead."""

    async def _process_connect_init(self) -> None:
        """Greet the server. Raises only what nats-py expects, whatever it is that answers there."""
        try:
            await super()._process_connect_init()
            self._max_payload = int(self._max_payload)
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise Error(f"nats: what answers there is no NATS server: {error}") from error

    async def _process_pong(self) -> None:
        """Take a pong also where nobody waits for it any more: a caller was cancelled, or has lost patience."""
        if self._pongs and self._pongs[0].done():
            self._pongs[0] = asyncio.get_running_loop().create_future()
        await super()._process_pong()

    async def _process_err(self, err_msg: str) -> None:
        """Tell what the server says against one call. Where it ends the connection, too, that is found lost."""
        if self.is_connected and "auth" not in err_msg.lower():
            await self._error_cb(Error("nats: " + err_msg.strip("'")))
        else:
            await super()._process_err(err_msg)

    async def _send_subscribe(self, sub: Any) -> None:
        """Subscribe, or leave nothing: to whoever is cancelled here, nobody gives the subscription to be ended."""
        try:
            await super()._send_subscribe(sub)
        except BaseException:
            await sub.unsubscribe()
            raise

    async def _read_loop(self) -> None:
        """Read until the connection is lost; it is, too, where something cannot be read."""
        await super()._read_loop()
        if self.is_connected and self._reading_task is asyncio.current_task():
            await self._process_op_err(Error("nats: the server sends what cannot be read"))
