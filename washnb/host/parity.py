"""What the workloads of a session rely on that wash-runtime does otherwise, as far as events show it."""

from __future__ import annotations

from washnb.events import Event, HostCall, LogLine, MessageHandled, RequestHandled

from .deviations import DEVIATIONS, Deviation, MadeOf

# calls are many: what they cannot show is not looked for in them
_IN_CALLS = tuple(each for each in DEVIATIONS if each.traced)
_ELSEWHERE = tuple(each for each in DEVIATIONS if each.seen is not None and not each.traced)


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
        for each in _IN_CALLS if isinstance(event, HostCall) else _ELSEWHERE:
            if each.id not in noted and each.seen is not None and each.seen(event):
                noted.add(each.id)

    def relied_on(self, workload: str, made: MadeOf) -> tuple[Deviation, ...]:
        """The deviations that a workload of this name, made of this, has relied on."""
        noted = self._seen.get(workload, set())
        return tuple(
            each for each in DEVIATIONS if each.id in noted or (each.made_of is not None and each.made_of(made))
        )
