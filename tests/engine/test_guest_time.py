"""The time of guests, which stands still while a call is held."""

from __future__ import annotations

import asyncio

import pytest

from washnb.engine import GuestTime


async def test_it_stands_still_in_the_block():
    """Until the last of several blocks is left; then it goes on from where it stood."""
    loop, clock = asyncio.get_running_loop(), GuestTime.here()
    with clock.standing_still():
        stood = clock.now()
        with clock.standing_still():
            await asyncio.sleep(0.01)
        assert clock.held == 1
        await asyncio.sleep(0.01)
        assert clock.now() == stood
        left = loop.time()
    assert 0 < clock.now() - stood <= loop.time() - left


async def test_each_loop_has_its_own():
    """What is held on one holds nobody up on another one."""
    clock = GuestTime.here()
    assert GuestTime.here() is clock
    assert await asyncio.to_thread(lambda: asyncio.run(other())) is not clock


async def other() -> GuestTime:
    """The time of another loop."""
    return GuestTime.here()


async def test_a_limit_ends_the_block():
    """After its seconds, as `asyncio.timeout` does, and not before; a block that is quicker ends well."""
    clock = GuestTime.here()
    async with clock.limit(0.5):
        await asyncio.sleep(0)
    begun = clock.now()
    with pytest.raises(TimeoutError):
        async with clock.limit(0.05):
            await asyncio.sleep(5)
    assert 0.05 <= clock.now() - begun < 5


async def test_nobodys_limit_passes_while_a_call_is_held():
    """What was set before and what is set meanwhile; it passes afterwards."""
    clock = GuestTime.here()

    async def waits() -> str:
        try:
            async with clock.limit(0.05):
                await asyncio.sleep(5)
        except TimeoutError:
            return "over"
        return "not over"

    before = asyncio.create_task(waits())
    await asyncio.sleep(0)
    with clock.standing_still():
        meanwhile = asyncio.create_task(waits())
        await asyncio.sleep(0.1)
        assert not before.done()
        assert not meanwhile.done()
    assert await asyncio.wait_for(asyncio.gather(before, meanwhile), 5) == ["over", "over"]
