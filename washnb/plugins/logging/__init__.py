"""The capability logging: wasi:logging."""

from .backend import Backend
from .in_memory import TracingLogger
from .interface import Level, Logger, Logging
from .nats import NatsLogger

__all__ = ["Backend", "Level", "Logger", "Logging", "NatsLogger", "TracingLogger"]
