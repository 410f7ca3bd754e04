"""Locks by name: of buckets, and of keys."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from weakref import WeakValueDictionary


class Locks:
    """An asyncio.Lock for each name, which exists for as long as anybody holds it or waits for it."""

    def __init__(self) -> None:
        """Begin without locks."""
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    def __getitem__(self, name: Hashable) -> asyncio.Lock:
        """Return the lock of `name`, a new one where none is in use."""
        return self._locks.setdefault(name, asyncio.Lock())
