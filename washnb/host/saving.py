"""Files that are there when they are whole."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(path: Path, mode: int = 0o666) -> Iterator[IO[bytes]]:
    """Open a file beside `path` that takes its place after the block; where the block fails, nothing of it stays.

    A file that was there before keeps its permissions; a new one has those of `mode`, less the umask of the process.
    Raises OSError, also where `path` is there and no file.
    """
    target = path.resolve()  # of a link, what it leads to
    replaces = target.exists()
    if replaces and not target.is_file():
        raise FileExistsError(errno.EEXIST, "it is there, and no file", str(path))
    beginning = target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with open(beginning, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            if replaces:
                shutil.copymode(target, beginning)
            yield file
        beginning.replace(target)
    except BaseException:
        beginning.unlink(missing_ok=True)
        raise
