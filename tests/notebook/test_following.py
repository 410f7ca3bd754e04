"""`attach --follow`: a class that is edited in its cell serves the guests that run."""

from __future__ import annotations

import pytest

from tests.host.guests import COMPONENTS
from washnb.errors import ConfigError
from washnb.plugins import InMemoryKeyValue

DICE = """
from washnb import Interface

class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
    def roll(self, sides: int) -> int:
        return {answer}
"""


@pytest.fixture
def dice(notebook):
    """A notebook in which a class of a cell serves a guest, and is followed."""
    notebook.run(DICE.format(answer=1))
    notebook.run("%wash attach Roll --follow")
    notebook.run(f"%wash load {COMPONENTS / 'dice.wat'}")
    assert played(notebook) == 1
    return notebook


def played(notebook) -> int:
    """What the guest rolls."""
    return notebook.run("wash.call('dice', 'play', 6)").result


def test_a_class_serves_as_soon_as_its_cell_has_run(dice):
    """Each time, with a line about it; no other cell says anything."""
    for answer in (2, 3):
        assert dice.run(DICE.format(answer=answer)).text == "attached roll in place of the one before\n"
        assert dice.run("1").text.strip() == "1"
        assert played(dice) == answer


def test_a_cell_that_defines_nothing_anew_does_not_ask_the_host(dice, monkeypatch):
    """So that the kernel is free after an interrupt, also where a method that blocks holds the host up."""
    for cell in (DICE.format(answer=2), DICE.format(answer=3) + "\n_ = wash.attach(Roll)"):
        dice.run(cell)
        with monkeypatch.context() as patched:
            patched.setattr(type(dice.session), "on_host", lambda *_: pytest.fail("asked"))
            assert dice.session.following.look(dice.shell.user_ns) == []


def test_a_mistake_is_told_and_changes_nothing(dice):
    """The one before goes on, until the next cell mends it."""
    broken = DICE.format(answer=2).replace("def roll(self, sides: int)", "def rolled(self)")
    assert "Roll is attached as it was before: Roll has nothing that serves" in dice.run(broken).text
    assert dice.run("1").text.strip() == "1"
    assert played(dice) == 1
    dice.run(DICE.format(answer=3))
    assert played(dice) == 3


def test_a_cell_that_attaches_it_itself_is_enough(dice):
    """Nothing is attached twice; it is followed from there."""
    ran = dice.run(DICE.format(answer=2) + "\n_ = wash.attach(Roll)")
    assert ran.text == ""
    assert played(dice) == 2
    dice.run(DICE.format(answer=3))
    assert played(dice) == 3


def test_what_is_detached_is_followed_no_more(dice):
    """Nor what a reset has thrown away."""
    for end in ("%wash detach roll", "%wash reset"):
        dice.run(end)
        assert dice.run(DICE.format(answer=2)).text == ""
        assert dice.session.deployments is None or "roll" not in dice.session.known().plugins
        dice.run("%wash attach Roll --follow")


PLUGIN = """
from washnb import HostPlugin

class Dice(HostPlugin):
    id = "dice"
    interfaces = (Roll,)
"""
AUDIT = """
from washnb.plugins import Wrapper, around

class Audit(Wrapper):
    def __init__(self):
        super().__init__({plugin})

    @around("roll")
    async def note(self, call, sides):
        return {factor} * await call(sides)
"""


@pytest.fixture
def plugin(notebook):
    """A notebook with a plugin for the dice, whose interface is the class of another cell."""
    notebook.run(DICE.format(answer=1))
    notebook.run(PLUGIN)
    notebook.run(f"%wash load {COMPONENTS / 'dice.wat'}")
    return notebook


def test_a_plugin_follows_the_interfaces_that_it_names(plugin):
    """Whichever of the two is edited."""
    plugin.run("%wash attach Dice --follow")
    for answer in (2, 3):
        assert plugin.run(DICE.format(answer=answer)).text == "attached dice in place of the one before\n"
        assert plugin.run("1").text.strip() == "1"
        assert played(plugin) == answer
    assert plugin.run(PLUGIN).text == "attached dice in place of the one before\n"
    assert plugin.run("%wash attach Dice").text == "attached nothing: it is attached already\n"
    assert played(plugin) == 3
    assert plugin.run("%wash detach Dice").text.startswith("detached dice")
    assert plugin.run(DICE.format(answer=4)).text == ""


def test_a_wrapper_follows_what_it_wraps(plugin):
    """Its own class, the plugin that it makes, and the interface of that one."""
    plugin.run(AUDIT.format(plugin="Dice", factor=10))
    plugin.run("%wash attach Audit --follow")
    assert played(plugin) == 10
    assert "attached dice" in plugin.run(DICE.format(answer=2)).text
    assert played(plugin) == 20
    assert "attached dice" in plugin.run(PLUGIN.replace('"dice"', '"dice"  # edited')).text
    assert "attached dice" in plugin.run(AUDIT.format(plugin="Dice", factor=7)).text
    assert played(plugin) == 14


def test_a_base_that_is_defined_again_is_told_of(plugin):
    """What is derived from it stays what it is until its own cell has run; the line says which."""
    plugin.run("class Loaded(Roll):\n    pass")
    plugin.run("%wash attach Loaded --follow")
    said = plugin.run(DICE.format(answer=2)).text
    assert "Loaded is attached as it was before: it is made of the Roll of before" in said
    assert "run the cell again that defines class Loaded" in said
    assert plugin.run("1").text.strip() == "1"
    assert played(plugin) == 1
    assert plugin.run("class Loaded(Roll):\n    pass").text == "attached loaded in place of the one before\n"
    assert played(plugin) == 2


def test_all_cells_between_a_base_and_the_followed_class_are_told_of(plugin):
    """In their order: to run only the last one again would change nothing."""
    middle, last = "class Middle(Roll):\n    pass", "class Loaded(Middle):\n    pass"
    plugin.run(middle)
    plugin.run(last)
    plugin.run("%wash attach Loaded --follow")
    both = "run the cells again that define class Middle, then class Loaded"
    assert both in plugin.run(DICE.format(answer=2)).text
    assert both in plugin.run(last).text
    assert "run the cell again that defines class Loaded\n" in plugin.run(middle).text
    assert plugin.run(last).text == "attached loaded in place of the one before\n"
    assert played(plugin) == 2


def test_a_resource_that_is_defined_again_is_told_of(plugin):
    """With the class that has it as an attribute, and whatever is derived from that."""
    from_cell = "from washnb import resource\n\n@resource('cup')\nclass Cup:\n    pass"
    has_it = DICE.format(answer=2) + "    cup = Cup\n"
    plugin.run(from_cell)
    plugin.run(has_it)
    plugin.run(PLUGIN)
    plugin.run("%wash attach Dice --follow")
    said = plugin.run(from_cell).text
    assert "Dice is attached as it was before: it is made of the Cup of before" in said
    assert "run the cell again that defines class Roll\n" in said
    assert plugin.run(has_it).text == "attached dice in place of the one before\n"


def test_a_class_that_is_derived_from_its_former_self_is_followed(dice):
    """`class Roll(Roll)` is an edit, too."""
    more = "class Roll(Roll):\n    def roll(self, sides: int) -> int:\n        return 1 + super().roll(sides)"
    for answer in (2, 3):
        assert "attached roll" in dice.run(more).text
        assert played(dice) == answer


def test_only_a_class_can_be_followed(session):
    """An object cannot be defined again."""
    with pytest.raises(ConfigError, match="'keyvalue' is no class"):
        session.attach("keyvalue", follow=True)
    with pytest.raises(ConfigError, match="an object of InMemoryKeyValue is no class"):
        session.attach(InMemoryKeyValue(), follow=True)


def test_state_is_kept(notebook):
    """An edited class keeps what the one before has kept for the workloads."""
    cell = "from washnb.plugins import InMemoryKeyValue\nclass Shop(InMemoryKeyValue):\n    version = {}"
    notebook.run(cell.format(1))
    notebook.run("%wash attach Shop --follow\n%wash load example:counter")
    for number in (2, 3):
        notebook.run("wash.send('/x')")
        notebook.run(cell.format(number))
    assert notebook.run("wash.send('/x').text").result.strip() == "3"
    assert notebook.session.on_host(_version) == 3


async def _version(deployments) -> int:
    return deployments.host.plugins["wasi-keyvalue"].version
