"""Which import is served by whom."""

from __future__ import annotations

import pytest

from washnb.errors import ConfigError
from washnb.host.resolve import Demand, Offer, asks_for_http, covers, resolve, served_by_wasi
from washnb.wit import WitInterface, WitWorld

WASI = frozenset(("wasi:io/streams", "wasi:http/types", "wasi:clocks/wall-clock"))
STORE = "wasi:keyvalue/store@0.2.0-draft"
ATOMICS = "wasi:keyvalue/atomics@0.2.0-draft"
KEYVALUE = Offer("wasi-keyvalue", WitWorld.of(["wasi:keyvalue/store,atomics,batch@0.2.0-draft"]))
CONFIG = Offer("wasi-config", WitWorld.of(["wasi:config/store@0.2.0-rc.1"]))
MESSAGING = Offer(
    "messaging", WitWorld.of(["wasmcloud:messaging/consumer@0.2.0"], ["wasmcloud:messaging/handler@0.2.0"])
)


def demand(*imports: str, name: str = "main", exports: tuple[str, ...] = ()) -> Demand:
    """A component with these imports."""
    return Demand(name, WitWorld.of(imports, exports))


def entries(*texts: str) -> list[WitInterface]:
    """The host interfaces of a workload."""
    return [WitInterface.parse(text) for text in texts]


def granted(resolution) -> list[tuple[str, str, list[str]]]:
    """What was granted, in a form that compares."""
    return [(g.plugin_id, g.component, sorted(map(str, g.interfaces))) for g in resolution.grants]


def test_imports_of_attached_plugins_are_inferred():
    """A workload that lists no host interfaces gets what it imports and a plugin serves, a package in one entry."""
    resolution = resolve([demand(STORE, ATOMICS)], [CONFIG, KEYVALUE], (), WASI)
    assert granted(resolution) == [("wasi-keyvalue", "main", ["wasi:keyvalue/atomics,store@0.2.0-draft"])]
    assert not resolution.unserved


def test_what_a_plugin_calls_on_guests_is_inferred_from_their_exports():
    """A plugin whose world exports an interface is granted the components that export it."""
    resolution = resolve([demand(exports=("wasmcloud:messaging/handler@0.2.0",))], [MESSAGING], (), WASI)
    assert granted(resolution) == [("messaging", "main", ["wasmcloud:messaging/handler@0.2.0"])]


def test_exports_that_no_plugin_calls_are_named():
    """Of each component, unless the workload says itself what it wants."""
    component = demand(exports=("wasmcloud:messaging/handler@0.2.0", "docs:adder/add@0.1.0"))
    assert resolve([component], [MESSAGING], (), WASI).uncalled == {"main": tuple(entries("docs:adder/add@0.1.0"))}
    assert len(resolve([component], [CONFIG], (), WASI).uncalled["main"]) == 2
    assert resolve([component], [CONFIG], entries("wasi:io/streams"), WASI).uncalled == {}


@pytest.mark.parametrize("version", ["0.2.0", "0.2.6", "0.2.12"])
def test_wasi_is_served_in_every_released_version(version):
    """Any 0.2.x of a WASI interface needs no plugin."""
    resolution = resolve([demand(f"wasi:io/streams@{version}")], [], (), WASI)
    assert not resolution.unserved
    assert not resolution.grants


def test_wasi_of_another_line_is_not_served():
    """WASI 0.3 and drafts are not what the host serves."""
    assert not served_by_wasi(WitInterface.parse("wasi:io/streams@0.3.0"), WASI)
    assert not served_by_wasi(WitInterface.parse("wasi:io/streams@0.2.0-rc.1"), WASI)


def test_unserved_imports_are_named_per_component():
    """Each component's imports without a server are listed under its name, all of them."""
    resolution = resolve([demand(STORE, ATOMICS, name="a"), demand(name="b"), demand("x:y/z", name="c")], [], (), WASI)
    assert resolution.unserved == {"a": (STORE, ATOMICS), "c": ("x:y/z",)}


def test_another_draft_is_another_interface():
    """A version with a pre-release part is served only by itself."""
    assert resolve([demand("wasi:keyvalue/store@0.2.0-draft2")], [KEYVALUE], (), WASI).unserved


def test_plugins_are_granted_in_the_order_of_their_ids():
    """Grants come by plugin id, then in the order of the manifest."""
    components = [demand(STORE, "wasi:config/store@0.2.0-rc.1", name=name) for name in ("b", "a")]
    resolution = resolve(components, [KEYVALUE, CONFIG], (), WASI)
    assert [(g.plugin_id, g.component) for g in resolution.grants] == [
        ("wasi-config", "b"),
        ("wasi-config", "a"),
        ("wasi-keyvalue", "b"),
        ("wasi-keyvalue", "a"),
    ]


def test_the_first_plugin_by_id_serves_an_interface_that_two_offer():
    """Two plugins that serve the same interface: the one whose id sorts first."""
    other = Offer("a-keyvalue", KEYVALUE.world)
    assert granted(resolve([demand(STORE)], [KEYVALUE, other], (), WASI))[0][0] == "a-keyvalue"
    assert granted(resolve([demand(STORE)], [KEYVALUE, other], entries(STORE), WASI))[0][0] == "a-keyvalue"


def test_only_declared_interfaces_are_granted():
    """With host interfaces declared, an import that is not among them is not served, attached plugin or not."""
    resolution = resolve([demand(STORE, ATOMICS)], [KEYVALUE], entries(STORE), WASI)
    assert granted(resolution) == [("wasi-keyvalue", "main", [STORE])]
    assert resolution.unserved == {"main": (ATOMICS,)}


def test_entries_that_no_component_uses_are_ignored():
    """An entry that no component imports or exports asks nothing of the host."""
    resolution = resolve([demand()], [], entries("nobody:has/this@1.0.0"), WASI)
    assert not resolution.refused
    assert not resolution.unserved


def test_an_entry_that_a_component_covers_in_part_is_not_its():
    """An entry counts for a component only where the component's world has every interface of it."""
    resolution = resolve([demand(STORE)], [KEYVALUE], entries("wasi:keyvalue/store,atomics@0.2.0-draft"), WASI)
    assert not resolution.grants
    assert resolution.unserved == {"main": (STORE,)}


def test_entries_without_version_match_every_version():
    """Where an entry omits the version, anything matches."""
    assert resolve([demand(STORE)], [KEYVALUE], entries("wasi:keyvalue/store"), WASI).grants


def test_an_entry_that_no_plugin_takes_is_refused():
    """What a component uses and no plugin serves is left over."""
    resolution = resolve([demand(STORE)], [CONFIG], entries(STORE), WASI)
    assert resolution.refused == {"main": tuple(entries(STORE))}


@pytest.mark.parametrize(
    "text",
    [
        "wasi:http/incoming-handler@0.2.0",
        "wasi:http/incoming-handler,outgoing-handler,types",
        "wasi:http/handler",
        "wasi:clocks/wall-clock",
    ],
)
def test_what_the_host_serves_itself_is_not_asked_of_plugins(text):
    """Entries for HTTP and for WASI are the host's own."""
    component = demand(*WitInterface.parse(text).each())
    assert not resolve([component], [], entries(text), WASI).refused


def test_an_entry_without_interfaces_is_rejected():
    """The reference would match it with everything."""
    empty = WitInterface("wasi", "keyvalue", frozenset())
    with pytest.raises(ConfigError, match="names no interface"):
        resolve([demand(STORE)], [KEYVALUE], [empty], WASI)


def test_an_entry_named_like_a_plugin_goes_only_there():
    """The name of an entry chooses among plugins that serve the same."""
    other = Offer("a-keyvalue", KEYVALUE.world)
    entry = WitInterface.parse(STORE, name="wasi-keyvalue")
    assert granted(resolve([demand(STORE)], [other, KEYVALUE], [entry], WASI)) == [("wasi-keyvalue", "main", [STORE])]


def test_several_named_entries_of_one_package_are_refused():
    """No plugin here keeps named instances apart, and says so in the reference's words."""
    wanted = [WitInterface.parse(STORE, name="one"), WitInterface.parse(STORE, name="two")]
    with pytest.raises(ConfigError) as caught:
        resolve([demand(STORE)], [KEYVALUE], wanted, WASI)
    assert caught.value.message == (
        "plugin 'wasi-keyvalue' does not support named instances, but workload requires 2 named entries "
        "for wasi:keyvalue (names: one, two)"
    )


def test_config_of_an_entry_reaches_the_grant():
    """A plugin receives the entry as the workload wrote it."""
    entry = WitInterface.parse("wasi:config/store", config={"answer": "42"})
    resolution = resolve([demand("wasi:config/store@0.2.0-rc.1")], [CONFIG], [entry], WASI)
    assert next(iter(resolution.grants[0].interfaces)).config == {"answer": "42"}


def test_http_is_asked_for_by_entry_or_by_silence():
    """A workload that lists interfaces gets requests only where incoming-handler is among them."""
    assert asks_for_http(())
    assert asks_for_http(entries("wasi:http/incoming-handler@0.2.0"))
    assert not asks_for_http(entries(STORE))


def test_a_world_covers_what_it_exports_too():
    """The entry of an exported interface is the component's as well."""
    assert covers(WitWorld.of((), ["a:b/c@1.0.0"]), WitInterface.parse("a:b/c@1.0.0"))
