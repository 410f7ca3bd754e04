"""The catalog: words, worlds, classes, and the lines that errors suggest."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import washnb.plugins
from washnb.errors import ConfigError
from washnb.plugins import NatsServer, catalog
from washnb.plugins.catalog import CATALOG

PLACES = {"memory": "memory", "file": Path("state"), "nats": NatsServer()}
LOCATIONS = {"memory": "memory", "file": f"file:{Path.cwd()}/state", "nats": "nats://127.0.0.1:4222"}


@pytest.mark.parametrize(
    ("entry", "kind"), [(entry, kind) for entry in CATALOG for kind in entry.backends], ids=lambda each: str(each)[-9:]
)
def test_entries_are_true(entry, kind):
    """What an entry says of its plugins is what each of them says, and the room's door offers their classes."""
    plugin = entry.create(PLACES[kind])
    assert (plugin.id, plugin.world()) == (entry.plugin_id, entry.world)
    assert type(plugin) is getattr(washnb.plugins, type(plugin).__name__)
    assert (plugin.backend_kind, plugin.location) == (kind, LOCATIONS[kind])
    if kind == "memory":
        assert type(plugin).__name__ == entry.class_name


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
    assert catalog.by_interface("wasi:keyvalue/store@0.2.0-draft2").word == "keyvalue"
    assert catalog.by_interface("wasi:keyvalue/store@0.2.0-draft3") is None
    assert catalog.by_interface("wasi:keyvalue/watcher@0.2.0-draft") is None


def test_suggestions_repair():
    """Each missing import gets the lines that would serve it, and no line comes twice."""
    missing = [
        "wasi:keyvalue/store@0.2.0-draft",
        "wasi:keyvalue/atomics@0.2.0-draft",
        "wasi:keyvalue/store@0.2.0-draft3",
        "workshop:dice/fair-roll@0.1.0",
    ]
    assert catalog.suggestions(missing) == (
        "%wash attach keyvalue",
        "HostBuilder().with_plugin(InMemoryKeyValue())",
        "of wasi:keyvalue, washnb serves only "
        + ", ".join(f"wasi:keyvalue/atomics,batch,store@0.2.0-{draft}" for draft in ("draft", "draft2")),
        "%wash plugin new workshop:dice/fair-roll@0.1.0  # writes the class",
        'class FairRoll(Interface, wit="workshop:dice/fair-roll@0.1.0"):  # its functions as methods',
        "%wash attach FairRoll",
        "HostBuilder().with_plugin(FairRoll)",
    )


@pytest.mark.parametrize(
    ("word", "repair"),
    [("keyvlue", "%wash attach keyvalue"), ("LOGING", "%wash attach logging"), ("al", "%wash attach all")],
)
def test_an_unknown_word_is_answered_with_the_closest(word, repair):
    """A slip is repaired with one line, and the error lists what there is."""
    with pytest.raises(ConfigError, match=f"no plugin is called '{word}'; there are keyvalue, ") as caught:
        catalog.find(word)
    assert caught.value.repair == (repair,)
    assert catalog.find("kv") is catalog.by_word("keyvalue")


def test_a_word_like_no_other_is_told_how_to_make_a_plugin():
    """Where nothing is close, the repair speaks of plugins of one's own."""
    with pytest.raises(ConfigError) as caught:
        catalog.find("zebra")
    assert caught.value.repair[0].startswith("%wash attach NAME  # of a class")


@pytest.mark.parametrize(
    ("backend", "expected"),
    [
        ("memory", "memory"),
        ("file:./state", Path("state")),
        ("file:///var/state", Path("/var/state")),
        ("file:~/state", Path.home() / "state"),
        (Path("state"), Path("state")),
    ],
)
def test_backends_have_words(backend, expected):
    """`memory`, and a directory in its forms."""
    assert catalog.backend_of(backend) == expected


def test_a_url_is_a_server_with_options():
    """Options go to the server; where it is not on this machine it is read only until they say otherwise."""
    server = catalog.backend_of("tls://me:hidden@nats.example.com", write=True, token="hidden")
    assert (server.url, server.writes, server.joins) == ("tls://nats.example.com:4222", True, False)
    assert "hidden" not in repr(server)
    assert catalog.backend_of(server) is server


@pytest.mark.parametrize(
    ("backend", "repair"),
    [
        ("memroy", "did you mean memory?"),
        ("files:x", "did you mean file:DIR?"),
        ("natss://me:hidden@host", "did you mean nats://HOST:PORT?"),
        ("file:", "did you mean file:DIR?"),
        ("redis", "%wash attach keyvalue=file:./state"),
        ("./mine", "%wash attach keyvalue=file:./mine"),
        ("localhost:4222", "%wash attach keyvalue=nats://localhost:4222"),
        ("//me:hidden@host:4222", "%wash attach keyvalue=file:./state"),
    ],
)
def test_a_backend_that_is_none(backend, repair):
    """A slip gets the closest form, a missing scheme is put before it, and a password in it is not repeated."""
    with pytest.raises(ConfigError, match="is no backend; there are memory, file:DIR, nats://HOST:PORT") as caught:
        catalog.find("kv").create(backend)
    assert caught.value.repair == (repair,)
    assert "hidden" not in str(caught.value)


def test_options_belong_to_servers():
    """A backend without a server refuses them by name."""
    with pytest.raises(ConfigError, match="write: only a backend that is the URL"):
        catalog.find("kv").create("memory", write=True)


def test_a_capability_without_the_backend_says_which_it_has():
    """Settings are not kept in files."""
    with pytest.raises(ConfigError, match="config has no backend file:DIR; it has memory"):
        catalog.find("config").create("file:./state")


@pytest.mark.parametrize("entry", [entry for entry in CATALOG if "nats" in entry.backends], ids=lambda each: each.word)
async def test_without_nats_py_the_extra_is_named(monkeypatch, entry):
    """A backend on NATS can be chosen, and says what to install when it starts."""
    monkeypatch.setitem(sys.modules, "nats", None)
    plugin = entry.create("nats://127.0.0.1:4222")
    with pytest.raises(ConfigError, match="a package that is not installed: nats") as caught:
        await plugin.start()
    assert caught.value.repair == ('pip install "washnb[nats]"',)
