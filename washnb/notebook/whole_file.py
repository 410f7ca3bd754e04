"""Files that are there when they are whole."""

from __future__ import annotations

import errno
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file beside `path` that takes its place after the block; where the block fails, nothing of it stays.

    Raises OSError, also where `path` is there and no file.
    """
    target = path.resolve()  # of a link, what it leads to
    if target.exists() and not target.is_file():
        raise FileExistsError(errno.EEXIST, "it is there, and no file", str(path))
    beginning = target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with beginning.open("xb") as file:
            yield file
        beginning.replace(target)
    except BaseException:
        beginning.unlink(missing_ok=True)
        raise
