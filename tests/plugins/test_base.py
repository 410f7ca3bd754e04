"""HostPlugin: its defaults, its checks where a class is written, and what `attach` can make of things."""

from __future__ import annotations

import pytest

from washnb.engine import Err
from washnb.errors import BackendError, ConfigError
from washnb.events import EventBus, StateChanged
from washnb.plugins import HostPlugin, Interface, InterfacePlugin, as_plugin
from washnb.plugins.base import told_to_guest
from washnb.wit import WitInterface, WitWorld

from .bound import Item, bind


class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
    def roll(self, sides: int) -> int:
        return sides


class Cheat(Interface, wit="workshop:dice/cheat@0.1.0"):
    def always(self, face: int) -> None: ...


class Table(Interface, wit="workshop:furniture/table"):
    def __init__(self, legs: int) -> None:
        self.legs = legs


class Dice(HostPlugin):
    id = "dice"
    interfaces = (Roll, Cheat, Table(4))


def test_world_comes_from_the_interfaces():
    """One entry for each package, so that it covers a workload's entry that names several interfaces at once."""
    world = Dice().world()
    assert world == WitWorld.of(imports=["workshop:dice/roll,cheat@0.1.0", "workshop:furniture/table"])
    assert world.serves(WitInterface.parse("workshop:dice/cheat,roll"))


async def test_a_class_is_made_for_each_component_and_an_object_is_shared():
    """Each component gets its own object of an interface class; an interface object serves all of them."""
    plugin, first, second = Dice(), Item(component="first"), Item(component="second")
    await bind(plugin, first, second)
    assert set(first.linked) == {Roll.wit, Cheat.wit, Table.wit}
    assert first.linked[Roll.wit] is not second.linked[Roll.wit]
    assert first.linked[Table.wit] is second.linked[Table.wit]


async def test_a_plugin_needs_no_more_than_id_and_interfaces():
    """The rest of its life has defaults that do nothing."""
    plugin = Dice()
    await plugin.start()
    item = await bind(plugin)
    await plugin.on_workload_unbind(item.workload_id, ())
    await plugin.stop()


async def test_an_interface_that_needs_arguments():
    """A class that cannot be called without arguments fails the workload, and says what to write."""

    class Furniture(HostPlugin):
        id = "furniture"
        interfaces = (Table,)

    with pytest.raises(ConfigError, match=r"plugin 'furniture' cannot make an object of class Table: .*legs") as raised:
        await bind(Furniture())
    assert raised.value.repair == ("give an object instead of the class: Table(legs)",)


def test_a_plugin_without_id():
    """The class statement itself fails, with the line to add."""
    with pytest.raises(ConfigError, match="plugin class LoadedDice has no id") as raised:

        class LoadedDice(HostPlugin):
            interfaces = (Roll,)

    assert raised.value.repair == ('write id = "loaded-dice" into the class',)


@pytest.mark.parametrize("wrong", [(print,), (int,), Roll, ("workshop:dice/roll",)])
def test_interfaces_that_are_none(wrong):
    """The class statement fails where interfaces is not a tuple of interfaces."""
    with pytest.raises(ConfigError, match="interfaces of plugin class Odd is not a tuple of WIT interfaces"):

        class Odd(HostPlugin):
            id = "odd"
            interfaces = wrong


def test_events_go_to_the_bus_of_the_host():
    """A plugin speaks to a bus of its own until the host gives it another; nobody listening costs nothing."""
    plugin, heard = Dice(), []
    plugin.state_changed("counter", ("b", "k"), "set")
    plugin.events = EventBus()
    plugin.events.subscribe(heard.append)
    plugin.state_changed("counter", ("b", "k"), "delete")
    assert heard == [StateChanged("counter", "dice", ("b", "k"), "delete")]
    assert Dice().events is not Dice().events


def test_repr_shows_what_is_served_and_nothing_else():
    """Settings of a plugin may be secret: its repr names id and interfaces only."""
    assert repr(InterfacePlugin(Roll)) == "<InterfacePlugin 'roll' serves workshop:dice/roll@0.1.0>"


def test_attach_takes_plugins():
    """A plugin object is itself, a plugin class is called."""
    dice = Dice()
    assert as_plugin(dice) is dice
    assert isinstance(as_plugin(Dice), Dice)


async def test_attach_takes_interfaces():
    """A lone interface becomes a plugin with an id from the name of its class."""
    for subject in (Roll, Roll()):
        plugin = as_plugin(subject)
        assert plugin.id == "roll"
        assert plugin.world() == WitWorld.of(imports=[Roll.wit])
        item = await bind(plugin)
        assert isinstance(item.linked[Roll.wit], Roll)
        assert (item.linked[Roll.wit] is subject) == isinstance(subject, Interface)


@pytest.mark.parametrize("wrong", [42, "keyvalue", int, None])
def test_attach_refuses_the_rest(wrong):
    """Anything else is named, with what could be attached."""
    with pytest.raises(ConfigError, match="neither a plugin nor a WIT interface") as raised:
        as_plugin(wrong)
    assert any("Interface" in line for line in raised.value.repair)


def test_attach_of_a_class_that_needs_arguments():
    """A class that cannot be called is refused at attach, not at the first load."""

    class Cabinet(HostPlugin):
        id = "cabinet"

        def __init__(self, drawers: int) -> None:
            self.drawers = drawers

    for subject in (Table, Cabinet):
        with pytest.raises(ConfigError, match=f"attach cannot make an object of class {subject.__name__}"):
            as_plugin(subject)


def test_an_error_in_a_constructor_is_not_hidden():
    """What the code of a plugin raises is shown as it is."""

    class Broken(HostPlugin):
        id = "broken"

        def __init__(self) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        as_plugin(Broken)


def test_failure_of_a_backend_becomes_the_error_of_wit():
    """Only a BackendError is told to the guest; anything else is a defect and passes."""
    with pytest.raises(Err) as raised, told_to_guest(str.upper):
        raise BackendError("away", repair="start it")
    assert raised.value.value == "AWAY"
    with pytest.raises(KeyError), told_to_guest(str):
        raise KeyError
