"""What every plugin must do whose state is in snapshots."""

from __future__ import annotations

from washnb.events import StateChanged
from washnb.plugins import HostPlugin

from ..bound import Item, bind


class SnapshotContract:
    """A subclass has a fixture `plugin`, empty, and `change`, which sets, changes and deletes things."""

    async def change(self, plugin: HostPlugin, item: Item, number: int) -> None:
        """Bring the state into another form: 0, 1, 2."""
        raise AssertionError("a subclass says how")

    async def test_what_was_dumped_comes_back(self, plugin):
        """Whatever has changed, been deleted or come since then; nothing changes where nothing differs."""
        item = Item()
        await bind(plugin, item)
        await self.change(plugin, item, 0)
        first = await plugin.dump(item.workload_id)
        assert first
        await self.change(plugin, item, 1)
        second = await plugin.dump(item.workload_id)
        assert first != second
        told = []
        plugin.events.subscribe(lambda event: told.append(event) if isinstance(event, StateChanged) else None)
        for state in (first, second, first):
            told.clear()
            await plugin.restore(item.workload_id, state)
            assert await plugin.dump(item.workload_id) == state
            assert told, "views hear of it"
            told.clear()
            await plugin.restore(item.workload_id, state)
            assert not told

    async def test_nothing_is_a_state_too(self, plugin):
        """What has come since then goes."""
        item = Item()
        await bind(plugin, item)
        assert await plugin.dump(item.workload_id) == {}
        await self.change(plugin, item, 0)
        await plugin.restore(item.workload_id, {})
        assert await plugin.dump(item.workload_id) == {}
