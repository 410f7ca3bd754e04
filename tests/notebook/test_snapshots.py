"""`snapshot` and `restore`: what is shown, and what comes back."""

from __future__ import annotations

import pickle

import pytest

from washnb.errors import ConfigError
from washnb.notebook import Session


@pytest.fixture
def counter(session: Session) -> Session:
    """A session in which a counter has counted to two in memory."""
    session.load("example:counter", attach=["keyvalue", "config"])
    for _ in range(2):
        session.send("/x")
    return session


def test_state_comes_back(counter):
    """What was counted since is not there any more."""
    before = counter.snapshot()
    assert counter.send("/x").text.strip() == "3"
    assert counter.restore(before) == "restored the state"
    assert counter.send("/x").text.strip() == "3"


def test_the_difference_of_two(counter):
    """In words and values, with secrets hidden; nothing is said in so many words."""
    before = counter.snapshot()
    assert repr(counter.snapshot() - before) == "nothing has changed"
    bucket = counter.kv[next(iter(counter.known().buckets))]
    counter.send("/x")
    bucket["api-token"] = b"swordfish"
    bucket["note"] = b"hello"
    difference = counter.snapshot() - before
    seen = {row["where"].partition(" / ")[2]: (row["what"], row["before"], row["after"]) for row in difference.data}
    assert seen == {
        "api-token": ("+ added", "", "••••••"),
        "x": ("changed", "2  (u64, little endian)", "3  (u64, little endian)"),
        "note": ("+ added", "", "hello"),
    }
    assert {each.path[1]: each.new for each in difference.changes}["api-token"] == b"swordfish"
    assert [each["what"] for each in (before - counter.snapshot()).data] == ["- deleted", "- deleted", "changed"]


def test_it_shows_itself(counter):
    """What it is of, and how large; never a value."""
    counter.kv[next(iter(counter.known().buckets))]["note"] = b"hello"
    taken = counter.snapshot()
    assert repr(taken).splitlines()[-1].split() == ["counter", "wasi-keyvalue", "2", "13", "B"]
    assert "hello" not in taken._repr_html_()
    assert pickle.loads(pickle.dumps(taken)) == taken


def test_a_file_for_another_session(counter, tmp_path):
    """Restored where a workload of the name is loaded, else named."""
    path = tmp_path / "state.json"
    counter.snapshot().save(path)
    with Session() as other:
        assert other.restore(path) == ("restored the state of 0 of 1; not wasi-keyvalue of counter: it is not attached")
        other.load("example:counter", attach=["keyvalue"])
        other.send("/x")
        other.restore(str(path))
        assert other.send("/x").text.strip() == "3"


def test_the_magics(notebook, tmp_path):
    """A variable or a file is brought back."""
    notebook.run("%wash load example:counter --attach keyvalue")
    notebook.run("wash.send('/x')")
    ran = notebook.run(f"before = %wash snapshot --save {tmp_path / 'state.json'}")
    assert ran.text.strip() == f"saved 1 value in {tmp_path / 'state.json'}, as they are: secrets, too"
    assert "snapshot of " in notebook.run("before").text
    for source in ("before", "{{before}}", tmp_path / "state.json"):
        notebook.run("wash.send('/x')")
        assert notebook.run(f"%wash restore {source}").text.strip() == "restored the state"
        assert notebook.run("(wash.snapshot() - before).changes").result == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(3, "int is no snapshot"), (None, "NoneType is no snapshot"), ("nowhere.json", "nowhere.json cannot be read")],
)
def test_what_is_no_snapshot_is_named(session, wrong, said):
    """With what makes one."""
    with pytest.raises(ConfigError, match=said) as caught:
        session.restore(wrong)
    assert "snapshot" in caught.value.repair[0]
    with pytest.raises(ConfigError, match="Session is no snapshot"):
        session.restore(session)
    with pytest.raises(TypeError, match="unsupported operand"):
        session.snapshot() - 3


def test_what_cannot_be_compared_is_said(counter, tmp_path):
    """A workload that came later, and one that has gone: else it would seem that nothing has changed with them."""
    before = counter.snapshot()
    before.save(tmp_path / "before.json")
    counter.load("example:counter", name="second")
    assert repr(counter.snapshot() - before).splitlines() == [
        "nothing has changed",
        "not compared: wasi-keyvalue of second is only in the later one",
    ]
    counter.unload("counter")
    difference = counter.snapshot() - (tmp_path / "before.json")
    assert "wasi-keyvalue of counter is only in the earlier one" in repr(difference)
    assert "wasi-keyvalue of counter is only in the earlier one" in difference._repr_html_()


def test_what_was_left_out_is_said_again(counter):
    """Where it is restored and compared: who kept it in a variable has not seen it."""
    taken = counter.snapshot()
    partly = type(taken)(taken.contents, {"wasi-blobstore": "wasi-blobstore is elsewhere"}, taken.taken_at)
    assert counter.restore(partly) == (
        "restored the state of 1 of 2; not wasi-blobstore: it was left out when the snapshot was taken"
    )
    assert repr(taken - partly).splitlines()[-1] == "left out: wasi-blobstore is elsewhere"
    assert counter.restore(type(taken)({})) == "the snapshot holds no state"
