"""How calls are counted, bounded in time, and ended."""

from __future__ import annotations

import asyncio

import pytest

from washnb.errors import GuestTimeout, WorkloadBusy, WorkloadFailed
from washnb.host.admission import Admission

STOPPED = WorkloadFailed("workload 'w' was stopped")


async def forever(admission: Admission, seconds: float | None = None) -> None:
    """A call that waits."""
    async with admission.admit(seconds):
        await asyncio.sleep(60)


async def test_calls_are_counted():
    """A call counts from its beginning to its end, whatever the end."""
    admission = Admission("w")
    async with admission.admit(None):
        assert len(admission) == 1
    with pytest.raises(ZeroDivisionError):
        async with admission.admit(1.0):
            _ = 1 / 0
    assert len(admission) == 0


async def test_one_too_many_is_refused():
    """The limit holds, and a place that is left can be taken."""
    admission = Admission("w", limit=1)
    async with admission.admit(None):
        with pytest.raises(WorkloadBusy, match="'w' has 1 calls in flight"):
            admission.admit(None)
    async with admission.admit(None):
        pass


async def test_time_runs_out():
    """A call that takes longer than it may raises GuestTimeout, naming workload and time."""
    with pytest.raises(GuestTimeout, match=r"workload 'w' did not finish a call within 0\.05 s"):
        await forever(Admission("w"), 0.05)


async def test_time_can_be_extended_unless_it_is_fixed():
    """A call that has begun to answer gets more time; a caller's own time stays."""
    admission = Admission("w")
    async with admission.admit(0.05) as scope:
        scope.extend(5)
        await asyncio.sleep(0.1)
    with pytest.raises(GuestTimeout):  # noqa: PT012
        async with admission.admit(0.05, fixed=True) as scope:
            scope.extend(5)
            await asyncio.sleep(5)


async def test_an_end_gives_its_reason():
    """A call that is ended from outside raises why."""
    admission = Admission("w")
    with pytest.raises(WorkloadFailed) as caught:  # noqa: PT012
        async with admission.admit(None) as scope:
            scope.end(STOPPED)
            scope.end(WorkloadFailed("too late"))
            scope.extend(60)
            await asyncio.sleep(5)
    assert caught.value is STOPPED


async def test_cancellation_passes_through():
    """A caller's own cancellation is no timeout."""
    task = asyncio.create_task(forever(Admission("w"), 10))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_close_ends_what_is_in_flight():
    """After its grace every call is ended, and nobody gets in any more."""
    admission = Admission("w")
    tasks = [asyncio.create_task(forever(admission)) for _ in range(3)]
    await asyncio.sleep(0)
    await admission.close(STOPPED, grace=0, limit=1)
    assert len(admission) == 0
    assert all(isinstance(task.exception(), WorkloadFailed) for task in tasks)
    with pytest.raises(WorkloadFailed):
        admission.admit(None)


async def test_close_has_patience_for_its_grace():
    """A call that ends by itself in time ends well."""
    admission = Admission("w")

    async def brief() -> str:
        async with admission.admit(None):
            await asyncio.sleep(0.05)
            return "done"

    task = asyncio.create_task(brief())
    await asyncio.sleep(0)
    await admission.close(STOPPED, grace=2, limit=1)
    assert await task == "done"


async def test_close_does_not_wait_for_the_stubborn():
    """A call that does not unwind is left behind after the limit."""
    admission = Admission("w")
    release = asyncio.Event()

    async def stubborn() -> None:
        async with admission.admit(None):
            try:
                await asyncio.sleep(60)
            finally:
                await release.wait()

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        await admission.close(STOPPED, grace=0, limit=0.05)
    release.set()
    with pytest.raises(WorkloadFailed):
        await task


async def test_a_call_may_wait_for_its_turn():
    """Where the places are taken it waits for one, no longer than it says; then it is refused as any other."""
    admission = Admission("w", limit=1)

    async def brief() -> None:
        async with await admission.admit_in_turn(None, wait=5):
            assert len(admission) == 1
            await asyncio.sleep(0.01)

    await asyncio.gather(*(brief() for _ in range(10)))
    async with admission.admit(None):
        begun = asyncio.get_running_loop().time()
        with pytest.raises(WorkloadBusy, match="takes no more"):
            await admission.admit_in_turn(None, wait=0.05)
        assert 0.05 <= asyncio.get_running_loop().time() - begun < 1
        with pytest.raises(WorkloadBusy, match="takes no more"):
            await admission.admit_in_turn(None, wait=0)


async def test_who_waits_hears_of_the_end():
    """A workload that stops does not keep those waiting who wanted to call it, nor does one of them the others."""
    admission = Admission("w", limit=1)
    holding = asyncio.create_task(forever(admission))
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(admission.admit_in_turn(None, wait=60)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await admission.close(STOPPED, grace=0, limit=1)
    ends = await asyncio.gather(*waiting, holding, return_exceptions=True)
    assert isinstance(ends[0], asyncio.CancelledError)
    assert ends[1:] == [STOPPED] * 3


async def test_no_time_passes_while_a_guest_is_held():
    """Neither for a call, nor for those that wait for its place; afterwards each has what it had left."""
    admission = Admission("w", limit=1)
    async with admission.admit(0.1) as scope:
        waiting = asyncio.create_task(admission.admit_in_turn(None, wait=0.1))
        await asyncio.sleep(0)
        with scope.holding():
            await asyncio.sleep(0.15)
        assert not waiting.done()
    await waiting
    with pytest.raises(GuestTimeout):
        await forever(admission, 0.02)
