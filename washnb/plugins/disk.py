"""Files and directories on a disk that other processes may write to, and its failures as BackendError.

Only regular files are opened. A symbolic link, a pipe or a device in the place of a file is an error and is not
touched: a link may lead out of the directory, and a pipe would be waited for.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Literal

from washnb.errors import AccessDenied, BackendError

_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_MISSING = {
    errno.EEXIST: "there is a file in its place, or above it",
    errno.ENOTDIR: "there is a file in its place, or above it",
    errno.ENOENT: "there is none, and none can be made",
}
"""The reason, by error number, why a directory that is to keep state does not exist."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NOTHING_ELSE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


class InItsPlace(OSError):  # noqa: N818 - no failure of the system
    """Something that is no regular file, or no directory, is in the place of one."""

    def __init__(self, path: Path, status: os.stat_result) -> None:
        """Say that `path` is a symbolic link, a pipe or whatever `status` tells."""
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "a device")
        super().__init__(errno.EINVAL, f"{path} is {kind}", str(path))


def open_file(path: Path, mode: Literal["rb", "ab"] = "rb") -> FileIO:
    """Open a regular file, unbuffered; the caller closes it.

    Raises FileNotFoundError, and InItsPlace where `path` is something else, which is neither read nor written.
    """
    try:
        file = open(path, mode, buffering=0, opener=_open)  # noqa: SIM115 - the caller closes it
    except FileNotFoundError:
        raise
    except OSError:
        file_status(path)
        raise
    status = os.fstat(file.fileno())
    if stat.S_ISREG(status.st_mode):
        return file
    file.close()
    raise InItsPlace(path, status)


def file_status(path: Path) -> os.stat_result | None:
    """Return the status of a regular file, None where nothing is there. Raises InItsPlace for anything else."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise InItsPlace(path, status)
    return status


def is_directory(path: Path) -> bool:
    """Return whether `path` is a directory. Raises InItsPlace for a symbolic link, which is not followed."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISLNK(status.st_mode):
        raise InItsPlace(path, status)
    return stat.S_ISDIR(status.st_mode)


def make_directory(path: Path) -> None:
    """Make a directory where there is none; its parent has to exist. Raises InItsPlace for a symbolic link."""
    if not is_directory(path):
        path.mkdir(exist_ok=True)


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | _NOTHING_ELSE, 0o666)


@contextmanager
def disk(what: str, directory: Path) -> Iterator[None]:
    """Raise BackendError or AccessDenied in place of an OSError in this block.

    `what` begins the message, such as "set key 'k' of bucket 'b'"; `directory` is the one that keeps the state.
    """
    try:
        yield
    except InItsPlace as error:
        raise BackendError(f"{what}: {error.strerror}", repair=f"ls -l {error.filename}  # and move it away") from error
    except OSError as error:
        if error.errno in _MISSING and not directory.is_dir():
            message = f"{what}: {directory} is no directory: {_MISSING[error.errno]}"
            raise BackendError(
                message, repair="file:./state  # a directory, or a name in one that can be written"
            ) from error
        message = f"{what}: {error.strerror or error} in directory {directory}"
        if error.errno in _DENIED:
            raise AccessDenied(message, repair=f"chmod u+rwX {directory}") from error
        raise BackendError(message, repair=f"df -h {directory}" if error.errno in _FULL else ()) from error
