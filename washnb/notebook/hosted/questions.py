"""Calls of guests that wait for the person at the notebook: they queue, and are answered on a page or at a prompt."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from washnb.engine import Err, names, shapes
from washnb.errors import AccessDenied, ConfigError, WashError
from washnb.events import CallWaiting, Event
from washnb.host import wit_error
from washnb.plugins import Question
from washnb.secrecy import HIDDEN, is_secret

from ..arguments import evaluate
from ..explaining import explained
from ..text import one_line, plain
from .forms import Form, form_of

_SEEN = 2.0
"""Seconds in which a page says that it shows the form in the cell that waits; after that the prompt asks."""

_SHOWN = 400  # characters of an argument
_TOLD = 240  # characters of a call and its answer
_TOO_LATE = "too late: the guest waits no longer"
_ERROR, _RAISE = "error ", "raise "
_HELP = {"?", "help"}  # as an expression, the latter is Python's own, and so a resource of any type

Respond = Callable[[], Awaitable[object]]
"""A coroutine function that answers a call: it returns the result, or raises the error."""


class Cell(Protocol):
    """The cell in which the main thread runs a verb that waits for the host."""

    def at_end(self, act: Callable[[], object]) -> bool:
        """Have the loop act once nothing waits there any longer; False where nothing does."""

    async def form(self) -> bool:
        """Put a form there, as soon as something waits, and say whether it can be there."""

    async def prompt(self, ask: Callable[[], None]) -> None:
        """Ask at the prompt there, and in no form, once something waits. Raises KeyboardInterrupt where one came."""


@dataclass(eq=False)
class Waiting:
    """A call that waits for an answer: its number in the session, where it is asked, and its answer.

    `in_cell` says that its form is in the cell that waits, `at_prompt` that the prompt there asks; `answer` is what the
    person said.
    """

    number: int
    question: Question
    response: asyncio.Future[Respond] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    seen: asyncio.Event = field(default_factory=asyncio.Event)
    unseen: asyncio.Event = field(default_factory=asyncio.Event)
    in_cell: bool = False
    at_prompt: bool = False
    answer: str | None = None

    def respond(self, respond: Respond, answer: str) -> None:
        """Answer the call, unless it was answered already, or the guest no longer waits."""
        if not self.response.done():
            self.answer = answer
            self.response.set_result(respond)


class Questions:
    """The calls that wait for answers, oldest first; the `Answerer` of a notebook. On the host's loop.

    A call is asked in the cell whose verb waits for it: in a form, or at the prompt where no page says that it shows
    the form. Views in other cells have the form as well.
    """

    def __init__(self, publish: Callable[[Event], object]) -> None:
        """Begin without questions; `publish` publishes the events by which views follow them."""
        self._waiting: dict[int, Waiting] = {}
        self._numbers = itertools.count(1)
        self._publish = publish
        self._heard = True  # where it is not known, a form is tried
        self.cell: Cell | None = None
        """Where the person waits; None where there is nobody."""

    def __iter__(self) -> Any:
        """The calls that wait, the one that has waited longest first."""
        return iter(tuple(self._waiting.values()))

    async def answer(self, question: Question) -> object:
        """Wait until the person has answered the call, and return or raise the answer."""
        waiting = Waiting(next(self._numbers), question)
        waiting.in_cell = self.cell is not None and self._heard and self.cell.at_end(self._cell_ended)
        self._waiting[waiting.number] = waiting
        asking = asyncio.ensure_future(self._ask(waiting))
        try:
            respond = await waiting.response
        finally:
            asking.cancel()
            del self._waiting[waiting.number]
        return await respond()

    def find(self, number: int | None = None) -> Waiting:
        """The call of a number, or the one that has waited longest. Raises ConfigError where none waits."""
        found = self._waiting.get(number) if number is not None else next(iter(self), None)
        if found is None:
            raise ConfigError("this call waits no longer" if number is not None else "no call waits for an answer")
        return found

    def saw(self, number: int) -> None:
        """Note that a page shows a question, and so is heard during the cell: no prompt needs to ask."""
        if (waiting := self._waiting.get(number)) is not None:  # too late, it was not heard while the cell ran
            self._heard = True
            waiting.unseen.clear()
            waiting.seen.set()

    def came(self) -> None:
        """Note that a page is there. If a call waits, the page was only slow, and the next call gets a form again."""
        self._heard = self._heard or bool(self._waiting)

    async def give(self, text: str, number: int | None = None) -> Waiting:
        """Answer a call with the text that the person wrote. Raises WashError where it is no answer."""
        waiting = self.find(number)
        waiting.respond(await asyncio.to_thread(reading, waiting.question, text), text)
        return waiting

    async def _ask(self, waiting: Waiting) -> None:
        """Ask in the waiting cell, at its prompt where no page shows the question, until there is an answer."""
        while (cell := self.cell) is not None:
            with contextlib.suppress(KeyboardInterrupt):  # the verb that waited was interrupted, not this call
                if self._heard and not waiting.seen.is_set():
                    self._place(waiting, in_cell=await cell.form())
                if waiting.in_cell:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(waiting.seen.wait(), _SEEN)
                    self._heard = any(each.seen.is_set() for each in self if each.in_cell)
                if not waiting.seen.is_set() and not (waiting.in_cell and self._heard):
                    self._place(waiting, in_cell=False)
                    await cell.prompt(functools.partial(self._ask_at_prompt, waiting, asyncio.get_running_loop()))
            if waiting.seen.is_set():
                await waiting.unseen.wait()

    def _place(self, waiting: Waiting, *, in_cell: bool = False, at_prompt: bool = False) -> None:
        """Set where a question is asked, and tell the views."""
        if (waiting.in_cell, waiting.at_prompt) != (in_cell, at_prompt):
            waiting.in_cell, waiting.at_prompt = in_cell, at_prompt
            question = waiting.question
            self._publish(CallWaiting(question.workload, question.interface, question.function.name, waits=True))

    def _cell_ended(self) -> None:
        """Ask elsewhere the questions that were asked in a cell which no longer waits."""
        for waiting in self:
            if waiting.in_cell:
                waiting.seen.clear()
                waiting.unseen.set()
                self._place(waiting)

    def _ask_at_prompt(self, waiting: Waiting, loop: asyncio.AbstractEventLoop) -> None:
        """Ask with `input()` until there is an answer. In the main thread."""
        if waiting.response.done() or waiting.seen.is_set():
            return
        loop.call_soon_threadsafe(functools.partial(self._place, waiting, at_prompt=True))
        try:
            text, respond = _asked_at_prompt(waiting)
        finally:
            loop.call_soon_threadsafe(self._place, waiting)
        if waiting.response.done():
            print(_TOO_LATE)  # noqa: T201
        loop.call_soon_threadsafe(waiting.respond, respond, text)


def _asked_at_prompt(waiting: Waiting) -> tuple[str, Respond]:
    """Ask with `input()` until the guest waits no longer, or what is typed is an answer, and return that."""
    question = waiting.question
    print(*described(question), sep="\n")  # noqa: T201
    while True:
        try:
            text = input("answer: ")
            if text.strip() in _HELP:
                print(*described(question), sep="\n")  # noqa: T201
                continue
            return text, reading(question, text)
        except WashError as error:
            if waiting.response.done():
                return text, question.pass_on
            print(*(line.text for line in explained(error)), sep="\n")  # noqa: T201
        except (EOFError, OSError, RuntimeError) as error:  # the last is a front end's without a prompt
            nobody = ConfigError(
                f"{question.label} was to be answered by hand, and nobody can be asked here: {error}",
                repair="%wash attach NAME=memory  # or another backend, or an answerer: Ask(function)",
            )
            return "", _failing(nobody)


@dataclass(frozen=True)
class ShownQuestion:
    """A call that waits: who calls what with which arguments, and what an answer may be.

    `wit` is the function, `type` the annotation of an answer, `examples` are such answers; `errors` are those of the
    function, and `others` says whether somebody else could answer. `in_cell` says that the form is in the cell that
    waits, `at_prompt` that the prompt there asks. `form` asks for an answer, and `error_form` for the payload of an
    error, where there are such.
    """

    number: int
    workload: str
    interface: str
    function: str
    arguments: tuple[tuple[str, str], ...]
    wit: str
    type: str
    examples: tuple[str, ...]
    errors: tuple[str, ...]
    others: bool
    in_cell: bool
    at_prompt: bool
    form: Form | None = field(default=None, repr=False)
    error_form: Form | None = field(default=None, repr=False)

    @property
    def call(self) -> str:
        """The call as people read it: `container.write-data(self=<container>, name='a')`."""
        return _call(self.function, self.arguments)


def _call(function: str, arguments: Iterable[tuple[str, str]]) -> str:
    return f"{names.without_kind(function)}({', '.join(f'{name}={value}' for name, value in arguments)})"


def shown_question(waiting: Waiting) -> ShownQuestion:
    """What a person sees of a call that waits."""
    question = waiting.question
    return ShownQuestion(
        waiting.number,
        question.workload,
        question.interface,
        question.function.name,
        tuple(shown_arguments(question)),
        question.surface.wit(question.function),
        question.surface.annotation(question.result),
        tuple(examples(question)),
        tuple(errors(question)),
        question.others is not None,
        waiting.in_cell,
        waiting.at_prompt,
        _form(question, question.result),
        _form(question, question.error),
    )


def _form(question: Question, shape: shapes.Shape | None) -> Form | None:
    return None if shape is None else form_of(shape, question.surface)


def answer_told(waiting: Waiting) -> str:
    """Say in a line how a call was answered, if it was."""
    question, answer = waiting.question, waiting.answer
    call = f"{question.workload} called {_call(question.function.name, shown_arguments(question))}"
    word, _, error = (answer or "").strip().partition(" ")
    told = {"pass": "passed on", "deny": "denied", "error": f"raised {error}", "raise": f"raised {error}"}
    if answer is None:
        return f"{call}: not answered"
    return one_line(f"{call}: {told.get(word) or (HIDDEN if about_secret(question) else answer or 'answered')}", _TOLD)


def described(question: Question) -> list[str]:
    """A question in lines: the call, the function in WIT, and what can be answered."""
    call = _call(question.function.name, shown_arguments(question))
    types = f"{question.surface.annotation(question.result)}, such as {' or '.join(examples(question)[:3])}"
    words = [*(["pass"] if question.others else []), "deny", *(f"error {each}" for each in errors(question)[:4])]
    return [
        f"{question.workload} calls {question.interface}: {call}",
        f"  {question.surface.wit(question.function)}",
        f"  answer with {types}; or {', '.join(words)}",
    ]


def shown_arguments(question: Question) -> list[tuple[str, str]]:
    """The arguments with their names, as people read them."""
    shapes_of = dict(question.function.params)
    keyed = about_secret(question)
    return [(name, _shown(name, shapes_of[name], value, keyed)) for name, value in question.named_arguments]


def _shown(name: str, shape: shapes.Shape, value: object, keyed: bool) -> str:
    if isinstance(shape, shapes.Own | shapes.Borrow):
        return f"<{shape.resource.name}>"
    secret = is_secret(name) or (keyed and not isinstance(value, str))
    return HIDDEN if secret else plain(one_line(repr(value), _SHOWN))


def about_secret(question: Question) -> bool:
    """Whether one of the arguments is the key of a secret, whose value is kept out of what is shown, as in traces."""
    return any(isinstance(value, str) and is_secret(value) for value in question.arguments)


def examples(question: Question) -> list[str]:
    """Expressions that are answers of the right type."""
    return question.surface.examples(question.result)


def errors(question: Question) -> list[str]:
    """The errors that the function has, as they are written behind `error`."""
    result, shape = question.function.result, question.error
    if isinstance(shape, shapes.Variant):
        return [name if of is None else f"{name}({question.surface.examples(of)[0]})" for name, of in shape.cases]
    if isinstance(shape, shapes.Enum):
        return list(shape.names)
    if isinstance(result, shapes.Result):
        return question.surface.examples(shape)[:1] if shape is not None else [""]
    return []


def reading(question: Question, text: str) -> Respond:
    """Read an answer: `pass`, `deny`, `error CASE`, or a Python expression of the result's type. Raises WashError.

    `raise` before an expression of the error's type is the same as `error` before the name of its case.
    """
    text = text.strip()
    if text == "pass":
        if question.others is None:
            raise ConfigError(f"nobody else is there who could answer {question.label}")
        return question.pass_on
    if text == "deny":
        return _failing(AccessDenied(f"{question.workload} was denied this call by hand"))
    if text == "error" or text.startswith(_ERROR):
        return _failing(Err(_error(question, text.removeprefix("error").strip())))
    if text == "raise" or text.startswith(_RAISE):
        error = _evaluated(question, text.removeprefix("raise").strip())
        question.check_error(error)
        return _failing(Err(error))
    if not text and question.result is not None:
        raise ConfigError("an answer is a Python expression", repair=f"such as {examples(question)[0]}")
    value = _evaluated(question, text)
    question.check(value)

    async def give() -> object:
        return value

    return give


def _evaluated(question: Question, text: str) -> Any:
    return evaluate(text, {**_namespace(), **question.surface.names}) if text else None


def _error(question: Question, text: str) -> object:
    result = question.function.result
    if not isinstance(result, shapes.Result):
        raise ConfigError(f"{question.label} has no error in WIT", repair=str(question.function))
    return None if result.err is None else wit_error(text, question.label, question.function)


def _failing(error: BaseException) -> Respond:
    async def fail() -> object:
        raise error

    return fail


def _namespace() -> Mapping[str, Any]:
    """The person's variables: those of the notebook, or of the program."""
    from IPython import get_ipython

    shell = get_ipython()
    return vars(sys.modules["__main__"]) if shell is None else shell.user_ns
