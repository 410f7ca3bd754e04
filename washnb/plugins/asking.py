"""Calls that somebody answers by hand: the guest waits on its fiber, for as long as its own deadline leaves it.

Who answers is an `Answerer`: a person at a notebook, or a function in a test. Nothing here knows of either.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, Protocol

from washnb.engine import Err, Function, Serve, Surface, denial, find_mismatch, mismatch_error, shapes
from washnb.errors import AccessDenied, GuestError, MismatchError
from washnb.events import CallWaiting
from washnb.wit import WitInterface, WitWorld

from .base import HostPlugin, WorkloadItem
from .wrapper import Wrapper, unwrapped


@dataclass(frozen=True, eq=False)
class Question:
    """A call of a guest: who calls which function with which arguments, and the types that the answer is made of.

    `others` answers where it is passed on, None where nobody does.
    """

    workload: str
    component: str
    surface: Surface
    function: Function
    arguments: tuple[Any, ...]
    others: Serve | None

    @property
    def interface(self) -> str:
        """The import, with its version."""
        return self.surface.interface.name

    @property
    def label(self) -> str:
        """Interface and function, for messages."""
        return f"{self.interface}#{self.function.name}"

    @property
    def named_arguments(self) -> list[tuple[str, Any]]:
        """The arguments with their names in WIT."""
        return [(name, value) for (name, _), value in zip(self.function.params, self.arguments, strict=False)]

    @property
    def result(self) -> shapes.Shape | None:
        """The type of an answer that is no error."""
        result = self.function.result
        return result.ok if isinstance(result, shapes.Result) else result

    @property
    def error(self) -> shapes.Shape | None:
        """The type of the payload of an error; None where there is no error, or none with a payload."""
        result = self.function.result
        return result.err if isinstance(result, shapes.Result) else None

    async def pass_on(self) -> Any:
        """Let the plugin answer that would without anybody being asked. Raises Err where its answer is one."""
        if self.others is None:
            raise MismatchError(f"{self.label}: nobody else is there who could answer")
        value = self.others(*self.arguments)
        return await value if hasattr(value, "__await__") else value

    def check(self, value: object) -> None:
        """Raise MismatchError where a value is no answer."""
        shape = self.result
        if find_mismatch(shape, value, "the answer") is not None:
            raise mismatch_error(self.label, "the answer", shape, value, signature=self.function, classes=self.surface)

    def check_error(self, value: object) -> None:
        """Raise MismatchError where a value is not the error of the function's WIT result."""
        if not isinstance(self.function.result, shapes.Result):
            raise MismatchError(f"{self.label} has no error in WIT", repair=str(self.function))
        what = self.label, "the error", self.error, value
        if find_mismatch(self.error, value, "the error") is not None:
            raise mismatch_error(*what, signature=self.function, classes=self.surface)


class Answerer(Protocol):
    """Answers calls of guests, several at a time where several wait."""

    async def answer(self, question: Question) -> object:
        """Return the result, or raise: Err for the function's error, AccessDenied to deny, and what ends the guest.

        Cancelled where the guest waits no longer.
        """


@dataclass(frozen=True)
class Ask:
    """The backend that is somebody: `wash.attach(keyvalue=Ask(answerer))`. A function of a `Question` is one, too."""

    answerer: Answerer | Callable[[Question], object | Awaitable[object]]

    async def answer(self, question: Question) -> object:
        """Answer as the answerer does."""
        answer: Any = getattr(self.answerer, "answer", self.answerer)
        value = answer(question)
        return await value if hasattr(value, "__await__") else value


class Asking(Wrapper):
    """Has each call of a plugin answered by somebody, who can pass it on to the plugin."""

    def __init__(self, plugin: HostPlugin, answerer: Answerer) -> None:
        """Ask `answerer` in the place of `plugin`, whose life goes on."""
        super().__init__(plugin)
        self.answerer = answerer
        self.location = self.backend_kind = "ask"

    async def start(self) -> None:
        """Start the plugin that calls can be passed on to."""
        await super().start()
        self.location = "ask"

    def _around(self, item: WorkloadItem, interface: str, function: Function, serve: Serve) -> Serve:
        who = item.workload_name, item.component
        what = item.surfaces[interface], function
        others = None if isinstance(unwrapped(self), Unserved) else serve
        return lambda *arguments: self._ask(Question(*who, *what, arguments, others))

    async def _ask(self, question: Question) -> object:
        function = question.function
        self.events.publish(CallWaiting(question.workload, question.interface, function.name, waits=True))
        try:
            value = await self.answerer.answer(question)
        except Err as error:
            question.check_error(error.value)
            raise
        except AccessDenied as error:
            told = denial(function, error.message)
            if told is None:
                raise GuestError(f"{question.label}: {error.message}", interface=question.interface) from error
            raise Err(told) from error
        finally:
            self.events.publish(CallWaiting(question.workload, question.interface, function.name, waits=False))
        question.check(value)
        return value


class Unserved(HostPlugin, abstract=True):
    """Stands where nobody serves an interface, so that somebody can be asked: its functions are those of the guest."""

    def __init__(self, wit: str) -> None:
        """Take the place of who would serve `wit`; without a version in it, of any."""
        self._wit = WitInterface.parse(wit)
        self.id = wit.partition("@")[0]

    def world(self) -> WitWorld:
        """Serve that interface."""
        return WitWorld((self._wit,))

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:  # noqa: ARG002
        """Link what the component imports, as it imports it."""
        for surface in item.surfaces.values():
            item.link(surface.served())
