"""`%wash` and `%%wash`: read a line, and call the verb of the session."""

from __future__ import annotations

import sys
from typing import Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from traitlets import Bool, observe

from .arguments import HelpWanted
from .handles import News, Told
from .session import Session
from .text import Text
from .verbs import Use, overview, refuse_cell, verb_named


@magics_class
class Wash(Magics):
    """The magics `%wash` and `%%wash`, with a setting: `%config Wash.trace = False` records no host calls."""

    trace = Bool(default_value=True, help="Record the host calls of requests, for `%wash trace`.").tag(config=True)

    def __init__(self, shell: Any, session: Session) -> None:
        """Let the verbs act on `session`."""
        super().__init__(shell)
        self.session = session

    @observe("trace")
    def _trace_changed(self, change: Any) -> None:
        self.session.tracing = change.new

    def follow(self, _: Any = None) -> None:
        """After a cell, attach each followed class that it has defined again, and print what came of it."""
        assert self.shell is not None
        for line in self.session.following.look(self.shell.user_ns):
            print(line)  # noqa: T201

    @no_var_expand
    @line_cell_magic
    def wash(self, line: str, cell: str | None = None) -> Any:
        """Run a verb of washnb, `%wash VERB ...`: `%wash help` lists them, `%wash VERB --help` explains one."""
        __tracebackhide__ = True
        word, _, rest = line.strip().partition(" ")
        if cell is not None:
            refuse_cell(word)
        if word in {"", "--help", "-h"}:
            return Text(overview())
        verb = verb_named(word)
        assert self.shell is not None
        namespace = self.shell.user_ns
        try:
            use = Use(self.session, verb.read(rest, namespace), namespace, cell)
        except HelpWanted as answer:
            return Text(answer)
        value = verb.does(use)
        if isinstance(value, News):
            print(value)  # noqa: T201 - a verb that changes something prints a line
            return None
        if isinstance(value, Told) and value.news:
            print(value.news)  # noqa: T201
            self._leave_out(value)
        return value

    def _leave_out(self, told: Told) -> None:
        """Keep the cell from showing a value whose news was printed; it still becomes `_` and `Out[]`."""
        assert self.shell is not None
        hook, show = self.shell.displayhook, sys.displayhook

        def others(value: object) -> None:
            if value is told:
                hook.update_user_ns(value)  # type: ignore[no-untyped-call]
                hook.fill_exec_result(value)  # type: ignore[no-untyped-call]
            else:
                show(value)

        sys.displayhook = others  # IPython puts back what was there before the cell
