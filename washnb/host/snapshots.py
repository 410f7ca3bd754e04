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
from .saving import whole_file

ALL_WORKLOADS = ""
"""The workload of a state that all workloads share."""

_FOR_THE_OWNER = 0o600


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

    `left_out` says of the ids of other plugins why they are not in it. It can be pickled, `save` writes it into a file.
    """

    contents: Mapping[tuple[str, str], State]
    left_out: Mapping[str, str] = field(default_factory=dict, compare=False)
    taken_at: float = field(default=0.0, compare=False)

    def diff(self, later: StateSnapshot) -> list[Change]:
        """Return what has changed from this one to `later`, in order; what only one of them is about is no change."""
        return list(_changes(self.contents, later.contents))

    def beside(self, other: StateSnapshot) -> list[tuple[str, str]]:
        """Return what this one is about and `other` is not, by workload and plugin: `diff` cannot compare that."""
        return [each for each in self.contents if each not in other.contents]

    def __repr__(self) -> str:
        """How much it holds: values may be secrets."""
        return f"<StateSnapshot of {sum(map(len, self.contents.values()))} values>"

    def save(self, path: str | Path) -> None:
        """Write it into a file, which holds the values as they are: secrets, too; a new one is for its owner only.

        Where that fails, what was there before stays, and ConfigError is raised.
        """
        rows = [
            [workload, plugin, list(at), _written(value)]
            for (workload, plugin), state in self.contents.items()
            for at, value in state.items()
        ]
        about = [list(key) for key in self.contents]
        kept = {"taken_at": self.taken_at, "about": about, "left_out": dict(self.left_out), "values": rows}
        try:
            with whole_file(Path(path).expanduser(), _FOR_THE_OWNER) as file:
                file.write(json.dumps(kept).encode())
        except OSError as error:
            told = f"{path} cannot be written: {error.strerror}"
            raise ConfigError(told, repair='snapshot.save("state.json")') from None

    @classmethod
    def load(cls, path: str | Path) -> StateSnapshot:
        """Read a file that `save` has written. Raises ConfigError for another one, OSError where there is none."""
        try:
            read = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
            about = [(_as_name(workload), _as_name(plugin)) for workload, plugin in read["about"]]
            contents: dict[tuple[str, str], dict[tuple[str, ...], Any]] = {each: {} for each in about}
            for workload, plugin, at, value in read["values"]:
                contents[workload, plugin][tuple(map(_as_name, at))] = _as_value(value)
            return cls(contents, dict(read["left_out"]), float(read["taken_at"]))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
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

    Returns what could not be restored, and why: no workload of the name uses the plugin, it takes no snapshot, or took
    none when this one was taken.
    """
    users = _users(host)
    refused = dict.fromkeys(snapshot.left_out, "it was left out when the snapshot was taken")
    for (name, plugin_id), state in snapshot.contents.items():
        workload_id = users.get(plugin_id, {}).get(name)
        of = f" of {name}" if name else ""
        if workload_id is None:
            refused[f"{plugin_id}{of}"] = _why_not(host, name, plugin_id)
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


def _why_not(host: Host, name: str, plugin_id: str) -> str:
    """Say why there is nobody to bring the state of a workload back for."""
    plugin = host.plugins.get(plugin_id)
    if plugin is None:
        return "it is not attached"
    if plugin.state_is_shared and name:
        return f"all workloads share what is in {plugin.location}, and the snapshot has what one kept by itself"
    if not plugin.state_is_shared and not name:
        return "each workload has its own now, and the snapshot has what all shared"
    if name and name not in {summary.name for summary in host.workloads()}:
        return "no workload of that name is loaded"
    return "nothing that is loaded uses it" if not name else f"{name} does not use it"


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


def _as_name(written: Any) -> str:
    if not isinstance(written, str):
        raise TypeError(f"{written!r} is no name")
    return written


def _as_value(written: Any) -> bytes | str | None:
    if isinstance(written, dict):
        return base64.b64decode(written["base64"], validate=True)
    if not isinstance(written, str | None):
        raise TypeError(f"{written!r} is no value")
    return written
