"""wasi:logging@0.1.0-draft, over any backend."""

from __future__ import annotations

import enum
import time
from abc import ABC, abstractmethod
from collections.abc import Collection

from washnb.engine import Interface
from washnb.events import LogLine
from washnb.wit import WitInterface

from ..base import HostPlugin, WorkloadItem
from .backend import Backend


class Level(enum.Enum):
    """The levels of wasi:logging, with the numbers of Python's `logging`."""

    TRACE = 5
    DEBUG = 10
    INFO = 20
    WARN = 30
    ERROR = 40
    CRITICAL = 50


class Logging(Interface, wit="wasi:logging/logging@0.1.0-draft"):
    """wasi:logging/logging for one component."""

    def __init__(self, workload: str, component: str, backend: Backend) -> None:
        """Keep the names that each line gets, and the backend that the lines go to."""
        self.workload = workload
        self.component = component
        self.backend = backend

    def log(self, level: Level, context: str, message: str) -> None:
        """Write a line to the log. The level critical stays; wash-runtime makes it error."""
        word = level.name.lower()
        self.backend.write(LogLine(self.workload, self.component, "log", word, context, message, time.time()))


class Logger(HostPlugin, ABC):
    """Serves wasi:logging over a backend that a subclass chooses."""

    id = "wasi-logging"
    interfaces = (Logging,)

    @abstractmethod
    def backend(self, workload_id: str, component: str) -> Backend:
        """Return the log of a component; views read it there, too.

        Raises WorkloadNotFound where the component does not use the plugin.
        """

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:  # noqa: ARG002
        """Link wasi:logging/logging, over the component's log, into one component."""
        backend = self.backend(item.workload_id, item.component)
        item.link(Logging(item.workload_name, item.component, backend))
