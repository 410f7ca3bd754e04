"""Waiting for what happens in its own time: on a server, in another thread, on another turn of the loop."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any


async def eventually(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait until `condition`, a function that may be async, is true. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            held = condition()
            if await held if inspect.isawaitable(held) else held:
                return
            await asyncio.sleep(0.001)


def eventually_there(find: Callable[[], Any], seconds: float = 10.0) -> Any:
    """The same where no loop runs, or none of this thread; returns what is found."""
    end = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.005)
    return found
