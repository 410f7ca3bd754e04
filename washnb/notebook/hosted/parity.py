"""The parity report: the deviations from wash-runtime that a workload relied on."""

from __future__ import annotations

from collections.abc import Sequence

from washnb.host import DEVIATIONS, Deviation, MadeOf

from ..text import Table, escape
from .deployments import Deployments


class ParityReport:
    """The deviations from wash-runtime that a workload relied on; `data` has each as a row of the documentation.

    `unseen` are the ids of deviations that a host cannot see a workload rely on, `untraced` of those that only a trace
    would show, where tracing is off.
    """

    def __init__(self, name: str, relied: Sequence[Deviation], *, tracing: bool) -> None:
        """Report on the workload `name`."""
        self.name = name
        self.data = list(relied)
        self.unseen = tuple(each.id for each in DEVIATIONS if not each.shows)
        self.untraced = () if tracing else tuple(each.id for each in DEVIATIONS if each.traced)

    @property
    def _title(self) -> str:
        return f"{self.name} has relied on {len(self.data) or 'no'} deviation{'' if len(self.data) == 1 else 's'}"

    @property
    def _notes(self) -> list[str]:
        notes = [f"whether guests rely on these a host cannot see, so look for yourself: {', '.join(self.unseen)}"]
        notes.append("ARCHITECTURE.md says under these numbers what wash-runtime does, and what washnb does")
        return notes + ([f"not looked for while tracing is off: {', '.join(self.untraced)}"] if self.untraced else [])

    def __repr__(self) -> str:
        rows = [f"{each.id}  wash-runtime: {each.reference}\n     washnb: {each.here} {each.why}" for each in self.data]
        return "\n".join([f"{self._title} from wash-runtime", *rows, *(f"({note})" for note in self._notes)])

    def _repr_html_(self) -> str:
        rows = [(each.id, each.reference, each.here, each.why) for each in self.data]
        table = Table(("", "wash-runtime", "washnb", "why"), rows, empty="", title=f"{self._title} from wash-runtime")
        notes = "".join(f'<div style="opacity: .7">{escape(note)}</div>' for note in self._notes)
        return f"{table._repr_html_()}{notes}"


async def parity_of(deployments: Deployments, name: str) -> ParityReport:
    """Report on the workload `name`, by its requests so far. Raises WorkloadNotFound."""
    host, deployment = deployments.host, deployments.get(name)
    serving = {each.workload_id: each.plugins for each in host.workloads()}.get(deployment.workload_id, ())
    plugins = tuple(host.plugins[each] for each in serving if each in host.plugins)
    made = MadeOf(plugins, deployment.resources, deployment.missing)
    return ParityReport(name, deployments.history.parity.relied_on(name, made), tracing=host.tracing)
