"""Calls that their observer holds before they are served."""

from __future__ import annotations

import asyncio

import pytest

from tests.engine.guests import DRIVEN
from tests.engine.hosting import bound
from washnb.engine import Err, Injection, Instance

from .test_intercepts import MAYBE, WAIT, Driven, always, seven_later, ten_more


class Holder:
    """Lets a call go on once `free` is set, and writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.free = asyncio.Event()

    async def hold(self, token: object) -> None:
        self.heard.append("held")
        await self.free.wait()

    def called(self, callee, arguments, injected):
        self.heard.append((callee.function.name, *arguments, injected))

    def returned(self, token, result):
        self.heard.append(result)

    def failed(self, token, error):
        self.heard.append(type(error))


class Noting(Driven):
    """Writes down when it is called."""

    def __init__(self, heard: list[object]) -> None:
        self.heard = heard

    def wait(self, n: int) -> int:
        self.heard.append("served")
        return super().wait(n)


@pytest.mark.parametrize("on_fiber", [True, False])
async def test_a_call_is_served_once_it_may_go_on(shared_engine, on_fiber):
    """Wherever it would run otherwise; its observer hears of it before, and of its end after that."""
    holder = Holder()
    bindings = await bound(shared_engine, DRIVEN, Noting(holder.heard), on_fiber=on_fiber)
    async with await Instance.new(bindings.component, bindings, observer=holder) as instance:
        call = asyncio.create_task(instance.call("wait", 3))
        await asyncio.sleep(0.01)
        assert holder.heard == [("wait", 3, ""), "held"]
        holder.free.set()
        assert await call == 4
        assert holder.heard[2:] == ["served", 4]
        assert await instance.call("maybe", 3) == 4


@pytest.mark.parametrize("on_fiber", [True, False])
async def test_what_is_injected_comes_after_it(shared_engine, on_fiber):
    """A call that a fault is about is held like any other."""
    holder = Holder()
    holder.free.set()
    bindings = await bound(shared_engine, DRIVEN, Driven(), on_fiber=on_fiber)
    bindings.intercept({WAIT: always(ten_more), MAYBE: lambda: Injection("late", seven_later)})
    async with await Instance.new(bindings.component, bindings, observer=holder) as instance:
        assert await instance.call("wait", 3) == 13
        with pytest.raises(Err):
            await instance.call("maybe", 3)
    assert holder.heard == [("wait", 3, "a mark"), "held", 13, ("maybe", 3, "late"), "held", Err]


@pytest.mark.parametrize("on_fiber", [True, False])
async def test_a_guest_can_be_cancelled_while_it_is_held(shared_engine, on_fiber):
    """At once; its observer hears that the call has failed, and the call is never served."""
    holder = Holder()
    bindings = await bound(shared_engine, DRIVEN, Noting(holder.heard), on_fiber=on_fiber)
    async with await Instance.new(bindings.component, bindings, observer=holder) as instance:
        call = asyncio.create_task(instance.call("wait", 3))
        await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert instance.ended is not None
    assert holder.heard == [("wait", 3, ""), "held", asyncio.CancelledError]
