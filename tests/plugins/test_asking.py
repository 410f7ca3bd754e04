"""Calls that somebody answers: by hand, with an error, with a denial, or by passing them on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.engine.guests import THINGS
from tests.plugins.guests import bound_guest, instance_of
from washnb.engine import case_class
from washnb.errors import AccessDenied, GuestError, GuestTimeout, MismatchError
from washnb.events import CallWaiting
from washnb.plugins import Ask, Asking, Err, HostPlugin, InMemoryKeyValue, Question, Unserved


async def guest_of(engine, source: str, plugin: HostPlugin, answerer: Any):
    """A guest whose calls `answerer` answers in the place of `plugin`."""
    asking = Asking(plugin, Ask(answerer))
    return await instance_of(await bound_guest(engine, source, asking)), asking


async def test_an_answer_is_what_the_guest_gets(engine):
    """Of an interface that nobody serves; whoever answers sees who calls what, and the classes for the answer."""
    asked = []

    def answer(question: Question) -> object:
        asked.append(question)
        return 6

    guest, asking = await guest_of(engine, "dice", Unserved("workshop:dice/roll"), answer)
    told: list[Any] = []
    asking.events.subscribe(told.append)
    async with guest:
        assert await guest.call("play", 6) == 6
    (question,) = asked
    assert (question.workload, question.interface) == ("counter", "workshop:dice/roll@0.1.0")
    assert question.surface.wit(question.function) == "roll: func(sides: u32) -> u32"
    assert question.named_arguments == [("sides", 6)]
    assert [event.waits for event in told if isinstance(event, CallWaiting)] == [True, False]
    assert (asking.id, asking.location, asking.backend_kind) == ("workshop:dice/roll", "ask", "ask")
    with pytest.raises(MismatchError, match="nobody else"):
        await question.pass_on()


async def test_a_call_can_be_passed_on(engine):
    """The real plugin answers, its errors and resources included; others are answered by hand meanwhile."""

    async def answer(question: Question) -> object:
        return b"by hand" if question.function.name == "[method]bucket.get" else await question.pass_on()

    guest, _ = await guest_of(engine, "keyvalue", InMemoryKeyValue(), answer)
    async with guest:
        await guest.call("set", "b", "k", b"v")
        assert await guest.call("get", "b", "k") == b"by hand"
        assert await guest.call("exists", "b", "k") is True


async def test_an_error_and_a_denial_are_those_of_the_interface(engine):
    """`access-denied` where there is one; the guest goes on."""
    answers: list[Any] = []

    def answer(_: Question) -> object:
        raise answers.pop(0)

    guest, _ = await guest_of(engine, "keyvalue", InMemoryKeyValue(), answer)
    component = guest.component
    error = component.imports["wasi:keyvalue/store@0.2.0-draft"].functions["open"].result.err
    async with guest:
        for raised, name in (
            (Err(case_class(error, "no-such-store")()), "Error_NoSuchStore"),
            (AccessDenied("no"), "Error_AccessDenied"),
        ):
            answers.append(raised)
            with pytest.raises(Err) as caught:
                await guest.call("open", "b")
            assert type(caught.value.value).__name__ == name


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("six", "the answer is u32, not 'six'"),
        (None, "the answer is u32"),
        (Err("other"), "has no error in WIT"),
        (AccessDenied("you shall not roll"), "you shall not roll"),
        (ZeroDivisionError("oh"), "ZeroDivisionError: oh"),
    ],
)
async def test_what_is_no_answer_ends_the_guest(engine, answer, said):
    """A value of another type, an error where there is none, a denial that the interface cannot say, an exception."""

    def give(_: Question) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    guest, _ = await guest_of(engine, "dice", Unserved("workshop:dice/roll"), give)
    async with guest:
        with pytest.raises(GuestError) as caught:
            await guest.call("play", 6)
    assert said in f"{caught.value} {caught.value.__cause__}"


async def test_a_resource_is_an_object_whose_methods_ask_too(engine):
    """The constructor's answer is made of the classes of the question; methods and statics come with it."""
    asked = []

    def answer(question: Question) -> object:
        asked.append(question.function.name)
        if question.function.name == "[constructor]thing":
            with pytest.raises(MismatchError, match="the answer is thing, not 5"):
                question.check(5)
            return question.surface.names["Thing"]()
        return 20

    guest, _ = await guest_of(engine, THINGS.encode(), Unserved("test:drive/host"), answer)
    async with guest:
        assert await guest.call("use") == 40
    assert asked == ["[constructor]thing", "[method]thing.number", "[static]thing.count"]


async def test_several_calls_wait_and_a_deadline_is_the_guests_own(engine):
    """Whoever answers is told by a cancellation that the guest waits no longer."""
    waiting: list[asyncio.Future[int]] = []
    left = []

    async def answer(_: Question) -> object:
        waiting.append(asyncio.get_running_loop().create_future())
        try:
            return await waiting[-1]
        except asyncio.CancelledError:
            left.append(True)
            raise

    item = await bound_guest(engine, "dice", Asking(Unserved("workshop:dice/roll"), Ask(answer)))
    async with await instance_of(item) as one, await instance_of(item) as two:
        first = asyncio.ensure_future(one.call("play", 6, timeout=5))
        second = asyncio.ensure_future(two.call("play", 6, timeout=0.2))
        with pytest.raises(GuestTimeout):
            await second
        next(each for each in waiting if not each.done()).set_result(4)  # whichever call came first
        assert await first == 4
    assert left == [True]
