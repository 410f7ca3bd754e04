"""The view `questions`: calls of guests that wait for the person to answer them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from washnb.events import CallWaiting, Event

from .. import hosted
from ..text import Table
from ..widgets import Answer, Wish, show
from .base import View

_TITLE = "questions"
_EMPTY = "no call waits for an answer"


class QuestionsView(View):
    """The calls of guests that wait for your answer, live: `wash.questions.answer("6")` answers the first of them.

    `.data` is the list of these calls, the one that has waited longest first.
    """

    widget = "questions"
    in_cell = False
    """Whether it is the form in the cell that waits, which goes with what waits there."""

    def answer(self, text: str, number: int | None = None) -> None:
        """Answer the call `number`, or the one that has waited longest, as the form on the page does.

        `text` is a Python expression of the result's type, `pass`, `deny`, or `error CASE`. Raises WashError where it
        is no answer.
        """
        __tracebackhide__ = True
        self.door.on_host(lambda deployments: deployments.questions.give(text, number))

    def put_on_page(self) -> None:
        """Show the form in the current cell of a notebook. A terminal asks at its prompt."""
        from IPython import get_ipython

        if hasattr(get_ipython(), "kernel"):
            show(self)

    def __iter__(self) -> Iterator[hosted.ShownQuestion]:
        """The calls that wait, the one that has waited longest first."""
        return iter(self.data)

    def __len__(self) -> int:
        """The number of calls that wait."""
        return len(self.data)

    async def read(self, deployments: hosted.Deployments) -> list[hosted.ShownQuestion]:
        """Read the calls that wait."""
        return [hosted.shown_question(each) for each in deployments.questions]

    def still(self, look: Sequence[hosted.ShownQuestion]) -> Table:
        """Show a row for each call that waits."""
        rows = [(each.workload, each.interface, each.call, each.wit) for each in look]
        return Table(("workload", "interface", "call", "function"), rows, empty=_EMPTY, title=_TITLE)

    def picture(self, look: Sequence[hosted.ShownQuestion]) -> dict[str, Any]:
        """Show each call to the widget, with what its form needs."""
        questions = [
            {
                "number": each.number,
                "workload": each.workload,
                "interface": each.interface,
                "name": each.call.partition("(")[0],
                "call": each.call,
                "arguments": [list(pair) for pair in each.arguments],
                "wit": each.wit,
                "type": each.type,
                "examples": list(each.examples),
                "raises": bool(each.errors),
                "form": each.form,
                "error": each.error_form,
                "others": each.others,
                "elsewhere": self._elsewhere(each),
            }
            for each in look
        ]
        return {"title": _TITLE, "place": "", "questions": questions, "empty": _EMPTY, "in_cell": self.in_cell}

    def _elsewhere(self, question: hosted.ShownQuestion) -> str:
        """The place where a call is asked, if that is not this view; else empty."""
        if question.at_prompt:
            return "asked at the prompt of the cell that waits"
        return "asked in the cell that waits" if question.in_cell and not self.in_cell else ""

    def concerns(self, event: Event) -> bool:
        """Whether `event` tells of a call that waits, or that waits no longer."""
        return isinstance(event, CallWaiting)

    async def came(self, deployments: hosted.Deployments) -> None:
        """Note that a page shows questions, and hears."""
        deployments.questions.came()

    async def grant(self, deployments: hosted.Deployments, wish: Wish, value: bytes) -> Answer:
        """Note that a page shows a question, or answer it."""
        number = int(wish["key"])
        if wish["do"] == "seen":
            deployments.questions.saw(number)
        else:
            await deployments.questions.give(value.decode(), number)
        return Answer()
