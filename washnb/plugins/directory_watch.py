"""Finds what other processes change in the directory of a plugin, by looking once a second.

Notifications of the operating system would be quicker, but do not come from network disks. A look compares the
modification time of each folder, which changes whenever a file is put into it or removed; files are compared one by one
in folders where that time has changed. In a small directory all files are compared each time, which also finds a file
that somebody has edited in its place.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from .base import Changed
from .file_names import NamedFiles

SECONDS = 1.0
"""The time between two looks."""

_ECHO_SECONDS = 0.05  # a look may find a change of this process before `own` is told of it
_FEW = 64  # folders and files, up to which all files are compared each time
_COARSE = 2_000_000_000  # nanoseconds: some disks keep times so coarsely that a second change leaves the time as it is
_Stamp = tuple[int, ...]  # modification time, and of a file also size and inode
_Path = tuple[str, ...]
_Found = dict[_Path, _Stamp]  # by (folder,) or (folder, file), under their names on the disk
_Difference = tuple[_Path, _Stamp | None, _Stamp | None]  # before and now; None where nothing was, or is, there


class DirectoryWatch:
    """Calls a function for each change of a folder of `root`, or of a file in a folder, whoever made the change."""

    def __init__(self, root: Path, changed: Changed, heard: Callable[[], bool]) -> None:
        """Keep `changed`, which is called for each change, and `heard`, without which there is no look.

        `changed` gets a path of names, `(folder,)` or `(folder, file)`, and `set` or `delete`.
        """
        self._folders = NamedFiles(root)
        self._changed = changed
        self._heard = heard
        self._known: _Found | None = None  # what the last look found; None: the next look only takes note
        self._ours: dict[_Path, _Stamp | None] = {}  # what this process changed since the last look began
        self._work: asyncio.Task[None] | None = None
        self._now = asyncio.Event()

    def begin(self) -> None:
        """Start the task that looks once a second."""
        everybody = contextvars.Context()  # a change by another process has no host call as its cause
        self._work = asyncio.get_running_loop().create_task(self._follow(), context=everybody)

    def soon(self) -> None:
        """Have the next look at once: `heard` may have become true."""
        self._now.set()

    async def end(self) -> None:
        """End the task that looks."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    def own(self, path: _Path, action: str) -> None:
        """Report a change that this process has made; the next look does not report it again."""
        if self._heard():
            self._note(path)
        self._changed(path, action)

    async def _follow(self) -> None:
        while True:
            if self._heard():
                await self._round()
            else:
                self._known = None
            with suppress(TimeoutError):
                async with asyncio.timeout(SECONDS):
                    await self._now.wait()
            self._now.clear()

    async def _round(self) -> None:
        self._ours.clear()
        try:
            found = await asyncio.to_thread(self._look, self._unchanging())
        except OSError:  # the directory is not there for the moment
            return
        await asyncio.sleep(_ECHO_SECONDS)
        differing = self._compare(*found)
        names = await asyncio.to_thread(self._names, differing) if differing else {}
        self._tell(differing, names)

    def _unchanging(self) -> _Found:
        """Return the folders whose files need not be compared as long as the folder's modification time is the same."""
        known = self._known or {}
        if len(known) <= _FEW:
            return {}
        young = time.time_ns() - _COARSE
        return {path: stamp for path, stamp in known.items() if len(path) == 1 and stamp and stamp[0] < young}

    def _look(self, unchanging: _Found) -> tuple[_Found, set[str]]:
        """Return the folders and files that are there, and the names of folders whose files were not looked at."""
        found: _Found = {}
        passed = set()
        for folder in _entries(self._folders.directory, os.DirEntry.is_dir):
            with suppress(FileNotFoundError):  # the folder was removed since
                found[folder.name,] = time_of = (Path(folder).stat(follow_symlinks=False).st_mtime_ns,)
                if unchanging.get((folder.name,)) == time_of:
                    passed.add(folder.name)
                    continue
            try:
                for file in _entries(folder, os.DirEntry.is_file):
                    with suppress(FileNotFoundError):
                        found[folder.name, file.name] = _stamp(file)
            except OSError:  # this folder may not be read; the others are looked at all the same
                passed.add(folder.name)
        return found, passed

    def _compare(self, found: _Found, passed: Collection[str]) -> list[_Difference]:
        """Return the differences between the last look and `found`.

        Of the folders `passed` the files are taken as they were. What this process has changed since the look began is
        taken from `own`, which knows it better.
        """
        before, self._known = self._known, found
        if before is not None and passed:
            found |= {path: stamp for path, stamp in before.items() if len(path) > 1 and path[0] in passed}
        for path, stamp in self._ours.items():
            _put(found, path, stamp)
        self._ours.clear()
        if before is None:
            return []
        differing = (
            path
            for path in before.keys() | found.keys()
            if (path in before) != (path in found) or (len(path) > 1 and before[path] != found[path])
        )
        return [(path, before.get(path), found.get(path)) for path in sorted(differing)]

    def _tell(self, differing: Sequence[_Difference], names: Mapping[_Path, _Path | None]) -> None:
        """Call `changed` for each difference, but not for what this process has changed since it was compared.

        A difference without a name in `names` could not be read: the next look finds it again.
        """
        gone = {path for path, stamp in self._ours.items() if stamp is None}
        for path, before, now in differing:
            if path in self._ours or path[:1] in gone:
                continue
            if path not in names:
                self._see_again(path, before)
            elif (name := names[path]) is not None:
                self._changed(name, "delete" if now is None else "set")

    def _see_again(self, path: _Path, before: _Stamp | None) -> None:
        """Put back what was there before, so that the next look finds the difference again."""
        known = self._known or {}
        _put(known, path, before)
        if path[:1] in known:
            known[path[:1]] = ()  # a time that no folder has: the next look compares the folder's files

    def _note(self, path: _Path) -> None:
        """Keep the state on disk after a change by this process."""
        place = self._folders.path(path[0])
        at: _Path = (place.name,)
        if len(path) > 1:
            place = NamedFiles(place).path(path[1])
            at = (*at, place.name)
        stamp = None
        with suppress(OSError):  # the change itself has succeeded, and must not fail for this
            stamp = _stamp(place)
        self._ours.pop(at, None)  # so that the order is that of the last change of each path
        self._ours[at] = stamp
        if self._known is not None:
            _put(self._known, at, stamp)

    def _names(self, differing: Sequence[_Difference]) -> dict[_Path, _Path | None]:
        """Return the names that paths on the disk stand for, None for files of others; long names are read."""
        found = {}
        for path, _, _ in differing:
            with suppress(OSError):  # `_tell` has it found again
                found[path] = self._name(path)
        return found

    def _name(self, path: _Path) -> _Path | None:
        folder = self._folders.name(path[0])
        if folder is None or len(path) == 1:
            return None if folder is None else (folder,)
        file = NamedFiles(self._folders.directory / path[0]).name(path[1])
        return None if file is None else (folder, file)


def _put(found: _Found, path: _Path, stamp: _Stamp | None) -> None:
    """Set what `found` has at a path; with None for `stamp` remove it, a folder with its files."""
    if stamp is not None:
        found[path] = stamp
    elif len(path) > 1:
        found.pop(path, None)
    else:
        for each in [each for each in found if each[0] == path[0]]:
            del found[each]


def _entries(place: os.PathLike[str], is_such: Callable[..., bool]) -> list[os.DirEntry[str]]:
    """List the entries of a directory that are neither hidden nor links; none where the directory is gone."""
    try:
        with os.scandir(place) as entries:
            return [each for each in entries if not each.name.startswith(".") and is_such(each, follow_symlinks=False)]
    except FileNotFoundError:
        return []


def _stamp(file: os.DirEntry[str] | Path) -> _Stamp:
    status = Path(file).stat(follow_symlinks=False)
    return status.st_mtime_ns, status.st_size, status.st_ino
