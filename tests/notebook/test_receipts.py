"""The capability receipt in a notebook: what it says, and that the lines to paste do what they say."""

from __future__ import annotations

import pytest

from washnb.errors import WorkloadNotFound
from washnb.notebook.hosted import receipts
from washnb.types import Component, LocalResources, Workload
from washnb.wit import WitInterface


def pasted(python: str) -> dict[str, tuple[object, ...]]:
    """What the Python lines of a receipt say."""
    return eval(f"dict({python}\n)", {"WitInterface": WitInterface, "dict": dict})


def test_it_says_what_was_used_and_what_is_enough(session):
    """Imports with their calls, the keys that were touched, the lines to paste."""
    session.load("example:counter", attach=["keyvalue", "logging"])
    session.send("/a")
    report = session.receipt()
    text = repr(report)
    assert text.startswith("receipt of counter: 4 of 4 imports used, none denied")
    assert "1 of 1: increment (1)" in text
    assert report.data["touched"]["keys"] == {"default/a": {"calls": 1, "failed": 0, "denied": 0}}
    assert report.load == "%wash load example:counter --as counter --attach keyvalue"
    assert "default/a" in report._repr_html_()
    least = pasted(report.python)
    resources = LocalResources(allowed_hosts=least.pop("allowed_hosts"))
    Workload("ns", "n", components=(Component("c", b"", local_resources=resources),), **least)
    assert [str(each) for each in least["host_interfaces"]] == report.data["host_interfaces"]


def test_it_outlives_the_requests_that_are_remembered(notebook):
    """The count goes on where the trace has forgotten, and the verb shows it."""
    notebook.run("%wash load example:counter --attach keyvalue")
    session = notebook.session
    for _ in range(3):
        session.send("/a")
        session.trace("clear")
    session.send("/b")
    shown = notebook.run("%wash receipt counter").result
    assert {key: each["calls"] for key, each in shown.data["touched"]["keys"].items()} == {
        "default/a": 3,
        "default/b": 1,
    }


def test_it_begins_with_what_is_loaded(session, tmp_path):
    """A reload, and a load under the same name, begin anew; a plugin that is swapped, taken or given does not."""

    def counted() -> tuple[int, int]:
        uses = session.receipt("counter").receipt.imports
        return sum(tally.calls for use in uses for tally in use.used.values()), sum(use.denied for use in uses)

    session.load("example:counter", attach=["keyvalue"])
    session.detach("keyvalue", "counter")
    session.send("/x")
    session.attach("keyvalue", to="counter")
    before = counted()
    assert before[1] == 1
    session.attach(f"keyvalue=file:{tmp_path}")
    assert counted() == before
    for again in (
        lambda: session.reload("counter"),
        lambda: session.load("example:counter"),
        lambda: (session.unload("counter"), session.load("example:counter")),
    ):
        session.send("/x")
        assert counted()[0] > 0
        again()
        assert counted() == (0, 0)


def test_what_waits_and_what_was_asked_in_vain(session):
    """A workload that nobody serves has a receipt, too; hosts that were denied are no part of what is needed."""
    with pytest.raises(Exception, match="nobody serves"):
        session.load("example:counter")
    waiting = session.receipt("counter")
    assert "no: nobody serves it" in repr(waiting)
    assert "2 denied" in repr(waiting)
    session.load("example:proxy", allowed_hosts=["127.0.0.1"])
    session.send("/http://127.0.0.1:9/x", to="proxy")
    session.send("/http://evil.example/x", to="proxy")
    report = session.receipt("proxy")
    assert report.load.endswith("--allow-host http://127.0.0.1:9")
    assert "asked for in vain: http://evil.example" in repr(report)
    assert pasted(report.python)["allowed_hosts"] == ("http://127.0.0.1:9",)
    with pytest.raises(WorkloadNotFound):
        session.receipt("nobody")


def test_the_line_loads_the_same_again_without_secrets(session, monkeypatch, tmp_path):
    """Settings stand in the line as they are read back; a secret is taken from the environment, a backend named."""
    config = {"greeting": 'say "hi"', "motto": "a b", "api_token": "swordfish", "db": "pg://u:pw@h/x"}
    session.load("example:counter", attach=[f"keyvalue=file:{tmp_path}"])
    assert f"--attach keyvalue=file:{tmp_path}" in session.receipt("counter").load
    session.load("example:greeter", config=config, attach=["config", "logging", "keyvalue"])
    session.send("/x")
    report = session.receipt("greeter")
    assert "keyvalue" not in report.load
    for shown in (repr(report), report._repr_html_(), str(report.data)):
        assert "swordfish" not in shown
        assert "pw" not in shown
    monkeypatch.setenv("API_TOKEN", "swordfish")
    monkeypatch.setenv("DB", "pg://u:pw@h/x")
    from washnb.notebook.verbs import Use, verb_named

    session.unload("greeter")
    verb = verb_named("load")
    options = verb.read(report.load.removeprefix("%wash load "), {})
    assert verb.does(Use(session, options, {})).name == "greeter"
    assert session.config.data == config


def test_what_of_wasi_is_not_used_is_counted(session):
    """Toolchains import all of it, whatever a guest does; the notes name it."""
    session.load("example:counter", attach=["keyvalue"])
    table, _, notes = repr(session.receipt()).partition("host_interfaces=(")
    assert "and 2 more of wasi" in table
    assert "wasi:io/streams@0.2.0" not in table
    assert "wasi:keyvalue/store@0.2.0-draft" in table
    assert "(not used so far: wasi:io/streams@0.2.0, wasi:http/types@0.2.0, wasi:keyvalue/store" in notes


def test_what_was_taken_back_is_said_to_be_needed(session):
    """The lines to paste grant no more than there is, which is too little to start."""
    session.load("example:counter", attach=["keyvalue"])
    assert "not granted" not in repr(session.receipt())
    session.detach("keyvalue", "counter")
    report = session.receipt()
    assert "keyvalue" not in report.python
    assert (
        "(not granted: wasi:keyvalue/store@0.2.0-draft, wasi:keyvalue/atomics@0.2.0-draft: imported, and so the lines "
        "above do not start it)"
    ) in repr(report)


def test_tracing_that_is_off_is_said(session):
    """A count that cannot be true says so, and how to have it."""
    session.load("example:hello")
    session.trace("off")
    session.send("/")
    assert "%wash trace on" in repr(session.receipt())


def test_many_names_are_cut_in_the_face_only(session, monkeypatch):
    """Faces show the first names and the number of the others; data has all."""
    monkeypatch.setattr(receipts, "_SHOWN", 2)
    session.load("example:counter", attach=["keyvalue"])
    for key in "abcd":
        session.send(f"/{key}")
    report = session.receipt()
    assert "and 2 more" in repr(report)
    assert "default/d" not in repr(report)
    assert len(report.data["touched"]["keys"]) == 4
