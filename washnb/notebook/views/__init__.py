"""Live looks at the state of workloads: key-value, config, logs."""

from .base import View
from .config import ConfigView
from .keyvalue import KeyValueView
from .logs import LEVELS, LogsView

__all__ = ["LEVELS", "ConfigView", "KeyValueView", "LogsView", "View"]
