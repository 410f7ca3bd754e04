"""Which deviations from wash-runtime the workloads of a session have relied on, as far as events show it."""

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
    """Return the deviations that calls of a function may show: none for most functions, and calls are many."""
    return tuple(
        each
        for each in DEVIATIONS
        if each.traced
        and each.function in {"", function}
        and re.search(each.interface, interface)
        and (failed or not each.failed)
    )


class Parity:
    """The deviations that a session's workloads have relied on, folded from the events that `take` is given."""

    def __init__(self) -> None:
        """Begin without any deviation seen."""
        self._seen: dict[str, set[str]] = {}

    def take(self, event: Event) -> None:
        """Note the deviations that an event shows, for the workload that it names."""
        if isinstance(event, HostCall):
            self.take_calls((event,))
        elif isinstance(event, LogLine) or (isinstance(event, Handled) and event.error is not None):
            for each in _ELSEWHERE:
                if each.seen is not None and each.seen(event):
                    self._note(event.workload, each)

    def take_calls(self, calls: Iterable[HostCall]) -> None:
        """Note the deviations that host calls show, for their workloads."""
        for call in calls:
            for each in _in_calls(call.interface, call.function, call.error is not None):
                if each.called is not None and each.called(call):
                    self._note(call.workload, each)

    def _note(self, workload: str, deviation: Deviation) -> None:
        self._seen.setdefault(workload, set()).add(deviation.id)

    def relied_on(self, workload: str, made: MadeOf) -> tuple[Deviation, ...]:
        """Return the deviations that the workload of that name has relied on; `made` is what it is made of."""
        noted = self._seen.get(workload, set())
        return tuple(
            each for each in DEVIATIONS if each.id in noted or (each.made_of is not None and each.made_of(made))
        )
