"""The host runtime: workloads, HTTP, lifecycle of plugins."""

from .builder import HostBuilder
from .heartbeat import HostHeartbeat
from .host import Host, HostApi
from .registry import WorkloadSummary
from .routers import DevRouter, Router
from .server import HttpServer, Ingress
from .trace import Trace, is_secret, sentence

__all__ = [
    "DevRouter",
    "Host",
    "HostApi",
    "HostBuilder",
    "HostHeartbeat",
    "HttpServer",
    "Ingress",
    "Router",
    "Trace",
    "WorkloadSummary",
    "is_secret",
    "sentence",
]
