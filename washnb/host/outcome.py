"""How a host call ended: what views show in a colour and a shape of its own."""

from __future__ import annotations

import re
from typing import Literal

from washnb.events import HostCall

Outcome = Literal["ok", "failed", "denied", "injected"]

# at the beginning of what a guest was told: the cases that WASI, wasi:http and the interfaces of plugins have for "no"
_DENIALS = re.compile(r"(?:access-denied|HTTP-request-denied|not-permitted|access|read-only)(?![\w-])")


def outcome_of(call: HostCall) -> Outcome:
    """Whether a call returned, failed, or was denied: by the interface's own error, or since nobody serves it now.

    What a fault has changed is injected, however it ended.
    """
    if call.injected:
        return "injected"
    if call.error is None:
        return "ok"
    return "denied" if not call.provider or _DENIALS.match(call.error) else "failed"
