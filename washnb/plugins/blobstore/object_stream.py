"""The JetStream stream behind a container on NATS: its subjects, its metadata, and the requests to it.

The requests do not use nats-py's JetStreamContext, where each takes three times as long: a container may have thousands
of objects. Metadata are asked of the stream's leader, so that a writer sees at once what it has written.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nats.errors import NoRespondersError
from nats.js.api import DiscardPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from ..at_once import at_once
from ..nats import NatsServer
from .backend import NoSuchContainer

CONTAINER = re.compile(r"[a-zA-Z0-9_-]{1,200}")
LONGEST = 2000
"""Bytes that an object's name may have: its subject has to fit into a line of the NATS protocol."""

_NUID = re.compile(r"[\w-]{0,100}", re.ASCII)  # with a wildcard in it, chunks of other objects would be removed, too
_NO_STREAM = 10059  # the error code of JetStream where there is no stream of that name


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata of an object; without arguments, of an object that was never written.

    `sequence` is that of the message in the stream, `nuid` the id under which the chunks are, `created_at` in seconds
    since 1970.
    """

    sequence: int = 0
    created_at: int = 0
    name: str = ""
    nuid: str = ""
    size: int = 0
    digest: str = ""
    deleted: bool = True
    link: bool = False


class ObjectStream:
    """The stream of one container. Its methods are to be called in an `asking` of the server."""

    def __init__(self, server: NatsServer, container: str) -> None:
        """Ask nothing yet. Raises NoSuchContainer where `container` cannot be the name of a container on NATS."""
        if not CONTAINER.fullmatch(container):
            raise NoSuchContainer(container)
        self.name = f"OBJ_{container}"
        self._server = server
        self._container = container

    @property
    def settings(self) -> StreamConfig:
        """The settings with which async-nats, and so wash-runtime, makes the stream."""
        return StreamConfig(
            name=self.name,
            subjects=[f"$O.{self._container}.C.>", f"$O.{self._container}.M.>"],
            storage=StorageType.FILE,
            num_replicas=1,
            discard=DiscardPolicy.NEW,
            allow_rollup_hdrs=True,
            allow_direct=True,
        )

    def subject(self, name: str) -> str:
        """Return the subject of the metadata of an object."""
        return f"$O.{self._container}.M.{base64.urlsafe_b64encode(name.encode()).decode()}"

    def chunks(self, nuid: str) -> str:
        """Return the subject of the chunks of an object."""
        return f"$O.{self._container}.C.{nuid}"

    async def objects(self) -> list[Metadata]:
        """Return the metadata of all objects that are there now; metadata that cannot be read are left out."""
        found = await at_once(self._metadata, await self._subjects())
        return [each for each in found if each is not None and not each.deleted]

    async def metadata(self, name: str) -> Metadata | None:
        """Return the metadata of an object; None where they cannot be read.

        `deleted` is True also for an object that was never written.
        """
        return await self._metadata(self.subject(name))

    async def publish(self, subject: str, data: bytes, headers: dict[str, str] | None = None) -> None:
        """Publish a message into the stream, and wait for the acknowledgement.

        Raises APIError where the server refuses it, NoSuchContainer where there is no stream.
        """
        try:
            answer = json.loads((await self._server.request(subject, data, headers)).data)
        except NoRespondersError:
            await self._ask("INFO", {})  # raises NoSuchContainer where that is the reason
            raise
        if "error" in answer:
            APIError.from_error(answer["error"])  # raises the class that belongs to the error's code

    async def forget(self, nuid: str) -> None:
        """Remove the chunks of an object."""
        await self._ask("PURGE", {"filter": self.chunks(nuid)})

    async def _metadata(self, subject: str) -> Metadata | None:
        try:
            message = (await self._ask("MSG.GET", {"last_by_subj": subject}))["message"]
        except NotFoundError:
            return Metadata()
        data = base64.b64decode(message.get("data") or b"")
        written = datetime.fromisoformat(message["time"])
        metadata = _parsed(data, message["seq"], int(written.timestamp()))
        return metadata if metadata is not None and self.subject(metadata.name) == subject else None

    async def _subjects(self) -> list[str]:
        """Return the subjects of all metadata. They are not read with a consumer: a busy server ends that too early."""
        subjects: list[str] = []
        while True:
            asked = {"subjects_filter": f"$O.{self._container}.M.>", "offset": len(subjects)}
            told = await self._ask("INFO", asked)
            page = told["state"].get("subjects") or ()
            subjects += page
            if not page or len(subjects) >= told.get("total", 0):
                return subjects

    async def _ask(self, what: str, asked: dict[str, object]) -> dict[str, Any]:
        """Send the request `what` of the JetStream API for the stream, and return the answer.

        Raises NoSuchContainer where there is no stream, APIError where the server refuses.
        """
        reply = await self._server.request(f"$JS.API.STREAM.{what}.{self.name}", json.dumps(asked).encode())
        answer: dict[str, Any] = json.loads(reply.data)
        if error := answer.get("error"):
            if error.get("err_code") == _NO_STREAM:
                raise NoSuchContainer(self._container)
            APIError.from_error(error)
        return answer


def _parsed(data: bytes, sequence: int, written: int) -> Metadata | None:
    try:
        told = json.loads(data)
        metadata = Metadata(
            sequence,
            written,
            told["name"],
            told.get("nuid") or "",
            told.get("size") or 0,
            told.get("digest") or "",
            bool(told.get("deleted")),
            bool((told.get("options") or {}).get("link")),
        )
        metadata.name.encode()
        right = isinstance(metadata.size, int) and metadata.size >= 0 and isinstance(metadata.digest, str)
        return metadata if right and _NUID.fullmatch(metadata.nuid) else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
