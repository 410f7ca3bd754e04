"""What other processes change in a directory that plugins keep state in: looked for, because that works everywhere.

A change is seen by the time of a folder, which moves when a file takes its place in it; in a small directory by each
file, so that one is seen, too, that somebody has edited where it is.
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
"""How often it is looked for."""

_ECHO_SECONDS = 0.05  # a change of ours may be seen before it is told
_FEW = 64  # files that are looked at each time
_COARSE = 2_000_000_000  # nanoseconds: the time of a folder that is younger may stay with the next change
_Stamp = tuple[int, ...]
_Path = tuple[str, ...]
_Found = dict[_Path, _Stamp]  # folders, and files in them, as they are called on the disk
_Difference = tuple[_Path, _Stamp | None, _Stamp | None]  # what was there, and what is; None: nothing


class DirectoryWatch:
    """The folders of `root` and the files in them, while `heard` says that somebody listens."""

    def __init__(self, root: Path, changed: Changed, heard: Callable[[], bool]) -> None:
        """Call `changed` for each change: of others, and of those who say theirs to `own`."""
        self._folders = NamedFiles(root)
        self._changed = changed
        self._heard = heard
        self._known: _Found | None = None
        self._ours: dict[_Path, _Stamp | None] = {}  # what was changed here since the last look began
        self._work: asyncio.Task[None] | None = None
        self._now = asyncio.Event()

    def begin(self) -> None:
        """Look from now on."""
        everybody = contextvars.Context()  # what others change is not the work of a call
        self._work = asyncio.get_running_loop().create_task(self._follow(), context=everybody)

    def soon(self) -> None:
        """Look now, and not only when it is time: somebody may listen who did not."""
        self._now.set()

    async def end(self) -> None:
        """Look no more."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    def own(self, path: _Path, action: str) -> None:
        """Tell of a change that was made here; it is not told once more when it is seen."""
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
        except OSError:  # it is not there for the moment
            return
        await asyncio.sleep(_ECHO_SECONDS)
        differing = self._compare(*found)
        names = await asyncio.to_thread(self._names, differing) if differing else {}
        self._tell(differing, names)

    def _unchanging(self) -> _Found:
        """The folders that need not be looked into as long as their time stays."""
        known = self._known or {}
        if len(known) <= _FEW:
            return {}
        young = time.time_ns() - _COARSE
        return {path: stamp for path, stamp in known.items() if len(path) == 1 and stamp and stamp[0] < young}

    def _look(self, unchanging: _Found) -> tuple[_Found, set[str]]:
        """Return what is there, and the folders that were not looked into."""
        found: _Found = {}
        passed = set()
        for folder in _entries(self._folders.directory, os.DirEntry.is_dir):
            with suppress(FileNotFoundError):  # it goes meanwhile
                found[folder.name,] = time_of = (Path(folder).stat(follow_symlinks=False).st_mtime_ns,)
                if unchanging.get((folder.name,)) == time_of:
                    passed.add(folder.name)
                    continue
            try:
                for file in _entries(folder, os.DirEntry.is_file):
                    with suppress(FileNotFoundError):
                        found[folder.name, file.name] = _stamp(file)
            except OSError:  # it is not for us to read, and the others are
                passed.add(folder.name)
        return found, passed

    def _compare(self, found: _Found, passed: Collection[str]) -> list[_Difference]:
        """Return what is otherwise than it was known to be. What was changed here meanwhile is known better."""
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
        """Tell of changes, but for what was changed here since; what could not be read is told when it can be."""
        gone = {path for path, stamp in self._ours.items() if stamp is None}
        for path, before, now in differing:
            if path in self._ours or path[:1] in gone:
                continue
            if path not in names:
                self._see_again(path, before)
            elif (name := names[path]) is not None:
                self._changed(name, "delete" if now is None else "set")

    def _see_again(self, path: _Path, before: _Stamp | None) -> None:
        """Know what was there before, so that the next look finds it different."""
        known = self._known or {}
        _put(known, path, before)
        if path[:1] in known:
            known[path[:1]] = ()  # its folder is looked into, whatever its time

    def _note(self, path: _Path) -> None:
        """Know what is there after a change of ours."""
        place = self._folders.path(path[0])
        at: _Path = (place.name,)
        if len(path) > 1:
            place = NamedFiles(place).path(path[1])
            at = (*at, place.name)
        stamp = None
        with suppress(OSError):  # whoever made the change is not to fail for that
            stamp = _stamp(place)
        self._ours.pop(at, None)  # they are in the order of the last change of each
        self._ours[at] = stamp
        if self._known is not None:
            _put(self._known, at, stamp)

    def _names(self, differing: Sequence[_Difference]) -> dict[_Path, _Path | None]:
        """What paths are called; None where they are none of ours. Long names are in files."""
        found = {}
        for path, _, _ in differing:
            with suppress(OSError):  # the others are read
                found[path] = self._name(path)
        return found

    def _name(self, path: _Path) -> _Path | None:
        folder = self._folders.name(path[0])
        if folder is None or len(path) == 1:
            return None if folder is None else (folder,)
        file = NamedFiles(self._folders.directory / path[0]).name(path[1])
        return None if file is None else (folder, file)


def _put(found: _Found, path: _Path, stamp: _Stamp | None) -> None:
    """Take what is at a path for `stamp`; where it is None nothing is there, nor in it."""
    if stamp is not None:
        found[path] = stamp
    elif len(path) > 1:
        found.pop(path, None)
    else:
        for each in [each for each in found if each[0] == path[0]]:
            del found[each]


def _entries(place: os.PathLike[str], is_such: Callable[..., bool]) -> list[os.DirEntry[str]]:
    """What is in a directory, and neither hidden nor a link; nothing where it is gone."""
    try:
        with os.scandir(place) as entries:
            return [each for each in entries if not each.name.startswith(".") and is_such(each, follow_symlinks=False)]
    except FileNotFoundError:
        return []


def _stamp(file: os.DirEntry[str] | Path) -> _Stamp:
    status = Path(file).stat(follow_symlinks=False)
    return status.st_mtime_ns, status.st_size, status.st_ino
