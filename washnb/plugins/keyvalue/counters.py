"""The bytes of counters in wasi:keyvalue: how they are read and written, and how far they count.

Like wash-runtime, washnb keeps a counter as eight bytes, little endian in memory and big endian on NATS; in files, of
which wash-runtime has another form, it keeps them as in memory.
"""

from __future__ import annotations

import re
from typing import Literal

from washnb.errors import BackendError

U64_MAX = 2**64 - 1

_DECIMAL = re.compile(rb"\+?0*([0-9]{1,20})")


def counter_value(stored: bytes) -> int:
    """Read a counter in memory or in a file: 8 bytes, little endian, or decimal text; as in wash-runtime, else 0."""
    if len(stored) == 8:
        return int.from_bytes(stored, "little")
    decimal = _DECIMAL.fullmatch(stored)
    value = int(decimal[1]) if decimal else 0
    return value if value <= U64_MAX else 0


def big_counter_value(stored: bytes) -> int:
    """Read a counter on NATS: the first 8 bytes, big endian; as in wash-runtime, fewer bytes are 0."""
    return int.from_bytes(stored[:8], "big") if len(stored) >= 8 else 0


def counted(value: int, delta: int, *, signed: bool) -> int:
    """Return `value`, a counter that was read as u64, plus `delta`.

    Unsigned, the sum stops at 2**64 - 1. With `signed` the counter's eight bytes are taken as an s64, and BackendError
    is raised where the sum is none.
    """
    if not signed:
        return min(value + delta, U64_MAX)
    total = (value if value < 2**63 else value - 2**64) + delta
    if not -(2**63) <= total < 2**63:
        raise BackendError(f"counter overflow: {total} is no s64")
    return total


def counter_bytes(total: int, order: Literal["little", "big"]) -> bytes:
    """Return the eight bytes of a counter, of a negative one its two's complement."""
    return (total % 2**64).to_bytes(8, order)
