"""A temporary file for what a guest writes to an outgoing value before it says to which object that goes."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import IO, Self

from washnb.errors import BackendError

from .backend import CHUNK


class Spool:
    """Bytes that are added, and then read once, in a `with` block; the file exists from the first byte to its end."""

    def __init__(self) -> None:
        """Make no file yet."""
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """Return the spool itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file, which removes it."""
        if self._file is not None:
            self._file.close()

    async def add(self, contents: bytes) -> None:
        """Add bytes at the end. Raises BackendError where the disk has no room for them."""
        with _told():
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="washnb-", buffering=0)  # noqa: SIM115 - closed above
            await asyncio.to_thread(self._file.write, contents)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the bytes that were added, in chunks of up to 64 KiB."""
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
