"""Waiting for what happens in its own time: on a server, on another turn of the loop."""

from __future__ import annotations

import asyncio
import inspect
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
