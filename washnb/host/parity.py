"""What the workloads of a session rely on that wash-runtime does otherwise, as far as events show it."""

from __future__ import annotations

from washnb.events import Event, HostCall, LogLine, MessageHandled, RequestHandled

from .deviations import DEVIATIONS, Deviation, MadeOf


class Parity:
    """What a session's workloads have relied on, as far as events show it. `take` is told of each event."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._seen: dict[str, set[str]] = {}

    def take(self, event: Event) -> None:
        """Note which deviations an event shows."""
        if not isinstance(event, HostCall | LogLine | MessageHandled | RequestHandled):
            return
        noted = self._seen.setdefault(event.workload, set())
        noted.update(each.id for each in DEVIATIONS if each.id not in noted and each.seen and each.seen(event))

    def relied_on(self, workload: str, made: MadeOf) -> tuple[Deviation, ...]:
        """The deviations that a workload of this name, made of this, has relied on."""
        noted = self._seen.get(workload, set())
        return tuple(
            each for each in DEVIATIONS if each.id in noted or (each.made_of is not None and each.made_of(made))
        )
