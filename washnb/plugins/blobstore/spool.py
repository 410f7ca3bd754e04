"""Where the contents of an outgoing value wait until it is known where they go: a temporary file, if they are many."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import IO, Self

from washnb.errors import BackendError

from .backend import CHUNK


class Spool:
    """Bytes that are added and then read, once; the file is made for the first of them, and gone at the end."""

    def __init__(self) -> None:
        """Begin without a file."""
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """Use it in a `with`."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the file."""
        if self._file is not None:
            self._file.close()

    async def add(self, contents: bytes) -> None:
        """Add bytes at the end. Raises BackendError where there is no room for them."""
        with _told():
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="washnb-", buffering=0)  # noqa: SIM115 - closed above
            await asyncio.to_thread(self._file.write, contents)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over what was added."""
        if self._file is None:
            return
        with _told():
            self._file.seek(0)
            while chunk := await asyncio.to_thread(self._file.read, CHUNK):
                yield chunk


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackendError(
            f"cannot keep what a guest writes in {tempfile.gettempdir()}: {error.strerror}",
            repair="free some space, or name another directory in the environment variable TMPDIR",
        ) from error
