"""What the session remembers of what the host told."""

from __future__ import annotations

from pathlib import Path

COMMAND = Path(__file__).parent.parent / "components" / "command.wat"


def test_a_run_is_not_taken_for_a_request(session):
    """A command's host calls stand in the trace under its name; nobody waits for an answer."""
    session.run(COMMAND)
    assert repr(session.trace()).startswith("a run or call of command, or a request")
