"""The capability config: wasi:config."""

from .backend import Backend
from .in_memory import DynamicConfig
from .interface import Config, Error_Io, Error_Upstream, Runtime, Store
from .nats import SETTINGS_BUCKET, NatsConfig

__all__ = [
    "SETTINGS_BUCKET",
    "Backend",
    "Config",
    "DynamicConfig",
    "Error_Io",
    "Error_Upstream",
    "NatsConfig",
    "Runtime",
    "Store",
]
