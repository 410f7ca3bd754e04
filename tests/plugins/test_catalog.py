"""The catalog: words, worlds, classes, and the lines that errors suggest."""

from __future__ import annotations

import dataclasses

import pytest

import washnb.plugins
from washnb.errors import ConfigError
from washnb.plugins import catalog
from washnb.plugins.catalog import CATALOG


@pytest.mark.parametrize("entry", CATALOG, ids=lambda entry: entry.word)
def test_entries_are_true(entry):
    """What an entry says of its plugin is what the plugin says, and the room's door offers its class."""
    plugin = entry.create()
    assert (plugin.id, plugin.world()) == (entry.plugin_id, entry.world)
    assert type(plugin) is getattr(washnb.plugins, entry.class_name)


def test_words_are_unique():
    """No word means two capabilities."""
    assert len(catalog.words()) == len(set(catalog.words()))


@pytest.mark.parametrize("word", ["keyvalue", "kv", "KV", "wasi-keyvalue"])
def test_both_names_and_the_id_find_a_capability(word):
    """Every word of a capability finds it, in any case, and so does the id of its plugin."""
    assert catalog.by_word(word) is CATALOG[0]


def test_an_unknown_word_finds_nothing():
    """What nobody knows is None, and the caller says so."""
    assert catalog.by_word("blobs-of-joy") is None


def test_imports_find_their_capability():
    """An import finds the plugin that serves its interface at its version, and only then."""
    assert catalog.by_interface("wasi:keyvalue/batch@0.2.0-draft").word == "keyvalue"
    assert catalog.by_interface("wasi:config/store@0.2.0-rc.1").word == "config"
    assert catalog.by_interface("wasi:logging/logging@0.1.0-draft").word == "logging"
    assert catalog.by_interface("wasi:keyvalue/store@0.2.0-draft2") is None
    assert catalog.by_interface("wasi:keyvalue/watcher@0.2.0-draft") is None


def test_suggestions_repair():
    """Each missing import gets the lines that would serve it, and no line comes twice."""
    missing = [
        "wasi:keyvalue/store@0.2.0-draft",
        "wasi:keyvalue/atomics@0.2.0-draft",
        "wasi:keyvalue/store@0.2.0-draft2",
        "workshop:dice/fair-roll@0.1.0",
    ]
    assert catalog.suggestions(missing) == (
        "%wash attach keyvalue",
        "HostBuilder().with_plugin(InMemoryKeyValue())",
        "of wasi:keyvalue, washnb serves only wasi:keyvalue/atomics,batch,store@0.2.0-draft",
        'class FairRoll(Interface, wit="workshop:dice/fair-roll@0.1.0"):  # its functions as methods',
        "%wash attach FairRoll",
        "HostBuilder().with_plugin(FairRoll)",
    )


def test_a_missing_extra_is_named():
    """A plugin whose package is not installed says what to install."""
    entry = dataclasses.replace(CATALOG[0], class_path="nobody_has_this:Plugin", extra="nats")
    with pytest.raises(ConfigError, match="nobody_has_this") as raised:
        entry.create()
    assert raised.value.repair == ('pip install "washnb[nats]"',)


def test_a_defect_is_not_taken_for_a_missing_extra():
    """Without an extra there is nothing to install: the import error is shown as it is."""
    entry = dataclasses.replace(CATALOG[0], class_path="nobody_has_this:Plugin")
    with pytest.raises(ModuleNotFoundError):
        entry.create()
