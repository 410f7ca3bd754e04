"""What a place that log lines go to must be able to do. It knows nothing of WIT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from washnb.events import LogLine


class Backend(Protocol):
    """The log of one component."""

    def write(self, line: LogLine) -> None:
        """Take a line. Does not wait and does not raise: no guest stops because of its log."""

    def lines(self) -> Sequence[LogLine]:
        """Return the lines that are kept, oldest first."""
