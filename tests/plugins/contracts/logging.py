"""What every logging plugin must do, whatever its backend."""

from __future__ import annotations

import time

import pytest

from washnb.plugins import Logger
from washnb.plugins.logging import Level, Logging

from ..bound import Item, bind


class LoggingContract:
    """A subclass has a fixture `plugin`, a Logger that was not bound yet."""

    @pytest.fixture
    def plugin(self) -> Logger:
        """Give the plugin under test."""
        raise AssertionError("a contract needs a plugin")

    @pytest.fixture
    async def item(self, plugin) -> Item:
        """Bind a workload with one component."""
        return await bind(plugin)

    @pytest.mark.parametrize("level", Level)
    async def test_keeps_what_a_guest_wrote(self, plugin, item, level):
        """A line keeps its level, critical too, its context, its text, its author and its time."""
        before = time.time()
        item.linked[Logging.wit].log(level, "setup", "it works\n<b>")
        (line,) = plugin.backend(item.workload_id, item.component).lines()
        assert (line.workload, line.component, line.stream) == (item.workload_name, item.component, "log")
        assert (line.level, line.context, line.message) == (level.name.lower(), "setup", "it works\n<b>")
        assert before <= line.time <= time.time()

    async def test_each_line_is_an_event(self, plugin, item):
        """Who listens gets the very lines that are kept, in order."""
        told = []
        plugin.events.subscribe(told.append)
        for message in ("one", "two"):
            item.linked[Logging.wit].log(Level.INFO, "", message)
        assert tuple(told) == tuple(plugin.backend(item.workload_id, item.component).lines())
        assert [line.message for line in told] == ["one", "two"]

    async def test_components_have_logs_of_their_own(self, plugin):
        """What one component writes is not in the log of the other."""
        first, second = Item(component="first"), Item(component="second")
        await bind(plugin, first, second)
        first.linked[Logging.wit].log(Level.INFO, "", "here")
        assert [len(plugin.backend("id-1", name).lines()) for name in ("first", "second")] == [1, 0]
