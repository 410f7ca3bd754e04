"""Snapshots of state: `snapshot` and `restore` on the host's loop, and how snapshots and their differences look."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from washnb.errors import ConfigError
from washnb.host import Change, StateSnapshot, restore_snapshot, take_snapshot
from washnb.secrecy import HIDDEN, is_secret

from ..handles import News, Told
from ..text import Table, escape, face, one_line, size
from .deployments import Deployments

__all__ = ["ShownSnapshot", "StateDiff", "StateSnapshot", "as_snapshot", "restored", "snapshot_taken"]

_ACTIONS = {"set": "changed", "delete": "- deleted"}
_SHOWN_BYTES = 400
_SHOWN_CHANGES = 200


@dataclass(frozen=True, repr=False)
class ShownSnapshot(Told, StateSnapshot):
    """A snapshot that shows itself. `later - earlier` is what has changed between two; `save(FILE)` writes one.

    `earlier` may be a file that was saved, too.
    """

    news: str = field(default="", compare=False)

    def saved(self, path: str) -> Self:
        """Write the snapshot into a file, and return it with the news of that. Raises ConfigError as `save`."""
        self.save(path)
        values = sum(map(len, self.contents.values()))
        told = f"saved {values:,} value{'' if values == 1 else 's'} in {one_line(path)}, as they are: secrets, too"
        return replace(self, news="; ".join([told, *(f"left out: {why}" for why in self.left_out.values())]))

    def __sub__(self, earlier: StateSnapshot | str | Path) -> StateDiff:
        if not isinstance(earlier, StateSnapshot | str | Path):
            return NotImplemented
        return StateDiff(as_snapshot(earlier), self)

    def _table(self) -> Table:
        rows = [
            (workload or "all workloads", plugin, _counted(len(state)), size(sum(map(_size, state.values()))))
            for (workload, plugin), state in self.contents.items()
        ]
        title = f"snapshot of {time.strftime('%H:%M:%S', time.localtime(self.taken_at))}"
        return Table(("of", "plugin", "values", "size"), rows, empty="nothing that is loaded keeps state", title=title)

    @property
    def _notes(self) -> str:
        return "\n".join(f"left out: {why}" for why in self.left_out.values())

    def __repr__(self) -> str:
        return "\n".join(filter(None, (repr(self._table()), self._notes)))

    def _repr_html_(self) -> str:
        notes = Table(("left out", ""), self.left_out.items(), empty="")._repr_html_() if self.left_out else ""
        return f"{self._table()._repr_html_()}{notes}"


class StateDiff(Table):
    """The changes from one snapshot to a later one, as a table. `changes` has each `Change` with its whole values.

    `notes` are lines that say what could not be compared.
    """

    def __init__(self, earlier: StateSnapshot, later: StateSnapshot) -> None:
        """Compare two snapshots."""
        self.changes = earlier.diff(later)
        self.notes = [
            *(f"not compared: {_named(*each)} is only in the later one" for each in later.beside(earlier)),
            *(f"not compared: {_named(*each)} is only in the earlier one" for each in earlier.beside(later)),
            *(f"left out: {why}" for why in {**earlier.left_out, **later.left_out}.values()),
        ]
        rows = [
            (each.workload or "all workloads", each.plugin, " / ".join(each.path), _action(each), *_values(each))
            for each in self.changes[:_SHOWN_CHANGES]
        ]
        more = len(self.changes) - len(rows)
        super().__init__(
            ("of", "plugin", "where", "what", "before", "after"),
            rows,
            empty="nothing has changed",
            title=f"the first {len(rows)} of {len(self.changes)} changes" if more else "",
        )

    def __repr__(self) -> str:
        return "\n".join([super().__repr__(), *map(one_line, self.notes)])

    def _repr_html_(self) -> str:
        return super()._repr_html_() + "".join(f"<div>{escape(each)}</div>" for each in self.notes)


async def snapshot_taken(deployments: Deployments) -> ShownSnapshot:
    """Take a snapshot of the state of all workloads. Raises BackendError where the backend of a plugin fails."""
    taken = await take_snapshot(deployments.host)
    return ShownSnapshot(taken.contents, taken.left_out, taken.taken_at)


async def restored(deployments: Deployments, snapshot: StateSnapshot) -> News:
    """Bring the state of a snapshot back, and say what could not be brought back."""
    refused = await restore_snapshot(deployments.host, snapshot)
    there = len(snapshot.contents) + len(snapshot.left_out)
    if not there:
        return News("the snapshot holds no state")
    told = f"restored the state of {there - len(refused)} of {there}" if refused else "restored the state"
    return News("; ".join([told, *(f"not {what}: {why}" for what, why in refused.items())]))


def as_snapshot(given: object) -> StateSnapshot:
    """Return the snapshot that is given, or read it from a file. Raises ConfigError for anything else."""
    if isinstance(given, StateSnapshot):
        return given
    if not isinstance(given, str | Path):
        raise ConfigError(f"{type(given).__name__} is no snapshot", repair="before = wash.snapshot()")
    try:
        return StateSnapshot.load(given)
    except OSError as error:
        raise ConfigError(f"{given} cannot be read: {error.strerror}", repair="%wash snapshot --save FILE") from None


def _named(workload: str, plugin: str) -> str:
    return f"{plugin} of {workload or 'all workloads'}"


def _counted(values: int) -> str:
    return f"{values:,}"


def _size(value: bytes | str | None) -> int:
    return len(value or b"")


def _action(change: Change) -> str:
    return "+ added" if change.action == "set" and change.old is None else _ACTIONS[change.action]


def _values(change: Change) -> tuple[str, str]:
    if any(map(is_secret, change.path)):
        return tuple("" if each is None else HIDDEN for each in (change.old, change.new))  # type: ignore[return-value]
    return _shown(change.old), _shown(change.new)


def _shown(value: bytes | str | None) -> str:
    if value is None or isinstance(value, str):
        return one_line(value or "")
    seen = face(value, _SHOWN_BYTES)
    note = f"  ({seen.note})" if seen.note else ""
    return one_line(value[:32].hex(" ") if seen.kind == "hex" else " ".join(seen.text.split())) + note
