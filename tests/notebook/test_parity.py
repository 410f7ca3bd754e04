"""`inspect --parity`: what a workload relied on that wash-runtime does otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from washnb.errors import WorkloadNotFound

COMPONENTS = Path(__file__).parent.parent / "components"


def test_report_names_what_a_workload_relied_on(session):
    """By id and in the words of the documentation, as far as a host can see it."""
    session.load(COMPONENTS / "config_logging.wat", "c", attach=["config", "logging"])
    assert [each.id for each in session.parity("c").data] == ["D08"]
    session.call("c", "log", "critical", "", "burning")
    report = session.parity("c")
    assert [each.id for each in report.data] == ["D08", "D15"]
    assert "c has relied on 2 deviations from wash-runtime" in repr(report)
    assert "washnb: It stays critical." in repr(report)
    assert "<td" in report._repr_html_()
    assert "a host cannot see, so look for yourself: D02" in repr(report)
    assert "ARCHITECTURE.md says under these numbers" in repr(report)


def test_report_says_what_it_did_not_look_for(session):
    """Without a trace there is nothing that host calls could show."""
    session.load("example:hello")
    assert "no deviations" in repr(session.parity("hello"))
    assert session.parity("hello").untraced == ()
    session.tracing = False
    assert "tracing is off: D10" in repr(session.parity("hello"))


def test_denied_workload_relies_on_the_early_error(session):
    """What waits for a plugin would have failed later, or never."""
    with pytest.raises(Exception, match="nobody serves"):
        session.load("example:counter")
    assert [each.id for each in session.parity("counter").data] == ["D01"]
    with pytest.raises(WorkloadNotFound):
        session.parity("nobody")


def test_verb(notebook):
    """`inspect NAME --parity` is the same report."""
    notebook.run("%wash load example:hello")
    assert "relied on" in notebook.run("%wash inspect hello --parity").text
