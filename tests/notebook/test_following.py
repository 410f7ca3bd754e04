"""`attach --follow`: a class that is edited in its cell serves the guests that run."""

from __future__ import annotations

import pytest

from tests.host.guests import COMPONENTS
from washnb.errors import ConfigError

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


def test_only_a_class_can_be_followed(session):
    """An object cannot be defined again."""
    with pytest.raises(ConfigError, match="is no class"):
        session.attach("keyvalue", follow=True)


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
