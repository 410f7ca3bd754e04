"""Directories that plugins keep state in: files that have any text for a name, and the failures of a disk in our words.

A name stays readable where it can: `report-1.txt` is the file `report-1.txt`. Other characters become `%` and two
digits for each byte, and no two names differ only in case, because there are disks that see no difference:

    a/b         a%2fb
    README.md   readme.md~3f                        the bits of 3f say which letters are capitals
    xxx...      xxx...~ and the SHA-256 of the name  it is in the file of that SHA-256 in the directory `.names`

Files whose names are not of this form, and hidden ones, belong to others and are not seen. What is no file, or leads
elsewhere, in the place of one is not touched: a pipe would be waited for, and a symbolic link is somebody else's word.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Literal

from washnb.errors import AccessDenied, BackendError

_LONGEST = 200  # most file systems take 255 bytes
_READABLE = 40
_SPECIAL = re.compile(rb"[^a-z0-9_. -]|^[. ]|[. ]\Z")
_ESCAPED = re.compile(rb"%([0-9a-f]{2})")
_HASHED = re.compile(r"~([0-9a-f]{64})\Z")
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


class NamedFiles:
    """A directory whose files, and directories, have any text for a name."""

    def __init__(self, directory: Path) -> None:
        """Know the directory, which need not exist."""
        self.directory = directory

    def path(self, name: str) -> Path:
        """Return where the file of that name is, or would be."""
        return self.directory / _file_name(name)

    def prepare(self, name: str) -> Path:
        """Return where the file of that name is to be made, and make sure that `names` will know it by its name.

        The directory has to exist.
        """
        path = self.path(name)
        if hashed := _HASHED.search(path.name):
            kept = self._kept(hashed[1])
            make_directory(kept.parent)
            if file_status(kept) is None:
                beginning = kept.with_name(f"{kept.name}.{uuid.uuid4().hex}")  # others may be at it, too
                beginning.write_bytes(_bytes(name))
                beginning.replace(kept)
        return path

    def names(self) -> list[str]:
        """Return the names of all files, sorted. Raises FileNotFoundError where the directory does not exist."""
        with os.scandir(self.directory) as entries:
            return self._named(entry for entry in entries if entry.is_file(follow_symlinks=False))

    def directories(self) -> list[str]:
        """Return the names of all directories, sorted. Raises FileNotFoundError where this one does not exist."""
        with os.scandir(self.directory) as entries:
            return self._named(entry for entry in entries if entry.is_dir(follow_symlinks=False))

    def _named(self, entries: Iterator[os.DirEntry[str]]) -> list[str]:
        found = (self.name(entry.name) for entry in entries)
        return sorted(name for name in found if name is not None)

    def name(self, file_name: str) -> str | None:
        """Return what a file is called that is `file_name` on the disk; None where it is somebody else's."""
        if file_name.startswith("."):
            return None
        hashed = _HASHED.search(file_name)
        with suppress(ValueError, FileNotFoundError, InItsPlace):
            name = self._long_name(hashed[1]) if hashed else _readable_name(file_name)
            return name if _file_name(name) == file_name else None
        return None

    def _long_name(self, digest: str) -> str:
        with open_file(self._kept(digest)) as file:
            return file.read().decode(*_TEXT)

    def _kept(self, digest: str) -> Path:
        return self.directory / ".names" / digest


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


_TEXT = ("utf-8", "surrogatepass")


def _bytes(name: str) -> bytes:
    return name.encode(*_TEXT)


def _file_name(name: str) -> str:
    text = _SPECIAL.sub(lambda found: b"%%%02x" % ord(found[0]), _lowered(_bytes(name))).decode()
    capitals = sum(1 << index for index, byte in enumerate(_bytes(name)) if _is_capital(byte))
    file_name = (text or "%") + (f"~{capitals:x}" if capitals else "")
    if len(file_name) <= _LONGEST:
        return file_name
    return f"{text[:_READABLE]}~{hashlib.sha256(_bytes(name)).hexdigest()}"


def _readable_name(file_name: str) -> str:
    text, _, capitals = file_name.partition("~")
    name = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), b"" if text == "%" else text.encode())
    mask = int(capitals, 16) if capitals else 0
    return bytes(byte - 32 if mask >> index & 1 else byte for index, byte in enumerate(name)).decode(*_TEXT)


def _lowered(name: bytes) -> bytes:
    return name.lower()  # of bytes: A to Z only


def _is_capital(byte: int) -> bool:
    return ord("A") <= byte <= ord("Z")
