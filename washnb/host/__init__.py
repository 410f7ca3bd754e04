"""The host runtime: workloads, HTTP, lifecycle of plugins."""

import logging

from .api import HostApi
from .builder import HostBuilder
from .command import CommandResult
from .component import WASI_PROVIDER
from .faults import Fault, Faults, SetFault, wit_error
from .grants import EVERYONE
from .heartbeat import HostHeartbeat
from .host import Host
from .parity import DEVIATIONS, Deviation, MadeOf, Parity
from .recording import (
    ImportUse,
    Meanings,
    Outcome,
    Receipt,
    Receipts,
    SlowMotion,
    Spans,
    Tally,
    Trace,
    outcome_of,
    sentence,
    text_of,
)
from .registry import WorkloadSummary
from .routers import DevRouter, Router
from .saving import whole_file
from .server import HttpServer, Ingress
from .snapshots import Change, StateSnapshot, restore_snapshot, take_snapshot

__all__ = [
    "DEVIATIONS",
    "EVERYONE",
    "WASI_PROVIDER",
    "Change",
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
    "Meanings",
    "Outcome",
    "Parity",
    "Receipt",
    "Receipts",
    "Router",
    "SetFault",
    "SlowMotion",
    "Spans",
    "StateSnapshot",
    "Tally",
    "Trace",
    "WorkloadSummary",
    "outcome_of",
    "restore_snapshot",
    "sentence",
    "take_snapshot",
    "text_of",
    "whole_file",
    "wit_error",
]

# failures of guests are told by events and answers; they are printed only where the program sets logging up
logging.getLogger("washnb").addHandler(logging.NullHandler())
