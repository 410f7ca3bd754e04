"""The outcome of a host call: ok, failed, denied or injected; views show each in a colour and a shape of its own."""

from __future__ import annotations

import re
from typing import Literal

from washnb.events import HostCall

Outcome = Literal["ok", "failed", "denied", "injected"]

# how an error begins that denies: the cases that WASI, wasi:http and the interfaces of plugins have for that
_DENIALS = re.compile(r"(?:access-denied|HTTP-request-denied|not-permitted|access|read-only)(?![\w-])")
_END = "closed"
"""The error by which wasi:io says that a stream has come to its end."""


def outcome_of(call: HostCall) -> Outcome:
    """Return how a host call ended.

    A call is denied where the interface's error says so, or where nothing serves it any more. A call that a fault has
    changed is injected, however it ended. The end of a stream, an error in WIT, is ok.
    """
    if call.injected:
        return "injected"
    if call.error is None or (call.error == _END and call.interface.startswith("wasi:io/streams")):
        return "ok"
    return "denied" if not call.provider or _DENIALS.match(call.error) else "failed"
