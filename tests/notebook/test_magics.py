"""`%wash` in a real IPython shell: every verb, and what a newcomer gets wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from IPython.utils.capture import capture_output

from washnb.errors import ConfigError, UnsatisfiedImportError
from washnb.notebook import Session
from washnb.notebook.elsewhere import ELSEWHERE
from washnb.notebook.verbs import VERBS

COMPONENTS = Path(__file__).parent.parent / "components"


def test_extension_never_takes_a_name_of_the_users(shell):
    """A variable called wash stays, with a word about it, and %wash works all the same."""
    shell.user_ns["wash"] = "mine"
    with capture_output() as captured:
        shell.run_cell("%load_ext washnb")
    assert "Your variable `wash` stays" in captured.stdout
    with capture_output():
        assert "VERB" in shell.run_cell("%wash").result
    shell.run_cell("%unload_ext washnb")
    assert shell.user_ns["wash"] == "mine"


def test_unload_ext_takes_everything_back(notebook):
    """The session is closed, and magics, name, settings, TAB and errors are as before."""
    notebook.run("%wash load example:adder")
    session = notebook.session
    notebook.run("%unload_ext washnb")
    assert "nothing is loaded" in repr(session)
    assert "wash" not in notebook.shell.user_ns
    assert notebook.shell.custom_exceptions == ()
    assert notebook.shell.Completer.custom_matchers == []
    assert "not found" in str(notebook.run("%wash").error)
    notebook.run("%load_ext washnb")
    assert isinstance(notebook.session, Session)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(notebook, verb):
    """`--help` explains a verb, and so does `%wash help VERB`."""
    shown = notebook.run(f"%wash {verb} --help").result
    assert f"usage: %wash {verb}" in shown
    assert notebook.run(f"%wash help {verb}").result == shown


@pytest.mark.parametrize(("verb", "without"), [("kv", "the one used last"), ("logs", "all"), ("messages", "all")])
def test_help_says_whose_state_a_view_shows(notebook, verb, without):
    """State is that of the workload used last, lines and messages are those of all, until --of names one."""
    (line,) = [each for each in notebook.run(f"%wash {verb} --help").text.splitlines() if "--of NAME  " in each]
    assert line.endswith(f"without this, {without}")


def test_help_lists_every_verb(notebook):
    """`%wash`, `%wash --help` and `%wash help` say what there is."""
    overview = notebook.run("%wash").result
    assert all(f"  {verb} " in overview for verb in VERBS)
    assert notebook.run("%wash --help").result == notebook.run("%wash help").result == overview


@pytest.mark.parametrize(("wrong", "right"), [("laod", "load"), ("sned", "send"), ("inspct", "inspect")])
def test_wrong_verb_gets_the_closest_one(notebook, wrong, right):
    """A typing mistake is answered with the verb that was meant."""
    ran = notebook.run(f"%wash {wrong} x")
    assert isinstance(ran.error, ConfigError)
    assert f"did you mean %wash {right}?" in ran.text


@pytest.mark.parametrize("word", ELSEWHERE)
def test_words_of_the_other_cli_get_a_pointer(notebook, word):
    """Who knows wash's own CLI is told what does the same here."""
    ran = notebook.run(f"%wash {word} something")
    assert "wash's own CLI" in ran.text
    assert ELSEWHERE[word] in ran.text


def test_first_steps_of_a_newcomer(notebook):
    """Load, read the denial, attach, send, look: the way of the quickstart."""
    denied = notebook.run("%wash load example:counter")
    assert isinstance(denied.error, UnsatisfiedImportError)
    assert "%wash attach keyvalue" in denied.text
    assert "counter waits" in denied.text
    assert notebook.run("_ = %wash attach keyvalue").text.strip() == "attached wasi-keyvalue; counter is running"
    assert notebook.run("%wash send /x").result.text == "1"
    assert notebook.run("%wash kv default x").result.data == (1).to_bytes(8, "little")
    assert "increment" in repr(notebook.run("%wash trace last").result)
    assert notebook.run("_ = %wash detach keyvalue").text.strip() == "detached wasi-keyvalue"


def test_changing_verbs_speak_in_one_line_each(notebook):
    """Several in one cell all say what they did."""
    ran = notebook.run("a = %wash load example:adder\nh = %wash load example:hello --as h\n%wash unload h\n%wash reset")
    lines = ["adder is running", "h is running", "unloaded h", "a fresh host: nothing is loaded"]
    assert ran.text.splitlines() == lines


def test_values_of_verbs_can_be_kept(notebook):
    """A verb is an expression, and its value is what the method returns."""
    notebook.run("handle = %wash load example:adder\ntotal = %wash call adder.add(40, 2)")
    assert notebook.shell.user_ns["total"] == 42
    assert repr(notebook.shell.user_ns["handle"]) == "adder: running"
    assert notebook.run("handle").text.strip() == "adder: running"


def test_what_a_line_told_is_not_shown_once_more(notebook):
    """One line for each verb that changes something, without an empty Out[]; its value is `_` all the same."""
    assert notebook.run("%wash load example:adder").text == "adder is running\n"
    assert notebook.shell.user_ns["_"].name == "adder"
    assert notebook.run("%wash attach keyvalue").text == "attached wasi-keyvalue\n"
    assert notebook.run("%wash serve 0").text.count("http://") == 1
    assert notebook.run("%wash load example:adder\n6 * 7").text == "adder is running\n42\n"


def test_the_session_shows_its_status(notebook):
    """As text and as HTML; one with nothing open opens nothing."""
    assert "nothing is loaded" in notebook.session._repr_html_()
    assert notebook.session.deployments is None
    notebook.run("%wash load example:adder")
    assert notebook.session._repr_html_() == notebook.session.status()._repr_html_()
    assert "<td" in notebook.session._repr_html_()


def test_what_is_asked_for_is_shown(notebook):
    """A table that comes with no news is not held back."""
    assert "used by" in notebook.run("%wash attach keyvalue\n%wash plugins").text


def test_a_look_at_what_is_not_there_is_an_error_of_the_verb(notebook):
    """The cell fails with the few lines of the error; a view of it shows them, too, and no traceback."""
    notebook.run("%wash load example:counter --attach keyvalue\n%wash send /x")
    ran = notebook.run("%wash kv nobody")
    assert isinstance(ran.error, ConfigError)
    assert len(ran.text.splitlines()) == 1
    assert notebook.run("wash.kv('defualt')").text.splitlines() == [
        "here there is no bucket 'defualt'; there is default",
        "  did you mean 'default'?",
    ]


@pytest.mark.parametrize(
    ("plugin", "state", "part"), [("keyvalue", "kv", "bucket"), ("blobstore", "blobs", "container")]
)
def test_a_part_of_the_state_shows_itself_as_the_view_of_it(notebook, plugin, state, part):
    """In a few lines where it is not there: it may be made yet."""
    notebook.run("%wash load example:counter --attach keyvalue\n%wash load example:gallery --attach blobstore")
    assert notebook.run(f"wash.{state}['nobody']").text.startswith(f"here there is no {part} 'nobody'")
    notebook.run(f"wash.{state}['nobody']['x'] = 'body'")
    assert notebook.run(f"wash.{state}['nobody']").text == notebook.run(f"wash.{state}('nobody')").text


def test_call_takes_python(notebook):
    """Arguments are expressions over the notebook's variables; the long form names the interface."""
    notebook.run("%wash load example:adder\nn = 40")
    assert notebook.run("%wash call adder.add(n, len('ab'))").result == 42
    assert notebook.run("%wash call adder.docs:adder/add#add(1, 2)").result == 3
    assert notebook.run("%wash call adder.add(b=2, *[n])").result == 42
    assert "takes no keywords here" in notebook.run("%wash call adder.docs:adder/add#add(1, b=2)").text
    assert "'(m)' raised NameError" in notebook.run("%wash call adder.add(m)").text
    assert "'(1 2)' is not a Python expression" in notebook.run("%wash call adder.add(1 2)").text
    said = notebook.run("%wash call adder.add(1, 2).bit_length()").text
    assert 'wash["adder"].add(1, 2).bit_length()  # in Python' in said
    assert "no call of an export" in notebook.run("%wash call adder").text
    assert "did you mean add?" in notebook.run("%wash call adder.ad(1, 2)").text


def test_lines_are_literal_and_values_are_inserted(notebook):
    """`$x` and `{x}` stay what they are; `{{x}}` is the value."""
    notebook.run("%wash load example:counter --attach keyvalue\nx = 'inserted'")
    notebook.run("%wash send /$x/{x}/{{x + '!'}}")
    assert list(notebook.session.kv.data["default"]) == ["$x/{x}/inserted!"]


def test_variable_with_bytes_is_a_source(notebook):
    """A component that is in a variable is loaded under its name."""
    notebook.shell.user_ns["guest"] = (COMPONENTS / "keepsake.wat").read_bytes()
    assert notebook.run("_ = %wash load guest").text.strip() == "guest is running"
    assert notebook.run("_ = %wash load {{guest}} --as other").text.strip() == "other is running"
    assert notebook.run("%wash call guest.next()").result == 1


def test_cell_is_the_body(notebook):
    """`%%wash send` takes the cell as body, and `-d @FILE` a file."""
    notebook.run("%wash load example:counter --attach keyvalue")
    assert notebook.run("%%wash send POST /cell\nthe body\n").result.text == "1"
    assert "cannot be read" in notebook.run("%wash send /x -d @no-such-file").text


def test_class_of_the_notebook_is_attached_by_its_name(notebook):
    """A plugin that was just written is a name in the line."""
    notebook.run(
        "from washnb import Interface\n"
        "class Roll(Interface, wit='workshop:dice/roll'):\n"
        "    def roll(self, sides: int) -> int:\n"
        "        return sides"
    )
    notebook.run("%wash load example:lucky")
    assert "lucky is running" in notebook.run("%wash attach Roll").text
    assert notebook.run("%wash send /").result.status == 200


def test_settings_are_traitlets(notebook):
    """`%config Wash.trace` shows and changes whether calls are recorded."""
    notebook.run("%wash load example:counter --attach keyvalue")
    notebook.run("%config Wash.trace = False")
    assert notebook.session.tracing is False
    assert list(notebook.run("%wash send /x").result.trace) == []
    assert "Wash.trace" in notebook.run("%config Wash").text


def test_send_options(notebook):
    """Headers, JSON, target and timeout are checked before anything is sent."""
    notebook.run("%wash load example:counter --attach keyvalue\n%wash load example:hello")
    assert notebook.run("%wash send --to counter /x -H 'A: b' --json {'a': 1}").result.text == "1"
    assert "is no header" in notebook.run("%wash send /x -H nonsense").text
    assert "no number of seconds" in notebook.run("%wash send /x --timeout soon").text
    assert "did you mean 'counter'?" in notebook.run("%wash send --to cuonter /x").text


def test_guest_that_never_answers_is_given_up(notebook):
    """A timeout is an answer that says so."""
    notebook.run("%wash load example:loop")
    assert notebook.run("%wash send / --timeout 0.05").result.status == 504


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        ("load example:hello --watch", ("no option --watch", "--help lists the options")),
        ("load", ("required", "SOURCE")),
        ("attach blob", ("no plugin is called 'blob'", "%wash attach blobs")),
        ("attach zzz", ("no plugin is called 'zzz'", "HostPlugin or an Interface")),
        ("blob", ("no verb 'blob'", "did you mean %wash blobs?")),
        ("blobs nothing", ("no blobs are kept here", "%wash attach blobstore")),
        ("serve abc", ("'abc' is no port", "%wash serve 8000")),
        ("serve 99999", ("'99999' is no port", "%wash serve")),
        ("trace lst", ("knows no 'lst'", "on|off|last|clear")),
        ("run example:adder", ("no command", "wasi:cli")),
        ("kv nothing", ("no key-value state is kept here", "%wash attach keyvalue")),
        ("load {{3}}", ("cannot be loaded from int 3", "example:hello")),
    ],
)
def test_mistakes_are_answered_in_a_few_lines(notebook, line, answers):
    """What a newcomer gets wrong is told with what is right."""
    text = notebook.run(f"%wash {line}").text
    assert "Traceback" not in text
    assert len(text.splitlines()) <= 4
    assert all(answer in text for answer in answers), text


def test_session_shows_its_status(notebook):
    """`wash` alone is the status; its repr is short, and a method's with it."""
    notebook.run("%wash load example:adder")
    assert "wasmtime" in notebook.run("wash").text
    assert repr(notebook.session) == "<washnb session: adder>"


def test_status_and_plugins_are_tables(notebook):
    """What is loaded and attached, as rows."""
    notebook.run("%wash load example:counter")
    rows = notebook.run("%wash status").result.data["workloads"]
    assert [(row["workload"], row["state"]) for row in rows] == [("counter", "waiting")]
    missing = rows[0]["missing"]
    assert "wasi:keyvalue/store" in missing
    assert "no plugin is attached" in repr(notebook.run("%wash plugins").result)
    for line, lost in (("attach keyvalue", ""), ("detach keyvalue", missing), ("attach keyvalue", "")):
        notebook.run(f"%wash {line}")
        row = notebook.run("%wash status").result.data["workloads"][0]
        assert (row["state"], sorted(row["missing"].split())) == ("running", sorted(lost.split()))
