"""Live looks at the state of workloads: key-value, blobs, config, logs."""

from .base import View
from .blobs import BlobsView
from .config import ConfigView
from .keyvalue import KeyValueView
from .logs import LEVELS, LogsView

__all__ = ["LEVELS", "BlobsView", "ConfigView", "KeyValueView", "LogsView", "View"]
