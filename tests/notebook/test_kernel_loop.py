"""Plugins that belong to the kernel's loop, in a real kernel; outside of one they say what they need."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from types import SimpleNamespace

import pytest

from tests.notebook.test_kernel import kernel  # noqa: F401 - a fixture
from washnb import HostPlugin, Interface
from washnb.errors import ConfigError
from washnb.notebook.hosted.on_kernel import OnKernel
from washnb.notebook.hosted.parts import attachable, class_of
from washnb.plugins import Wrapper, entry_points

slow = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning"),
]

PLUGIN = """
import asyncio, threading
from washnb import HostPlugin, Interface

class Client:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.queue = asyncio.Queue()
        self.answered = self.loop.create_task(self.answer())

    async def answer(self):
        while True:
            sides, future = await self.queue.get()
            await asyncio.sleep(0.01)
            future.set_result(sides - 1)

    async def ask(self, sides):
        future = self.loop.create_future()
        await self.queue.put((sides, future))
        return await future

async def connected():
    return Client()

client = await connected()
life = []

class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
    def __init__(self):
        life.append(("made", here()))

    async def roll(self, sides: int) -> int:
        display({"text/plain": "rolled"}, raw=True)
        print("in the cell")
        life.append(("roll", here()))
        return await client.ask(sides)

class Dice(HostPlugin):
    id = "dice"
    loop = "kernel"
    interfaces = (Roll,)

    async def start(self):
        life.append(("start", here()))

    async def stop(self):
        life.append(("stop", here()))

def here():
    return threading.current_thread() is threading.main_thread() and asyncio.get_running_loop() is client.loop
"""


REAL_CLIENT = """
import aiohttp
from aiohttp import web
from washnb import Interface

async def rolled(request):
    return web.Response(text=str(int(request.query["sides"]) - 2))

app = web.Application()
app.router.add_get("/", rolled)
runner = web.AppRunner(app)
await runner.setup()
await web.TCPSite(runner, "127.0.0.1", 0).start()
client = aiohttp.ClientSession("http://{}:{}".format(*runner.addresses[0]), timeout=aiohttp.ClientTimeout(5))

class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
    loop = "kernel"

    async def roll(self, sides: int) -> int:
        async with client.get("/", params={"sides": sides}) as answer:
            return int(await answer.text())

_ = wash.load("example:lucky", attach=[Roll])
"""


def outputs(said, kind):
    """The outputs of one kind that a cell has."""
    return [each["content"] for each in said if each["msg_type"] == kind]


@pytest.fixture
def dice(kernel):  # noqa: F811 - the fixture
    """A kernel with a plugin of its own loop, which serves a workload."""
    said = kernel.run(PLUGIN)
    assert not outputs(said, "error"), outputs(said, "error")
    said = kernel.run("wash.load('example:lucky', attach=[Dice])")
    assert not outputs(said, "error"), outputs(said, "error")
    return kernel


class TestInAKernel:
    """What needs a real kernel."""

    pytestmark = slow

    def test_methods_run_in_the_main_thread(self, dice):
        """A client made with top-level await answers while the cell waits; what is shown is in the cell that asked."""
        said = dice.run("print(wash.send('/').text)")
        assert "".join(each["text"] for each in outputs(said, "stream")) == "in the cell\nYou rolled 5.\n\n"
        assert [each["data"]["text/plain"] for each in outputs(said, "display_data")] == ["rolled"]
        dice.run("%wash detach dice")
        lived = json.loads(dice.text("import json; print(json.dumps(life))"))
        assert [step for step, _ in lived] == ["start", "made", "roll", "stop"]
        assert all(there for _, there in lived)

    def test_requests_from_outside_are_served_between_cells(self, dice):
        """While no cell runs the kernel's loop is free; while one blocks it, requests wait."""
        address = dice.text("print(wash.serve(0))").split()[-1]
        cell = f"""
import aiohttp
async with aiohttp.ClientSession() as session:
    answers = await asyncio.gather(*(session.get({address!r}) for _ in range(5)))
    print([await each.text() for each in answers])
"""
        assert dice.text(cell).count("You rolled 5") == 5

    def test_a_verb_inside_of_a_method_re_enters_once_more(self, dice):
        """A method may use the session, which waits for the host that waits for the method."""
        dice.run("%wash load example:adder")
        dice.run("async def ask(sides):\n    return wash.call('adder', 'add', sides, 1)\nclient.ask = ask")
        said = dice.run("print(wash.send('/', to='lucky').text)")
        assert "You rolled 7" in "".join(each["text"] for each in outputs(said, "stream")), said

    def test_an_interface_alone_says_it_as_well(self, dice):
        """Attached without a plugin around it, as a class, as an object, and through one that has it."""
        dice.run("class Alone(Roll):\n    loop = 'kernel'\n%wash detach dice")
        dice.run("class Tray(HostPlugin):\n    id = 'tray'\n    interfaces = (Alone,)")
        for subject, plugin in (("Alone", "alone"), ("Alone()", "alone"), ("Tray", "tray")):
            dice.run(f"life.clear()\n_ = wash.attach({subject})")
            assert "in the cell" in dice.text("print(wash.send('/').text)")
            assert dice.text("print(set(life) <= {('made', True), ('roll', True)})").strip() == "True"
            dice.run(f"%wash detach {plugin}")

    def test_an_interrupt_ends_the_verb(self, dice):
        """A method that never ends is left; the kernel and the plugin go on."""
        dice.run("plain, client.ask = client.ask, lambda sides: asyncio.Event().wait()")
        message = dice.begin("wash.send('/')")
        time.sleep(1)
        begun = time.monotonic()
        dice.manager.interrupt_kernel()
        said = dice.finish(message)
        assert time.monotonic() - begun < 1.5
        assert outputs(said, "error")[0]["ename"] == "Interrupted"
        dice.run("client.ask = plain")
        assert "You rolled 5" in dice.text("print(wash.send('/').text)")

    def test_an_error_is_told_once(self, dice):
        """Whoever asked for it has it: asyncio finds none that nobody wanted to know."""
        dice.run("async def fail(_):\n    await asyncio.sleep(0.1)\n    raise OSError('no disk')")
        said = [each for _ in range(2) for each in dice.run("wash.on_host(fail)")]
        assert [each["evalue"] for each in outputs(said, "error")] == ["no disk"] * 2
        assert not outputs(said + dice.run("import gc; _ = gc.collect()"), "stream")

    def test_other_verbs_and_reset_still_work(self, dice):
        """Whatever waits re-enters the loop, also the end of the session."""
        assert "You rolled" in dice.text("print(wash.send('/').text)")
        said = dice.run("wash.reset()\nprint(life[-1])")
        assert "('stop', True)" in "".join(each["text"] for each in outputs(said, "stream"))
        assert "dice" in dice.text("%wash attach Dice")
        begun = time.monotonic()
        dice.manager.shutdown_kernel()
        assert time.monotonic() - begun < 4, "it had to be killed"

    def test_a_client_of_aiohttp_is_at_home(self, kernel):  # noqa: F811
        """It asks for the task that it runs in, and for the loop that it was made on; several requests at once, too."""
        said = kernel.run(REAL_CLIENT)
        assert not outputs(said, "error"), outputs(said, "error")
        assert kernel.text("print(wash.send('/').text)").split() == ["You", "rolled", "4."]
        at_once = "answers = await asyncio.gather(*(asyncio.to_thread(wash.send, '/') for _ in range(5)))"
        cell = f"import asyncio\n{at_once}\nprint([each.text.strip() for each in answers] == 5 * ['You rolled 4.'])"
        assert kernel.text(cell).strip() == "True"
        kernel.run("await client.close()")
        assert "RuntimeError: Session is closed" in kernel.text("print(wash.send('/'))")
        kernel.run("await runner.cleanup()")

    def test_nothing_is_patched_before(self, kernel):  # noqa: F811
        """Who attaches no such plugin has asyncio as it was."""
        kernel.run("%wash load example:counter --attach keyvalue\n%wash send /")
        cell = "import asyncio, sys\nprint(hasattr(asyncio, '_nest_patched'), asyncio.Task.__module__)"
        assert kernel.text(cell).strip() == "False _asyncio"


def test_outside_of_a_kernel_it_is_refused(session):
    """In a thread without a running loop there is nothing that could be re-entered."""

    class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
        def roll(self, sides: int) -> int:
            return sides

    class Dice(HostPlugin):
        id = "dice"
        loop = "kernel"
        interfaces = (Roll,)

    class Alone(Roll):
        loop = "kernel"

    class Tray(HostPlugin):
        id = "tray"
        interfaces = (Alone,)

    for subject in (Dice, Dice(), Alone, Alone(), Tray, Wrapper(Dice), Wrapper(Alone)):
        with pytest.raises(ConfigError, match='loop = "kernel" is attached in a cell of a kernel'):
            session.attach(subject)


def test_a_plugin_of_a_package_is_one_too(session, monkeypatch):
    """By its word; its code runs in the thread that attaches it, and once."""
    made = []

    class Dice(HostPlugin):
        id = "dice"
        loop = "kernel"

        def __init__(self) -> None:
            made.append(threading.current_thread())

    point = SimpleNamespace(name="tumbler", load=lambda: Dice, dist=SimpleNamespace(name="dice", version="1"))
    monkeypatch.setattr(entry_points, "entry_points", lambda **_: [point])
    with pytest.raises(ConfigError, match='loop = "kernel" is attached in a cell of a kernel'):
        session.attach("tumbler")
    assert made == [threading.current_thread()]


@pytest.mark.parametrize(
    ("attach", "said"),
    [
        (
            lambda session, roll: session.attach(roll, loop="kernel"),
            r"its class does\n  loop = \"kernel\"  # in the class",
        ),
        (lambda session, roll: session.attach(type("Odd", (roll,), {"loop": "kernal"})), "says loop = 'kernal'"),
    ],
)
def test_where_a_plugin_runs_is_said_by_its_class(session, attach, said):
    """Not by `attach`, and not by a loop that there is not."""

    class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
        def roll(self, sides: int) -> int:
            return sides

    with pytest.raises(ConfigError, match=said):
        attach(session, Roll)


def test_a_function_called_loop_says_nothing(session):
    """It is WIT's."""

    class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
        def loop(self) -> None:
            """Go round."""

    assert "roll" in session.attach(Roll).news


def test_what_runs_there_is_listed_as_what_was_attached():
    """Nobody has attached the wrapper that carries its calls."""

    class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
        loop = "kernel"

    class Audit(Wrapper):
        pass

    loop = asyncio.new_event_loop()
    assert class_of(OnKernel(Audit(Roll), loop)) == "Audit around Roll, on the kernel's loop"
    assert attachable(OnKernel(Audit(Roll), loop)) == "Audit"
    loop.close()
