"""The protocol of logging backends: the log of one component. No WIT is seen here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from washnb.events import LogLine


class Backend(Protocol):
    """The log of one component: guests write it, views read it."""

    def write(self, line: LogLine) -> None:
        """Add a line. Neither waits nor raises, so that no guest stops because of its log."""

    def lines(self) -> Sequence[LogLine]:
        """Return the lines that are kept, oldest first."""
