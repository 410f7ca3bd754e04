"""Counters: how their bytes are read and written, and where they end.

wash-runtime keeps eight bytes, little endian in memory, big endian on NATS. Files here are as memory is.
"""

from __future__ import annotations

import re
from typing import Literal

from washnb.errors import BackendError

U64_MAX = 2**64 - 1

_DECIMAL = re.compile(rb"\+?0*([0-9]{1,20})")


def counter_value(stored: bytes) -> int:
    """Read a counter as wash-runtime does in memory: 8 bytes, little endian, or decimal text; anything else is 0."""
    if len(stored) == 8:
        return int.from_bytes(stored, "little")
    decimal = _DECIMAL.fullmatch(stored)
    value = int(decimal[1]) if decimal else 0
    return value if value <= U64_MAX else 0


def big_counter_value(stored: bytes) -> int:
    """Read a counter as wash-runtime does on NATS: the first 8 bytes, big endian; fewer are 0."""
    return int.from_bytes(stored[:8], "big") if len(stored) >= 8 else 0


def counted(value: int, delta: int, *, signed: bool) -> int:
    """Add to a counter that was read as u64. Raises BackendError where the sum is no s64 and has to be one."""
    if not signed:
        return min(value + delta, U64_MAX)
    total = (value if value < 2**63 else value - 2**64) + delta
    if not -(2**63) <= total < 2**63:
        raise BackendError(f"counter overflow: {total} is no s64")
    return total


def counter_bytes(total: int, order: Literal["little", "big"]) -> bytes:
    """Write a counter; a negative one as its two's complement."""
    return (total % 2**64).to_bytes(8, order)
