"""Work that is not left halfway, because state would stay half changed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` and return its result. Where the caller is cancelled, `work` still runs to its end.

    The cancellation is raised after that, also where `work` has failed. `work` has to be bounded in time by itself.
    """
    working = asyncio.create_task(work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        working.cancelled() or working.exception()  # asyncio logs an exception that nobody has asked for
        raise
