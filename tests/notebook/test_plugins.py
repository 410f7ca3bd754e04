"""`%wash plugin new`: a class for what a component imports, as the next cell."""

from __future__ import annotations

import pytest

from washnb.engine import Interface
from washnb.errors import ConfigError, UnsatisfiedImportError


def next_cell(notebook) -> str:
    """What the shell puts into the next prompt."""
    return notebook.shell.rl_next_input


def test_the_skeleton_is_a_cell_that_runs_and_serves(notebook):
    """A workload that waits for an interface nobody knows gets a class for it; attached, it starts the workload."""
    notebook.run("%wash load example:lucky")
    ran = notebook.run("%wash plugin new roll")
    assert ran.text.strip() == (
        "the next cell has a class for workshop:dice/roll@0.1.0: run it, then %wash attach Roll"
    )
    assert notebook.run(next_cell(notebook)).error is None
    assert "lucky is running" in notebook.run("%wash attach Roll").text
    assert "Roll.roll is not written yet" in repr(notebook.session.send("/"))
    notebook.run(next_cell(notebook).replace('raise NotImplementedError("Roll.roll is not written yet")', "return 4"))
    notebook.run("%wash attach Roll")
    assert "4" in notebook.session.send("/").text


def test_a_component_that_is_not_loaded(session):
    """`from_` takes what load takes; the text has the component's functions, and shows itself as text."""
    text = session.plugin("new", "wasi:keyvalue/store", from_="example:counter")
    assert text.startswith("from dataclasses import dataclass\n")
    assert 'class Store(Interface, wit="wasi:keyvalue/store@0.2.0-draft"):' in text
    assert "increment" not in text
    assert repr(text) == text
    assert (text.interface, text.class_name) == ("wasi:keyvalue/store@0.2.0-draft", "Store")


def test_all_that_workloads_import_of_it_is_there(session, tmp_path):
    """The class that several workloads share has the functions of each of them."""
    text = '(component (import "my:own/tools@0.1.0" (instance (export "FUNCTION" (func)))))'
    for function in ("saw", "drill"):
        (tmp_path / f"{function}.wat").write_text(text.replace("FUNCTION", function))
        with pytest.raises(UnsatisfiedImportError):
            session.load(tmp_path / f"{function}.wat")
    (tmp_path / "saw.wat").rename(tmp_path / "gone.wat")
    assert "def drill" in session.plugin("new", "tools")
    assert "def saw" not in session.plugin("new", "tools")
    (tmp_path / "gone.wat").rename(tmp_path / "saw.wat")
    both = session.plugin("new", "tools")
    assert "def saw" in both
    assert "def drill" in both


@pytest.mark.parametrize(
    "wanted", ["wasi:keyvalue/atomics@0.2.0-draft", "WASI:keyvalue/atomics", "keyvalue/atomics", "atomics"]
)
def test_a_name_is_abbreviated(session, wanted):
    """With version, without it, without the namespace, or the interface alone."""
    assert session.plugin("new", wanted, from_="example:counter").class_name == "Atomics"


def test_a_name_that_is_ambiguous_or_unknown(session):
    """Every import that is meant, the closest one, all of them, or what to do where there are none."""
    with pytest.raises(ConfigError) as caught:
        session.plugin("new", "kv", from_="example:counter")
    assert caught.value.repair == (
        "%wash plugin new wasi:keyvalue/atomics@0.2.0-draft",
        "%wash plugin new wasi:keyvalue/store@0.2.0-draft",
    )
    for wanted, said in (("atomic", "did you mean %wash plugin new atomics?"), ("zebra", "there is wasi:http/types")):
        with pytest.raises(ConfigError, match=f"nothing here imports '{wanted}'") as caught:
            session.plugin("new", wanted, from_="example:counter")
        assert caught.value.repair[0].startswith(said)
    with pytest.raises(ConfigError) as caught:
        session.plugin("new", "store")
    assert caught.value.repair[0] == "%wash plugin new store --from PATH_OF_A_COMPONENT"
    with pytest.raises(ConfigError, match="plugin knows no 'old'"):
        session.plugin("old", "store")


def test_tab(notebook):
    """The verb, what it does, and the imports of what is loaded, also of what waits."""
    notebook.run("%wash load example:counter")
    notebook.run("%wash load example:hello")
    assert notebook.complete("%wash plugin n") == ["new"]
    assert notebook.complete("%wash plugin new wasi:key") == [
        "wasi:keyvalue/atomics@0.2.0-draft",
        "wasi:keyvalue/store@0.2.0-draft",
    ]
    assert "wasi:http/types@0.2.0" in notebook.complete("%wash plugin new wasi:h")
    assert notebook.complete("%wash plugin new x --from co") == ["counter"]


def test_a_workload_that_goes_on_with_another_plugin_is_told(session):
    """What serves an interface already is not replaced by a plugin of another id: the way over is in the line."""

    class Dice(Interface, wit="workshop:dice/roll"):
        def roll(self, sides: int) -> int:
            return sides

    class Loaded(Dice):
        def roll(self, sides: int) -> int:
            return 1

    session.attach(Dice)
    session.load("example:lucky")
    told = session.attach(Loaded).news
    assert told == (
        "attached loaded; lucky goes on with dice for workshop:dice/roll (%wash detach dice; %wash reload lucky)"
    )
    assert session["lucky"].play() == 6
    session.detach("dice")
    session.reload("lucky")
    assert session["lucky"].play() == 1
