"""The stream behind a container on NATS: what its metadata say, and the requests that are made of it.

The requests go past nats-py's JetStream, where each takes three times as long: a container may have thousands of
objects. Metadata are asked of the stream's leader, so that whoever has written sees it.
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
"""Bytes of an object's name: a subject has to fit into a line of the protocol."""

_NUID = re.compile(r"[\w-]{0,100}", re.ASCII)  # one with a wildcard would remove the chunks of others, too
_NO_STREAM = 10059  # error code of JetStream


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the store says of an object; `sequence` is that of the message, 0 where there is none."""

    sequence: int = 0
    created_at: int = 0
    name: str = ""
    nuid: str = ""
    size: int = 0
    digest: str = ""
    deleted: bool = True
    link: bool = False


class ObjectStream:
    """The stream of one container, with the settings and subjects that all clients know."""

    def __init__(self, server: NatsServer, container: str) -> None:
        """Ask nothing yet. Raises NoSuchContainer for what cannot be the name of one."""
        if not CONTAINER.fullmatch(container):
            raise NoSuchContainer(container)
        self.name = f"OBJ_{container}"
        self._server = server
        self._container = container

    @property
    def settings(self) -> StreamConfig:
        """What async-nats makes it with."""
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
        """Where the metadata of an object are."""
        return f"$O.{self._container}.M.{base64.urlsafe_b64encode(name.encode()).decode()}"

    def chunks(self, nuid: str) -> str:
        """Where the chunks of an object are."""
        return f"$O.{self._container}.C.{nuid}"

    async def objects(self) -> list[Metadata]:
        """Return the metadata of all objects that are there now. What nobody can read is none."""
        found = await at_once(self._metadata, await self._subjects())
        return [each for each in found if each is not None and not each.deleted]

    async def metadata(self, name: str) -> Metadata | None:
        """Return those of an object, `deleted` where it was never written, too; None where nobody can read them."""
        return await self._metadata(self.subject(name))

    async def publish(self, subject: str, data: bytes, headers: dict[str, str] | None = None) -> None:
        """Keep a message. Raises APIError, or NoSuchContainer where the stream is gone."""
        try:
            answer = json.loads((await self._server.request(subject, data, headers)).data)
        except NoRespondersError:
            await self._ask("INFO", {})  # where the stream is gone, that is why
            raise
        if "error" in answer:
            APIError.from_error(answer["error"])  # raises the one that it is

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
        """Return the subjects of all metadata. A busy server has told consumers too early that there are no more."""
        subjects: list[str] = []
        while True:
            asked = {"subjects_filter": f"$O.{self._container}.M.>", "offset": len(subjects)}
            told = await self._ask("INFO", asked)
            page = told["state"].get("subjects") or ()
            subjects += page
            if not page or len(subjects) >= told.get("total", 0):
                return subjects

    async def _ask(self, what: str, asked: dict[str, object]) -> dict[str, Any]:
        """Ask JetStream about the stream. Raises APIError, or NoSuchContainer."""
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
