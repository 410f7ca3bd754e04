"""Questions in the cell that waits for their answers: in a form, which goes when none waits, or at the prompt."""

from __future__ import annotations

from collections.abc import Callable

from .. import hosted
from ..thread import HostThread
from ..widgets import Door, show_for_now
from .questions import QuestionsView


class FormView(QuestionsView):
    """The form in the waiting cell. It remembers the questions it has shown, and at its end tells their answers."""

    in_cell = True

    def __init__(self, door: Door) -> None:
        """Begin with nothing shown."""
        super().__init__(door)
        self._shown: dict[int, hosted.Waiting] = {}
        self._leave: Callable[[str], None] | None = None

    async def read(self, deployments: hosted.Deployments) -> list[hosted.ShownQuestion]:
        """Read the questions that wait, and remember them."""
        self._shown |= {each.number: each for each in deployments.questions}
        return await super().read(deployments)

    def show(self) -> None:
        """Put the form into the current cell."""
        self._leave = show_for_now(self)

    def leave(self) -> None:
        """Take the form off the page, and put a line there for each question that was answered."""
        if self._leave is not None:
            self._leave("\n".join(hosted.answer_told(each) for each in self._shown.values() if each.response.done()))


class WaitingCell:
    """The cell in which the main thread waits for the host."""

    def __init__(self, door: Door, thread: HostThread) -> None:
        """Ask in the cell of the main thread that waits for the host of `thread`."""
        self._door = door
        self._thread = thread
        self._form: FormView | None = None

    def at_end(self, act: Callable[[], object]) -> bool:
        """Have the loop act once nothing waits there any longer; False where nothing does."""
        return self._thread.at_end(lambda: self._thread.tell(act))

    async def form(self) -> bool:
        """Put a form there, as soon as something waits, and say whether it can be there."""
        return await self._thread.prompt(self._put)

    async def prompt(self, ask: Callable[[], None]) -> None:
        """Ask at the prompt there, and in no form, once something waits. Raises KeyboardInterrupt where one came."""

        def instead() -> None:
            self._take()
            ask()

        await self._thread.prompt(instead)

    def _put(self) -> bool:
        """Show the form, until nothing waits. In the main thread."""
        if self._form is None and _somebody_is_there():
            self._thread.at_end(self._take)  # first, for who is interrupted
            self._form = FormView(self._door)
            self._form.show()
        return self._form is not None

    def _take(self) -> None:
        form, self._form = self._form, None
        if form is not None:
            form.leave()


def _somebody_is_there() -> bool:
    """Whether a front end has somebody at it: one that only runs cells takes no input, either."""
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    return kernel is not None and bool(kernel.get_parent().get("content", {}).get("allow_stdin"))
