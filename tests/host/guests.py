"""Guests of the tests, and how they get onto a host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from washnb.engine import read_source
from washnb.host import Host
from washnb.plugins import HostPlugin, Interface
from washnb.types import Component, LocalResources, Workload, WorkloadStartRequest, WorkloadStartResponse, WorkloadState
from washnb.wit import WitInterface

COMPONENTS = Path(__file__).parent.parent / "components"
STORE = "wasi:keyvalue/store@0.2.0-draft"
ATOMICS = "wasi:keyvalue/atomics@0.2.0-draft"


def component(source: str, name: str = "", **resources) -> Component:
    """Read an example, or a guest of the tests."""
    path = COMPONENTS / f"{source}.wat"
    read = read_source(str(path) if path.exists() else f"example:{source}")
    return Component(name or source, read.data, local_resources=LocalResources(**resources))


def request(
    *components: Component, name: str = "", workload_id: str = "", interfaces: tuple[WitInterface, ...] = ()
) -> WorkloadStartRequest:
    """A request to start these components."""
    name = name or components[0].name
    return WorkloadStartRequest(workload_id or name, Workload("tests", name, {}, components, interfaces))


async def start(host: Host, *sources: str, **resources) -> list[str]:
    """Start one workload for each source and expect it to run; their ids."""
    for source in sources:
        response = await host.workload_start(request(component(source, **resources)))
        assert response.state is WorkloadState.RUNNING, response.message
    return list(sources)


async def refused(host: Host, start_request: WorkloadStartRequest) -> WorkloadStartResponse:
    """Start a workload and expect that it fails."""
    response = await host.workload_start(start_request)
    assert response.state is WorkloadState.ERROR
    assert response.error is not None
    return response


class Recording(HostPlugin):
    """Writes down what the host asks of it, into a list that several plugins may share.

    `breaks` names the step in which it raises, and what.
    """

    id = "recording"

    def __init__(
        self,
        journal: list[str],
        plugin_id: str = "recording",
        interfaces: tuple[type[Interface] | Interface, ...] = (),
        breaks: Mapping[str, BaseException] | None = None,
    ) -> None:
        """Serve `interfaces`."""
        self.id = plugin_id
        self.interfaces = interfaces
        self.journal = journal
        self.breaks = breaks or {}
        self.steps: Counter[str] = Counter()

    def _note(self, step: str, of: str = "") -> None:
        self.steps[step] += 1
        self.journal.append(f"{self.id} {step} {of}".strip())
        if step in self.breaks:
            raise self.breaks[step]

    async def start(self):
        """Note it."""
        self._note("start")

    async def on_workload_bind(self, workload, interfaces):
        """Note it."""
        self._note("bind", workload.workload_id)

    async def on_workload_item_bind(self, item, interfaces):
        """Note it, and link."""
        self._note("item", item.component)
        await super().on_workload_item_bind(item, interfaces)

    async def on_workload_resolved(self, workload, component_id):
        """Note it."""
        self._note("resolved", component_id)

    async def on_workload_unbind(self, workload_id, interfaces):
        """Note it."""
        self._note("unbind", workload_id)

    async def stop(self):
        """Note it."""
        self._note("stop")


class Buckets(Interface, wit=STORE):
    """A key-value store that has every bucket and nothing in them."""

    def open(self, identifier: str) -> object:
        """Open a bucket."""
        return Bucket()


class Bucket:
    """An empty bucket."""

    wit_resource = "bucket"


class Counting(Interface, wit=ATOMICS):
    """Counts all calls together."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.count = 0

    def increment(self, bucket: Bucket, key: str, delta: int) -> int:
        """Count."""
        self.count += delta
        return self.count
