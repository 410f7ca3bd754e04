"""Live looks at the state of workloads: key-value, blobs, config, logs, messages."""

from .base import View
from .blobs import BlobsView
from .config import ConfigView
from .keyvalue import KeyValueView
from .logs import LEVELS, LogsView
from .messages import MessagesView

__all__ = ["LEVELS", "BlobsView", "ConfigView", "KeyValueView", "LogsView", "MessagesView", "View"]
