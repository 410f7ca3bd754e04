"""Live looks at the state of workloads: key-value, blobs, config, logs, messages, trace, questions."""

from .base import View
from .blobs import BlobsView
from .config import ConfigView
from .keyvalue import KeyValueView
from .logs import LEVELS, LogsView
from .messages import MessagesView
from .questions import QuestionsView
from .trace import SPEEDS, TRACE_ACTIONS, TraceView
from .waiting_cell import WaitingCell

__all__ = [
    "LEVELS",
    "SPEEDS",
    "TRACE_ACTIONS",
    "BlobsView",
    "ConfigView",
    "KeyValueView",
    "LogsView",
    "MessagesView",
    "QuestionsView",
    "TraceView",
    "View",
    "WaitingCell",
]
