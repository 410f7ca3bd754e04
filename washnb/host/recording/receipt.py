"""The capability receipt: what a workload imports, was granted, has used and was denied, and the least that it needs.

It is folded from the host's events: numbers and names are kept, never the calls, so that it covers all that ever was.
"""

from __future__ import annotations

import operator
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from washnb.engine import INJECTOR, CompiledComponent
from washnb.events import Event, Handled, HostCall, WorkloadChanged
from washnb.plugins import HostPlugin
from washnb.types import WorkloadState
from washnb.wit import WitInterface, gathered

from ..allowed_hosts import AllowedHost
from ..assembly import providers
from ..component import WASI, WASI_PROVIDER
from ..resolve import Demand, Offer, resolve
from .outcome import Outcome, outcome_of
from .touched import KINDS, Meanings, may_touch

MAX_WORKLOADS = 100
MAX_NAMES = 500
"""Names of one kind that are kept for a workload; calls about further names are only counted."""

_MAX_REQUESTS = 1_000
_ALIKE = ("workload", "interface", "function", "error", "provider", "injected")
_KIND = operator.itemgetter(*map(HostCall._fields.index, _ALIKE))
"""Returns the parts of a host call that make two calls count as alike."""

Granted = Callable[[str], bool]
"""Returns whether a workload may use the plugin of an id."""

_HTTP = ("wasi:http/incoming-handler", "wasi:http/outgoing-handler")


@dataclass(slots=True)
class Tally:
    """How many calls there were, and how many of these failed or were denied."""

    calls: int = 0
    failed: int = 0
    denied: int = 0

    def count(self, outcome: Outcome, times: int = 1) -> None:
        """Count as many calls as `times` says that ended with `outcome`."""
        self.calls += times
        if outcome == "failed":
            self.failed += times
        elif outcome == "denied":
            self.denied += times


@dataclass
class _Ledger:
    """The counts of one workload: its calls by interface and function, and by the names that they were about."""

    functions: dict[tuple[str, str], Tally] = field(default_factory=dict)
    touched: dict[tuple[str, str], Tally] = field(default_factory=dict)
    distinct: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def use(self, call: HostCall) -> Tally:
        return self.functions.setdefault((call.interface, call.function), Tally())

    def tally(self, kind: str, name: str, outcome: Outcome) -> None:
        found = self.touched.get((kind, name))
        if found is None:
            if self.distinct[kind] >= MAX_NAMES:
                self.left_out[kind] += 1
                return
            self.distinct[kind] += 1
            found = self.touched[kind, name] = Tally()
        found.count(outcome)


@dataclass(frozen=True)
class ImportUse:
    """An import of a component: what serves it (a plugin's id, `wasi`, or None), whether that is granted, and its use.

    `functions` is the number of imported functions; `used` maps those that were called to their tallies.
    """

    interface: str
    provider: str | None
    granted: bool
    functions: int
    used: Mapping[str, Tally]

    @property
    def denied(self) -> int:
        """How many calls were denied."""
        return sum(each.denied for each in self.used.values())


@dataclass(frozen=True)
class Receipt:
    """What a workload may do and has done. `touched` maps a kind (hosts, keys ...) to names and their tallies.

    `left_out` counts calls about names that were too many to keep. `host_interfaces` and `allowed_hosts` are the least
    with which the workload would start and could do again what it did; `denied_hosts` are hosts that it never reached.
    """

    workload: str
    imports: tuple[ImportUse, ...]
    touched: Mapping[str, Mapping[str, Tally]]
    left_out: Mapping[str, int]
    host_interfaces: tuple[WitInterface, ...]
    allowed_hosts: tuple[str, ...]
    denied_hosts: tuple[str, ...]


class Receipts:
    """Counts what workloads do, by their names, from the events that `take` is given.

    Host calls are among these while the host traces. The counts of a workload begin anew when it is loaded again, or
    stopped and started. They go on where a plugin is replaced, granted or revoked.
    """

    def __init__(self) -> None:
        """Begin without any count."""
        self._ledgers: OrderedDict[str, _Ledger] = OrderedDict()
        self._meanings: OrderedDict[int, Meanings] = OrderedDict()
        self._ids: dict[str, str] = {}
        self._running: set[str] = set()

    def take(self, event: Event) -> None:
        """Count the host call that an event tells of, if any; a fault on an export is not counted as one."""
        if isinstance(event, HostCall):
            self.take_calls((event,))
        elif isinstance(event, Handled):
            self._meanings.pop(event.request, None)
        elif isinstance(event, WorkloadChanged):
            self._changed(event)

    def take_calls(self, calls: Sequence[HostCall]) -> None:
        """Count host calls that have come one after the other; this is faster than `take` for each."""
        kinds = list(map(_KIND, calls))
        alike = dict(zip(kinds, calls, strict=True))
        for kind, times in Counter(kinds).items():
            call = alike[kind]
            if call.provider != INJECTOR:
                self._ledger(call.workload).use(call).count(outcome_of(call), times)
        touching = {
            kind: outcome_of(call)
            for kind, call in alike.items()
            if call.provider != INJECTOR and may_touch(call.interface, call.function)
        }
        for kind, call in zip(kinds, calls, strict=True) if touching else ():
            if kind in touching:
                self._touch(self._ledger(call.workload), call, touching[kind])

    def _ledger(self, workload: str) -> _Ledger:
        ledger = self._ledgers.get(workload)
        if ledger is None:
            ledger = self._ledgers[workload] = _Ledger()
            if len(self._ledgers) > MAX_WORKLOADS:
                self._ledgers.popitem(last=False)
        return ledger

    def _touch(self, ledger: _Ledger, call: HostCall, outcome: Outcome) -> None:
        """Count the names that a call was about."""
        meanings = self._meanings.get(call.request)
        if meanings is None:
            meanings = self._meanings[call.request] = Meanings()
            if len(self._meanings) > _MAX_REQUESTS:
                self._meanings.popitem(last=False)
        for kind, name in meanings.touched(call):
            ledger.tally(kind, name, outcome)

    def _changed(self, change: WorkloadChanged) -> None:
        """Drop the counts of a name where a workload of it begins anew, unless another workload has the name, too."""
        workload_id = change.workload_id
        if change.state in {WorkloadState.STOPPING, WorkloadState.ERROR}:
            self._ids.pop(workload_id, None)
            self._running.discard(workload_id)
            return
        begins = change.state is WorkloadState.STARTING or workload_id in self._running
        if begins and change.name not in (name for each, name in self._ids.items() if each != workload_id):
            self._ledgers.pop(change.name, None)
        self._ids[workload_id] = change.name
        if change.state is WorkloadState.RUNNING:
            self._running.add(workload_id)

    def of(
        self, workload: str, component: CompiledComponent, plugins: Iterable[HostPlugin], granted: Granted
    ) -> Receipt:
        """Return the receipt of a workload made of `component`, on a host where `plugins` are attached.

        `granted` is asked for each plugin's id whether the workload may use it.
        """
        attached = list(plugins)
        ledger = self._ledgers.get(workload, _Ledger())
        hosts = {name: tally for (kind, name), tally in ledger.touched.items() if kind == "hosts"}
        allowed = {entry for name, tally in hosts.items() if tally.calls > tally.denied and (entry := _entry(name))}
        return Receipt(
            workload,
            tuple(_imports(component, ledger, attached, granted)),
            {
                kind: {name: each for (of_kind, name), each in ledger.touched.items() if of_kind == kind}
                for kind in KINDS
                if ledger.distinct[kind]
            },
            dict(ledger.left_out),
            least_interfaces(component, [plugin for plugin in attached if granted(plugin.id)]),
            tuple(sorted(allowed)),
            tuple(sorted(name for name, tally in hosts.items() if tally.denied == tally.calls)),
        )


def least_interfaces(component: CompiledComponent, plugins: Iterable[HostPlugin]) -> tuple[WitInterface, ...]:
    """Return the fewest `host_interfaces` with which a component starts where `plugins` are attached.

    An import that is never called has to be served as well; only a component that does not have it needs less.
    """
    offers = [Offer(plugin.id, plugin.world()) for plugin in plugins]
    grants = resolve([Demand(component.name, component.world())], offers, (), WASI).grants
    served = {single for grant in grants for entry in grant.interfaces for single in entry.singles()}
    bare = {name for name, interface in component.imports.items() if not interface.functions}
    needed = [single for single in served if str(single) not in bare]
    sides = [*component.imports, *component.exports]
    needed += [WitInterface.parse(name) for name in sides if name.partition("@")[0] in _HTTP]
    return tuple(sorted(gathered(needed), key=lambda entry: (entry.package_name, entry.version or "")))


def _imports(
    component: CompiledComponent, ledger: _Ledger, plugins: Iterable[HostPlugin], granted: Granted
) -> Iterator[ImportUse]:
    served = providers(component, plugins)
    for name, interface in component.imports.items():
        if interface.functions:
            provider = served.get(name)
            used = {function: tally for (home, function), tally in ledger.functions.items() if home == name}
            allowed = provider == WASI_PROVIDER or (provider is not None and granted(provider))
            yield ImportUse(name, provider, allowed, len(interface.functions), used)


def _entry(address: str) -> str | None:
    """Return the entry of `allowed_hosts` for an address; None for what is none, as one that the trace shortened."""
    try:
        return str(AllowedHost.parse(address))
    except ValueError:
        return None
