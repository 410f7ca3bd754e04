"""The bus that events go out on: everybody hears, in order, and nobody is hurt by another."""

from __future__ import annotations

from washnb.events import EventBus, LogLine, PluginChanged, StateChanged

ATTACHED = PluginChanged("dice", "attach")


def test_every_subscriber_hears_every_event_until_it_has_enough():
    """In the order of subscribing; a bus that nobody listens to is false."""
    bus, heard = EventBus(), []
    assert not bus
    leave = bus.subscribe(lambda event: heard.append(("one", event)))
    bus.subscribe(lambda event: heard.append(("two", event)))
    bus.publish(ATTACHED)
    leave()
    bus.publish(ATTACHED)
    assert heard == [("one", ATTACHED), ("two", ATTACHED), ("two", ATTACHED)]
    assert bus


def test_a_subscriber_hears_the_kinds_that_it_asks_for():
    """Also where it comes after events of other kinds, and others leave."""
    bus, heard, all_heard = EventBus(), [], []
    changed = StateChanged("shop", "kv", ("b", "k"), "set")
    leave = bus.subscribe(all_heard.append)
    bus.publish(ATTACHED)
    bus.subscribe(heard.append, StateChanged, LogLine)
    bus.publish(ATTACHED)
    bus.publish(changed)
    leave()
    bus.publish(changed)
    assert heard == [changed, changed]
    assert all_heard == [ATTACHED, ATTACHED, changed]


def test_a_subscriber_that_raises_concerns_nobody_else(caplog):
    """What it raises is logged: a request must not fail because somebody who looks on does."""
    bus, heard = EventBus(), []
    bus.subscribe(lambda _event: 1 // 0)
    bus.subscribe(heard.append)
    bus.publish(ATTACHED)
    assert heard == [ATTACHED]
    assert "a subscriber failed at PluginChanged" in caplog.text
    assert "ZeroDivisionError" in caplog.text
