"""The session as scripts and tests use it: the verbs as methods, without IPython."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from washnb.engine import Interface
from washnb.errors import (
    ConfigError,
    GuestError,
    NotAComponentError,
    UnsatisfiedImportError,
    WorkloadNotFound,
)
from washnb.notebook import Session
from washnb.plugins import InMemoryKeyValue

COMPONENTS = Path(__file__).parent.parent / "components"


class Roll(Interface, wit="workshop:dice/roll"):
    """A plugin of the test's own."""

    def roll(self, sides: int) -> int:
        return sides


def test_exports_are_methods_of_the_handle(session):
    """The short form, the long form and the verb call the same function."""
    handle = session.load("example:adder")
    assert handle.add(40, 2) == 42
    assert session["adder"].exports["docs:adder/add"].add(1, 1) == 2
    assert session.call("adder", "docs:adder/add#add", 2, 2) == 4
    assert "add" in dir(handle)
    assert handle.state == "running"


def test_unknown_export_names_those_that_there_are(session):
    """The error is an AttributeError, so that hasattr works, and a WashError with a repair."""
    handle = session.load("example:adder")
    assert not hasattr(handle, "substract")
    with pytest.raises(ConfigError, match="nothing called ad") as caught:
        handle.ad(1, 2)
    assert caught.value.repair == ("did you mean add?",)


def test_denied_workload_waits_for_its_plugin(session):
    """The load that is denied raises, and the attach that completes it starts it."""
    with pytest.raises(UnsatisfiedImportError, match="wasi:keyvalue/store") as caught:
        session.load("example:counter")
    assert "%wash attach keyvalue" in caught.value.repair
    assert session["counter"].state == "waiting"
    with pytest.raises(UnsatisfiedImportError):
        session.send("/")
    table = session.attach("kv")
    assert table.news == "attached wasi-keyvalue; counter is running"
    assert session.send("/x").text == "1"


def test_load_can_attach_what_it_needs_again_and_again(session):
    """`attach=` leaves alone what is attached already, so that a cell can be run twice."""
    for _ in range(2):
        session.load("example:counter", attach=["keyvalue"])
    assert [row["plugin"] for row in session.plugins.data] == ["wasi-keyvalue"]


def test_reload_keeps_state(session):
    """A name loaded again is replaced, and what is stored for it stays."""
    session.load("example:counter", "c", attach=["keyvalue"])
    session.send("/x")
    session.reload("c")
    session.load("example:counter", "c")
    assert session.send("/x").text == "2"


def test_version_before_goes_on_where_the_new_one_fails(session):
    """A reload that fails raises, and the old version answers."""
    session.load("example:counter", "c", attach=["keyvalue"])
    with pytest.raises(UnsatisfiedImportError) as caught:
        session.load("example:lucky", "c")
    assert "goes on" in caught.value.__notes__[0]
    assert session.send("/x").text == "1"


def test_unload_takes_state_away(session):
    """What was stored goes with the workload."""
    session.load("example:counter", attach=["keyvalue"])
    session.send("/x")
    assert session.unload() == "counter"
    session.load("example:counter")
    assert session.send("/x").text == "1"
    assert session.unload_all() == ["counter"]


def test_plugin_of_ones_own_is_attached_as_class_and_taken_away_by_its_id(session):
    """An interface that nobody has heard of is served by a class; detach revokes it from a guest that runs."""
    session.load("example:lucky", attach=[Roll])
    assert session.send("/").status == 200
    plugin_id = session.plugins.data[0]["plugin"]
    session.detach(plugin_id)
    response = session.send("/")
    assert response.status == 500
    assert "revoked" in str(response.error)
    session.attach(Roll())
    assert session.send("/").status == 200


def test_plugin_that_does_not_fit_is_mended_and_attached_anew(session):
    """A method with the wrong name is told when the plugin meets the workload; nothing is attached, running or not."""

    class Wrong(Interface, wit="workshop:dice/roll"):
        def rol(self, sides: int) -> int:
            return sides

    with pytest.raises(UnsatisfiedImportError):
        session.load("example:lucky")
    with pytest.raises(ConfigError, match="roll") as caught:
        session.attach(Wrong)
    assert caught.value.__notes__ == ["lucky could not start, so nothing was changed, and it waits as before"]
    assert session.plugins.data == []
    with pytest.raises(UnsatisfiedImportError):
        session["lucky"].play()
    with pytest.raises(ConfigError, match="no plugin 'roll'"):
        session.detach("roll")
    session.attach(Roll)
    assert session.send("/").status == 200


def test_plugin_that_does_not_fit_what_waits_replaces_nothing(session):
    """What it took the place of serves on, with its state; what started in the meantime waits again."""

    class Picky(InMemoryKeyValue):
        async def on_workload_bind(self, workload, interfaces):
            await super().on_workload_bind(workload, interfaces)
            if workload.workload_name == "bad":
                raise ConfigError("not this one")

    session.attach("keyvalue", to="counter")
    session.load("example:counter")
    session.send("/x")
    for name in ("good", "bad"):
        with pytest.raises(UnsatisfiedImportError):
            session.load("example:counter", name)
    with pytest.raises(ConfigError, match="not this one"):
        session.attach(Picky())
    assert [(row["backend"], row["granted to"], row["used by"]) for row in session.plugins.data] == [
        ("memory", "counter", "counter")
    ]
    assert [session[name].state for name in ("counter", "good", "bad")] == ["running", "waiting", "waiting"]
    assert session.send("/x", to="counter").text == "2"
    assert session.attach("keyvalue").news == "attached wasi-keyvalue to all; good is running; bad is running"


def test_plugin_that_does_not_fit_is_in_nobody_elses_way(session):
    """What keeps one workload from running is told, and stops no other workload and no other plugin."""

    class Bad(Interface, wit="wasi:config/store@0.2.0-rc.1"):
        def gett(self, key: str) -> str | None:
            return None

    for name in ("counter", "greeter"):
        with pytest.raises(UnsatisfiedImportError):
            session.load(f"example:{name}")
    assert session.attach(Bad).news == "attached bad; greeter still waits for wasi:logging/logging@0.1.0-draft"
    assert session.attach("keyvalue").news == "attached wasi-keyvalue; counter is running"
    news = session.attach("logging").news
    assert news.startswith("attached wasi-logging; greeter waits: Bad has nothing that serves")
    with pytest.raises(ConfigError, match="Bad has nothing") as caught:
        session.attach("config")
    assert caught.value.__notes__[-1].endswith("; bad is asked first: %wash detach bad")
    session.detach("bad")
    assert session.attach("config").news == "attached wasi-config; greeter is running"


def test_a_source_that_is_gone_starts_nothing_that_waits(session, tmp_path):
    """The attach that would have started it says so and is taken back; another one succeeds."""
    source = tmp_path / "counter.wat"
    source.write_bytes(files("washnb.examples").joinpath("counter.wat").read_bytes())
    with pytest.raises(UnsatisfiedImportError):
        session.load(source)
    source.unlink()
    with pytest.raises(NotAComponentError, match="there is no file") as caught:
        session.attach("keyvalue")
    assert "counter could not start" in caught.value.__notes__[-1]
    assert session.plugins.data == []
    assert "attached wasi-config; counter waits: there is no file" in session.attach("config").news
    with pytest.raises(NotAComponentError, match="there is no file"):
        session.attach("keyvalue")
    session.unload("counter")
    assert session.attach("keyvalue").news == "attached wasi-keyvalue"


@pytest.mark.parametrize(
    ("subject", "message", "repair"),
    [
        ("keyvalu", "no plugin is called 'keyvalu'", "%wash attach keyvalue"),
        ("zzz", "no plugin is called 'zzz'", "HostPlugin or an Interface"),
        (object(), "neither a plugin nor a WIT interface", "Interface"),
    ],
)
def test_attaching_what_is_no_plugin(session, subject, message, repair):
    """A wrong word gets the closest one, a wrong object what it should have been; so it does while loading."""
    for attaching in (lambda: session.attach(subject), lambda: session.load("example:hello", attach=[subject])):
        with pytest.raises(ConfigError, match=message) as caught:
            attaching()
        assert repair in " ".join(caught.value.repair)


def test_attaching_twice_changes_nothing(session):
    """What is attached stays as it is, with its state: a cell can be run twice."""
    session.attach("all")
    session.load("example:counter")
    session.send("/x")
    for subject in ("all", "keyvalue"):
        assert session.attach(subject).news == "attached nothing: it is attached already"
    assert session.send("/x").text == "2"
    with pytest.raises(ConfigError, match="no plugin"):
        session.detach("nonsense")


def test_attaching_another_of_the_same_name_replaces(session):
    """A class that was mended and defined again takes the place of what it was, also where that did not fit."""

    def roll(name: str, result: int) -> type[Interface]:
        methods = {name: lambda _, sides: result}
        return type("Roll", (Interface,), methods, wit="workshop:dice/roll")

    first = roll("roll", 1)
    session.attach(first)
    session.load("example:lucky")
    assert session.attach(first).news == "attached nothing: it is attached already"
    with pytest.raises(ConfigError, match="nothing that serves"):
        session.attach(roll("rol", 2))
    assert session.attach(roll("roll", 3)).news == "attached roll in place of the one before"
    assert "3" in session.send("/").text


def test_names_that_are_not_loaded(session):
    """Nothing loaded, a near miss and a stranger get different answers."""
    with pytest.raises(WorkloadNotFound, match="nothing is loaded") as caught:
        session.send("/")
    assert "%wash load" in caught.value.repair[0]
    session.load("example:adder")
    with pytest.raises(WorkloadNotFound) as caught:
        session["addr"]
    assert caught.value.repair == ("did you mean 'adder'?",)
    with pytest.raises(ConfigError, match="does not export wasi:http/incoming-handler"):
        session.send("/")


def test_source_that_is_no_component_leaves_nothing(session, tmp_path):
    """A load that cannot succeed is not listed as waiting."""
    (tmp_path / "core.wasm").write_bytes(b"\0asm\x01\0\0\0")
    with pytest.raises(NotAComponentError, match="core WebAssembly module"):
        session.load(tmp_path / "core.wasm")
    assert session.status().data["workloads"] == []


def test_names_come_from_the_source(session, tmp_path):
    """A file is called by its stem, bytes by the name that is given."""
    text = b'(component (core module $m (func (export "f"))) )'
    path = tmp_path / "my guest.v2.wat"
    path.write_bytes(text)
    assert session.load(path).name == "my-guest-v2"
    assert session.load(text).name == "component"
    assert session.load(text, "mine").name == "mine"


def test_settings_come_from_the_environment(session, monkeypatch):
    """`env:NAME` keeps a secret out of the notebook, and a variable that is not set is named."""
    monkeypatch.setenv("GREETING_SECRET", "hush")
    source = COMPONENTS / "config_logging.wat"
    session.load(source, attach=["config", "logging"], config={"api_token": "env:GREETING_SECRET", "plain": 1})
    assert session.config.data == {"api_token": "hush", "plain": "1"}
    with pytest.raises(ConfigError, match="GREETING_SECRE is not set") as caught:
        session.load(source, config={"k": "env:GREETING_SECRE"})
    assert caught.value.repair == ("did you mean env:GREETING_SECRET?",)


def test_trap_is_an_answer_with_its_error(session):
    """A guest that traps answers 500 like any server, and says why."""
    session.load("example:trap")
    response = session.send("/")
    assert response.status == 500
    assert "unreachable" in repr(response)
    assert "unreachable" in response._repr_html_()


def test_call_goes_on_after_a_guest_failed(session):
    """A trap takes the kept instance with it; the next call has a fresh one."""
    session.load(COMPONENTS / "keepsake.wat")
    handle = session["keepsake"]
    assert [handle.next(), handle.next()] == [1, 2]
    with pytest.raises(GuestError):
        handle.fail()
    assert handle.next() == 1
    handle.reload()
    assert handle.next() == 1


def test_commands_run_to_their_end(session):
    """`run` gives exit code and output, and leaves no workload."""
    done = session.run(COMPONENTS / "command.wat", "a", stdin="<in>\x1b")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "command\na\n<in>\x1b", "done\n")
    assert repr(done) == "command\na\n<in>␛\nstderr: done\nexit code 0"
    assert "&lt;in&gt;␛" in done._repr_html_()
    assert session.run(COMPONENTS / "command.wat", "a", "b").exit_code == 1
    assert session.status().data["workloads"] == []
    with pytest.raises(ConfigError, match="no command"):
        session.run("example:adder")


def test_much_output_is_shown_in_part(session, monkeypatch):
    """A page gets the end of what a command wrote; the result has all that was kept, and says what was not."""
    done = session.run(COMPONENTS / "command.wat", stdin="x" * 50_000)
    assert len(done.stdout) == len("command\n") + 50_000
    assert len(repr(done)) < 21_000
    assert len(done._repr_html_()) < 21_000
    assert "(50,008 characters, all in .stdout)" in repr(done)
    monkeypatch.setattr("washnb.host.command.OUTPUT_LIMIT", 20)
    cut = session.run(COMPONENTS / "command.wat", stdin="x" * 100)
    assert repr(cut).endswith("exit code 0, 88 bytes of output were not kept")


def test_trace_is_kept_until_it_is_cleared(session):
    """Calls of requests are remembered while tracing is on."""
    assert repr(session.trace()) == "no request yet"
    session.load("example:counter", attach=["keyvalue"])
    session.send("/a")
    session.send("/b")
    assert len(session.trace().data) == 2
    last = session.trace("last")
    assert last.data[0].headline == "GET /b  200  to counter"
    assert 'increment(bucket#1, "b", 1) -> 1' in repr(last)
    assert "increment" in last._repr_html_()
    assert repr(session.trace(slower=9)) == "nothing here passes the filters"
    assert repr(session.trace("clear")) == repr(session.trace(slower=9)) == "no request yet"
    session.trace("off")
    assert list(session.send("/a").trace) == []
    with pytest.raises(ConfigError, match="knows no 'of'"):
        session.trace("of")


def test_inspect_says_who_serves_what(session):
    """Each import is marked with its plugin, with wasi, or as denied."""
    before = session.inspect("example:counter")
    assert before.imports["wasi:keyvalue/store@0.2.0-draft"] == "denied"
    assert before.denied
    session.attach("keyvalue")
    session.load("example:counter")
    after = session.inspect("counter")
    assert after.imports["wasi:keyvalue/store@0.2.0-draft"] == "wasi-keyvalue"
    assert after.imports["wasi:http/types@0.2.0"] == "wasi"
    assert "handle: func(" in repr(after)
    assert "handle: func(" in after._repr_html_()


def test_inspect_shows_the_functions_that_are_imported(session):
    """Those of each import that the component calls for, in WIT; a text lists them where that is asked."""
    shown, listed = session.inspect("example:counter"), session.inspect("example:counter", functions=True)
    increment = "increment: func(bucket: borrow<bucket>, key: string, delta: u64) -> result<u64, error>"
    assert shown.functions["wasi:keyvalue/atomics@0.2.0-draft"] == (increment,)
    assert "set" not in "".join(shown.functions["wasi:keyvalue/store@0.2.0-draft"])
    calls = ("fields: constructor()", "outgoing-body.write: func() -> result<output-stream>")
    assert set(calls) < set(shown.functions["wasi:http/types@0.2.0"])
    assert any(
        each.startswith("outgoing-body.finish: static func(this") for each in listed.functions["wasi:http/types@0.2.0"]
    )
    assert increment not in repr(shown)
    assert f"import wasi:keyvalue/atomics@0.2.0-draft\n    {increment}\n" in repr(listed)
    assert "<details><summary>wasi:http/types@0.2.0" in shown._repr_html_()
    assert "<details open><summary>wasi:http/types@0.2.0" in listed._repr_html_()
    assert "borrow&lt;bucket&gt;" in shown._repr_html_()


def test_serve_finds_a_free_port_and_names_one_that_is_taken(session):
    """Without a port any will do; a port that somebody asks for and has not is an error with a repair."""
    address = session.serve()
    assert address == session.serve()
    assert address.startswith("http://127.0.0.1:")
    with Session() as other:
        assert other.serve() != address
        with pytest.raises(ConfigError, match="in use") as caught:
            other.serve(int(address.rpartition(":")[2]))
    assert "%wash serve 0" in caught.value.repair[0]


def test_address_leads_through_the_proxy_of_a_hub(session, monkeypatch):
    """Behind JupyterHub and Binder the link is the one that the browser can reach."""
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ann/")
    address = session.serve(0)
    port = address.rpartition(":")[2]
    assert address.link == f"/user/ann/proxy/{port}/"
    assert f'href="/user/ann/proxy/{port}/"' in address._repr_html_()
