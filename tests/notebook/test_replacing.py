"""What is told of the state that goes with a plugin which another one replaces."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from washnb.plugins import (
    DynamicConfig,
    InMemoryBlobstore,
    InMemoryKeyValue,
    InMemoryMessaging,
    TracingLogger,
)
from washnb.plugins.config.in_memory import LayeredSettings

WORKLOAD = SimpleNamespace(workload_id="id-1", workload_name="shop")


def edited(*keys: str) -> LayeredSettings:
    """Settings with edits."""
    settings = LayeredSettings(lambda path, action: None)
    for key in keys:
        settings.hide(key)
    return settings


def test_state_that_goes_with_a_plugin_is_told(session, tmp_path):
    """How much, of which workload, and the line that keeps it; what is kept, empty or elsewhere has no such line."""

    class Mine(InMemoryKeyValue):
        pass

    class Keeping(InMemoryKeyValue):
        def adopt(self, former):
            self.take_over(former)

    session.load("example:counter", attach=["keyvalue"])
    session.send("/a")
    session.send("/b")
    assert session.attach(Mine).news == (
        "attached wasi-keyvalue on memory in place of the one before; gone with the one before: 2 keys of counter "
        "(`def adopt(self, former): self.take_over(former)` in class Mine keeps it)"
    )
    assert session.attach(InMemoryKeyValue).news.endswith("in place of the one before")
    session.send("/a")
    assert session.attach(Keeping).news.endswith("in place of the one before")
    assert session.send("/a").text == "2"
    before = session.snapshot()
    assert session.attach(InMemoryKeyValue()).news.endswith(
        "gone with the one before: 1 key of counter "
        "(kept by `before = wash.snapshot()` ahead of it, and `wash.restore(before)` behind it)"
    )
    session.restore(before)
    assert session.send("/a").text == "3"
    told = session.attach(f"keyvalue=file:{tmp_path}").news
    assert told.endswith("in place of memory; gone with the one before: 1 key of counter")
    session.send("/a")
    assert "gone" not in session.attach("keyvalue=memory").news


@pytest.mark.parametrize(
    ("plugin", "state", "amount"),
    [
        (InMemoryBlobstore, lambda plugin: plugin.new_state(WORKLOAD), ""),
        (TracingLogger, lambda plugin: {}, ""),
        (DynamicConfig, lambda plugin: {"a": edited("k"), "b": edited("k", "l")}, "3 edits"),
        (InMemoryMessaging, lambda plugin: plugin.new_state(WORKLOAD), ""),
    ],
)
def test_plugins_say_how_much_they_keep(plugin, state, amount):
    """In their own words; of what is empty, or no state at all, nothing is said."""
    made = plugin()
    assert made.amount_of_state(state(made)) == amount
