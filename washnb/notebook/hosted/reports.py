"""Reports on the host: its plugins, its status, and the world of a component. Runs on the host's loop."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from washnb.engine import InterfaceType, Source, Surface, names
from washnb.errors import NotAComponentError
from washnb.plugins import registered_plugins

from ..handles import ToldTable
from ..text import Table, escape, one_line, plain, size
from .deployments import Deployments
from .parts import class_of
from .reading import place_of

DENIED = "denied"
ROOT = "(root)"
"""The name under which functions are shown that belong to no interface."""

_SELF = re.compile(r"\(self: borrow<[^>]*>(, )?")


async def plugin_table(deployments: Deployments) -> ToldTable:
    """The table of attached plugins: class, backend, interfaces, workloads; and plugins that packages offer."""
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
    """The host and its workloads at a glance. `data` maps facts to values; `workloads` are its rows."""

    def __init__(self, host: Mapping[str, Any], workloads: Table) -> None:
        """Show the facts of `host`, a mapping from fact to value, and the table of workloads."""
        self.data = {**host, "workloads": workloads.data}
        self._host = Table(("host", ""), [(name, value) for name, value in host.items()], empty="")
        self._workloads = workloads

    def __repr__(self) -> str:
        return f"{self._workloads!r}\n\n{self._host!r}"

    def _repr_html_(self) -> str:
        return f"{self._workloads._repr_html_()}{self._host._repr_html_()}"


async def status(deployments: Deployments) -> Status:
    """Report which workloads are loaded, in which state they are, and what the host is."""
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
    """The world of a component. `imports` maps each import to who serves it: a plugin's id, `wasi`, or `denied`.

    `functions` maps each import, and `exports` each exported interface, to its functions in WIT. With `listed` the text
    lists the imported functions, too, and a page shows them opened.
    """

    name: str
    size: int
    digest: str
    imports: Mapping[str, str]
    functions: Mapping[str, tuple[str, ...]]
    exports: Mapping[str, tuple[str, ...]]
    listed: bool = False

    @property
    def denied(self) -> tuple[str, ...]:
        """The imports that nobody serves."""
        return tuple(name for name, provider in self.imports.items() if provider == DENIED)

    @property
    def _title(self) -> str:
        return plain(f"{self.name}: a component of {size(self.size)}, sha256 {self.digest[:12]}")

    @property
    def _rows(self) -> list[tuple[str, str, str]]:
        return [(name or ROOT, f"{len(self.functions[name])}", served) for name, served in self.imports.items()]

    def __repr__(self) -> str:
        shown = [repr(Table(("imports", "functions", "served by"), self._rows, empty="imports nothing")), ""]
        if self.listed:
            shown += [*_listing("import", self.functions), ""]
        return "\n".join([self._title, "", *shown, *(_listing("export", self.exports) or ["exports nothing"])])

    def _repr_html_(self) -> str:
        title = f'<div style="font-weight: 600">{escape(self._title)}</div>'
        served = "".join(
            _html_row(_disclosure(name or ROOT, self.functions[name], self.listed), escape(provider))
            for name, provider in self.imports.items()
        )
        exported = "".join(_html_row(escape(name or ROOT), _code(each)) for name, each in self.exports.items())
        return (
            f"{title}{_html_table('imports', 'served by', served) if served else '<div>imports nothing</div>'}"
            f"{_html_table('exports', 'functions', exported) if exported else '<div>exports nothing</div>'}"
        )


def _listing(side: str, functions: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The lines that list interfaces, each with its functions."""
    return [
        plain(line)
        for name, each in functions.items()
        for line in (f"{side} {name or ROOT}", *(f"    {function}" for function in each))
    ]


def _disclosure(name: str, functions: tuple[str, ...], opened: bool) -> str:
    """HTML of an interface that opens to its functions, because a component may import hundreds."""
    count = f"{len(functions)} function{'' if len(functions) == 1 else 's'}"
    summary = f'<summary>{escape(name)} <span style="opacity: .7">· {count}</span></summary>'
    return f"<details{' open' if opened else ''}>{summary}{_code(functions)}</details>"


def _code(functions: tuple[str, ...]) -> str:
    """HTML with a line for each function; one that is too long is continued, indented."""
    style = "padding-left: 3em; text-indent: -1.5em; white-space: pre-wrap; overflow-wrap: anywhere"
    return "".join(f'<div style="{style}"><code>{escape(each)}</code></div>' for each in functions)


def _html_table(first: str, second: str, rows: str) -> str:
    head = "".join(f'<th style="text-align: left; white-space: nowrap">{each}</th>' for each in (first, second))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _html_row(*cells: str) -> str:
    style = "text-align: left; vertical-align: top"
    return f"<tr>{''.join(f'<td style={style!r}>{each}</td>' for each in cells)}</tr>"


async def inspection(deployments: Deployments, subject: Source, *, listed: bool) -> Inspection:
    """Compile a component, or take that of a workload, and report who on this host serves each of its imports."""
    try:
        compiled = await deployments.compiled(subject)
    except NotAComponentError as error:
        if isinstance(subject, str) and deployments.names:
            error.add_note(f"nor is a workload called that; loaded: {', '.join(deployments.names)}")
        raise
    served = deployments.host.intersect_interfaces(compiled)
    imports = {each: served.get(each) or DENIED for each in compiled.imports if compiled.imports[each].functions}
    functions = {each: _functions(compiled.imports[each], compiled.import_surfaces[each]) for each in imports}
    exports = {name: _functions(each, compiled.export_surfaces[name]) for name, each in compiled.exports.items()}
    return Inspection(compiled.name, compiled.size, compiled.digest, imports, functions, exports, listed)


def _functions(interface: InterfaceType, surface: Surface) -> tuple[str, ...]:
    return tuple(_in_resource(surface.wit(each)) for each in interface.functions.values())


def _in_resource(function: str) -> str:
    """A method as WIT declares it within its resource, without `self`: `bucket.get: func(key: string) -> ...`."""
    kind, rest = names.parse_function(function.partition(":")[0]).kind, names.without_kind(function)
    if kind == "method":
        return _SELF.sub("(", rest, count=1)
    if kind == "static":
        return rest.replace(": func(", ": static func(", 1)
    name = rest.partition(":")[0]
    return rest.replace(": func(", ": constructor(", 1).removesuffix(f" -> {name}") if kind else function
