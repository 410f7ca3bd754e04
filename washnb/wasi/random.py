"""wasi:random: secure random numbers of the operating system, insecure ones, and seeds for hash tables."""

from __future__ import annotations

import os
import random

from washnb.engine import Interface

BYTES_LIMIT = 1024 * 1024
"""The most random bytes of one call, which takes time in which no other guest runs."""


def _bounded(length: int) -> int:
    if length > BYTES_LIMIT:
        raise ValueError(f"the guest asked for {length} random bytes in one call; the limit is {BYTES_LIMIT}")
    return length


def _random_u64() -> int:
    return int.from_bytes(os.urandom(8), "little")


class Random(Interface, wit="wasi:random/random@0.2.12"):
    """wasi:random/random: secure random numbers of the operating system."""

    def get_random_bytes(self, length: int) -> bytes:
        """Return `length` secure random bytes. More than 1 MiB in one call ends the guest (ValueError)."""
        return os.urandom(_bounded(length))

    def get_random_u64(self) -> int:
        """Return a secure random number."""
        return _random_u64()


class Insecure(Interface, wit="wasi:random/insecure@0.2.12"):
    """wasi:random/insecure: numbers of Python's pseudo-random generator."""

    def __init__(self) -> None:
        self._generator = random.Random()  # noqa: S311 - insecure is what it is called

    def get_insecure_random_bytes(self, length: int) -> bytes:
        """Return `length` pseudo-random bytes. More than 1 MiB in one call ends the guest (ValueError)."""
        return self._generator.randbytes(_bounded(length))

    def get_insecure_random_u64(self) -> int:
        """Return a pseudo-random number."""
        return self._generator.getrandbits(64)


class InsecureSeed(Interface, wit="wasi:random/insecure-seed@0.2.12"):
    """wasi:random/insecure-seed: seeds for the guest's hash tables."""

    def insecure_seed(self) -> tuple[int, int]:
        """Return 128 random bits as two numbers; other ones at every call, so that instances differ."""
        return _random_u64(), _random_u64()
