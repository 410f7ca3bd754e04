"""Config in memory: the contract, the layers, and what a guest is told of a failure."""

from __future__ import annotations

import pytest

from washnb.engine import Err
from washnb.errors import BackendError
from washnb.plugins import DynamicConfig
from washnb.plugins.config import Error_Upstream, Store
from washnb.types import LocalResources
from washnb.wit import WitInterface

from .bound import Item, bind
from .contracts.config import ConfigContract

ENTRIES = (WitInterface.parse("wasi:config/store", config={"a": "interface", "b": "interface", "c": "interface"}),)
RESOURCES = LocalResources(config={"b": "component", "c": "component"}, environment={"c": "environment", "PATH": "/"})


class TestDynamicConfig(ConfigContract):
    @pytest.fixture
    def plugin(self):
        """Give the plugin with its defaults."""
        return DynamicConfig()

    async def test_reload_brings_new_config_and_keeps_edits(self, plugin, item):
        """The new version of a workload brings its own config; what was edited by hand stays."""
        await plugin.backend(item.workload_id, item.component).set("greeting", "edited")
        again = await bind(plugin, Item(local_resources=LocalResources(config={"greeting": "hi", "language": "de"})))
        await plugin.on_workload_unbind(item.workload_id, ())
        assert list(await again.linked[Store.wit].get_all()) == [("greeting", "edited"), ("language", "de")]

    async def test_components_are_listed(self, plugin, item):
        """A view learns which components have settings."""
        assert plugin.components(item.workload_id) == (item.component,)


@pytest.mark.parametrize(
    ("plugin", "expected"),
    [
        (DynamicConfig(False), {"a": "interface", "b": "component", "c": "component"}),
        (DynamicConfig(True), {"a": "interface", "b": "component", "c": "environment", "PATH": "/"}),
    ],
    ids=["without environment", "with environment"],
)
async def test_layers(plugin, expected):
    """Interface config lies below the component's, and the environment, where it is copied, above both."""
    item = await bind(plugin, Item(local_resources=RESOURCES), interfaces=ENTRIES)
    assert dict(await item.linked[Store.wit].get_all()) == expected


async def test_failure_of_the_backend_is_an_error_of_wit():
    """A guest gets error.upstream with the message of the backend."""

    class Away:
        async def get(self, key):
            raise BackendError("the server is away")

    with pytest.raises(Err) as raised:
        await Store(Away()).get("k")
    assert raised.value.value == Error_Upstream("the server is away")
