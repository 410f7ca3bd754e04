"""What people ask about the host: plugins, status, and the world of a component. Runs on the host's loop."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from washnb.engine import InterfaceType
from washnb.errors import NotAComponentError

from ..handles import ToldTable
from ..text import Table, escape, plain, size
from .deployments import Deployments, Source, plugins_of

DENIED = "denied"


async def plugin_table(deployments: Deployments) -> ToldTable:
    """Each attached plugin, what it serves, and which workloads use it."""
    users: dict[str, list[str]] = {}
    for summary in deployments.host.workloads():
        for plugin_id in summary.plugins:
            users.setdefault(plugin_id, []).append(summary.name)
    rows = [
        (plugin_id, "\n".join(map(str, plugin.world().imports)), ", ".join(users.get(plugin_id, ())))
        for plugin_id, plugin in deployments.host.plugins.items()
    ]
    return ToldTable(("plugin", "serves", "used by"), rows, empty="no plugin is attached: %wash attach keyvalue")


async def attached(deployments: Deployments, subjects: Iterable[object]) -> ToldTable:
    """Attach plugins, and say what runs now that did not before."""
    before = set(deployments.host.plugins)
    plugins = plugins_of(subjects, deployments.host.plugins)
    started = await deployments.attach(plugins)
    names = [f"{plugin.id}{' in place of the one before' if plugin.id in before else ''}" for plugin in plugins]
    news = f"attached {', '.join(names) or 'nothing: it is attached already'}"
    table = await plugin_table(deployments)
    return table.saying("; ".join([news, *(f"{name} is running" for name in started)]))


async def detached(deployments: Deployments, plugin: str) -> ToldTable:
    """Take a plugin away, and say so."""
    plugin_id = await deployments.detach(plugin)
    table = await plugin_table(deployments)
    return table.saying(f"detached {plugin_id}")


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
        rows.append((one.name, one.state, size(one.size), plugins, "\n".join(one.missing) or _why(one.error)))
    http = deployments.host.http
    facts = {
        "address": f"http://{http.addr}" if http and http.port else "no port is open: %wash serve",
        "plugins": ", ".join(deployments.host.plugins) or "none",
        "tracing": "on" if deployments.host.tracing else "off",
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
