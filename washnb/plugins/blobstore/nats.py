"""Blobs on a NATS server, in object stores that all workloads share, and all hosts on the same NATS account.

wash-runtime permits a container on NATS only where the workload's manifest names it in `buckets`, and ignores the range
that a guest reads. washnb permits all containers where there is no `buckets`, and reads ranges, as on other backends.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

from washnb.errors import BackendError

from ..nats import NatsServer, heard, open_for_streams
from ..state import OfManyHosts, SharedState
from .backend import Backend
from .interface import Blobstore

_CHANGES = "$O.*.M.*"  # the subjects of the metadata of all objects
_STREAMS = {"$JS.EVENT.ADVISORY.STREAM.CREATED.*": "set", "$JS.EVENT.ADVISORY.STREAM.DELETED.*": "delete"}
_BEHIND = 4096  # changes that wait to be reported; more are dropped: a view that looks again sees them


class NatsBlobstore(OfManyHosts, SharedState[Backend], Blobstore):
    """wasi:blobstore on a NATS server. All workloads share the containers, and so do other hosts on its account."""

    backend_kind = "nats"

    def __init__(self, server: NatsServer) -> None:
        """Keep the containers on `server`."""
        self.location = server.url
        self.server = server
        self._store: Backend | None = None
        self._listening: list[Any] = []

    @property
    def shared(self) -> Backend:
        """The backend, which all workloads share. Raises BackendError before `start`."""
        if self._store is None:
            raise BackendError(f"blobstore at NATS server {self.location} was not started", repair="await host.start()")
        return self._store

    async def start(self) -> None:
        """Connect, and report changes from now on, also those by other hosts.

        Raises BackendError where the server is away or has no JetStream, ConfigError without nats-py.
        """
        await super().start()
        await open_for_streams(self.server, self, "keep containers")
        from .object_store import ObjectStoreBackend

        self._store = ObjectStoreBackend(self.server)
        try:
            async with self.server.asking("hear of changes of blobs"):
                await self._listen(_CHANGES, self._hear_object)
                for subject in _STREAMS:
                    await self._listen(subject, self._hear_stream)
                await heard(self.server.client)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the reporting of changes, and this plugin's use of the connection."""
        await super().stop()
        for subscription in self._listening:
            with suppress(BackendError), self.server.asking("hear of no more changes"):
                await subscription.unsubscribe()
        self._listening.clear()
        await self.server.close(self)

    async def _listen(self, subject: str, hear: Any) -> None:
        client = self.server.client
        self._listening.append(await client.subscribe(subject, cb=hear, pending_msgs_limit=_BEHIND))

    async def _hear_object(self, message: Any) -> None:
        _, container, _, name = message.subject.split(".")
        with suppress(ValueError, AttributeError):  # some other program has published it, and it is no metadata
            deleted = json.loads(message.data).get("deleted", False)
            self.changed((container, base64.urlsafe_b64decode(name).decode()), "delete" if deleted else "set")

    async def _hear_stream(self, message: Any) -> None:
        kind, _, stream = message.subject.rpartition(".")
        if stream.startswith("OBJ_"):
            self.changed((stream.removeprefix("OBJ_"),), _STREAMS[f"{kind}.*"])
