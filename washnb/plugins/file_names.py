"""Files for names that are any text: keys, buckets, objects and containers of guests.

The file of `report-1.txt` is called `report-1.txt`. Other characters become `%` and two hexadecimal digits for each
byte. No two file names differ only in case, because some disks take these for one:

    name          file name
    a/b           a%2fb
    README.md     readme.md~3f             the bits of 3f say which letters are capitals
    xxx...        xxx...~SHA-256 OF NAME   a long name; it is written in the file of that SHA-256 in `.names`

Files whose names are not of this form, and hidden ones, belong to others and are not seen.
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .disk import InItsPlace, file_status, make_directory, open_file

_LONGEST = 200  # bytes of a file name: most file systems take 255
_READABLE = 40  # bytes of a long name that its file name begins with
_SPECIAL = re.compile(rb"[^a-z0-9_. -]|^[. ]|[. ]\Z")
_ESCAPED = re.compile(rb"%([0-9a-f]{2})")
_HASHED = re.compile(r"~([0-9a-f]{64})\Z")
_TEXT = ("utf-8", "surrogatepass")


class NamedFiles:
    """A directory whose files and subdirectories stand for names that are any text."""

    def __init__(self, directory: Path) -> None:
        """Keep the directory's path; it need not exist yet."""
        self.directory = directory

    def path(self, name: str) -> Path:
        """Return the path of the file or subdirectory for `name`, which need not exist."""
        return self.directory / _file_name(name)

    def prepare(self, name: str) -> Path:
        """Return the path at which the caller is to make the file for `name`. The directory has to exist.

        A name that is too long for a file name is written down, so that `names` finds it again.
        """
        path = self.path(name)
        if hashed := _HASHED.search(path.name):
            kept = self._kept(hashed[1])
            make_directory(kept.parent)
            if file_status(kept) is None:
                beginning = kept.with_name(f"{kept.name}.{uuid.uuid4().hex}")  # another process may write the same name
                beginning.write_bytes(_bytes(name))
                beginning.replace(kept)
        return path

    def names(self) -> list[str]:
        """Return the names that have a file, sorted. Raises FileNotFoundError where the directory does not exist."""
        with os.scandir(self.directory) as entries:
            return self._named(entry for entry in entries if entry.is_file(follow_symlinks=False))

    def directories(self) -> list[str]:
        """Return the names that have a subdirectory, sorted. Raises FileNotFoundError where this one is missing."""
        with os.scandir(self.directory) as entries:
            return self._named(entry for entry in entries if entry.is_dir(follow_symlinks=False))

    def _named(self, entries: Iterator[os.DirEntry[str]]) -> list[str]:
        found = (self.name(entry.name) for entry in entries)
        return sorted(name for name in found if name is not None)

    def name(self, file_name: str) -> str | None:
        """Return the name that the file `file_name` stands for; None where it stands for none and belongs to others."""
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
