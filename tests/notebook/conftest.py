"""A session, and a shell that has loaded the extension: what the tests of this room act on."""

from __future__ import annotations

import atexit
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from washnb.notebook import Session

from .jupyterlab import folder, lab, page  # noqa: F401 - fixtures, of those who drive a browser


@pytest.fixture
def session() -> Iterator[Session]:
    """A session with nothing loaded, closed afterwards."""
    with Session() as session:
        yield session


@dataclass(frozen=True)
class Ran:
    """A cell that has run: what it printed, what it displayed, its last value, and what went wrong."""

    text: str
    displayed: list[Any]
    result: Any
    error: BaseException | None


class Notebook:
    """Cells for a real InteractiveShell."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell

    def run(self, cell: str) -> Ran:
        """Run a cell, whether it goes well or not."""
        with capture_output() as captured:
            outcome = self.shell.run_cell(cell)
        text = re.sub(r"\x1b\[[0-9;]*m|Out\[\d+\]: ", "", captured.stdout)
        return Ran(text, captured.outputs, outcome.result, outcome.error_in_exec or outcome.error_before_exec)

    def complete(self, line: str) -> list[str]:
        """What TAB offers at the end of `line`."""
        with provisionalcompleter():
            return [each.text for each in self.shell.Completer.completions(line, len(line))]

    @property
    def session(self) -> Session:
        """The session that the extension has made."""
        return self.shell.user_ns["wash"]


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    """A fresh shell, without a history that outlives it."""
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    yield shell
    InteractiveShell.clear_instance()
    atexit.unregister(shell.atexit_operations)  # it would collect garbage, once for each shell that there was


@pytest.fixture
def notebook(shell: InteractiveShell) -> Iterator[Notebook]:
    """A shell in which `%load_ext washnb` has run."""
    shell.run_cell("%load_ext washnb")
    yield Notebook(shell)
    shell.run_cell("%unload_ext washnb")
