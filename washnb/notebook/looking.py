"""What a session shows of state, calls and messages: its properties that are views."""

from __future__ import annotations

from typing import Protocol

from .door import Door
from .views import BlobsView, ConfigView, KeyValueView, LogsView, MessagesView, QuestionsView, TraceView


class Looking(Door, Protocol):
    """The part of a session through which one looks, and edits what one sees."""

    tracing: bool

    @property
    def kv(self) -> KeyValueView:
        """Buckets, keys and values: `wash.kv[bucket][key] = value` edits."""
        return KeyValueView(self)

    @property
    def blobs(self) -> BlobsView:
        """Containers and objects: `wash.blobs[container][name] = b"..."` edits."""
        return BlobsView(self)

    @property
    def config(self) -> ConfigView:
        """Settings: `wash.config[key] = value` edits."""
        return ConfigView(self)

    @property
    def logs(self) -> LogsView:
        """What components logged and printed."""
        return LogsView(self)

    @property
    def trace(self) -> TraceView:
        """The host calls of requests: `wash.trace("last")`; `on`, `off`, `clear`; `("save", PATH)`; `slow=0.5`."""
        return TraceView(self)

    @property
    def questions(self) -> QuestionsView:
        """Calls of guests that wait for an answer of yours: `wash.questions.answer("6")`."""
        return QuestionsView(self)

    @property
    def messages(self) -> MessagesView:
        """Messages that were sent from here and handled here."""
        return MessagesView(self)
