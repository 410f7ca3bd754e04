"""What every config plugin must do, whatever its backend."""

from __future__ import annotations

import pytest

from washnb.errors import WorkloadNotFound
from washnb.plugins import Config
from washnb.plugins.config import Runtime, Store
from washnb.types import LocalResources

from ..bound import Item, bind

GIVEN = {"language": "en", "greeting": "hello"}


class ConfigContract:
    """A subclass has a fixture `plugin`, a Config that was not bound yet."""

    @pytest.fixture
    def plugin(self) -> Config:
        """Give the plugin under test."""
        raise AssertionError("a contract needs a plugin")

    @pytest.fixture
    async def item(self, plugin) -> Item:
        """Bind a workload with one component that has config."""
        return await bind(plugin, Item(local_resources=LocalResources(config=GIVEN)))

    @pytest.fixture
    def store(self, item) -> Store:
        """Give what a guest reads."""
        return item.linked[Store.wit]

    async def test_a_guest_reads_its_config(self, store):
        """What the workload gives to a component, the component gets; what it does not give is None."""
        assert await store.get("greeting") == "hello"
        assert await store.get("nothing") is None
        assert list(await store.get_all()) == [("greeting", "hello"), ("language", "en")]

    async def test_an_edit_reaches_a_running_guest(self, plugin, item, store):
        """A setting that is set or deleted in a view is so at the next call of the guest."""
        settings = plugin.backend(item.workload_id, item.component)
        await settings.set("greeting", "good day")
        await settings.set("new", "")
        await settings.delete("language")
        assert list(await store.get_all()) == [("greeting", "good day"), ("new", "")]
        assert await store.get("language") is None
        assert await settings.get_all() == {"greeting": "good day", "new": ""}

    async def test_each_edit_is_told(self, plugin, item):
        """Edits become events that name workload, component and key; deleting what is not there is none."""
        told = []
        plugin.events.subscribe(told.append)
        settings = plugin.backend(item.workload_id, item.component)
        await settings.set("greeting", "good day")
        await settings.delete("greeting")
        await settings.delete("greeting")
        assert [(event.workload, event.plugin, event.path, event.action) for event in told] == [
            (item.workload_name, plugin.id, (item.component, "greeting"), "set"),
            (item.workload_name, plugin.id, (item.component, "greeting"), "delete"),
        ]

    async def test_the_older_interface_reads_the_same(self, plugin, item):
        """Guests that import wasi:config/runtime get what those of wasi:config/store get, edits too."""
        runtime = item.linked[Runtime.wit]
        await plugin.backend(item.workload_id, item.component).set("new", "1")
        assert await runtime.get("greeting") == "hello"
        assert list(await runtime.get_all()) == [("greeting", "hello"), ("language", "en"), ("new", "1")]

    async def test_who_does_not_use_the_plugin_has_no_settings(self, plugin, item):
        """Asking for an unknown workload or component says which one it is."""
        with pytest.raises(WorkloadNotFound, match="component other of workload id-1 does not use"):
            plugin.backend(item.workload_id, "other")
        with pytest.raises(WorkloadNotFound, match="workload other does not use"):
            plugin.backend("other", item.component)
