"""The properties of a session that are views: of state, logs, messages, host calls and questions."""

from __future__ import annotations

from typing import Protocol

from .door import Door
from .views import BlobsView, ConfigView, KeyValueView, LogsView, MessagesView, QuestionsView, TraceView


class Looking(Door, Protocol):
    """The part of a session that shows, live, what the host keeps, and edits it."""

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
        """Settings of a workload: `wash.config[key] = value` edits."""
        return ConfigView(self)

    @property
    def logs(self) -> LogsView:
        """Lines that components logged and printed: `wash.logs(level="warn")`."""
        return LogsView(self)

    @property
    def trace(self) -> TraceView:
        """Host calls of requests, messages and exports: `wash.trace("last")`, `wash.trace("save", PATH)`."""
        return TraceView(self)

    @property
    def questions(self) -> QuestionsView:
        """Calls of guests that wait for an answer of yours: `wash.questions.answer("6")`."""
        return QuestionsView(self)

    @property
    def messages(self) -> MessagesView:
        """Messages that this host sent and handled: `wash.messages(subject="orders.>")`."""
        return MessagesView(self)
