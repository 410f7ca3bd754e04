"""Snapshots: what the plugins of a host keep for its workloads, taken at one moment and brought back later."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from washnb.errors import ConfigError
from washnb.plugins import State

from .host import Host

ALL_WORKLOADS = ""
"""The workload of a state that all workloads share."""


class Change(NamedTuple):
    """A value that differs between two snapshots; None where it is not there. `action` is set or delete."""

    workload: str
    plugin: str
    path: tuple[str, ...]
    action: str
    old: bytes | str | None
    new: bytes | str | None


@dataclass(frozen=True, repr=False)
class StateSnapshot:
    """What plugins kept at one moment, by workload (its name; "": all) and id of the plugin.

    `left_out` says of other plugins why they are not in it. It can be pickled, and `save` writes it into a file.
    """

    contents: Mapping[tuple[str, str], State]
    left_out: Mapping[str, str] = field(default_factory=dict, compare=False)
    taken_at: float = field(default=0.0, compare=False)

    def diff(self, later: StateSnapshot) -> list[Change]:
        """Return what has changed from this one to `later`, in order; what only one of them is about is no change."""
        return list(_changes(self.contents, later.contents))

    def __repr__(self) -> str:
        """How much it holds: values may be secrets."""
        return f"<StateSnapshot of {sum(map(len, self.contents.values()))} values>"

    def save(self, path: str | Path) -> None:
        """Write it into a file, which holds the values as they are: secrets, too."""
        rows = [
            [workload, plugin, list(at), _written(value)]
            for (workload, plugin), state in self.contents.items()
            for at, value in state.items()
        ]
        about = [list(key) for key in self.contents]
        text = json.dumps({"taken_at": self.taken_at, "about": about, "values": rows})
        Path(path).expanduser().write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> StateSnapshot:
        """Read a file that `save` has written. Raises ConfigError for another one, OSError where there is none."""
        try:
            read = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
            contents: dict[tuple[str, str], dict[tuple[str, ...], Any]] = {(w, p): {} for w, p in read["about"]}
            for workload, plugin, at, value in read["values"]:
                contents[workload, plugin][tuple(at)] = _as_value(value)
            return cls(contents, {}, float(read["taken_at"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path} is no snapshot: {error}", repair='snapshot.save("state.json")') from error


async def take_snapshot(host: Host) -> StateSnapshot:
    """Take what the plugins of a host keep for the workloads that use them, of each plugin at one moment.

    A plugin that cannot, as one on NATS, is left out and named. Raises BackendError where the outside world fails.
    """
    contents: dict[tuple[str, str], State] = {}
    left_out: dict[str, str] = {}
    for plugin_id, users in _users(host).items():
        plugin = host.plugins[plugin_id]
        try:
            for name, workload_id in users.items():
                state = await plugin.dump(workload_id)
                if state is not None:
                    contents[name, plugin_id] = state
        except ConfigError as error:
            left_out[plugin_id] = error.message
    return StateSnapshot(contents, left_out, time.time())


async def restore_snapshot(host: Host, snapshot: StateSnapshot) -> dict[str, str]:
    """Let plugins keep again what they kept, for workloads of the same names; what is not in it stays as it is.

    Returns what could not be restored, and why: no workload of the name uses the plugin, or it takes no snapshot.
    """
    users = _users(host)
    refused: dict[str, str] = {}
    for (name, plugin_id), state in snapshot.contents.items():
        workload_id = users.get(plugin_id, {}).get(name)
        of = f" of {name}" if name else ""
        if workload_id is None:
            refused[f"{plugin_id}{of}"] = "nothing that is loaded uses it"
            continue
        try:
            await host.plugins[plugin_id].restore(workload_id, state)
        except ConfigError as error:
            refused[f"{plugin_id}{of}"] = error.message
    return refused


def _users(host: Host) -> dict[str, dict[str, str]]:
    """The workloads that use each plugin: ids by names; one for all, where they share what it keeps."""
    users: dict[str, dict[str, str]] = {}
    for summary in host.workloads():
        for plugin_id in summary.plugins:
            if plugin_id in host.plugins:
                name = ALL_WORKLOADS if host.plugins[plugin_id].state_is_shared else summary.name
                users.setdefault(plugin_id, {})[name] = summary.workload_id
    return users


def _changes(before: Mapping[tuple[str, str], State], after: Mapping[tuple[str, str], State]) -> Iterator[Change]:
    for key in (key for key in before if key in after):
        old, new = before[key], after[key]
        for path in sorted(old.keys() | new.keys()):
            if path not in new:
                yield Change(*key, path, "delete", old[path], None)
            elif path not in old or old[path] != new[path]:
                yield Change(*key, path, "set", old.get(path), new[path])


def _written(value: bytes | str | None) -> object:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _as_value(written: Any) -> bytes | str | None:
    if isinstance(written, dict):
        return base64.b64decode(written["base64"], validate=True)
    if not isinstance(written, str | None):
        raise TypeError(f"{written!r} is no value")
    return written
