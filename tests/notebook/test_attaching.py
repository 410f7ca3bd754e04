"""`attach` and `detach`: backends by a word, grants to one workload, and what is told of it."""

from __future__ import annotations

import asyncio
import time
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from washnb.engine import Interface
from washnb.errors import BackendError, ConfigError, UnsatisfiedImportError
from washnb.notebook import Session
from washnb.notebook.widgets.live import Live
from washnb.plugins import NatsServer, Wrapper

COMPONENTS = Path(__file__).parent.parent / "components"
FAR = "nats://ann:swordfish@nats.invalid:4222"


@pytest.fixture
def counter(session: Session) -> Session:
    """A session in which a counter counts in memory."""
    session.load("example:counter", attach=["keyvalue"])
    session.send("/x")
    return session


def backend_of(session: Session) -> str:
    """Where key-value is, as the table says."""
    return next(row["backend"] for row in session.plugins.data if row["plugin"] == "wasi-keyvalue")


def test_what_a_workload_loses_is_told(session):
    """By a class of the same name for another interface, such as one that was mistyped: what lost it goes on."""

    def roll(wit: str) -> type[Interface]:
        return type("Roll", (Interface,), {"roll": lambda _self, sides: sides}, wit=wit)

    session.attach(roll("workshop:dice/roll"))
    session.load("example:lucky")
    told = session.attach(roll("workshop:dice/rol")).news
    assert told == "attached roll in place of the one before; lucky has lost workshop:dice/roll@0.1.0"
    assert session.attach(roll("workshop:dice/other")).news == "attached roll in place of the one before"
    session.attach(roll("workshop:dice/roll"))
    assert session["lucky"].play() == 6


def test_what_is_wrapped_around_a_plugin_is_listed_and_taken_off(counter):
    """From the outside in; what is inside, attached again, goes on with its state."""

    class Audit(Wrapper):
        pass

    class Quota(Wrapper):
        pass

    inner = counter.host.plugins["wasi-keyvalue"]
    for plugin, said in (
        (Quota(Audit(inner)), "Quota around Audit around InMemoryKeyValue"),
        (inner, "InMemoryKeyValue"),
        (type("Roll", (Interface,), {}, wit="workshop:dice/roll"), "Roll"),
    ):
        counter.attach(plugin)
        assert counter.plugins.data[-1]["class"] == said
    assert counter.send("/x").text == "2"


def test_another_backend_takes_the_place_of_the_one_before(counter, tmp_path):
    """A workload that runs goes on with the new one, which survives the session."""
    table = counter.attach(f"keyvalue=file:{tmp_path}")
    assert table.news == (
        f"attached wasi-keyvalue on file:{tmp_path} in place of memory; gone with the one before: 1 key of counter"
    )
    assert [counter.send("/x").text for _ in range(2)] == ["1", "2"]
    with Session() as later:
        later.load("example:counter", attach={"kv": tmp_path})
        assert later.send("/x").text == "3"
    assert counter.attach("keyvalue=memory").news.startswith("attached wasi-keyvalue on memory in place of file:")
    assert counter.send("/x").text == "1"


def test_the_same_backend_again_changes_nothing(session, tmp_path, nats_server):
    """A cell can be run twice; a word alone leaves the backend as it is."""
    for backend, again in (("memory", "memory"), (f"file:{tmp_path}", tmp_path), (nats_server.url, nats_server.url)):
        assert "attached wasi-keyvalue" in session.attach(keyvalue=backend).news
        assert session.attach(kv=again).news == "attached nothing: it is attached already"
        assert session.attach("keyvalue").news == "attached nothing: it is attached already"


def test_the_same_word_elsewhere_is_another_place(counter, tmp_path, monkeypatch):
    """A relative directory is the one that it was when it was attached; the same words mean another one later."""
    for each in ("here", "there"):
        (tmp_path / each).mkdir()
        monkeypatch.chdir(tmp_path / each)
        news = counter.attach(keyvalue="file:./state", blobstore="file:blobs").news
        assert f" on file:{tmp_path}/{each}/state in place of" in news
        assert backend_of(counter) == f"file:{tmp_path}/{each}/state"
        assert counter.send("/").text == "1"
        assert counter.attach(keyvalue="file:./state", blobstore="file:blobs").news.startswith("attached nothing")
    monkeypatch.chdir(tmp_path / "here")
    assert counter.send("/").text == "2"


def test_state_on_nats_is_shared_by_sessions(session, nats_server):
    """Two hosts count in one bucket; one connection serves all plugins of a session."""
    session.attach(keyvalue=nats_server.url)
    session.attach(blobstore=nats_server.url)
    session.load("example:counter")
    with Session() as other:
        other.load("example:counter", attach=[f"keyvalue={nats_server.url}"])
        counts = [int(each.send("/both").text) for each in (session, other, session)]
    assert counts == [counts[0], counts[0] + 1, counts[0] + 2]
    assert f"{counts[2]}  (u64, big endian)" in repr(session.kv("default", "both"))
    plugins = session.on_host(_plugins)
    assert plugins["wasi-keyvalue"].server is plugins["wasi-blobstore"].server
    session.attach(all=nats_server.url)
    assert {row["backend"] for row in session.plugins.data} == {nats_server.url}


async def _plugins(deployments):
    return dict(deployments.host.plugins)


def test_servers_with_options_are_objects(session, nats_server):
    """A NatsServer of the user's own is a backend, too."""
    server = NatsServer(nats_server.url, name="mine")
    session.attach(keyvalue=server)
    assert session.attach(keyvalue=server).news == "attached nothing: it is attached already"
    assert backend_of(session) == nats_server.url


def test_all_stands_for_every_capability(session, tmp_path):
    """On files each has a folder of its own; what has no such backend is in memory."""
    session.attach(f"all=file:{tmp_path}")
    places = {row["plugin"]: row["backend"] for row in session.plugins.data}
    assert places["wasi-keyvalue"] == f"file:{tmp_path / 'keyvalue'}"
    assert places["wasmcloud-messaging"] == "memory"


def test_where_one_of_all_fails_none_is_attached(counter, tmp_path):
    """What was there before stays, with its state; the note says which one it was."""
    (tmp_path / "blobstore").write_text("no directory")
    with pytest.raises(BackendError, match="blobstore") as caught:
        counter.attach(f"all=file:{tmp_path}")
    asked = "wasi-keyvalue, wasi-blobstore, wasi-config, wasi-logging, wasmcloud-messaging"
    assert caught.value.__notes__ == [
        f"plugin 'wasi-blobstore' failed, so nothing was changed: of {asked} all are attached or none"
    ]
    assert [(row["plugin"], row["backend"]) for row in counter.plugins.data] == [("wasi-keyvalue", "memory")]
    assert counter.send("/x").text == "2"


def test_what_comes_later_is_meant(session, tmp_path):
    """All on one backend, but for one capability."""
    session.attach(f"all=file:{tmp_path}", "keyvalue=memory")
    assert backend_of(session) == "memory"


def test_grant_to_one_workload(counter):
    """What is granted to one is denied to others, with the line that grants it; what waits for it starts then."""
    counter.detach("keyvalue")
    counter.attach("keyvalue", to="counter")
    with pytest.raises(UnsatisfiedImportError) as caught:
        counter.load("example:counter", "other")
    assert "%wash attach keyvalue --to other" in caught.value.repair
    assert counter.attach("keyvalue", to="other").news == "attached wasi-keyvalue to other; other is running"
    assert counter.plugins.data[0]["granted to"] == "counter, other"
    assert counter.attach("keyvalue", to="other").news == "attached nothing: it is granted to counter, other already"
    assert counter.attach("keyvalue").news == "attached wasi-keyvalue to all"
    assert counter.plugins.data[0]["granted to"] == "all"
    assert counter.plugins.data[0]["used by"] == "counter, other"


def test_grant_to_a_workload_that_comes_later(session):
    """Its name is enough, and it is said that nobody has it yet."""
    assert "no workload is called shop yet" in session.attach("keyvalue", to="shop").news
    assert session.load("example:counter", "shop").state == "running"


def test_revoked_from_one_workload(counter):
    """Its next call is denied, in the words of the interface; others go on."""
    counter.load("example:counter", "other")
    assert (
        counter.detach("keyvalue", from_="other").news
        == "detached wasi-keyvalue from other: it is granted to all but other"
    )
    assert counter.send("/x", to="counter").status == 200
    refused = counter.send("/x", to="other")
    assert (refused.status, refused.text) == (500, "access denied\n")
    assert counter.plugins.data[0]["granted to"] == "all but other"
    counter.attach("keyvalue", to="other")
    assert counter.send("/x", to="other").status == 200
    counter.detach("keyvalue", from_="other")
    with pytest.raises(ConfigError) as caught:
        counter.detach("keyvalue", from_="other")
    assert "granted to: all but other" in caught.value.repair[0]


def test_replaced_backend_keeps_its_grants(counter, tmp_path):
    """Who had key-value has it on the new backend; who had it not has it not."""
    counter.detach("keyvalue")
    counter.attach("keyvalue", to="counter")
    counter.attach(f"keyvalue=file:{tmp_path}", to="counter")
    assert counter.plugins.data[0]["granted to"] == "counter"
    assert counter.send("/x").text == "1"


@pytest.mark.parametrize(
    ("text", "message", "repair"),
    [
        ("keyvalue=", "keyvalue= names no backend", "keyvalue=file:./state"),
        ("keyvalue=file:", "'file:' is no backend", "file:DIR"),
        ("keyvalue=redis://x", "is no backend", "file:./state"),
        ("keyvalue=memori", "'memori' is no backend", "did you mean memory?"),
        ("kvv=memory", "no plugin is called 'kvv'", "%wash attach kv"),
        ("logging=file:x", "logging has no backend file:DIR", "%wash attach logging"),
        ("keyvalue=nats", "was not started", "%wash nats start"),
        ("keyvalue=env:NO_SUCH_VARIABLE", "NO_SUCH_VARIABLE is not set", "NO_SUCH_VARIABLE"),
        ("keyvalue=nats://127.0.0.1:1", "no NATS server answers at nats://127.0.0.1:1", "%wash nats start"),
    ],
)
def test_mistakes_have_their_line(session, text, message, repair):
    """Each is told with what is right, for attach and for load, and nothing is attached."""
    for attaching in (lambda: session.attach(text), lambda: session.load("example:hello", attach=[text])):
        with pytest.raises((ConfigError, BackendError)) as caught:
            attaching()
        assert message in caught.value.message
        assert repair in " ".join(caught.value.repair)
    assert session.plugins.data == []


def test_rights_are_for_servers(session):
    """--write and --join without a NATS server are a mistake, and so is a backend that is none."""
    with pytest.raises(ConfigError, match="nothing here is attached to one"):
        session.attach("keyvalue", write=True)
    with pytest.raises(ConfigError, match="keyvalue=3 is no backend"):
        session.attach(keyvalue=3)


def test_password_of_a_server_is_nowhere(notebook, monkeypatch):
    """Not in what is printed, not in the error, not in its traceback; it may come from the environment."""
    monkeypatch.setenv("NATS_URL", FAR)
    for cell in (f"x = 1\n%wash attach keyvalue={FAR}", "%wash attach keyvalue=env:NATS_URL", "%wash plugins"):
        ran = notebook.run(cell)
        told = ran.text + repr(ran.result) + str(ran.error)
        assert "swordfish" not in told
        assert "ann" not in told
    assert "nats.invalid:4222" in notebook.run("%wash attach keyvalue=env:NATS_URL").text
    assert "swordfish" not in notebook.run(f"%wash attach keyvalue={FAR.replace('nats:', 'redis:')}").text


def test_servers_of_others_are_read_only_until_told_otherwise(session, monkeypatch, nats_server):
    """The table and the view say so; the same server with other rights is another connection."""
    monkeypatch.setattr("washnb.plugins.nats.server.on_this_machine", lambda server: False)
    session.attach(keyvalue=nats_server.url)
    session.load("example:counter")
    assert backend_of(session) == f"{nats_server.url}, read-only, not joined"
    refused = session.send("/x")
    assert (refused.status, refused.text) == (500, "access denied\n")
    assert "read-only" in session.kv.picture(session.on_host(session.kv.look))["place"]
    with pytest.raises(BackendError, match="--write"):
        session.kv["default"]["x"] = "1"
    assert session.attach(keyvalue=nats_server.url, write=True).news.endswith("in place of the one before")
    assert session.send("/x").status == 200
    assert backend_of(session) == f"{nats_server.url}, not joined"
    session.attach(all=nats_server.url)
    assert {row["backend"] for row in session.plugins.data} == {f"{nats_server.url}, read-only, not joined"}


def test_server_of_the_session(notebook, tmp_path):
    """It starts, tells its URL, serves as backend `nats`, keeps its store, and ends with the host."""
    told = notebook.run(f"url = %wash nats start --store {tmp_path}").text
    url = notebook.shell.user_ns["url"]
    assert told.strip() == f"a NATS server listens at {url}, and keeps its state in {tmp_path}"
    assert notebook.run("%wash nats").text == told
    assert notebook.run("url == wash.nats('start')").result is True
    assert "runs already" in notebook.run("%wash nats start --store elsewhere").text
    notebook.run("%wash load example:counter --attach keyvalue=nats\n%wash send /x")
    assert backend_of(notebook.session) == url
    assert notebook.complete("%wash attach keyvalue=n") == [f"keyvalue={url}"]
    notebook.run(f"%wash nats stop\n%wash nats start --store {tmp_path}")
    assert notebook.session.send("/x").text == "2"
    process = notebook.session.on_host(_process)
    notebook.run("%wash reset")
    assert not Path(f"/proc/{process}").exists()
    assert "no NATS server of this session runs" in notebook.run("%wash nats status").text
    assert "no NATS server of this session runs" in notebook.run("%wash nats stop").text
    assert "nats knows no 'strat'" in notebook.run("%wash nats strat").text


async def _process(deployments):
    await asyncio.sleep(0)
    return deployments.local_nats.pid


def test_the_status_of_a_server_that_runs_is_its_url(session, tmp_path):
    """Another session attaches what it returns; of a server that does not run, the error says how to start it."""
    with Session() as other:
        with pytest.raises(ConfigError, match=r"no NATS server of this session runs: %wash nats start' is no backend"):
            other.attach(keyvalue=session.nats())
        url = session.nats("start", store=tmp_path)
        other.attach(keyvalue=session.nats())
        assert backend_of(other) == url
    session.nats("stop")


@pytest.mark.slow
def test_view_says_that_the_server_is_away(session, tmp_path):
    """What is shown stays, with what is wrong beside it, until the server is back; closing does not wait for it."""
    session.nats("start", store=tmp_path)
    session.load("example:counter", attach=["keyvalue=nats"])
    session.send("/x")
    live = Live(session.kv)
    live._heard(None, {"do": "shown", "page": "1"}, [])
    assert live.widget.picture["groups"][0]["entries"][0]["preview"] == "1"
    session.nats("stop")
    live._heard(None, {"do": "shown", "page": "1"}, [])
    assert "is away" in live.widget.trouble
    assert live.widget.picture["groups"][0]["entries"][0]["preview"] == "1"
    session.nats("start", store=tmp_path)
    live._heard(None, {"do": "shown", "page": "1"}, [])
    assert live.widget.trouble == ""
    live.widget.close()
    session.nats("stop")
    begun = time.monotonic()
    session.close()
    assert time.monotonic() - begun < 4


def test_plugins_of_other_packages_are_listed(session, monkeypatch):
    """Until they are attached, with the package that brings them."""
    point = EntryPoint("lucky-dice", f"{__name__}:Dice", "washnb.plugins")
    monkeypatch.setattr(EntryPoint, "load", lambda self: Dice)
    monkeypatch.setattr("washnb.plugins.entry_points.entry_points", lambda group: [point])
    assert session.plugins.data[0]["plugin"] == "lucky-dice"
    assert session.plugins.data[0]["granted to"] == "not attached"
    assert session.attach("lucky-dice").news == "attached dice"
    assert [row["plugin"] for row in session.plugins.data] == ["dice"]
    with pytest.raises(ConfigError, match="has no backends"):
        session.attach("lucky-dice=file:x")


class Dice(Interface, wit="workshop:dice/roll"):
    """What a package brings."""

    def roll(self, sides: int) -> int:
        return sides


def test_backends_complete(notebook, tmp_path, monkeypatch):
    """Behind `WORD=`: the backends that it has, and folders for files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "state").mkdir()
    backends = ("memory", "file:", "nats://", "ask")
    assert notebook.complete("%wash attach keyvalue=") == [f"keyvalue={each}" for each in backends]
    assert notebook.complete("%wash attach all=file:st") == ["all=file:state/"]
    assert notebook.complete("%wash load x --attach blobs=m") == ["blobs=memory"]
    assert notebook.complete("%wash attach keyvalue --t") == ["--to"]
    assert notebook.complete("%wash nats st") == ["start", "stop", "status"]
    assert notebook.complete("%wash nats start --store st") == ["state/"]


def test_a_grant_to_nobody_who_is_there_says_what_it_has_done(session):
    """What was granted already, what is granted now, and that the workload may come."""
    session.attach("keyvalue")
    yet = "no workload is called nobody yet"
    assert session.attach("keyvalue", to="nobody").news == f"attached nothing: it is granted to all already; {yet}"
    told = session.detach("keyvalue", from_="nobody").news
    assert told == f"detached wasi-keyvalue from nobody: it is granted to all but nobody; {yet}"


def test_what_attach_took_detach_takes(notebook):
    """A class, also one that was defined again meanwhile, and an object; in a line and as a method."""
    define = "from washnb import Interface\nclass Roll(Interface, wit='workshop:dice/roll'):\n    pass"
    notebook.run(f"{define}\n%wash attach Roll")
    notebook.run(define)
    for attach, detach in (("%wash attach Roll", "%wash detach Roll"), ("wash.attach(Roll)", "wash.detach(Roll).news")):
        notebook.run(attach)
        assert "detached roll" in notebook.run(detach).text
    notebook.run("roll = Roll()\n%wash attach roll")
    assert "detached roll" in notebook.run("%wash detach roll").text
    assert list(notebook.session.host.plugins) == []


def test_the_bucket_of_settings_is_none_of_key_value(session, nats_server):
    """On one server the view shows what guests keep, and settings are in their own view; who asks for it gets it."""
    session.attach(keyvalue=nats_server.url, config=nats_server.url)
    session.load(COMPONENTS / "config_logging.wat", "c", attach=["logging"])
    session.load("example:counter")
    session.send("/x", to="counter")
    session.config["colour"] = "blue"
    assert "washnb-config" not in session.kv.data
    assert "washnb-config" not in repr(session.kv)
    assert "washnb-config" not in session.known().buckets
    assert session.kv("washnb-config").data["colour"] == b"blue"
