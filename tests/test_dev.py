"""dev.py says what it does, and one clear line where that does not work."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(name="dev")
def _dev(monkeypatch, tmp_path):
    """Load dev.py with an environment that is elsewhere and made up to date."""
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "dev", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(module, "STAMP", tmp_path / "stamp")
    module.STAMP.write_text(module.environment_mark("dev"))
    return module


def steps_of(dev, monkeypatch, *commands: str, arguments: tuple[str, ...] = ()) -> int:
    """Run `dev.py test` with steps of our own, one Python program each."""
    steps = [dev.Step(f"step{number}", (sys.executable, "-c", code)) for number, code in enumerate(commands)]
    monkeypatch.setattr(dev, "steps", lambda: steps)
    monkeypatch.setattr(sys, "argv", ["dev.py", "test", *arguments])
    return dev.main()


def test_help_names_the_verbs():
    """`--help` names what there is."""
    done = subprocess.run([sys.executable, "dev.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(verb in done.stdout for verb in ("lab", "test", "bench"))


def test_the_tests_that_ran_are_seen(dev, monkeypatch, capsys):
    """The last lines hold what pytest said of its tests, skipped ones with their reason, and that all is well."""
    told = "SKIPPED [1] tests/test_x.py:1: needs Node\\n==== 3 passed, 1 skipped in 0.12s ===="
    assert steps_of(dev, monkeypatch, f"print('{told}')", "print('fine')") == 0
    first, second, skipped, summary, verdict = capsys.readouterr().out.splitlines()
    assert first.startswith("[1/2] step0 ... ok ")
    assert second.startswith("[2/2] step1 ... ok ")
    assert skipped == "step0: SKIPPED [1] tests/test_x.py:1: needs Node"
    assert summary == "step0: 3 passed, 1 skipped in 0.12s"
    assert verdict.startswith("all 2 steps passed in ")


def test_a_step_that_fails_shows_its_output_and_spares_the_others(dev, monkeypatch, capsys):
    """A failed step prints what it had said, the next ones run, and the last line names it."""
    assert steps_of(dev, monkeypatch, "print('the reason'); raise SystemExit(3)", "pass") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("[1/2] step0 ... FAILED ")
    assert lines[1] == "the reason"
    assert lines[2].endswith("failed with exit code 3")
    assert lines[3].startswith("[2/2] step1 ... ok ")
    assert lines[-1].startswith("FAILED: step0 (1 of 2 steps passed")


def test_a_step_that_does_not_exist_is_named(dev, monkeypatch, capsys):
    """A word that is no step is refused, with those that are."""
    assert steps_of(dev, monkeypatch, "pass", arguments=("step7",)) == 1
    assert capsys.readouterr().err == "dev.py: no step step7; the steps are step0\n"


def test_a_python_without_ensurepip_is_told_what_to_install(dev, monkeypatch, capsys):
    """Debian's Python without python3-venv gets the line that adds it."""
    dev.STAMP.unlink()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert steps_of(dev, monkeypatch, "pass") == 1
    assert "apt-get install python3-venv" in capsys.readouterr().err


def test_the_environment_is_made_again_when_the_project_asks_for_more(dev, monkeypatch):
    """Another pyproject.toml makes another mark, and so an installation; the same one makes none."""
    installed = []
    monkeypatch.setattr(dev, "install", lambda extras: installed.append(extras) or "")
    dev.prepare("dev")
    assert installed == []
    dev.STAMP.write_text("dev:of-another-day")
    dev.prepare("dev")
    dev.prepare(dev.LAB_EXTRAS)
    assert installed == ["dev"]


@pytest.mark.slow
def test_an_environment_that_is_there_is_brought_up_to_date(dev, monkeypatch, tmp_path):
    """An environment made by hand, with links as venv makes them, is used as it is."""
    subprocess.run([sys.executable, "-m", "venv", "--symlinks", tmp_path / "env"], check=True)
    kept = tmp_path / "env" / "kept"
    kept.touch()
    monkeypatch.setattr(dev, "VENV", tmp_path / "env")
    asked = []
    monkeypatch.setattr(dev, "capture", lambda command: asked.append(command) or "")
    dev.install("lab")
    assert kept.exists()
    assert asked[0][-1] == ".[lab]"


def test_what_it_opens_takes_its_place():
    """JupyterLab gets the signals that are meant for `dev.py lab`: it is the same process."""
    code = "import dev, sys; dev.become([sys.executable, '-c', 'import os; print(os.getpid())'])"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as started:
        assert started.communicate(timeout=20)[0] == f"{started.pid}\n"


UNTIL_TOLD = """
import pathlib, time
here = pathlib.Path({folder!r})
try:
    (here / "begun").touch()
    time.sleep(30)
finally:
    (here / "ended").touch()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_step_ends_with_it(tmp_path, number):
    """A run of the tests that is interrupted or terminated lets the step put away what it has started."""
    code = f"import dev, sys; dev.capture([sys.executable, '-c', {UNTIL_TOLD.format(folder=str(tmp_path))!r}])"
    if number == signal.SIGTERM:
        code = code.replace(";", "; dev.hear_terminate();", 1)
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL) as started:
        wait_for(tmp_path / "begun")
        started.send_signal(number)
        assert started.wait(20) != 0
    assert (tmp_path / "ended").exists()


def test_a_step_that_hears_nothing_is_killed(dev, monkeypatch, tmp_path):
    """One that is not done in time, and does not end when interrupted, takes with it what it has started."""
    monkeypatch.setattr(dev, "STEP_TIMEOUT", 0.4)
    monkeypatch.setattr(dev, "END_TIMEOUT", 0.1)
    deaf = "import signal, subprocess; signal.signal(signal.SIGINT, signal.SIG_IGN); subprocess.run(['sleep', '30'])"
    began = time.monotonic()
    with pytest.raises(dev.Failure, match="not done after"):
        dev.capture([sys.executable, "-c", deaf])  # returns when nobody has its output any more
    assert time.monotonic() - began < 20


def wait_for(path: Path) -> None:
    """Wait until a file is there."""
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} did not come"
        time.sleep(0.02)


@pytest.fixture(name="executed", scope="module")
def _executed(tmp_path_factory) -> subprocess.CompletedProcess[str]:
    """Run a notebook as `dev.py lab --execute` does."""
    import nbformat

    sources = ("print('one')\n2", "1/0", "print('never')")
    cells = [nbformat.v4.new_markdown_cell("# A heading\nand prose"), *map(nbformat.v4.new_code_cell, sources)]
    path = tmp_path_factory.mktemp("notebook") / "some.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    command = [sys.executable, "notebooks/execute.py", str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_notebook_is_printed_as_text(executed):
    """Headings, code, and what each cell printed and returned."""
    assert executed.stdout.startswith("\n# A heading\n\n>>> print('one')\n... 2\none\n2\n\n>>> 1/0\n")


@pytest.mark.slow
def test_a_notebook_that_fails_ends_in_one_line(executed):
    """A cell that raises stops the run with exit code 1 and a last line that names notebook and error."""
    assert executed.returncode == 1
    assert executed.stderr.splitlines()[-1] == "some.ipynb failed: ZeroDivisionError: division by zero"
    assert "never" not in executed.stdout
