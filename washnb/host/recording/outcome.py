"""How a host call ended: what views show in a colour and a shape of its own."""

from __future__ import annotations

import re
from typing import Literal

from washnb.events import HostCall

Outcome = Literal["ok", "failed", "denied", "injected"]

# at the beginning of what a guest was told: the cases that WASI, wasi:http and the interfaces of plugins have for "no"
_DENIALS = re.compile(r"(?:access-denied|HTTP-request-denied|not-permitted|access|read-only)(?![\w-])")
_END = "closed"
"""The error by which wasi:io says that a stream has come to its end."""


def outcome_of(call: HostCall) -> Outcome:
    """Whether a call returned, failed, or was denied: by the interface's own error, or since nobody serves it now.

    What a fault has changed is injected, however it ended. The end of a stream is an error in WIT, and none here.
    """
    if call.injected:
        return "injected"
    if call.error is None or (call.error == _END and call.interface.startswith("wasi:io/streams")):
        return "ok"
    return "denied" if not call.provider or _DENIALS.match(call.error) else "failed"
