"""The capability receipt of a workload for people: what it may do, what it did, and lines to paste."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from washnb.engine import names
from washnb.host import WASI_PROVIDER, ImportUse, Receipt, Tally
from washnb.plugins import HostPlugin, catalog
from washnb.secrecy import is_secret, without_userinfo
from washnb.wit import WitInterface

from ..arguments import quoted
from ..text import Table, Text, escape, plain
from .deployments import Deployment, Deployments
from .parts import attachable

_SHOWN = 50
"""The most names of each kind that are shown; `.data` has all."""

_LITERAL = re.compile(r"""[^\s"'{\[(][^\s{]*""")


class ReceiptReport:
    """What a workload imports, was granted, has used and was denied, and the least to grant it.

    `data` has all of it as plain values: `imports`, `touched`, `host_interfaces`, `allowed_hosts`, `denied_hosts`,
    `left_out`, and `python` and `load`, the lines to paste. `receipt` is the host's `Receipt` that is shown.
    """

    def __init__(self, receipt: Receipt, load: str, *, tracing: bool) -> None:
        """Show `receipt`; `load` is the line that loads the workload with the least."""
        self.receipt = receipt
        self.load = load
        self.tracing = tracing

    @property
    def data(self) -> dict[str, Any]:
        """The whole receipt as plain values."""
        return {
            "workload": self.receipt.workload,
            "imports": {
                use.interface: {
                    "served_by": use.provider,
                    "granted": use.granted,
                    "functions": use.functions,
                    "used": _counts(use.used),
                    "denied": use.denied,
                }
                for use in self.receipt.imports
            },
            "touched": {kind: _counts(found) for kind, found in self.receipt.touched.items()},
            "left_out": dict(self.receipt.left_out),
            "host_interfaces": [str(each) for each in self.receipt.host_interfaces],
            "allowed_hosts": list(self.receipt.allowed_hosts),
            "denied_hosts": list(self.receipt.denied_hosts),
            "python": self.python,
            "load": self.load,
        }

    @property
    def python(self) -> str:
        """The arguments of Workload and LocalResources that grant the least."""
        entries = [f'    WitInterface.parse("{each}"),' for each in self.receipt.host_interfaces]
        hosts = "".join(f"{host!r}, " for host in self.receipt.allowed_hosts)
        opening = "host_interfaces=(  # of Workload(...); from washnb.wit import WitInterface"
        listed = [opening, *entries, "),"] if entries else ["host_interfaces=(),"]
        return "\n".join([*listed, f"allowed_hosts=({hosts.rstrip()}),  # of its LocalResources(...)"])

    @property
    def _title(self) -> str:
        uses = self.receipt.imports
        used = sum(bool(use.used) for use in uses)
        denied = sum(bool(use.denied) or not use.granted for use in uses)
        return f"receipt of {self.receipt.workload}: {used} of {len(uses)} imports used, {denied or 'none'} denied"

    @property
    def _imports(self) -> Table:
        told = [use for use in self.receipt.imports if use.used or use.provider != WASI_PROVIDER]
        rows = [(use.interface, _server(use), _denials(use) or "-", _functions(use)) for use in told]
        others = len(self.receipt.imports) - len(told)
        rows += [(f"and {others} more of wasi", WASI_PROVIDER, "-", "nothing")] if others else []
        return Table(("imports", "granted", "denied", "used"), rows, empty="imports nothing", title=self._title)

    @property
    def _touched(self) -> Table:
        rows: list[tuple[object, ...]] = []
        for kind, found in self.receipt.touched.items():
            rows += [(kind, tally.calls, _problems(tally) or "-", name) for name, tally in [*found.items()][:_SHOWN]]
            others = len(found) - _SHOWN
            more = [f"and {others} more"] if others > 0 else []
            uncounted = self.receipt.left_out.get(kind, 0)
            more += [f"and names that were too many to keep, in {uncounted:,} calls"] if uncounted else []
            rows += [("", "", "", line) for line in more]
        return Table(
            ("touched", "calls", "trouble", "name"), rows, empty="nothing by name: no host, key, file or subject"
        )

    @property
    def _notes(self) -> list[str]:
        unused = [use.interface for use in self.receipt.imports if use.granted and use.functions and not use.used]
        notes = [f"not used so far: {', '.join(unused)}: imported, and so needed to start"] if unused else []
        lacking = [use.interface for use in self.receipt.imports if not use.granted]
        if lacking:
            notes.append(f"not granted: {', '.join(lacking)}: imported, and so the lines above do not start it")
        if self.receipt.denied_hosts:
            notes.append(f"asked for in vain: {', '.join(self.receipt.denied_hosts)}")
        if not self.tracing:
            notes.append("tracing is off, and calls are not counted: %wash trace on")
        return notes

    def __repr__(self) -> str:
        parts = [repr(self._imports), repr(self._touched), plain(f"{self.python}\n{self.load}")]
        return "\n\n".join([*parts, *(plain(f"({note})") for note in self._notes)])

    def _repr_html_(self) -> str:
        lines = Text(f"{self.python}\n{self.load}")._repr_html_()
        notes = "".join(f'<div style="opacity: .7">{escape(note)}</div>' for note in self._notes)
        return f"{self._imports._repr_html_()}{self._touched._repr_html_()}{lines}{notes}"


def _counts(tallies: Mapping[str, Tally]) -> dict[str, dict[str, int]]:
    return {name: {"calls": each.calls, "failed": each.failed, "denied": each.denied} for name, each in tallies.items()}


def _server(use: ImportUse) -> str:
    if use.provider is None:
        return "no: nobody serves it"
    return use.provider if use.granted else f"no: {use.provider} is not granted"


def _functions(use: ImportUse) -> str:
    """How many functions of an import were called; of a plugin's also which, by their plain names."""
    if not use.used:
        return "nothing"
    share = f"{len(use.used)} of {use.functions}"
    if use.provider == WASI_PROVIDER:
        calls = sum(tally.calls for tally in use.used.values())
        return f"{share} functions, {calls:,} call{'' if calls == 1 else 's'}"
    return f"{share}: {', '.join(f'{names.without_kind(name)} ({tally.calls:,})' for name, tally in use.used.items())}"


def _denials(use: ImportUse) -> str:
    return ", ".join(f"{names.without_kind(name)} ({each.denied:,})" for name, each in use.used.items() if each.denied)


def _problems(tally: Tally) -> str:
    counts = (("denied", tally.denied), ("failed", tally.failed))
    return ", ".join(f"{count:,} {word}" for word, count in counts if count)


async def receipt_of(deployments: Deployments, name: str | None) -> ReceiptReport:
    """Write the receipt of the workload `name`, or of the one used last. Raises WorkloadNotFound."""
    deployment, host = deployments.get(name), deployments.host
    compiled = await deployments.compiled(deployment.name)
    receipt = deployments.history.receipts.of(
        deployment.name, compiled, host.plugins.values(), lambda plugin_id: host.granted(plugin_id, deployment.name)
    )
    entries = receipt.host_interfaces
    needed = [plugin for plugin in host.plugins.values() if host.granted(plugin.id, deployment.name)]
    needed = [plugin for plugin in needed if any(_serves(plugin, entry) for entry in entries)]
    return ReceiptReport(receipt, _load_line(deployment, needed, receipt.allowed_hosts), tracing=host.tracing)


def _serves(plugin: HostPlugin, entry: WitInterface) -> bool:
    """Whether a plugin serves, or calls, one of the interfaces of an entry."""
    world = plugin.world()
    return any(side.covers(single) for side in (*world.imports, *world.exports) for single in entry.singles())


def _load_line(deployment: Deployment, plugins: Iterable[HostPlugin], allowed_hosts: Iterable[str]) -> str:
    """The line that loads a workload with its settings, but with these plugins and allowed hosts only."""
    source = deployment.source
    resources = deployment.resources
    named = "SOURCE" if isinstance(source, bytes | bytearray | memoryview) else _literal(str(source))
    words = [f"%wash load {named} --as {quoted(deployment.name)}"]
    words += [f"--attach {_as_attached(plugin)}" for plugin in plugins]
    words += [f"--config {_pair(*each)}" for each in resources.config.items()]
    words += [f"--env {_pair(*each)}" for each in resources.environment.items()]
    words += [f"--allow-host {host}" for host in allowed_hosts]
    return " ".join(words)


def _as_attached(plugin: HostPlugin) -> str:
    """A plugin as `--attach` takes it: its word and where it keeps its state, or the name of its class."""
    word = catalog.word_of(plugin.id)
    if word == plugin.id and catalog.by_word(word) is None:
        return attachable(plugin)
    return word if not plugin.location or plugin.backend_kind == "memory" else _literal(f"{word}={plugin.location}")


def _pair(key: str, value: str) -> str:
    """A setting as `K=V` in the line; a secret value is named as a variable of the environment instead."""
    if is_secret(key) or without_userinfo(value) != value:
        return f"{key}=env:{re.sub(r'[^A-Za-z0-9]', '_', key).upper()}"
    return f"{key}={_literal(value)}"


def _literal(text: str) -> str:
    """A text as it stands in a line of `%wash`."""
    if _LITERAL.fullmatch(text):
        return text
    return f'"{text}"' if '"' not in text and "{{" not in text and "\n" not in text else f"{{{{{text!r}}}}}"
