"""Plugins of other packages: found by their word, loaded when they are wanted, harmless when they are broken."""

from __future__ import annotations

import sys

import pytest

from washnb.errors import ConfigError
from washnb.host import HostBuilder
from washnb.plugins import catalog, registered_plugins

from .test_in_host import request

MODULE = """
from washnb.plugins import HostPlugin, Interface

class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
    def roll(self, sides: int) -> int:
        return sides

class Dice(HostPlugin):
    id = "workshop-dice"
    interfaces = (Roll,)

def make():
    return Dice()

nothing = 7

def failing():
    raise OSError("no dice")

def ending():
    raise SystemExit(3)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a distribution into a directory of the path, as an installer lays it out: module and metadata."""

    def install(name: str, version: str = "1.0", module: str = MODULE, **registered: str) -> None:
        site = tmp_path / name
        info = site / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (site / f"{name}.py").write_text(module)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = (f"{word} = {target}\n" for word, target in registered.items())
        (info / "entry_points.txt").write_text(f"[washnb.plugins]\n{''.join(lines)}")
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.delitem(sys.modules, name, raising=False)

    return install


async def test_a_plugin_of_a_package_is_attached_by_its_word(install, engine):
    """What a package registers serves guests under the word that it chose."""
    install("workshop_dice", dice="workshop_dice:Dice")
    async with HostBuilder().with_engine(engine).with_plugin(catalog.find("dice").create()).build() as host:
        assert (await host.workload_start(request("dice"))).error is None
        assert await host.call("guest", "play", 6) == 6


@pytest.mark.parametrize(
    ("target", "plugin_id"), [("Dice", "workshop-dice"), ("Roll", "roll"), ("make", "workshop-dice")]
)
def test_a_plugin_an_interface_or_a_function_that_makes_one(install, target, plugin_id):
    """All three forms become a plugin, whose id is known for detaching it by its word."""
    install("workshop_dice", dice=f"workshop_dice:{target}")
    entry = catalog.by_word("dice")
    assert (entry.create().id, entry.plugin_id) == (plugin_id, plugin_id)


def test_listing_imports_nothing(install):
    """Packages are listed with word, name and version, and complete, before anything of them runs."""
    install("broken_dice", "2.1", "raise RuntimeError('imported')", dice="broken_dice:Dice")
    assert [(each.word, each.package) for each in registered_plugins()] == [("dice", "broken_dice 2.1")]
    assert "dice" in catalog.words()
    assert "broken_dice" not in sys.modules


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("workshop_dice:ending", "cannot be loaded: SystemExit: 3"),
        ("workshop_dice:failing", "cannot be loaded: OSError: no dice"),
        ("workshop_dice:absent", "cannot be loaded: AttributeError"),
        ("nobody_has_this:Dice", "cannot be loaded: ModuleNotFoundError"),
        ("workshop_dice:nothing", "7 is neither a plugin nor a WIT interface"),
    ],
)
def test_a_broken_one_is_named_with_its_package(install, target, message):
    """Who attaches it learns whose fault it is; everything else goes on."""
    install("workshop_dice", dice=target)
    with pytest.raises(ConfigError, match=r"plugin 'dice' of package workshop_dice 1\.0") as caught:
        catalog.find("dice").create()
    assert message in caught.value.message
    assert catalog.find("keyvalue").create().id == "wasi-keyvalue"


def test_words_that_come_with_washnb_are_not_taken(install):
    """A package cannot put itself in the place of a capability."""
    install("workshop_dice", keyvalue="workshop_dice:Dice", kv="workshop_dice:Dice")
    assert catalog.find("kv").plugin_id == "wasi-keyvalue"
    assert len(catalog.words()) == len(set(catalog.words()))


def test_two_packages_of_one_word_are_both_named(install):
    """Neither is chosen by chance."""
    install("workshop_dice", dice="workshop_dice:Dice")
    install("other_dice", dice="other_dice:Dice")
    with pytest.raises(ConfigError, match="several packages: ") as caught:
        catalog.find("dice").create()
    assert "workshop_dice 1.0" in caught.value.message
    assert "other_dice 1.0" in caught.value.message


def test_there_is_no_backend_to_choose(install):
    """Backends are a matter of the capabilities of washnb."""
    install("workshop_dice", dice="workshop_dice:Dice")
    with pytest.raises(ConfigError, match="has no backends to choose from"):
        catalog.find("dice").create("nats://127.0.0.1:4222")


def test_closest_match_knows_them_too(install):
    """A slip finds the word of a package."""
    install("workshop_dice", dice="workshop_dice:Dice")
    with pytest.raises(ConfigError, match="dice") as caught:
        catalog.find("dicee")
    assert caught.value.repair == ("%wash attach dice",)
