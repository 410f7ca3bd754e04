"""wasi:random: secure bytes from the operating system, insecure ones from a generator, and a seed for hash tables."""

from __future__ import annotations

import os
import random

from washnb.engine import Interface

BYTES_LIMIT = 1024 * 1024
"""The most bytes of one call: each of them costs time in which no other guest runs."""


def _bounded(length: int) -> int:
    if length > BYTES_LIMIT:
        raise ValueError(f"the guest asked for {length} random bytes in one call; the limit is {BYTES_LIMIT}")
    return length


def _random_u64() -> int:
    return int.from_bytes(os.urandom(8), "little")


class Random(Interface, wit="wasi:random/random@0.2.12"):
    """wasi:random/random."""

    def get_random_bytes(self, length: int) -> bytes:
        """Return secure random bytes; more than 1 MiB at once ends the guest (ValueError)."""
        return os.urandom(_bounded(length))

    def get_random_u64(self) -> int:
        """Return a secure random number."""
        return _random_u64()


class Insecure(Interface, wit="wasi:random/insecure@0.2.12"):
    """wasi:random/insecure."""

    def __init__(self) -> None:
        self._generator = random.Random()  # noqa: S311 - insecure is what it is called

    def get_insecure_random_bytes(self, length: int) -> bytes:
        """Return pseudo-random bytes, under the same limit as the secure ones."""
        return self._generator.randbytes(_bounded(length))

    def get_insecure_random_u64(self) -> int:
        """Return a pseudo-random number."""
        return self._generator.getrandbits(64)


class InsecureSeed(Interface, wit="wasi:random/insecure-seed@0.2.12"):
    """wasi:random/insecure-seed."""

    def insecure_seed(self) -> tuple[int, int]:
        """Return 128 bits for a guest's hash tables; fresh ones at every call, so that instances differ."""
        return _random_u64(), _random_u64()
