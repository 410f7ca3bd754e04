"""Config in memory: the contract, the layers, and what a guest is told of a failure."""

from __future__ import annotations

import pytest

from washnb.engine import Err
from washnb.errors import BackendError
from washnb.plugins import DynamicConfig, TracingLogger
from washnb.plugins.config import Error_Upstream, Store
from washnb.types import LocalResources
from washnb.wit import WitInterface

from .bound import Item, bind
from .contracts.config import ConfigContract
from .guests import COMPONENTS, bound_guest, instance_of

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

    async def test_components_have_settings_of_their_own(self, plugin):
        """An edit for one component leaves the other alone."""
        first, second = Item(component="first"), Item(component="second")
        await bind(plugin, first, second)
        await plugin.backend(first.workload_id, "first").set("k", "v")
        assert await first.linked[Store.wit].get("k") == "v"
        assert await second.linked[Store.wit].get("k") is None

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


async def test_a_guest_of_the_older_interface(engine):
    """A component that imports wasi:config/runtime@0.2.0-draft is served, with the name that its error has there."""
    store = (COMPONENTS / "config_logging.wat").read_text()
    text = store.replace("config/store@0.2.0-rc.1", "config/runtime@0.2.0-draft").replace(
        '"error" (', '"config-error" ('
    )
    resources = LocalResources(config={"greeting": "hello"})
    item = await bound_guest(engine, text.encode(), DynamicConfig(), TracingLogger(), resources=resources)
    async with await instance_of(item) as guest:
        assert await guest.call("get", "greeting") == "hello"
        assert list(await guest.call("get-all")) == [("greeting", "hello")]


async def test_failure_of_the_backend_is_an_error_of_wit():
    """A guest gets error.upstream with the message of the backend."""

    class Away:
        async def get(self, key):
            raise BackendError("the server is away")

    with pytest.raises(Err) as raised:
        await Store(Away()).get("k")
    assert raised.value.value == Error_Upstream("the server is away")
