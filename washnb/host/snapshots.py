"""Snapshots: the state that the plugins of a host keep for its workloads, taken at one moment and restored later."""

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
"""Stands for the name of a workload where all workloads share a plugin's state."""

_FOR_THE_OWNER = 0o600


class Change(NamedTuple):
    """A value that differs between two snapshots: `old` and `new`, None where there is none.

    `path` leads to it (bucket and key), `action` is set or delete.
    """

    workload: str
    plugin: str
    path: tuple[str, ...]
    action: str
    old: bytes | str | None
    new: bytes | str | None


@dataclass(frozen=True, repr=False)
class StateSnapshot:
    """The state that plugins kept at one moment, by name of the workload ("": all of them) and id of the plugin.

    `left_out` maps the ids of other plugins to the reason why their state is not in it, `taken_at` is a Unix timestamp.
    A snapshot can be pickled, and `save` writes it into a file.
    """

    contents: Mapping[tuple[str, str], State]
    left_out: Mapping[str, str] = field(default_factory=dict, compare=False)
    taken_at: float = field(default=0.0, compare=False)

    def diff(self, later: StateSnapshot) -> list[Change]:
        """Return the values that have changed from this snapshot to `later`, in order.

        State that only one of the two holds, by workload and plugin, is passed over: see `beside`.
        """
        return list(_changes(self.contents, later.contents))

    def beside(self, other: StateSnapshot) -> list[tuple[str, str]]:
        """Return the pairs of workload and plugin whose state this snapshot holds, and `other` does not."""
        return [each for each in self.contents if each not in other.contents]

    def __repr__(self) -> str:
        """Return how many values it holds, and none of them: they may be secrets."""
        return f"<StateSnapshot of {sum(map(len, self.contents.values()))} values>"

    def save(self, path: str | Path) -> None:
        """Write the snapshot into a file, with secrets as they are; a new file is readable for its owner only.

        Raises ConfigError where that fails; a file that was there before is unchanged then.
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
        """Read a snapshot from a file that `save` has written. Raises ConfigError for other contents, and OSError."""
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
    """Return the state that the plugins of a host keep for the workloads that use them, of each plugin at one moment.

    A plugin that takes no snapshots, as one on NATS, is named in `left_out`. Raises BackendError where a directory or a
    server fails.
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
    """Let plugins keep again the state in `snapshot`, for workloads of the same names; other state stays as it is.

    Returns the reasons why state could not be restored, by `PLUGIN of WORKLOAD`: no workload of the name uses the
    plugin, the plugin takes no snapshots, or its state was left out of this one.
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
    """Return for each plugin the ids of the workloads that use it, by name; one, named "", where they share state."""
    users: dict[str, dict[str, str]] = {}
    for summary in host.workloads():
        for plugin_id in summary.plugins:
            if plugin_id in host.plugins:
                name = ALL_WORKLOADS if host.plugins[plugin_id].state_is_shared else summary.name
                users.setdefault(plugin_id, {})[name] = summary.workload_id
    return users


def _why_not(host: Host, name: str, plugin_id: str) -> str:
    """Return the reason why no workload can have its state in a plugin restored."""
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
