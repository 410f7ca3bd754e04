"""The host runtime: workloads, HTTP, lifecycle of plugins."""

import logging

from .builder import HostBuilder
from .command import CommandResult
from .component import WASI_PROVIDER
from .deviations import DEVIATIONS, Deviation, MadeOf
from .fault import Fault
from .faults import Faults, SetFault
from .grants import EVERYONE
from .heartbeat import HostHeartbeat
from .host import Host, HostApi
from .outcome import Outcome, outcome_of
from .parity import Parity
from .receipt import ImportUse, Receipt, Receipts, Tally
from .registry import WorkloadSummary
from .routers import DevRouter, Router
from .server import HttpServer, Ingress
from .trace import Trace, sentence
from .values import is_secret

__all__ = [
    "DEVIATIONS",
    "EVERYONE",
    "WASI_PROVIDER",
    "CommandResult",
    "DevRouter",
    "Deviation",
    "Fault",
    "Faults",
    "Host",
    "HostApi",
    "HostBuilder",
    "HostHeartbeat",
    "HttpServer",
    "ImportUse",
    "Ingress",
    "MadeOf",
    "Outcome",
    "Parity",
    "Receipt",
    "Receipts",
    "Router",
    "SetFault",
    "Tally",
    "Trace",
    "WorkloadSummary",
    "is_secret",
    "outcome_of",
    "sentence",
]

# what goes wrong in a guest is an event and an answer; it is printed only where the program sets logging up
logging.getLogger("washnb").addHandler(logging.NullHandler())
