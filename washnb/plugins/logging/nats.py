"""Log records on NATS, so that the logs of many hosts can be read together.

The lines of this host's components are also kept in memory; those of other hosts only become events.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from washnb.errors import AccessDenied, BackendError
from washnb.events import LogLine

from ..nats import NatsServer, heard
from .in_memory import TracingLogger
from .records import SUBJECT, Record

WAITING_CHARACTERS = 4 * 1024 * 1024
"""How many characters of records wait for a server that is away or slow; beyond that the oldest records are dropped."""

LAST_SECONDS = 1.0
"""How long a plugin that stops waits until the records that wait are sent."""

_BATCH_CHARACTERS = 256 * 1024  # of records that are sent before the server is asked whether it has them
_HEARD_BYTES = 8 * 1024 * 1024  # of records of other hosts that wait to be read; nats-py drops more
_AGAIN_SECONDS = 0.5  # between the tries to send a batch


class Outbox:
    """Records that a task sends to a server, so that a guest that logs waits for no server."""

    def __init__(self, server: NatsServer, tell: Callable[[str], None]) -> None:
        """Start the task; call `tell` with a text for people when sending begins to fail, or succeeds again."""
        self._server = server
        self._tell = tell
        self._waiting: deque[Record] = deque()
        self._characters = 0
        self._lost = 0
        self._fails = False
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._ended = False
        self._sending = asyncio.create_task(self._run())

    def put(self, record: Record) -> None:
        """Queue a record; where too many wait, drop the oldest."""
        self._waiting.append(record)
        self._characters += _size(record)
        while self._characters > WAITING_CHARACTERS:
            self._characters -= _size(self._waiting.popleft())
            self._lost += 1
        self._empty.clear()
        self._filled.set()

    async def stop(self) -> None:
        """Wait until the queue is sent, `LAST_SECONDS` at most, then end the task."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), LAST_SECONDS)
        self._ended = True  # nats-py may lose the cancellation of a request
        self._filled.set()
        self._sending.cancel()
        await asyncio.wait([self._sending])

    async def _run(self) -> None:
        """Send the queue, batch by batch; a batch that was lost with a connection is sent again."""
        batch: list[Record] = []
        while not self._ended:
            if not batch:
                await self._filled.wait()
                batch = self._next()
            try:
                await self._send(batch)
            except AccessDenied as error:  # the server would refuse the batch again
                self._failed(error)
            except BackendError as error:
                self._failed(error)
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            else:
                self._succeeded()
            batch = []
            if not self._waiting:
                self._account()
                self._filled.clear()
                self._empty.set()

    def _next(self) -> list[Record]:
        batch, characters = [], 0
        while self._waiting and characters < _BATCH_CHARACTERS:
            batch.append(self._waiting.popleft())
            characters += _size(batch[-1])
        self._characters -= characters
        return batch

    async def _send(self, batch: list[Record]) -> None:
        what, begun = "publish log records", time.monotonic()
        async with self._server.asking(what):
            client = self._server.client
            if not client.is_connected:  # nats-py would queue them itself, and without the bound of this queue
                raise ConnectionError
            for record in batch:
                await client.publish(record.subject, record.encode(client.max_payload))
            await heard(client)
        for subject in {record.subject for record in batch}:
            self._server.require_permission(what, subject, begun)

    def _failed(self, error: BackendError) -> None:
        if not self._fails:
            self._tell(f"log records are kept on this host only: {error.message}")
        self._fails = True

    def _succeeded(self) -> None:
        if self._fails:
            self._tell(f"log records reach NATS server {self._server.url} again")
        self._fails = False

    def _account(self) -> None:
        if self._lost:
            self._tell(f"{self._lost} log records did not reach NATS server {self._server.url}: away, or too slow")
        self._lost = 0


class NatsLogger(TracingLogger):
    """wasi:logging in memory, whose lines are also published on a NATS server, if that may be written to.

    Lines that other hosts publish there become events of this host.
    """

    backend_kind = "nats"

    def __init__(self, server: NatsServer, limit: int = 1000) -> None:
        """Keep at most `limit` lines of each component in memory."""
        super().__init__(limit)
        self.server = server
        self.location = server.url
        self._outbox: Outbox | None = None
        self._listening: Any = None
        self._numbers: dict[str, int] = {}  # the last record's number, by the id of its host, which may be this one

    async def start(self) -> None:
        """Connect, and listen to other hosts. Raises BackendError where the server does not answer."""
        await self.server.open(self)
        try:
            await self._listen()
        except AccessDenied as error:
            self.warn(f"the logs of other hosts are not seen: {error.message}")
        except BaseException:
            await self._leave()
            raise
        if self.server.writes:
            self._numbers[self.host_id] = time.time_ns() // 1000  # microseconds: more than in any run before
            self._outbox = Outbox(self.server, self.warn)

    async def stop(self) -> None:
        """Send the records that wait, for a second at most, and end this plugin's use of the connection."""
        await super().stop()
        outbox, self._outbox = self._outbox, None
        try:
            if outbox is not None:
                await outbox.stop()
        finally:
            await self._leave()

    async def _leave(self) -> None:
        """End the subscription and this plugin's use of the connection, which may go on for other plugins."""
        listening, self._listening = self._listening, None
        try:
            if listening is not None:
                with suppress(BackendError), self.server.asking("hear of no more logs"):
                    await listening.unsubscribe()
        finally:
            await self.server.close(self)

    def pass_on(self, namespace: str, line: LogLine) -> None:
        """Publish a line as an event, and queue it as a record for the server."""
        super().pass_on(namespace, line)
        if self._outbox is not None:
            self._numbers[self.host_id] += 1
            self._outbox.put(Record(self.host_id, self._numbers[self.host_id], namespace, line))

    async def _listen(self) -> None:
        what, begun = "subscribe to the logs of other hosts", time.monotonic()
        async with self.server.asking(what):
            client = self.server.client
            self._listening = await client.subscribe(f"{SUBJECT}.>", cb=self._hear, pending_bytes_limit=_HEARD_BYTES)
            await heard(client)
        self.server.require_permission(what, f"{SUBJECT}.>", begun)

    async def _hear(self, message: Any) -> None:
        record = Record.decode(message.data)
        if record is not None and record.number > self._numbers.get(record.host, 0):
            self._numbers[record.host] = record.number
            self.events.publish(record.line)


def _size(record: Record) -> int:
    return 100 + len(record.line.context) + len(record.line.message)
