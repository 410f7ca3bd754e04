"""Messages on core NATS, as wash-runtime's hosts send them: the same subjects, no headers, no JetStream."""

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
    """A subscription on a NATS server, which nats-py makes again on a new connection."""

    def __init__(self, client: Any, made: Any) -> None:
        """Keep `made`, the subscription of nats-py's `client`."""
        self._client = client
        self._made = made

    async def end(self) -> None:
        """End the subscription; messages that have arrived are still offered. Does not raise."""
        import nats.errors

        try:
            with suppress(nats.errors.Error, TimeoutError, OSError):
                if self._client.is_connected:
                    async with asyncio.timeout(PATIENCE):
                        await self._made.drain()
        finally:  # where the drain fails, nats-py keeps the subscription, and would make it again on a new connection
            self._made._stop_processing()  # noqa: SLF001
            self._client._remove_sub(self._made._id)  # noqa: SLF001


class NatsBroker:
    """A broker on a NATS server.

    The server does not acknowledge messages and subscriptions. So each is followed by a ping: when the server answers
    that, it has got what came before, or has reported why not.
    """

    def __init__(self, server: NatsServer) -> None:
        """Keep `server`, which is open before the broker is used."""
        self._server = server

    async def publish(self, message: BrokerMessage) -> None:
        """Send a message, and return None once the server has it: NATS does not tell who takes it."""
        what, begun = f"publish to {message.subject!r}", time.monotonic()
        self._server.require_write(what)
        async with self._server.asking(what):
            client = self._connected()
            await client.publish(message.subject, message.body, reply=message.reply_to or "")
            await heard(client)
        self._server.require_permission(what, message.subject, begun)

    async def request(self, subject: str, body: bytes, seconds: float) -> BrokerMessage:
        """Send a message with an inbox as its reply-to, and return the first message to that inbox.

        Raises BackendError where nobody subscribes, and where no answer comes within `seconds`.
        """
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
        """Offer each message to `subject` to `take`, also after the connection was lost and made again."""

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
        """Return nats-py's client. Raises ConnectionError where the connection is lost: it would send later."""
        client = self._server.client
        if not client.is_connected:
            raise ConnectionError
        return client


class NatsMessaging(Messaging):
    """wasmcloud:messaging on a NATS server. A component shares its messages with the same component on other hosts."""

    backend_kind = "nats"

    def __init__(self, server: NatsServer) -> None:
        """Send and receive at `server`."""
        self.server = server
        self.location = server.url
        self._broker = NatsBroker(server)

    @property
    def broker(self) -> NatsBroker:
        """The broker that carries the messages."""
        return self._broker

    async def start(self) -> None:
        """Connect. Raises BackendError where the server does not answer."""
        await self.server.open(self)
        await super().start()

    async def stop(self) -> None:
        """End all subscriptions and the handling of messages, then this plugin's use of the connection."""
        try:
            await super().stop()
        finally:
            await self.server.close(self)

    async def listen(self, handler: Handler) -> None:
        """Subscribe a handler to its subjects; where it names none, or may not join its group, warn instead."""
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
