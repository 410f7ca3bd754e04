"""Messages on core NATS: subjects as they are, no headers, no JetStream, shared with the hosts of wash-runtime."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

from washnb.engine import GuestTime

from ..nats import PATIENCE, NatsServer, heard
from .backend import BrokerMessage, Take
from .handling import Handler
from .in_memory import no_responders, timed_out
from .interface import Messaging


class NatsSubscription:
    """A subscription of nats-py, which also makes it again on a new connection."""

    def __init__(self, client: Any, made: Any) -> None:
        """Stand for `made`, a subscription of `client`."""
        self._client = client
        self._made = made

    async def end(self) -> None:
        """Take no more messages; those that have arrived are offered."""
        import nats.errors

        try:
            with suppress(nats.errors.Error, TimeoutError, OSError):
                if self._client.is_connected:
                    async with asyncio.timeout(PATIENCE):
                        await self._made.drain()
        finally:  # a drain that fails leaves it there, and a new connection would subscribe again
            self._made._stop_processing()  # noqa: SLF001
            self._client._remove_sub(self._made._id)  # noqa: SLF001


class NatsBroker:
    """Core NATS over the connection of `server`.

    The server answers to nothing but requests; so whatever else it is told ends with a ping, after which it has it, or
    has said why not.
    """

    def __init__(self, server: NatsServer) -> None:
        """Speak to `server`, which is open when the first message comes."""
        self._server = server

    async def publish(self, message: BrokerMessage) -> None:
        """Send a message. Returns once the server has it; who takes it, NATS does not tell."""
        what, begun = f"publish to {message.subject!r}", time.monotonic()
        self._server.require_write(what)
        async with self._server.asking(what):
            client = self._connected()
            await client.publish(message.subject, message.body, reply=message.reply_to or "")
            await heard(client)
        self._server.require_permission(what, message.subject, begun)

    async def request(self, subject: str, body: bytes, seconds: float) -> BrokerMessage:
        """Send a message, and wait for the first one to the client's inbox."""
        import nats.errors

        what, begun = f"request to {subject!r}", time.monotonic()
        self._server.require_write(what)
        async with self._server.asking(what):
            client = self._connected()
            try:
                async with GuestTime.here().limit(seconds):
                    answer = await client.request(subject, body, timeout=None)
            except nats.errors.NoRespondersError:
                raise no_responders(subject) from None
            except TimeoutError:
                self._connected()
                self._server.require_permission(what, subject, begun)
                raise timed_out(subject, seconds) from None
        return BrokerMessage(answer.subject, answer.data, answer.reply or None)

    async def subscribe(self, subject: str, group: str | None, name: str, take: Take) -> NatsSubscription:  # noqa: ARG002
        """Offer messages to `take`, also after the connection was lost and made again."""

        async def offer(message: Any) -> None:
            take(BrokerMessage(message.subject, message.data, message.reply or None))

        what, begun = f"subscribe to {subject!r}", time.monotonic()
        async with self._server.asking(what):
            client = self._connected()
            subscription = NatsSubscription(client, await client.subscribe(subject, queue=group or "", cb=offer))
            try:
                await heard(client)
                self._server.require_permission(what, subject, begun)
            except BaseException:
                await subscription.end()
                raise
        return subscription

    def _connected(self) -> Any:
        """The client. Raises ConnectionError where it has no connection: what it is told then, it would say later."""
        client = self._server.client
        if not client.is_connected:
            raise ConnectionError
        return client


class NatsMessaging(Messaging):
    """wasmcloud:messaging on a NATS server. Handlers share their messages with the same components of other hosts."""

    backend_kind = "nats"

    def __init__(self, server: NatsServer) -> None:
        """Use the connection of `server`."""
        self.server = server
        self.location = server.url
        self._broker = NatsBroker(server)

    @property
    def broker(self) -> NatsBroker:
        """What carries the messages."""
        return self._broker

    async def start(self) -> None:
        """Connect. Raises BackendError where the server does not answer."""
        await self.server.open(self)
        await super().start()

    async def stop(self) -> None:
        """End what every handler is at, and leave the server."""
        try:
            await super().stop()
        finally:
            await self.server.close(self)

    async def listen(self, handler: Handler) -> None:
        """Let a handler have its messages, where it asks for some and may take them from others."""
        if not handler.settings.subscriptions:
            handler.say("warn", "gets no messages: on NATS it needs some in its config, subscriptions=orders.*")
        elif not self.server.joins:
            handler.say(
                "warn",
                f"gets no messages: {self.location} is not on this machine, and attached without joining its groups; "
                f"%wash attach messaging={self.location} --join",
            )
        else:
            await super().listen(handler)
