"""Compiled components on disk: one file per component and engine setting, ready to be mapped into memory.

An entry is native code that the process will run, so nobody but this user may write to the directory. Every entry ends
in a seal with a checksum, because wasmtime accepts damaged artifacts: the checksum finds damage, the owner and the mode
of the directory keep malice out.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import stat
import struct
import sys
import tempfile
import time
import zlib
from pathlib import Path

from washnb.errors import ConfigError

DEFAULT_LIMIT = 4 << 30  # bytes; about a hundred components of 20 MB, compiled

_SUFFIX = ".cwasm"
_PARTIAL = ".partial-"
_ABANDONED = 3600  # seconds after which a half-written file is taken for one whose writer has died
_SEAL = struct.Struct("<8s32sQI")  # magic, hash of the key, size of the artifact, CRC-32 of the artifact
_MAGIC = b"washnb01"


def default_directory() -> Path | None:
    """Return `washnb` in the user's cache directory on this platform; None where the user has no home directory."""
    try:
        if os.name == "nt":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None
    return base / "washnb"


class Cache:
    """A directory of compiled components of at most `limit` bytes; the least recently used entry is deleted first.

    Several processes may use one directory: entries appear whole, by renaming, and never change afterwards.
    """

    def __init__(self, directory: Path, *, limit: int = DEFAULT_LIMIT) -> None:
        """Make the directory, readable by this user only.

        Raises ConfigError where it cannot be made, is another user's, or can be written by others.
        """
        self.directory = directory.expanduser().absolute()
        self.limit = limit
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"the cache directory {self.directory} cannot be made: {error.strerror or error}",
                repair="Engine.builder().with_cache_dir(another_path), or with_cache_dir(None) for none",
            ) from error
        self._refuse_if_open_to_others()

    def find(self, key: str) -> Path | None:
        """Return the file with the artifact of `key`, for `deserialize_file`; None where there is none that is intact.

        An entry that is damaged, or that others could have written, is deleted.
        """
        path = self._path(key)
        try:
            with path.open("rb") as file:
                intact = _is_ours(file.fileno()) and _seal_holds(file.fileno(), key)
        except OSError:
            return None
        if not intact:
            self.discard(key)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return path

    def store(self, key: str, artifact: bytes | bytearray) -> None:
        """Write the entry of `key`, then delete old ones over the limit. Raises OSError where the disk refuses it."""
        seal = _SEAL.pack(_MAGIC, _hash(key), len(artifact), zlib.crc32(artifact))
        descriptor, partial = tempfile.mkstemp(prefix=_PARTIAL, dir=self.directory)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(artifact)
                file.write(seal)
            Path(partial).replace(self._path(key))
        except BaseException:
            _remove(Path(partial))
            raise
        self._make_room(keep=self._path(key))

    def discard(self, key: str) -> None:
        """Delete the entry of `key`, if it is there."""
        _remove(self._path(key))

    def _path(self, key: str) -> Path:
        return self.directory / (key + _SUFFIX)

    def _make_room(self, keep: Path) -> None:
        entries: list[tuple[float, int, Path]] = []
        for path in self.directory.iterdir():
            with contextlib.suppress(OSError):
                about = path.stat()
                if path.name.startswith(_PARTIAL) and about.st_mtime < time.time() - _ABANDONED:
                    _remove(path)
                elif path.suffix == _SUFFIX and path != keep:
                    entries.append((about.st_mtime, about.st_size, path))
        left = self.limit - keep.stat().st_size
        for _, size, path in sorted(entries, reverse=True):
            left -= size
            if left < 0:
                _remove(path)

    def _refuse_if_open_to_others(self) -> None:
        if os.name == "nt":  # the user's profile is private there, and the mode says nothing
            return
        about = self.directory.stat()
        if about.st_uid != os.geteuid():
            raise ConfigError(
                f"the cache directory {self.directory} belongs to another user (id {about.st_uid}); it holds native "
                "code that would run as you",
                repair=[
                    "Engine.builder().with_cache_dir(a_directory_of_yours)",
                    "or, for all engines, the environment variable XDG_CACHE_HOME",
                ],
            )
        if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ConfigError(
                f"the cache directory {self.directory} can be written by others (mode {about.st_mode & 0o777:o}); it "
                "holds native code that would run as you",
                repair=f"chmod 700 {self.directory}",
            )


def _is_ours(descriptor: int) -> bool:
    """Whether the file is this user's and nobody else may write to it. Windows is not asked: profiles are private."""
    if os.name == "nt":
        return True
    about = os.fstat(descriptor)
    return about.st_uid == os.geteuid() and not about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _seal_holds(descriptor: int, key: str) -> bool:
    """Whether the file ends in a seal for `key` whose size and checksum are those of what stands before it."""
    size = os.fstat(descriptor).st_size - _SEAL.size
    if size <= 0:
        return False
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as content, memoryview(content) as view:
        magic, named, sealed_size, checksum = _SEAL.unpack_from(view, size)
        if (magic, named, sealed_size) != (_MAGIC, _hash(key), size):
            return False
        with view[:size] as artifact:
            return bool(zlib.crc32(artifact) == checksum)


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _remove(path: Path) -> None:
    # another process may have been quicker, and Windows keeps files that are mapped
    with contextlib.suppress(OSError):
        path.unlink()
