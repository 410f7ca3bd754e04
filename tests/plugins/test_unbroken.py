"""Work that is never left halfway."""

from __future__ import annotations

import asyncio

import pytest

from washnb.errors import BackendError
from washnb.plugins import to_its_end


async def test_what_it_returns_and_raises_comes_through():
    """It is as if the work had been awaited."""

    async def work(number: int) -> int:
        if number == 0:
            raise BackendError("none")
        return number

    assert await to_its_end(work(1)) == 1
    with pytest.raises(BackendError, match="none"):
        await to_its_end(work(0))


@pytest.mark.parametrize("fails", [False, True])
async def test_a_caller_that_is_cancelled_waits_for_it(fails):
    """It hears of the cancellation when the work is done, and asyncio tells of no failure that nobody has asked for."""
    told, done = [], []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    go = asyncio.Event()

    async def work() -> None:
        await go.wait()
        done.append(True)
        if fails:
            raise BackendError("too late")

    caller = asyncio.create_task(to_its_end(work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert done
    del caller
    await asyncio.sleep(0)
    assert not told
