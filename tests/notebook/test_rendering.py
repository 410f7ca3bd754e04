"""Errors of washnb are a few lines in a notebook, and ordinary ones everywhere else."""

from __future__ import annotations

from pathlib import Path

from washnb.notebook import rendering

KEYVALUE = Path(__file__).parent.parent / "components" / "keyvalue.wat"
PLUGIN = """
from washnb import Interface
class Roll(Interface, wit="workshop:dice/roll"):
    def roll(self, sides: int) -> int:
        return 1 // 0
wash.load("example:lucky", attach=[Roll])
"""


def test_error_is_a_few_lines_with_the_repair(notebook):
    """Message and repairing line, for verbs and for methods of the session; no frame of ours."""
    for cell in ("%wash load example:counter", "wash.load('example:counter')"):
        text = notebook.run(cell).text
        assert len(text.splitlines()) <= 7
        assert "UnsatisfiedImportError (W203)" in text
        assert "%wash attach keyvalue" in text
        assert "Traceback" not in text


def test_cell_of_several_lines_is_told_which_one(notebook):
    """The line that failed is shown as it was typed."""
    assert "line 2: %wash load example:nope" in notebook.run("%wash status\n%wash load example:nope").text
    assert "line 2: wash['nope']" in notebook.run("x = 1\nwash['nope']").text


def test_interrupt_while_an_error_is_shown(notebook, monkeypatch):
    """The next error is shown like the one before: IPython gives up those whose showing failed."""

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rendering, "lines_of", interrupt)
        notebook.run("wash['nope']")
    assert "Traceback" not in notebook.run("wash['nope']").text


def test_tb_shows_the_whole_chain(notebook):
    """`%tb` gives what was left out."""
    notebook.run("%wash load example:nope")
    text = notebook.run("%tb").text
    assert "Traceback" in text
    assert "NotAComponentError" in text


def test_exception_of_a_plugin_is_shown_with_its_line(notebook):
    """What a plugin raised reaches the person with the line that raised it."""
    notebook.run(PLUGIN)
    text = notebook.run("raise wash.send('/').error").text
    assert "ZeroDivisionError" in text
    assert "return 1 // 0" in text
    assert "Traceback" not in text


def test_trap_shows_the_innermost_frames(notebook):
    """A trap has its wasm backtrace, bounded."""
    notebook.run("%wash load example:trap")
    text = notebook.run("raise wash.send('/').error").text
    assert "unreachable" in text
    assert "look-inside" in text


def test_err_of_a_call_is_a_few_lines(notebook):
    """The error, and the function that answered so, with its type in WIT; Err of the person's own code as always."""
    notebook.run(f"%wash load {KEYVALUE} --as shop --attach keyvalue\n%wash detach keyvalue --from shop")
    for cell in ("%wash call shop.open('b')", "wash['shop'].open('b')", "wash.call('shop', 'open', 'b')"):
        text = notebook.run(cell).text
        assert text.splitlines()[0] == "Err: Error_AccessDenied()"
        assert "the answer of shop.open: func(bucket: string) -> result<_, error>" in text
        assert len(text.splitlines()) <= 3
    assert "Traceback" in notebook.run("from washnb import Err\nraise Err(1)").text


def test_other_errors_look_as_always(notebook):
    """Only errors of washnb are shortened."""
    assert "Traceback" in notebook.run("1 / 0").text


def test_handler_of_somebody_else_stays(notebook):
    """A custom exception handler that was there before goes on for its own exceptions."""
    seen = []
    notebook.run("%unload_ext washnb")
    notebook.shell.set_custom_exc((KeyError,), lambda shell, kind, *rest, **more: seen.append(kind))
    notebook.run("%load_ext washnb\n{}['x']")
    assert seen == [KeyError]
    assert "NotAComponentError (W202)" in notebook.run("%wash load example:nope").text


def test_message_cannot_speak_to_the_terminal(notebook):
    """Control characters in a message are shown."""
    ran = notebook.run("from washnb import WashError\nraise WashError('a\\x1b[2Jb', repair='c\\x07')")
    assert "a␛[2Jb" in ran.text
    assert "\x07" not in ran.text
