"""Many requests of one kind: answers in order, and nothing goes on behind an error."""

from __future__ import annotations

import asyncio

import pytest

from washnb.errors import BackendError
from washnb.plugins.at_once import at_once


async def test_answers_come_in_the_order_of_what_was_asked():
    """Whichever is there first, and however many there are."""

    async def work(number: int) -> int:
        await asyncio.sleep(0.001 * (number % 3))
        return number

    assert await at_once(work, range(600)) == [*range(600)]
    assert await at_once(work, []) == []


async def test_so_many_wait_at_a_time():
    """And not as many as there are."""
    waiting, most = 0, 0

    async def work(_: int) -> None:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        await asyncio.sleep(0)
        waiting -= 1

    await at_once(work, range(600))
    assert most == 256


async def test_one_that_fails_ends_the_others():
    """Its error is raised as it was, with its cause, when nobody works any more."""
    cause, working = OSError("the disk"), set()

    async def work(number: int) -> None:
        working.add(number)
        try:
            if number == 7:
                raise BackendError("it failed") from cause
            await asyncio.sleep(5)
        finally:
            working.remove(number)

    with pytest.raises(BackendError, match="it failed") as raised:
        await at_once(work, range(20))
    assert raised.value.__cause__ is cause
    assert not working
