"""Log lines in memory, the newest ones of each component. Each line also goes to Python's `logging`."""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from washnb.errors import spelled_out
from washnb.events import LogLine

from ..base import BackendKind, WorkloadItem
from ..state import PerComponent, in_words
from .interface import Level, Logger

LOGGER = "washnb.guest"
"""The lines of a component go to the Python logger `washnb.guest.<workload>.<component>`."""

# Without this, Python prints warnings of guests to stderr in a program that has not set logging up.
logging.getLogger(LOGGER).addHandler(logging.NullHandler())

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class ComponentLog:
    """The log of one component, of which the newest `limit` lines are kept."""

    def __init__(self, name: str, limit: int, publish: Callable[[LogLine], None]) -> None:
        """Begin without lines; call `publish` with each line, and pass it on to the Python logger `name`."""
        self._lines: deque[LogLine] = deque(maxlen=limit)
        self._logger = logging.getLogger(name)
        self._publish = publish
        self._fails = False

    def write(self, line: LogLine) -> None:
        """Keep a line, in place of the oldest where there are `limit`, then publish it and pass it on."""
        self._lines.append(line)
        self._publish(line)
        level = Level[line.level.upper()].value
        if self._logger.isEnabledFor(level):
            text = f"{line.context}: {line.message}" if line.context else line.message
            self._log(level, _one_line(text), line)

    def _log(self, level: int, text: str, line: LogLine) -> None:
        """Pass a line to Python's `logging`. Its handlers are the user's: what they raise becomes a warning, once."""
        fails = self._fails
        try:
            self._logger.log(level, "%s", text)
            self._fails = False
        except Exception as error:  # noqa: BLE001 - no guest ends because of its log
            self._fails = True
            if not fails:
                told = f"Python's logging has failed: {spelled_out(error)}"
                self._publish(LogLine(line.workload, line.component, "host", "warn", "", told, line.time))

    def lines(self) -> Sequence[LogLine]:
        """Return the lines that are kept, oldest first."""
        return tuple(self._lines)


def _one_line(text: str) -> str:
    """Escape control characters: with them a guest could write a second line into a log file, or command a terminal."""
    return _CONTROL.sub(lambda control: repr(control[0])[1:-1], text)


class TracingLogger(PerComponent[ComponentLog], Logger):
    """wasi:logging in memory: keeps the newest lines of each component, and passes all on to Python's `logging`."""

    location = "memory"
    backend_kind: BackendKind = "memory"

    def __init__(self, limit: int = 1000) -> None:
        """Keep at most `limit` lines of each component."""
        self.limit = limit

    def new_component_state(self, item: WorkloadItem) -> ComponentLog:
        """Return the log of a component that has none yet."""
        name = f"{LOGGER}.{item.workload_name}.{item.component}"
        return ComponentLog(name, self.limit, partial(self.pass_on, item.namespace))

    def pass_on(self, namespace: str, line: LogLine) -> None:  # noqa: ARG002
        """Publish a line that a component of a workload in `namespace` has written."""
        self.events.publish(line)

    def amount_of_state(self, state: dict[str, ComponentLog]) -> str:
        """Return how many lines a workload has, such as "2 log lines"."""
        return in_words(sum(len(each.lines()) for each in state.values()), "log line")

    def backend(self, workload_id: str, component: str) -> ComponentLog:
        """Return the log of a component. Raises WorkloadNotFound where the component does not use the plugin."""
        return self.component_state(workload_id, component)
