"""Views of key-value, config and logs: data to read, mappings to write, faces, and widgets that follow."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.waiting import eventually_there
from washnb.errors import ConfigError, WorkloadNotFound
from washnb.notebook import Session
from washnb.notebook.views import View
from washnb.notebook.views.base import NotThere
from washnb.notebook.widgets.live import Live, Still
from washnb.plugins.keyvalue.files import FilesystemBackend
from washnb.secrecy import HIDDEN

COMPONENTS = Path(__file__).parent.parent / "components"
ESCAPES = "<script>\x1b[31m"


@pytest.fixture
def counter(session: Session) -> Session:
    """A session in which a counter has counted once."""
    session.load("example:counter", attach=["keyvalue"])
    session.send("/x")
    return session


@pytest.fixture
def settings(session: Session) -> Session:
    """A session with a component that reads config and logs."""
    session.load(COMPONENTS / "config_logging.wat", "c", attach=["config", "logging"], config={"a": 1, "b_token": "t"})
    return session


def test_data_is_plain_python(counter):
    """Everything, one bucket, one key."""
    one = (1).to_bytes(8, "little")
    assert counter.kv.data == {"default": {"x": one}}
    assert counter.kv("default").data == {"x": one}
    assert counter.kv("default", "x").data == one
    assert counter.kv(of="counter").data == counter.kv.data


def test_a_key_that_is_not_there_is_a_keyerror_that_names_those_that_are(counter):
    """In two lines, bucket or key, for reading and deleting; `in` and `get` go on as for every mapping."""
    bucket = counter.kv["default"]
    for use in (lambda: bucket["y"], lambda: bucket.pop("y"), lambda: bucket.__delitem__("y")):
        with pytest.raises(KeyError) as caught:
            use()
        assert str(caught.value) == "in bucket 'default' there is no key 'y'; there is x"
    with pytest.raises(KeyError, match="no bucket 'defaul'; there is default\n  did you mean 'default'"):
        _ = counter.kv["defaul"]["x"]
    assert "y" not in bucket
    assert bucket.get("y") is None


def test_what_is_not_there_is_named(counter):
    """A wrong bucket, key and workload each get an answer."""
    with pytest.raises(NotThere, match="here there is no bucket 'd'; there is default"):
        _ = counter.kv("d").data
    with pytest.raises(NotThere, match="no bucket 'd'"):
        _ = counter.kv("d", "y").data
    with pytest.raises(NotThere, match="in bucket 'default' there is no key 'y'; there is x"):
        _ = counter.kv("default", "y").data
    with pytest.raises(WorkloadNotFound):
        _ = counter.kv(of="nobody").data
    counter.reset()
    for view in (counter.kv, counter.blobs, counter.config):
        with pytest.raises(WorkloadNotFound, match="'counter': nothing is loaded"):
            _ = view(of="counter").data


def test_bucket_is_a_mapping_that_guests_see(counter):
    """Values are set and deleted, as text, bytes and JSON, and the guest goes on from there."""
    bucket = counter.kv["default"]
    bucket["x"] = "41"
    assert counter.send("/x").text == "42"
    bucket["doc"] = {"n": [1]}
    assert json.loads(bucket["doc"]) == {"n": [1]}
    assert sorted(bucket) == ["doc", "x"]
    del bucket["doc"]
    assert list(bucket) == ["x"]
    assert len(bucket) == 1
    with pytest.raises(KeyError):
        del bucket["doc"]
    counter.kv["fresh"]["k"] = b"\0"
    assert counter.kv.data["fresh"] == {"k": b"\0"}


def test_state_that_nobody_keeps_is_empty_and_cannot_be_written(session):
    """Without the plugin the views are empty, and a write says what is missing."""
    assert session.kv.data == {}
    assert "nothing is stored" in repr(session.kv)
    with pytest.raises(ConfigError) as caught:
        session.kv["b"]["k"] = "v"
    assert "%wash attach keyvalue" in caught.value.repair
    with pytest.raises(ConfigError) as caught:
        session.config["k"] = "v"
    assert "%wash attach config" in caught.value.repair


def test_many_keys_are_all_read_and_bounded_in_the_picture(counter):
    """Pages of keys are followed to their end; the widget gets the first and the number of the others."""
    counter.load("example:counter", "other")
    counter.send("/x", to="other")
    other = counter.kv(of="other")
    other["default"].update({f"k{number:03}": "v" for number in range(230)})
    assert len(other.data["default"]) == 231
    look = counter.on_host(other.look)
    group = other.picture(look)["groups"][0]
    assert (len(group["entries"]), group["more"]) == (200, True)
    assert other.still(look).data[-1]["value"] == "and more keys"


def test_no_more_values_are_read_than_are_shown(counter, tmp_path, monkeypatch):
    """Whoever asks for keys, counts or completes them reads no value, and a picture of many only those that it has."""
    counter.attach(keyvalue=tmp_path)
    bucket, names = counter.kv["b"], [f"{number:04}" for number in range(1500)]
    bucket["0000"] = b""
    for name in names:
        (tmp_path / "b" / name).write_bytes(b"v")
    read, get_many = [], FilesystemBackend.get_many

    async def counted(self, name, keys):
        read.append(len(keys))
        return await get_many(self, name, keys)

    monkeypatch.setattr(FilesystemBackend, "get_many", counted)
    assert (len(bucket), list(bucket), bucket._ipython_key_completions_()) == (1500, names, names)
    assert read == []
    assert "and more keys" in repr(counter.kv("b"))
    assert read == [201]
    assert len(counter.kv("b").data) == 1500


def test_a_bucket_is_read_and_written_at_once(counter, monkeypatch):
    """What is about many keys goes to the host once, and not once for each of them."""
    bucket, reached, on_host = counter.kv["b"], [], counter.kv.door.on_host
    bucket.clear()
    assert counter.kv.data.keys() == {"default"}
    monkeypatch.setattr(type(counter.kv.door), "on_host", lambda self, work: reached.append(work) or on_host(work))
    bucket.update({f"{number:03}": number for number in range(300)}, more="text")
    assert len(bucket.items()) == len(bucket.values()) == 301
    assert dict(bucket.items())["299"] == b"299"
    assert [*bucket.values()][-1] == b"text"
    bucket.clear()
    assert len(bucket) == 0
    assert len(reached) == 7
    bucket.update([("k", "v")])
    assert bucket == {"k": b"v"}


def test_guests_bytes_are_text_in_every_face(counter):
    """No markup and no escape sequence of a guest's survives in text or HTML."""
    counter.kv["default"]["note"] = f"{ESCAPES}"
    counter.kv["default"]["page"] = "<b>bold</b>"
    counter.kv["default"]["my_secret"] = "swordfish"
    view = counter.kv
    look = counter.on_host(view.look)
    table = view.still(look)
    for shown in (repr(view), table._repr_html_(), repr(Still(table)), Still(table)._repr_html_()):
        assert "\x1b" not in shown
        assert "swordfish" not in shown
        assert HIDDEN in shown
    assert "<b>" not in table._repr_html_()
    assert "swordfish" not in json.dumps(view.picture(look))


def test_config_is_read_and_edited_while_it_runs(settings):
    """A setting is a key of the view, and an edit is there at the guest's next call."""
    assert settings.config.data == {"a": "1", "b_token": "t"}
    settings.config["a"] = 2
    assert settings.config["a"] == "2"
    del settings.config["a"]
    assert list(settings.config) == ["b_token"]
    for use in (lambda: settings.config["a"], lambda: settings.config.__delitem__("a")):
        with pytest.raises(KeyError, match="here there is no setting 'a'; there is b_token"):
            use()
    assert HIDDEN in repr(settings.config)
    assert "t" not in settings.config.still(settings.on_host(settings.config.look)).data[0]["value"]


def test_lines_of_other_hosts_are_told_apart(session):
    """The page has the beginning of the other host's id, the plain face, which is saved, only that it is another."""
    session.attach("logging")
    session.on_host(_fill)
    look = session.on_host(session.logs.look)
    assert [each["component"] for each in session.logs.picture(look)["lines"]] == ["one", "one", "two@0123abcd"]
    assert [row["component"] for row in session.logs.still(look).data] == ["one", "one", "two (another host)"]
    assert repr(session.logs).startswith("logs (memory)")


def test_logs_are_filtered(session):
    """By workload, component, level and text; what is printed counts as logged."""
    session.run(COMPONENTS / "command.wat", "nothing is kept of a run")
    history = session.on_host(_fill)
    assert len(history) == 3
    assert [line.message for line in session.logs.data] == ["started", f"bad {ESCAPES}", "printed"]
    assert [line.message for line in session.logs(level="warn")] == [f"bad {ESCAPES}"]
    assert [line.message for line in session.logs(component="two")] == ["printed"]
    assert [line.message for line in session.logs(filter="START")] == ["started"]
    assert len(session.logs(of="elsewhere")) == 0
    assert "\x1b" not in repr(session.logs)
    assert "<script>" not in session.logs.still(session.on_host(session.logs.look))._repr_html_()
    with pytest.raises(ConfigError, match="no level is called 'wran'") as caught:
        session.logs(level="wran")
    assert caught.value.repair == ("did you mean warn?",)
    with pytest.raises(ConfigError, match="no component is called 'twoo'; there are one, two") as caught:
        _ = session.logs(component="twoo").data
    assert caught.value.repair == ("%wash logs --component two",)
    picture = session.logs(component="two", level="info").picture(session.on_host(session.logs.look))
    assert (picture["component"], picture["level"]) == ("two", "info")


async def _fill(deployments):
    from washnb.events import LogLine

    lines = deployments.history.lines
    lines.clear()
    lines.append(LogLine("w", "one", "log", "info", "", "started", 1.0))
    lines.append(LogLine("w", "one", "log", "error", "ctx", f"bad {ESCAPES}", 2.0))
    lines.append(LogLine("w", "two", "stdout", "info", "", "printed", 3.0, "0123abcd-4567"))
    return list(lines)


@pytest.fixture
def live() -> Iterator[Callable[[View], Live]]:
    """Makes views live, as if their widgets had come onto a page."""
    made = []

    def show(view: View) -> Live:
        made.append(Live(view))
        made[-1]._heard(None, {"do": "shown", "page": "1"}, [])
        return made[-1]

    yield show
    for each in made:
        each.widget.close()


def entries(live: Live) -> dict[str, str]:
    """Keys and previews that the widget has."""
    return {entry["key"]: entry["preview"] for group in live.widget.picture["groups"] for entry in group["entries"]}


def test_widget_follows_requests_from_any_thread(counter, live):
    """Every change arrives, in few pictures."""
    widget = live(counter.kv)
    pictures = []
    widget.widget.observe(lambda change: pictures.append(change.new), "picture")
    threads = [threading.Thread(target=counter.send, args=("/x",)) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eventually_there(lambda: entries(widget) == {"x": "41"})
    assert len(pictures) < 20


def ask(live: Live, value: bytes | None = None, **wish: str) -> str:
    """Send a wish as the page does; what went wrong."""
    live._heard(None, wish, [] if value is None else [memoryview(value)])
    return live.widget.problem


def test_widget_edits(counter, live):
    """Bytes are set as they come, keys deleted, and what is not there is told."""
    widget = live(counter.kv)
    assert ask(widget, (41).to_bytes(8, "little"), do="set", group="default", key="x") == ""
    assert counter.send("/x").text == "42"
    assert ask(widget, b"\x00\xff\r\n", do="set", group="new", key="h") == ""
    assert counter.kv("new", "h").data == b"\x00\xff\r\n"
    assert ask(widget, do="delete", group="default", key="x") == ""
    assert (
        ask(widget, do="delete", group="default", key="x") == "in bucket 'default' there is no key 'x'; there is none"
    )
    eventually_there(lambda: entries(widget) == {"h": "00 ff 0d 0a"})


def test_widget_is_answered(counter, live, monkeypatch):
    """The answer to a wish carries its ticket, and says what went wrong."""
    widget = live(counter.kv)
    said = []
    monkeypatch.setattr(widget.widget, "send", lambda content, buffers: said.append(content))
    ask(widget, b"1", do="set", group="default", key="x", ticket="one")
    ask(widget, do="delete", group="default", key="nothing", ticket="two")
    assert said == [
        {"ticket": "one"},
        {"ticket": "two", "problem": "in bucket 'default' there is no key 'nothing'; there is x"},
    ]


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (b"", "text"),
        (b"plain\n", "text"),
        (b"two\r\nlines", "hex"),
        (b'{"a": 1.10}', "json"),
        (b"\xff", "hex"),
        ((7).to_bytes(8, "little"), "u64le"),
    ],
)
def test_value_comes_to_the_page_as_it_is(counter, value, form):
    """The page gets the very bytes, and the form in which they are best edited: a text field would lose a CR."""
    counter.kv["default"]["k"] = value
    found = {each["key"]: each for each in counter.kv.picture(counter.on_host(counter.kv.look))["groups"][0]["entries"]}
    assert base64.b64decode(found["k"]["bytes"]) == value
    assert found["k"]["form"] == form


def test_config_widget_edits_and_logs_widget_does_not(settings, live):
    """Settings change through their widget; lines cannot be asked for anything."""
    config = live(settings.config)
    assert ask(config, b"9", do="set", group="", key="a") == ""
    eventually_there(lambda: entries(config) == {"a": "9", "b_token": HIDDEN})
    assert "utf-8" in ask(config, b"\xff", do="set", group="", key="a")
    ask(config, do="delete", group="", key="a")
    eventually_there(lambda: list(entries(config)) == ["b_token"])
    assert "cannot do 'set'" in ask(live(settings.logs), b"", do="set")


def test_logs_widget_names_who_keeps_the_lines_now(settings, live):
    """A plugin for logs that comes or goes is seen in the head of the view at once, not with the next line."""
    widget = live(settings.logs)
    assert widget.widget.picture["place"] == "memory"
    settings.detach("logging")
    eventually_there(lambda: widget.widget.picture["place"] == "")


def test_nobody_listens_while_nobody_looks(counter, live):
    """A view that is gone from the page costs nothing; one that comes back catches up."""
    widget = live(counter.kv)
    before = len(counter._events._subscriptions)
    widget._heard(None, {"do": "hidden", "page": "1"}, [])
    assert len(counter._events._subscriptions) == before - 1
    counter.send("/x")
    time.sleep(0.2)
    assert entries(widget) == {"x": "1"}
    widget._heard(None, {"do": "shown", "page": "1"}, [])  # said while a cell ran, and heard after it
    assert len(counter._events._subscriptions) == before - 1
    widget._heard(None, {"do": "shown", "page": "2"}, [])
    eventually_there(lambda: entries(widget) == {"x": "2"})


def test_widget_survives_a_reset(counter, live):
    """A view looks at the fresh host once something happens there."""
    widget = live(counter.kv)
    counter.reset()
    counter.load("example:counter", attach=["keyvalue"])
    counter.send("/fresh")
    eventually_there(lambda: entries(widget) == {"fresh": "1"})


def test_view_is_text_where_there_is_no_page(notebook):
    """In a terminal the view prints itself."""
    notebook.run("%wash load example:counter --attach keyvalue\n%wash send /x")
    assert "1  (u64, little endian)" in notebook.run("%wash kv").text
    assert "nothing is logged" in notebook.run("%wash logs").text
    assert "no settings" in notebook.run("%wash config").text


@pytest.mark.parametrize("bucket", [None, "default"])
def test_view_of_what_is_gone_stays_as_it_was_last(counter, live, bucket):
    """A notebook that tidies up at its end has views without an error; they go on when the workload is back."""
    widget = live(counter.kv(bucket, of="counter"))
    counter.unload("counter")
    widget._heard(None, {"do": "shown", "page": "1"}, [])
    assert widget.widget.trouble == ""
    assert widget.widget.picture["place"].startswith("as it was last: ")
    assert [each["key"] for group in widget.widget.picture["groups"] for each in group["entries"]] == ["x"]
    counter.load("example:counter")
    counter.send("/y")
    widget._heard(None, {"do": "shown", "page": "1"}, [])
    assert widget.widget.picture["place"] == "memory"
