"""What the workloads of a session rely on that wash-runtime does otherwise, as far as events show it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from washnb.events import Event, Handled, HostCall, LogLine

from .deviation import Deviation, MadeOf
from .deviations import DEVIATIONS

_ELSEWHERE = tuple(each for each in DEVIATIONS if each.seen is not None)


@functools.lru_cache(maxsize=4096)
def _in_calls(interface: str, function: str, failed: bool) -> tuple[Deviation, ...]:
    """The deviations that calls of a function may show: most can show none, and calls are many."""
    return tuple(
        each
        for each in DEVIATIONS
        if each.traced
        and each.function in {"", function}
        and re.search(each.interface, interface)
        and (failed or not each.failed)
    )


class Parity:
    """What a session's workloads have relied on, as far as events show it. `take` is told of each event."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._seen: dict[str, set[str]] = {}

    def take(self, event: Event) -> None:
        """Note which deviations an event shows."""
        if isinstance(event, HostCall):
            self.take_calls((event,))
        elif isinstance(event, LogLine) or (isinstance(event, Handled) and event.error is not None):
            for each in _ELSEWHERE:
                if each.seen is not None and each.seen(event):
                    self._note(event.workload, each)

    def take_calls(self, calls: Iterable[HostCall]) -> None:
        """Note which deviations calls show."""
        for call in calls:
            for each in _in_calls(call.interface, call.function, call.error is not None):
                if each.called is not None and each.called(call):
                    self._note(call.workload, each)

    def _note(self, workload: str, deviation: Deviation) -> None:
        self._seen.setdefault(workload, set()).add(deviation.id)

    def relied_on(self, workload: str, made: MadeOf) -> tuple[Deviation, ...]:
        """The deviations that a workload of this name, made of this, has relied on."""
        noted = self._seen.get(workload, set())
        return tuple(
            each for each in DEVIATIONS if each.id in noted or (each.made_of is not None and each.made_of(made))
        )
