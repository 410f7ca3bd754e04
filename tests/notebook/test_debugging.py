"""`breakpoint()` in a plugin, in a real kernel: the prompt is in the cell, and nothing else stands in its way."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import gc
import re
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from tests.notebook.test_kernel import Kernel, kernel  # noqa: F401 - a fixture
from washnb import Interface
from washnb.notebook.debugging import HostClock
from washnb.notebook.thread import Interrupted

PLUGIN = """
from asyncio import sleep as pause
from washnb import HostPlugin, Interface

class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
    async def roll(self, sides: int) -> int:
        breakpoint()
        answer = sides - 1
        await pause(0.05)
        return answer

class Dice(HostPlugin):
    id = "dice"
    loop = LOOP
    interfaces = (Roll,)

wash.load("example:lucky", attach=[Dice])
"""

TO_THE_NEXT_LINE = ["n"] if sys.version_info >= (3, 13) else []  # older ones begin there, it at `breakpoint()` itself


class Debugged:
    """A cell that comes to a prompt."""

    def __init__(self, shell: Kernel, cell: str) -> None:
        self.kernel = shell
        self.message = shell.client.execute(cell, allow_stdin=True)

    def asked(self) -> str:
        """Wait for the prompt."""
        return self.kernel.client.get_stdin_msg(timeout=10)["content"]["prompt"]

    def type(self, line: str) -> None:
        """Answer at the prompt."""
        assert self.asked() == "(Pdb) "
        self.kernel.client.input(line)

    def ended(self) -> list[dict[str, Any]]:
        """What the cell has said once it is over."""
        return self.kernel.finish(self.message)

    def text(self) -> str:
        """What it has printed once it is over."""
        said = "".join(each["content"]["text"] for each in self.ended() if each["msg_type"] == "stream")
        return re.sub(r"\x1b\[[0-9;]*m", "", said)


@pytest.fixture(params=["host", "kernel"])
def debugged(kernel, request):  # noqa: F811
    """A kernel with a plugin that comes to a breakpoint, on either loop."""
    said = kernel.run(PLUGIN.replace("LOOP", repr(request.param)))
    assert not [each for each in said if each["msg_type"] == "error"]
    return kernel


@pytest.mark.slow
@pytest.mark.filterwarnings("default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning")
class TestInAKernel:
    """What needs a real kernel."""

    def test_look_and_go_on_while_no_time_passes(self, debugged):
        """Arguments are read, variables set, and a request whose time would long be over gets its answer."""
        cell = Debugged(debugged, "print(wash.send('/', timeout=1).text)")
        for line in ("p sides + 36", *TO_THE_NEXT_LINE, "n", "answer = 3", "n"):
            cell.type(line)
            time.sleep(0.5)
        cell.type("n")
        said = cell.text()
        assert "42" in said
        assert "You rolled 3" in said
        assert "await pause" in said
        assert "return answer" in said
        assert "washnb" not in said.replace("ipykernel", "")
        assert "asyncio" not in said
        assert "skipped" not in said

    def test_quitting_ends_the_request(self, debugged):
        """`q` ends the guest, and nothing else."""
        cell = Debugged(debugged, "print(wash.send('/').status)")
        cell.type("q")
        assert "500" in cell.text()
        cell = Debugged(debugged, "print(wash.send('/').text)")
        cell.type("c")
        assert "You rolled 5" in cell.text()

    def test_an_interrupt_ends_the_prompt(self, debugged):
        """Promptly; kernel and host go on, and so does the next request."""
        cell = Debugged(debugged, "wash.send('/')")
        assert cell.asked() == "(Pdb) "
        begun = time.monotonic()
        debugged.manager.interrupt_kernel()
        said = cell.ended()
        assert time.monotonic() - begun < 2
        assert [each["content"]["ename"] for each in said if each["msg_type"] == "error"] == ["Interrupted"]
        assert "hello" in debugged.text("%wash load example:hello\nprint(wash.send('/', to='hello').text)").lower()
        cell = Debugged(debugged, "print(wash.send('/', to='lucky').text)")
        cell.type("c")
        assert "You rolled 5" in cell.text()

    def test_without_a_prompt_nothing_hangs(self, debugged):
        """Where the front end cannot ask, the request ends with the reason."""
        message = debugged.client.execute("response = wash.send('/'); print(response.status)", allow_stdin=False)
        said = debugged.finish(message)
        assert "500" in "".join(each["content"]["text"] for each in said if each["msg_type"] == "stream")


def test_clock_that_is_stopped():
    """Time goes on from where it stood; a prompt inside of a prompt changes nothing."""
    clock = HostClock()
    with clock.stopped():
        begun = clock.time()
        with clock.stopped():
            time.sleep(0.02)
        assert clock.time() == begun
    assert begun <= clock.time() < begun + 0.01


class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
    """Stops before it answers."""

    def roll(self, sides: int) -> int:
        breakpoint()  # noqa: T100 - what is tested
        return sides


@pytest.fixture
def lucky(session):
    """A session whose only workload comes to a breakpoint."""
    session.load("example:lucky", attach=[Roll])
    return session


def test_in_a_script_the_main_thread_is_asked(lucky, monkeypatch):
    """Where a verb waits is where a person sits."""
    asked = []

    def answer(prompt):
        asked.append((prompt, threading.current_thread() is threading.main_thread()))
        return "c"

    monkeypatch.setattr(builtins, "input", answer)
    assert "You rolled 6" in lucky.send("/").text
    assert asked == [("(Pdb) ", True)]


@pytest.mark.parametrize(("typed", "status"), [("q", 500), ("", 500), ("return", 200)])
def test_the_end_of_the_input_quits(lucky, monkeypatch, typed, status):
    """So does `q`; the host goes on."""

    def answer(_):
        if not typed:
            raise EOFError
        return typed

    monkeypatch.setattr(builtins, "input", answer)
    assert lucky.send("/").status == status
    assert lucky.on_host(tracing) == []


class Looked:
    """What a method has, and a prompt looks at."""

    seen: ClassVar[list[weakref.ref[Looked]]] = []

    def __init__(self) -> None:
        self.seen.append(weakref.ref(self))


class Waits(Interface, wit="workshop:dice/roll@0.1.0"):
    """Stops, and awaits something, before it answers."""

    async def roll(self, sides: int) -> int:
        looked = Looked()
        breakpoint()  # noqa: T100 - what is tested
        await asyncio.sleep(0.01)
        return sides if looked else 0


class Waitless(Interface, wit="workshop:dice/roll@0.1.0"):
    """Stops before it answers."""

    def roll(self, sides: int) -> int:
        looked = Looked()
        breakpoint()  # noqa: T100 - what is tested
        return sides if looked else 0


@pytest.mark.parametrize("typed", ["n", "s", "r", "c"])
@pytest.mark.parametrize("plugin", [Waits, Waitless])
def test_nothing_but_the_method_is_stepped_through(session, monkeypatch, capsys, plugin, typed):
    """Not what it returns to, nor what the loop does while it waits; later nothing is traced or kept."""
    session.load("example:lucky", attach=[plugin])
    monkeypatch.setattr(builtins, "input", lambda _: typed)
    assert session.send("/").status == 200
    said = capsys.readouterr().out
    assert set(re.findall(r"^> (.*)\(\d+\)(\w+)\(", said, re.MULTILINE)) == {(__file__, "roll")}
    assert "-> return sides" in said or typed not in {"n", "s"}
    gc.collect()
    assert Looked.seen[-1]() is None
    assert session.on_host(tracing) == []


def picked(sides: int) -> int:
    """Stop in what a method calls."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(stopping())
        return sides


@contextlib.contextmanager
def stopping() -> Iterator[None]:
    """Stop where contextlib has called."""
    breakpoint()  # noqa: T100 - what is tested
    yield


class Picks(Interface, wit="workshop:dice/roll@0.1.0"):
    """Lets a function answer."""

    async def roll(self, sides: int) -> int:
        return picked(sides)


def test_the_frames_are_those_of_the_plugin(session, monkeypatch, capsys):
    """`w` and `u` show who called in it, and neither the loop and its thread nor what serves the guest."""
    session.load("example:lucky", attach=[Picks])
    typed = ["w", "u", "u", "u", "d", "c"]
    monkeypatch.setattr(builtins, "input", lambda _: typed.pop(0))
    assert session.send("/").status == 200
    said = capsys.readouterr().out
    frames = re.findall(r"^[> ] (\S.*)\(\d+\)(\w+)\(", said, re.MULTILINE)
    assert {file for file, _ in frames} == {__file__}
    assert "".join(name[0] for _, name in frames) == "s" + "rps" + "pr" + "p"
    assert "*** Oldest frame" in said


async def tracing(_: object) -> list[object]:
    """What traces the thread of the host, and the frames that run there."""
    frame = sys._getframe()
    found = [sys.gettrace()]
    while frame is not None:
        found.append(frame.f_trace)
        frame = frame.f_back
    return [each for each in found if each]


class AsksOnce(Interface, wit="workshop:dice/roll@0.1.0"):
    """Stops at its first call."""

    asked = False

    def roll(self, sides: int) -> int:
        if not self.asked:
            self.asked = True
            breakpoint()  # noqa: T100 - what is tested
        sides -= 1
        return sides


def test_breakpoints_hold_until_they_are_cleared(session, monkeypatch):
    """Who sets one comes to it at the next call, too."""
    session.load("example:lucky", attach=[AsksOnce])
    where = f"{__file__}:{AsksOnce.roll.__code__.co_firstlineno + 5}"
    typed = [f"b {where}", "c", "c", f"cl {where}", "c"]
    monkeypatch.setattr(builtins, "input", lambda _: typed.pop(0))
    assert "You rolled 5" in session.send("/").text
    assert len(typed) == 2
    assert "You rolled 5" in session.send("/").text
    assert not typed
    assert session.on_host(tracing) == []


def test_the_garbage_collector_is_not_stepped_into(lucky, monkeypatch):
    """What it calls runs in the midst of anything, and nothing raised there ends a call."""
    frames = []

    class Circle:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            frames.append("finalizer")

    def collecting(phase: str, info: dict[str, int]) -> None:
        frames.append(phase)
        Circle()

    monkeypatch.setattr(builtins, "input", lambda _: "q")
    gc.callbacks.append(collecting)
    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        assert lucky.send("/").status == 500
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(collecting)
    assert {"start", "finalizer"} <= set(frames)


def test_nobody_waits_who_could_answer(lucky):
    """A request that no verb in the main thread waits for ends with the reason, and the host goes on."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(lucky.send("/")))
    thread.start()
    thread.join(10)
    assert "no cell waits that could answer" in str(answers[0].error)
    assert lucky.status().data["plugins"] == "roll"


def test_an_interrupt_at_the_prompt(lucky, monkeypatch):
    """It ends the verb, the call and the prompt."""

    def answer(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(builtins, "input", answer)
    with pytest.raises(Interrupted):
        lucky.send("/")
    monkeypatch.setattr(builtins, "input", lambda _: "c")
    assert "You rolled 6" in lucky.send("/").text
