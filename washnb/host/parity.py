"""What the workloads of a session rely on that wash-runtime does otherwise, as far as events show it."""

from __future__ import annotations

import functools

from washnb.events import Event, HostCall, LogLine, MessageHandled, RequestHandled

from .deviations import DEVIATIONS, Deviation, MadeOf

_ELSEWHERE = tuple(each for each in DEVIATIONS if each.seen is not None)


@functools.lru_cache(maxsize=4096)
def _in_calls(function: str) -> tuple[Deviation, ...]:
    """The deviations that calls of a function may show: of most there are few, and calls are many."""
    return tuple(each for each in DEVIATIONS if each.traced and each.function in {"", function})


class Parity:
    """What a session's workloads have relied on, as far as events show it. `take` is told of each event."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._seen: dict[str, set[str]] = {}

    def take(self, event: Event) -> None:
        """Note which deviations an event shows."""
        if isinstance(event, HostCall):
            for each in _in_calls(event.function):
                if each.called is not None and each.called(event):
                    self._note(event.workload, each)
        elif isinstance(event, LogLine | MessageHandled | RequestHandled):
            for each in _ELSEWHERE:
                if each.seen is not None and each.seen(event):
                    self._note(event.workload, each)

    def _note(self, workload: str, deviation: Deviation) -> None:
        self._seen.setdefault(workload, set()).add(deviation.id)

    def relied_on(self, workload: str, made: MadeOf) -> tuple[Deviation, ...]:
        """The deviations that a workload of this name, made of this, has relied on."""
        noted = self._seen.get(workload, set())
        return tuple(
            each for each in DEVIATIONS if each.id in noted or (each.made_of is not None and each.made_of(made))
        )
