"""What people ask about the host: plugins, status, and the world of a component. Runs on the host's loop."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from washnb.engine import InterfaceType, Source
from washnb.errors import NotAComponentError
from washnb.plugins import registered_plugins

from ..handles import ToldTable
from ..text import Table, escape, one_line, plain, size
from .deployments import Deployments
from .parts import class_of
from .reading import place_of

DENIED = "denied"


async def plugin_table(deployments: Deployments) -> ToldTable:
    """Each attached plugin: what and where it is, what it serves, to whom; and what other packages bring."""
    host = deployments.host
    users: dict[str, list[str]] = {}
    for summary in host.workloads():
        for plugin_id in summary.plugins:
            users.setdefault(plugin_id, []).append(summary.name)
    rows = [
        (
            plugin_id,
            class_of(plugin),
            place_of(plugin),
            "\n".join(map(str, plugin.world().imports)),
            host.grants(plugin_id),
            ", ".join(users.get(plugin_id, ())),
        )
        for plugin_id, plugin in host.plugins.items()
    ]
    rows += [
        (each.word, "", "", f"from package {each.package}", "not attached", "")
        for each in registered_plugins()
        if each.word not in host.plugins and deployments.registered.get(each.word) not in host.plugins
    ]
    return ToldTable(
        ("plugin", "class", "backend", "serves", "granted to", "used by"),
        rows,
        empty="no plugin is attached: %wash attach keyvalue",
    )


class Status:
    """The host and its workloads at a glance. `data` is a mapping."""

    def __init__(self, host: Mapping[str, Any], workloads: Table) -> None:
        """`host` maps facts to values."""
        self.data = {**host, "workloads": workloads.data}
        self._host = Table(("host", ""), [(name, value) for name, value in host.items()], empty="")
        self._workloads = workloads

    def __repr__(self) -> str:
        return f"{self._workloads!r}\n\n{self._host!r}"

    def _repr_html_(self) -> str:
        return f"{self._workloads._repr_html_()}{self._host._repr_html_()}"


async def status(deployments: Deployments) -> Status:
    """Say what is loaded, how it does, and what the host is."""
    running = {summary.workload_id: summary for summary in deployments.host.workloads()}
    rows = []
    for one in deployments:
        summary = running.get(one.workload_id)
        plugins = ", ".join(summary.plugins) if summary else ""
        uncalled = () if one.waiting else deployments.uncalled(one.name)
        lost = summary.lost if summary else ()
        missing = "\n".join(one.missing or sorted({*lost, *uncalled})) or _why(one.error)
        rows.append((one.name, one.state, size(one.size), plugins, missing))
    http, slow = deployments.host.http, str(deployments.host.slow_motion)
    faults = ", ".join(dict.fromkeys(each.fault.target for each in deployments.host.faults if not each.spent))
    facts = {
        "address": f"http://{http.addr}" if http and http.port else "no port is open: %wash serve",
        "plugins": ", ".join(deployments.host.plugins) or "none",
        "NATS server": deployments.local_nats.url if deployments.local_nats.running else "none: %wash nats start",
        "tracing": ", ".join(filter(None, ("on", slow))) if deployments.host.tracing else "off",
        "faults": f"{one_line(faults)}: %wash fault clear" if faults else "none",
        "washnb": deployments.host.version,
        "wasmtime": version("wasmtime"),
        "Python": platform.python_version(),
    }
    workloads = Table(("workload", "state", "component", "plugins", "missing"), rows, empty="nothing is loaded")
    return Status(facts, workloads)


def _why(error: Exception | None) -> str:
    return "" if error is None else str(error).partition("\n")[0]


@dataclass(frozen=True)
class Inspection:
    """The world of a component. `imports` says who serves each one: a plugin's id, `wasi`, or `denied`."""

    name: str
    size: int
    digest: str
    imports: Mapping[str, str]
    exports: Mapping[str, InterfaceType]

    @property
    def denied(self) -> tuple[str, ...]:
        """The imports that nobody serves."""
        return tuple(name for name, provider in self.imports.items() if provider == DENIED)

    @property
    def _title(self) -> str:
        return plain(f"{self.name}: a component of {size(self.size)}, sha256 {self.digest[:12]}")

    @property
    def _imports(self) -> Table:
        return Table(("imports", "served by"), self.imports.items(), empty="imports nothing")

    @property
    def _exports(self) -> Table:
        rows = [
            (name or "(root)", "\n".join(map(str, interface.functions.values())))
            for name, interface in self.exports.items()
        ]
        return Table(("exports", "functions"), rows, empty="exports nothing")

    def __repr__(self) -> str:
        exports = [
            line
            for name, interface in self.exports.items()
            for line in (f"export {name or '(root)'}", *(f"    {each}" for each in interface.functions.values()))
        ]
        return "\n".join([self._title, "", repr(self._imports), "", *map(plain, exports or ["exports nothing"])])

    def _repr_html_(self) -> str:
        title = f'<div style="font-weight: 600">{escape(self._title)}</div>'
        return f"{title}{self._imports._repr_html_()}{self._exports._repr_html_()}"


async def inspection(deployments: Deployments, subject: Source) -> Inspection:
    """Compile a component, or take the one of a workload, and say who on this host would serve its imports."""
    try:
        compiled = await deployments.compiled(subject)
    except NotAComponentError as error:
        if isinstance(subject, str) and deployments.names:
            error.add_note(f"nor is a workload called that; loaded: {', '.join(deployments.names)}")
        raise
    served = deployments.host.intersect_interfaces(compiled)
    imports = {each: served.get(each) or DENIED for each in compiled.imports if compiled.imports[each].functions}
    return Inspection(compiled.name, compiled.size, compiled.digest, imports, compiled.exports)
