"""The host runtime: workloads, HTTP, lifecycle of plugins."""

import logging

from .builder import HostBuilder
from .command import CommandResult
from .grants import EVERYONE
from .heartbeat import HostHeartbeat
from .host import Host, HostApi
from .parity import DEVIATIONS, Deviation, MadeOf, Parity
from .registry import WorkloadSummary
from .routers import DevRouter, Router
from .server import HttpServer, Ingress
from .trace import Trace, sentence
from .values import is_secret

__all__ = [
    "DEVIATIONS",
    "EVERYONE",
    "CommandResult",
    "DevRouter",
    "Deviation",
    "Host",
    "HostApi",
    "HostBuilder",
    "HostHeartbeat",
    "HttpServer",
    "Ingress",
    "MadeOf",
    "Parity",
    "Router",
    "Trace",
    "WorkloadSummary",
    "is_secret",
    "sentence",
]

# what goes wrong in a guest is an event and an answer; it is printed only where the program sets logging up
logging.getLogger("washnb").addHandler(logging.NullHandler())
