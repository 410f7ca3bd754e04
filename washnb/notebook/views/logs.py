"""The view `logs`: what components wrote, through wasi:logging or to stdout and stderr."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from washnb.errors import ConfigError
from washnb.events import Event, LogLine, PluginChanged

from .. import hosted
from ..arguments import closest, quoted
from ..text import Table, one_line, plain
from ..widgets import Door
from .base import View, titled

LEVELS = ("trace", "debug", "info", "warn", "error", "critical")

_TITLE = "logs"
_PICTURED_LINES = 500
_TABLE_LINES = 100


@dataclass(frozen=True)
class Look:
    """What the view shows: lines, oldest first, and the place where the plugin of wasi:logging keeps or sends them."""

    lines: Sequence[LogLine]
    place: str


class LogsView(View):
    """The lines that components logged or printed, live, oldest first.

    `wash.logs(level="warn", component="greeter", filter="text")` narrows the view. `.data` is the list of the lines
    that pass these filters, as `LogLine` events.
    """

    widget = "logs"

    def __init__(
        self,
        door: Door,
        of: str | None = None,
        *,
        level: str | None = None,
        component: str | None = None,
        filter: str | None = None,  # noqa: A002 - the name of the option
    ) -> None:
        """Show lines of `level` and above, of one component, with a text. Raises ConfigError for an unknown level."""
        super().__init__(door, of)
        if level is not None and level not in LEVELS:
            near = closest(level, LEVELS)
            raise ConfigError(
                f"no level is called {level!r}; there are {', '.join(LEVELS)}",
                repair=f"did you mean {near}?" if near else "%wash logs --level warn",
            )
        self.level = level
        self.component = component
        self.filter = filter

    def __call__(
        self,
        *,
        of: str | None = None,
        level: str | None = None,
        component: str | None = None,
        filter: str | None = None,  # noqa: A002
    ) -> LogsView:
        """Return a view with these filters, as well as those of this view: what `%wash logs` shows."""
        return LogsView(
            self.door,
            of or self.of,
            level=level or self.level,
            component=component or self.component,
            filter=filter or self.filter,
        )

    def __iter__(self) -> Any:
        """The lines that pass the filters."""
        return iter(self.data)

    def __len__(self) -> int:
        """The number of lines that pass the filters."""
        return len(self.data)

    async def read(self, deployments: hosted.Deployments) -> list[LogLine]:
        """Read the lines that pass the filters. Raises ConfigError for a component that nothing is called."""
        self._require_component(deployments)
        return [line for line in deployments.history.lines if self._passes(line)]

    async def look(self, deployments: hosted.Deployments) -> Look:
        """Read the lines that pass the filters, and the place where they are kept."""
        return Look(await self.read(deployments), hosted.logs_place(deployments))

    def _require_component(self, deployments: hosted.Deployments) -> None:
        """Raise ConfigError where the filter names a component that does not exist, while others do."""
        there = dict.fromkeys((*(line.component for line in deployments.history.lines), *deployments.names))
        if self.component is None or self.component in there or not there:
            return
        near = closest(self.component, there)
        raise ConfigError(
            f"no component is called {self.component!r}; there are {', '.join(there)}",
            repair=f"%wash logs --component {quoted(near)}" if near else "%wash logs",
        )

    def _passes(self, line: LogLine) -> bool:
        return (
            (self.of is None or line.workload == self.of)
            and (self.component is None or line.component == self.component)
            and (self.level is None or _rank(line.level) >= LEVELS.index(self.level))
            and (self.filter is None or self.filter.lower() in f"{line.context} {line.message}".lower())
        )

    def still(self, look: Look) -> Table:
        """Show a row for each of the last lines."""
        rows = [
            (
                f"{line.component} (another host)" if line.host else line.component,
                line.level if line.stream == "log" else line.stream,
                _message(line),
            )
            for line in look.lines[-_TABLE_LINES:]
        ]
        more = len(look.lines) - len(rows)
        notes = [look.place, f"the last {len(rows)} of {len(look.lines):,} lines" if more else ""]
        title = titled(_TITLE, ", ".join(filter(None, notes)))
        return Table(("component", "level", "message"), rows, empty="nothing is logged", title=title)

    def picture(self, look: Look) -> dict[str, Any]:
        """Show the last lines to the widget, which filters them once more as the person likes."""
        lines = [
            {
                "component": f"{line.component}@{line.host[:8]}" if line.host else line.component,
                "level": line.level,
                "stream": line.stream,
                "time": line.time,
                "text": plain(_message(line))[:2_000],
            }
            for line in look.lines[-_PICTURED_LINES:]
        ]
        return {
            "title": _TITLE,
            "place": look.place,
            "lines": lines,
            "levels": list(LEVELS),
            "level": self.level or "",
            "component": self.component or "",
            "filter": self.filter or "",
            "empty": "nothing is logged",
        }

    def concerns(self, event: Event) -> bool:
        """Whether `event` is a new line that passes the filters, or another plugin keeps the lines."""
        return isinstance(event, PluginChanged) or (isinstance(event, LogLine) and self._passes(event))


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else LEVELS.index("info")


def _message(line: LogLine) -> str:
    context = one_line(line.context)
    return f"{context}: {line.message}" if context else line.message
