"""Work that is never left halfway: state would lie between what it was and what it is to be."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Await `work`, which is bounded in time, to its end: also for a caller that is cancelled meanwhile.

    That one hears of the cancellation, and of no failure of the work.
    """
    working = asyncio.create_task(work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        working.cancelled() or working.exception()  # nobody else asks for it, and asyncio would tell of that
        raise
