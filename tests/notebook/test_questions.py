"""Calls that the person answers: at a prompt, from another thread, by a function, and on a page."""

from __future__ import annotations

import asyncio
import builtins
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.waiting import eventually_there
from washnb.engine import Function, InterfaceType, find_mismatch, shapes, surface
from washnb.errors import ConfigError, GuestError, MismatchError
from washnb.events import CallWaiting
from washnb.notebook import thread as host_thread
from washnb.notebook.hosted import questions
from washnb.notebook.hosted.forms import form_of
from washnb.plugins import Ask, Question

ROLL = "workshop:dice/roll"


@pytest.fixture
def typed(monkeypatch) -> Iterator[list[Any]]:
    """What is typed at prompts, which come at once; an exception is raised there."""
    lines: list[Any] = []
    monkeypatch.setattr(host_thread, "_PATIENCE", 0.01)
    monkeypatch.setattr(host_thread, "_MOMENT", 0.005)

    def read(prompt: str = "") -> str:
        assert prompt == "answer: "
        line = lines.pop(0)
        if isinstance(line, BaseException):
            raise line
        return line

    monkeypatch.setattr(builtins, "input", read)
    return lines


def lucky(session, answerer: object = "ask"):
    """A workload that asks for the roll of a die."""
    return session.load("example:lucky", attach={ROLL: answerer})


def wait_for_question(session) -> Any:
    """The first call that waits, as soon as there is one."""
    return eventually_there(lambda: session.questions.data)[0]


def test_the_prompt_says_what_is_asked_and_takes_an_answer(session, typed, capsys):
    """In the thread that waits; what is no answer is told, and asked again."""
    leaving = "__import__('sys').exit()"  # IPython takes `exit` out of the builtins
    typed += ["", "'six'", "six", "pass", "error other", leaving, "'\ud800'", f"{'-' * 100_000}1", "2 + 2"]
    assert lucky(session).play() == 4
    said = capsys.readouterr().out
    assert said.splitlines()[:3] == [
        "lucky calls workshop:dice/roll@0.1.0: roll(sides=6)",
        "  roll: func(sides: u32) -> u32",
        "  answer with int, such as 0; or deny",
    ]
    for problem in (
        "such as 0",
        "the answer is u32, not 'six'",
        "'six' raised NameError",
        "nobody else is there",
        "has no error in WIT",
        "raised SystemExit",
        "surrogates not allowed",
        "-… is not a Python expression",
    ):
        assert problem in said


def test_an_interrupt_at_the_prompt_ends_the_verb(session, typed):
    """And the guest with it; the session goes on."""
    handle = lucky(session)
    typed.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        handle.play()
    typed.append("3")
    assert handle.play() == 3


def test_without_anybody_to_ask_the_guest_ends(session, typed):
    """A front end without a prompt is an error that says so."""
    typed.append(EOFError("no input"))
    with pytest.raises(GuestError, match="nobody can be asked here"):
        lucky(session).play()


def test_a_call_is_passed_on_denied_or_failed(session, typed):
    """To the plugin that was there before, whose state stays; errors are read by their names."""
    session.load("example:counter", attach=["keyvalue"])
    assert session.send("/x").status == 200
    table = session.attach(keyvalue="ask")
    assert table.news == "attached wasi-keyvalue, which asks"
    assert "ask" in repr(table)
    for second, status, text in (
        ("pass", 200, "2"),
        ("deny", 500, "access denied\n"),
        ("error no-such-store", 500, "no such store\n"),
        ('error other("disk full")', 500, "disk full"),
        ("41", 200, "41"),
    ):
        typed += ["pass", second]
        response = session.send("/x")
        assert (response.status, response.text) == (status, text)
    typed += ["Bucket()", "40 + 1"]
    assert session.send("/x").text == "41"
    assert session.kv["default"]["x"] == (2).to_bytes(8, "little")
    assert session.attach("keyvalue").news == "attached wasi-keyvalue, which answers by itself again"
    assert session.send("/x").text == "3"
    assert not typed


def test_several_calls_queue_and_are_answered_from_anywhere(session):
    """The view has them in their order; an answer that comes too late is told."""
    handle = lucky(session)
    results: list[str] = []
    threads = [
        threading.Thread(target=lambda: results.append(session.send("/", timeout=10).text), daemon=True)
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    first = wait_for_question(session)
    while len(session.questions) < 2:
        time.sleep(0.01)
    assert (first.workload, first.function, first.arguments) == ("lucky", "roll", (("sides", "6"),))
    assert (first.type, first.examples, first.errors, first.others) == ("int", ("0",), (), False)
    assert "roll(sides=6)" in repr(session.questions)
    with pytest.raises(MismatchError, match="the answer is u32"):
        session.questions.answer("-1", first.number)
    session.questions.answer("5", first.number)
    session.questions.answer("6")
    for thread in threads:
        thread.join(10)
    assert len(results) == 2
    with pytest.raises(ConfigError, match="waits no longer"):
        session.questions.answer("5", first.number)
    with pytest.raises(ConfigError, match="no call waits"):
        session.questions.answer("5")
    assert handle.state == "running"


def test_a_question_brings_the_form_of_its_answer(session):
    """What a page needs to ask for a value of the type, down to bounds; the payload of an error has one, too."""
    session.load("example:counter", attach={"keyvalue": "ask"})
    thread = threading.Thread(target=lambda: session.send("/x", timeout=5), daemon=True)
    thread.start()
    question = wait_for_question(session)
    assert question.form == {"kind": "expression", "text": "Bucket()"}
    other = {"name": "other", "before": "Error_Other(", "of": {"kind": "text"}, "after": ")"}
    assert question.error_form["kind"] == "choice"
    assert question.error_form["cases"][-1] == other
    with pytest.raises(MismatchError, match=r"the error\.value is string, not 1"):
        session.questions.answer("raise Error_Other(1)")
    session.questions.answer('raise Error_Other("full")')
    thread.join(10)
    assert not session.questions.data


POINT = shapes.Record((("x", shapes.Primitive("s8")), ("from", shapes.Primitive("char"))))
TYPES = [
    (POINT, 'Point(x=0, from_="?")'),
    (shapes.Tuple((shapes.Primitive("bool"),)), "(False,)"),
    (shapes.Option(POINT), "None"),
    (shapes.Option(shapes.Option(POINT)), "None"),
    (shapes.Result(None, POINT), "Ok()"),
    (shapes.Variant((("dot", POINT), ("none", None))), 'A_Dot(Point(x=0, from_="?"))'),
    (shapes.Enum(("a-b", "c")), "A.A_B"),
    (shapes.Flags(("a", "b")), "A(0)"),
    (shapes.List(POINT), "[]"),
    (shapes.List(shapes.Primitive("u8")), 'b""'),
    (shapes.Primitive("f32"), "0"),
    (shapes.Primitive("string"), '""'),
]


@pytest.mark.parametrize(("shape", "written"), TYPES, ids=[str(shape) for shape, _ in TYPES])
def test_what_a_form_reads_is_a_value_of_the_type(shape, written):
    """As it is at first; the expression is one of the surface's names."""
    function = Function("take", (("a", shape),), None)
    made = surface(InterfaceType("test:some/where", {"take": function}, {}), {"point": POINT})
    form = form_of(shape, made)
    assert read(form) == written
    assert find_mismatch(shape, eval(written, {**made.names, "bytes": bytes}), "value") is None


def read(form: Any) -> str:
    """What the page reads of a form that nobody has touched."""
    match form["kind"]:
        case "fields":
            return (
                form["before"] + ", ".join(each["before"] + read(each["of"]) for each in form["fields"]) + form["after"]
            )
        case "choice":
            case = form["cases"][0]
            return case["before"] + (read(case["of"]) if case["of"] else "") + case["after"]
        case "flags":
            return form["none"]
    untouched = {"switch": "False", "char": '"?"', "text": '""', "list": "[]", "bytes": 'b""'}
    return untouched.get(form["kind"], "0")


def test_bounds_are_those_of_the_type():
    """As text: a number of the page has 53 bits."""
    made = surface(InterfaceType("test:some/where", {}, {}))
    for name, low, high in (
        ("u8", 0, 255),
        ("s16", -32768, 32767),
        ("u64", 0, 2**64 - 1),
        ("s64", -(2**63), 2**63 - 1),
    ):
        expected = {"kind": "whole", "low": str(low), "high": str(high)}
        assert form_of(shapes.Primitive(name), made) == expected


def test_a_function_answers_without_a_front_end(session):
    """The same in a program: `Ask`, with whatever answers."""

    def answer(question: Question) -> object:
        return question.arguments[0] * 7

    assert lucky(session, Ask(answer)).play() == 42


def test_a_deadline_is_the_guests_own(session):
    """Whoever would answer sees that nothing waits."""
    lucky(session)
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(session.send("/", timeout=0.3)), daemon=True)
    thread.start()
    assert wait_for_question(session)
    thread.join(10)
    assert outcome[0].status == 504
    assert not session.questions.data
    assert repr(session.questions).splitlines()[-1] == "questions: no call waits for an answer"


def test_the_prompt_says_again_what_is_asked(session, typed, capsys):
    """Where somebody asks for help; it is no answer, not even where an answer is any object."""
    session.load("example:counter", attach={"keyvalue": "ask"})
    typed += ["?", "help", "Bucket()", "41"]
    assert session.send("/x").text == "41"
    assert capsys.readouterr().out.count("open(identifier='default')") == 3


@pytest.mark.parametrize("line", ["4", "four"])
def test_the_prompt_ends_with_the_guest(session, monkeypatch, capsys, line):
    """What is typed after that is told to be too late, and nothing is asked again, no answer though it be."""
    asked = []

    def read(prompt: str) -> str:
        asked.append(prompt)
        while session.questions.data:
            time.sleep(0.01)
        return line

    monkeypatch.setattr(builtins, "input", read)
    lucky(session)
    assert session.send("/", timeout=0.2).status == 504
    assert len(asked) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "too late: the guest waits no longer"


class FakeCell:
    """A cell that waits, and what was asked there."""

    def __init__(self, *, page: bool = True) -> None:
        self.page = page
        self.asked: list[str] = []
        self.endings: list[Any] = []

    def at_end(self, act) -> bool:
        self.endings.append(act)
        return True

    async def form(self) -> bool:
        self.asked.append("form")
        return self.page

    async def prompt(self, ask) -> None:
        self.asked.append("prompt")
        await asyncio.Event().wait()


@pytest.fixture
def asking(monkeypatch) -> Iterator[Any]:
    """Has a call asked in a cell; returns what waits."""
    monkeypatch.setattr(questions, "_SEEN", 0.05)
    published: list[CallWaiting] = []
    asked = questions.Questions(published.append)
    function = Function("[static]die.roll", (("sides", shapes.Primitive("u8")),), shapes.Primitive("u8"))
    made = surface(InterfaceType("test:some/dice", {function.name: function}, {}))
    tasks: list[asyncio.Task[object]] = []

    async def ask(cell: FakeCell, argument: object = 6) -> Any:
        asked.cell = cell
        tasks.append(asyncio.create_task(asked.answer(Question("w", "c", made, function, (argument,), None))))
        await asyncio.sleep(0.02)
        return [*asked][-1]

    ask.questions, ask.published = asked, published
    yield ask
    for task in tasks:
        task.cancel()


async def test_a_page_that_shows_the_form_keeps_the_prompt_away(asking):
    """The form is in the cell; views elsewhere know; once the cell waits no longer they are asked to show it."""
    cell = FakeCell()
    waiting = await asking(cell)
    assert waiting.in_cell
    asking.questions.saw(waiting.number)
    await asyncio.sleep(0.1)
    assert cell.asked == ["form"]
    for ended in cell.endings:
        ended()
    assert not waiting.in_cell
    assert asking.published


async def test_a_page_that_is_not_heard_has_the_prompt_ask(asking):
    """After a moment, and from then on at once, until a page is heard again."""
    cell = FakeCell()
    waiting = await asking(cell)
    await asyncio.sleep(0.1)
    assert cell.asked == ["form", "prompt"]
    assert not waiting.in_cell
    asking.questions.saw(99)  # of a call that is over: it was heard after the cell
    second = await asking(cell)
    assert cell.asked == ["form", "prompt", "prompt"]
    asking.questions.saw(second.number)
    await asking(cell)
    assert cell.asked[3:] == ["form"]


async def test_a_page_that_was_only_slow_has_the_next_form(asking):
    """It came while the prompt asked."""
    cell = FakeCell()
    asking.questions.came()
    await asking(cell)
    await asyncio.sleep(0.1)
    asking.questions.came()
    await asking(cell)
    assert cell.asked == ["form", "prompt", "form"]


async def test_where_there_is_no_page_nobody_waits_for_one(asking):
    """A terminal asks at once, and so does what only runs cells."""
    cell = FakeCell(page=False)
    await asking(cell)
    assert cell.asked == ["form", "prompt"]


async def test_what_is_about_a_secret_is_not_told(asking):
    """Neither in what stays in the cell, nor among the arguments."""
    waiting = await asking(FakeCell(), 6)
    waiting.answer = "2 + 2"
    assert questions.answer_told(waiting) == "w called die.roll(sides=6): 2 + 2"
    secret = await asking(FakeCell(), "api-token")
    secret.answer = "'hunter2'"
    assert "hunter2" not in questions.answer_told(secret)
    for answer, told in (
        ("pass", "passed on"),
        ("deny", "denied"),
        ("error gone", "raised gone"),
        (None, "not answered"),
    ):
        secret.answer = answer
        assert questions.answer_told(secret).endswith(told)


def test_the_verb_knows_ask(notebook, monkeypatch):
    """As a backend of a word and of an interface, and on TAB."""
    monkeypatch.setattr(builtins, "input", lambda _prompt="": "4")
    assert "which asks" in notebook.run(f"%wash attach {ROLL}=ask").text
    notebook.run("%wash load example:lucky")
    assert notebook.run("%wash call lucky.play()").result == 4
    assert "keyvalue=ask" in notebook.complete("%wash attach keyvalue=")
    assert "no call waits" in notebook.run("%wash questions").text
    assert f"detached {ROLL}" in notebook.run(f"%wash detach {ROLL}").text
