"""What plugins keep lives exactly as long as its workload is bound."""

from __future__ import annotations

import pytest

from washnb.errors import WorkloadNotFound
from washnb.plugins import PerComponent, PerWorkload

from .bound import Item, bind


class Notes(PerWorkload[list]):
    id = "notes"

    def new_state(self, workload):
        return [workload.workload_name]


class Drawers(PerComponent[list]):
    id = "drawers"

    def new_component_state(self, item):
        return [item.component]


async def test_state_is_made_at_bind_and_gone_at_unbind():
    """Each workload has its own state, made from what is known of it."""
    plugin = Notes()
    one = await bind(plugin, Item(workload_id="one", workload_name="first"))
    two = await bind(plugin, Item(workload_id="two", workload_name="second"))
    assert (plugin.state(one.workload_id), plugin.state(two.workload_id)) == (["first"], ["second"])
    await plugin.on_workload_unbind("one", ())
    with pytest.raises(WorkloadNotFound, match="workload one does not use plugin 'notes'"):
        plugin.state("one")
    assert plugin.state("two") == ["second"]


async def test_a_reload_keeps_state():
    """The new version is bound before the old one is unbound: the same state serves both."""
    plugin = Notes()
    await bind(plugin)
    plugin.state("id-1").append("kept")
    await bind(plugin)
    await plugin.on_workload_unbind("id-1", ())
    assert plugin.state("id-1") == ["counter", "kept"]
    await plugin.on_workload_unbind("id-1", ())
    with pytest.raises(WorkloadNotFound):
        plugin.state("id-1")


async def test_a_reload_that_fails_leaves_state_alone():
    """A new version whose binding fails is unbound, and the old one goes on with what it had."""
    plugin = Notes()
    await bind(plugin)
    await plugin.on_workload_bind(Item(), ())
    await plugin.on_workload_unbind("id-1", ())
    assert plugin.state("id-1") == ["counter"]


async def test_nothing_is_left_when_the_host_stops():
    """A host that stops unbinds nobody: the plugin itself lets go of what it kept."""
    plugin = Notes()
    await bind(plugin)
    await plugin.stop()
    with pytest.raises(WorkloadNotFound):
        plugin.state("id-1")


async def test_unbind_after_state_that_could_not_be_made():
    """The host unbinds also where making the state failed: there is nothing to drop then, and no second error."""

    class Full(PerWorkload[list]):
        id = "full"

        def new_state(self, workload):
            raise OSError("no room")

    plugin = Full()
    with pytest.raises(OSError, match="no room"):
        await bind(plugin)
    await plugin.on_workload_unbind("id-1", ())
    with pytest.raises(WorkloadNotFound):
        plugin.state("id-1")


async def test_components_keep_state_over_a_reload_too():
    """A component of the new version finds what the component of its name had."""
    plugin = Drawers()
    await bind(plugin, Item(component="a"), Item(component="b"))
    plugin.component_state("id-1", "a").append("kept")
    await bind(plugin, Item(component="a"), Item(component="c"))
    await plugin.on_workload_unbind("id-1", ())
    assert plugin.component_state("id-1", "a") == ["a", "kept"]
    assert plugin.components("id-1") == ("a", "b", "c")


async def test_an_edited_class_goes_on_with_state_that_is_empty():
    """What was emptied stays so, and stays the object that calls which have begun on the former plugin write to."""

    def defined() -> PerWorkload[list]:
        class Edited(PerWorkload[list]):
            id = "edited"

            def new_state(self, workload):
                return ["fresh"]

        return Edited()

    former, edited = defined(), defined()
    await bind(former)
    former.state("id-1").clear()
    edited.adopt(former)
    await bind(edited)
    assert edited.state("id-1") == []
    assert edited.state("id-1") is former.state("id-1")


async def test_objects_of_one_class_keep_apart():
    """Two plugins of the same class, in two hosts, share nothing."""
    one, two = Notes(), Notes()
    await bind(one)
    with pytest.raises(WorkloadNotFound):
        two.state("id-1")
