"""A directory on a disk, which others may write to: files in it are files, and failures come in our words.

What is no file, or leads elsewhere, in the place of one is not touched: a pipe would be waited for, and a symbolic link
is somebody else's word.
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
"""Why there is no directory."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NOTHING_ELSE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


class InItsPlace(OSError):  # noqa: N818 - no failure of the system
    """Something else is in the place of a file or of a directory."""

    def __init__(self, path: Path, status: os.stat_result) -> None:
        """Say what it is."""
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "a device")
        super().__init__(errno.EINVAL, f"{path} is {kind}", str(path))


def open_file(path: Path, mode: Literal["rb", "ab"] = "rb") -> FileIO:
    """Open a file, unbuffered, and nothing else. Raises FileNotFoundError, and InItsPlace without having touched it."""
    try:
        file = open(path, mode, buffering=0, opener=_open)  # noqa: SIM115 - whoever calls closes it
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
    """Return what the system knows of a file, None where nothing is there. Raises InItsPlace where it is no file."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise InItsPlace(path, status)
    return status


def is_directory(path: Path) -> bool:
    """Return whether there is a directory. Raises InItsPlace where a symbolic link may lead to one."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISLNK(status.st_mode):
        raise InItsPlace(path, status)
    return stat.S_ISDIR(status.st_mode)


def make_directory(path: Path) -> None:
    """Make a directory where there is none; the one that it is in exists. Raises InItsPlace for a symbolic link."""
    if not is_directory(path):
        path.mkdir(exist_ok=True)


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | _NOTHING_ELSE, 0o666)


@contextmanager
def disk(what: str, directory: Path) -> Iterator[None]:
    """Turn the failure of a disk in this block into BackendError or AccessDenied, which name `what` and `directory`."""
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
