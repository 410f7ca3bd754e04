"""What a fault is set on: the names of functions, and what is said of those that mean none or several."""

from __future__ import annotations

import pytest

from washnb.errors import ConfigError
from washnb.host import Fault
from washnb.plugins import InMemoryKeyValue, Interface

from .guests import start


@pytest.fixture
async def shop(host):
    """A workload that imports key-value, and exports functions of the same names at its root."""
    await host.attach(InMemoryKeyValue())
    await start(host, "keyvalue")
    return host


@pytest.mark.parametrize(
    ("target", "functions"),
    [
        ("keyvalue.get", ["store#[method]bucket.get"]),
        ("kv.get", ["store#[method]bucket.get"]),
        ("wasi-keyvalue.get", ["store#[method]bucket.get"]),
        ("keyvalue.bucket.get", ["store#[method]bucket.get"]),
        ("bucket.list-keys", ["store#[method]bucket.list-keys"]),
        ("KeyValue.Bucket.list_keys", ["store#[method]bucket.list-keys"]),
        ("wasi:keyvalue/store#open", ["store#open"]),
        ("wasi:keyvalue/store@0.2.0-draft#[method]bucket.get", ["store#[method]bucket.get"]),
        ("store.open", ["store#open"]),
        ("wasi:keyvalue/atomics@0.2.0-draft", ["atomics#increment"]),
        ("keyvalue/batch", ["batch#get-many", "batch#set-many", "batch#delete-many"]),
        ("batch.*", ["batch#get-many", "batch#set-many", "batch#delete-many"]),
    ],
)
async def test_spellings(shop, target, functions):
    """A word and a function, WIT's name or Python's; an interface, with its version or without it."""
    added = shop.faults.add(Fault(target, trap=True))
    assert [each.removeprefix("wasi:keyvalue/") for each in added.functions] == functions


@pytest.mark.parametrize(
    ("target", "narrower"),
    [
        ("clocks.now", "monotonic-clock.now, wall-clock.now"),
        ("keyvalue/batch", "keyvalue.get-many, keyvalue.set-many, keyvalue.delete-many"),
    ],
)
async def test_one_that_means_several_functions_is_told_apart(shop, target, narrower):
    """Where the fault does not fit all of them, with names that mean one each."""
    await start(shop, "clocks")
    with pytest.raises(ConfigError) as caught:
        shop.faults.add(Fault(target, value="five"))
    assert caught.value.repair[-1] == f"{target} is several functions: {narrower}"
    for each in narrower.split(", "):
        assert len(shop.faults.add(Fault(each, trap=True)).functions) == 1


async def test_an_unknown_function_is_named_with_the_closest(shop):
    """And with those of the capability that are imported."""
    with pytest.raises(ConfigError, match=r"no loaded component imports or exports keyvalue\.gett") as caught:
        shop.faults.add(Fault("keyvalue.gett", trap=True))
    near, there, exported = caught.value.repair
    assert near == "did you mean keyvalue.get?"
    assert there.startswith("loaded components import keyvalue.open, keyvalue.get, keyvalue.set")
    assert there.endswith(" more (TAB lists them)")
    assert there.count(",") == 6
    assert exported.startswith("loaded components export open, get, set")  # at the root, and not of wasi:keyvalue


async def test_an_unknown_capability_is_named_with_what_is_imported(shop):
    """The same function of another package is close."""
    with pytest.raises(ConfigError) as caught:
        shop.faults.add(Fault("blobs.increment", trap=True))
    assert caught.value.repair[0] == "did you mean keyvalue.increment?"


async def test_of_one_workload_its_own_are_named(shop):
    """What another one has is nothing to it."""
    await start(shop, "adder")
    with pytest.raises(ConfigError, match=r"no component of 'keyvalue' imports or exports adder\.add") as caught:
        shop.faults.add(Fault("adder.add", trap=True, of="keyvalue"))
    assert caught.value.repair[-2].startswith("those of keyvalue import keyvalue.open")


async def test_nothing_is_loaded(host):
    """Then no fault can be set."""
    with pytest.raises(ConfigError, match=r"nothing is loaded that imports or exports keyvalue\.get"):
        host.faults.add(Fault("keyvalue.get", trap=True))


async def test_own_interfaces_have_targets_too(host):
    """Of any package."""

    class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
        def roll(self, sides: int) -> int:
            return sides

    await host.attach(Roll)
    await start(host, "dice")
    added = host.faults.add(Fault("dice.roll", value=1))
    assert added.functions == ("workshop:dice/roll#roll",)
