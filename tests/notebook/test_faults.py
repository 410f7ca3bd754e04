"""`fault`: set, listed, cleared, and seen in the trace."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from washnb.errors import ConfigError
from washnb.notebook import Session
from washnb.notebook.hosted.crossings import crossing_entry


@pytest.fixture
def counter(session: Session) -> Session:
    """A session in which a counter counts in memory."""
    session.load("example:counter", attach=["keyvalue"])
    return session


def counts(session: Session) -> list[str]:
    """What three requests come back with."""
    return [
        response.text.strip() if response.status == 200 else "failed"
        for response in (session.send("/x") for _ in range(3))
    ]


def test_a_fault_ends_with_its_block(counter):
    """Inside, calls go wrong as it says; behind it, and behind an exception, they go their way."""
    with counter.fault("keyvalue.increment", error="access-denied", after=1, times=1) as fault:
        assert counts(counter) == ["1", "failed", "2"]
        assert (fault.seen, fault.injected) == (3, 1)
        assert fault.functions == ("wasi:keyvalue/atomics#increment",)
    assert repr(fault) == (
        "fault on keyvalue.increment: error access-denied, after 1 call, once; 1 of 3 calls, cleared"
    )
    with pytest.raises(LookupError), counter.fault("keyvalue.increment", trap=True):
        raise LookupError
    assert counts(counter) == ["3", "4", "5"]


def test_a_block_may_outlive_the_host(counter):
    """No new host is opened to clear what is gone."""
    with counter.fault("keyvalue.increment", trap=True):
        counter.reset()
    assert counter.deployments is None


def test_a_fault_that_is_over_begins_no_block(counter):
    """It would change nothing in it; blocks may be in each other, and the inner one's fault ends with it."""
    with counter.fault("keyvalue.increment", error="access-denied") as outer:
        with counter.fault("keyvalue.open", trap=True) as inner:
            assert counts(counter) == ["failed"] * 3
        assert (inner.injected, outer.injected) == (3, 0)
        assert counts(counter) == ["failed"] * 3
        assert (inner.injected, outer.injected) == (3, 3)
    with (
        pytest.raises(ConfigError, match=r"the fault on keyvalue\.increment was cleared, and is over") as caught,
        outer,
    ):
        pass
    assert caught.value.repair == ('with wash.fault("keyvalue.increment", ...):',)


def test_a_workload_is_named_by_its_name(counter):
    """What stands for it says so, on the thread that asked."""
    with pytest.raises(ConfigError, match="of is the name of a workload, not counter: running"):
        counter.fault("keyvalue.increment", trap=True, of=counter["counter"])


def test_threads_have_faults_of_their_own(counter):
    """Each block sets and clears one, and what they count is together right."""

    def work() -> int:
        with counter.fault("keyvalue.increment", delay=0.001) as fault:
            counts(counter)
        return fault.injected

    with ThreadPoolExecutor(4) as pool:
        struck = [each.result() for each in [pool.submit(work) for _ in range(4)]]
    assert sum(struck) == 12
    assert repr(counter.faults).startswith("no fault is set")


def test_a_fault_that_is_set_again_takes_the_place_of_the_equal_one(counter):
    """A cell that is run twice sets one, whose counts begin anew; a fault that differs, or that a block has, stays."""
    first = counter.fault("keyvalue.increment", error=RuntimeError("gone"), after=1, times=1)
    assert counts(counter) == ["1", "failed", "2"]
    again = counter.fault("keyvalue.increment", error=RuntimeError("gone"), after=1, times=1)
    assert again.news == (
        "fault on keyvalue.increment: error RuntimeError: gone, after 1 call, once; "
        "in place of the one before, which has changed 1 of 3 calls"
    )
    assert counts(counter) == ["3", "failed", "4"]
    assert (first.injected, again.injected, len(counter.faults.data)) == (1, 1, 1)
    counter.fault("keyvalue.increment", error=RuntimeError("gone"), after=1, times=2)
    assert len(counter.faults.data) == 2
    counter.clear_faults()
    with counter.fault("keyvalue.increment", error="access-denied", times=1) as outer:
        with counter.fault("keyvalue.increment", error="access-denied", times=1) as inner:
            assert counts(counter) == ["failed", "failed", "5"]
        assert (outer.injected, inner.injected) == (1, 1)


def test_a_block_has_the_fault_that_has_given_way(counter):
    """Two threads set equal ones before either begins its block."""
    one, other = (counter.fault("keyvalue.increment", error="access-denied", times=1) for _ in range(2))
    with one, other:
        assert counts(counter) == ["failed", "failed", "1"]
        assert (one.injected, other.injected) == (1, 1)
    assert counter.faults.data == []


def test_the_status_has_faults_that_are_in_force(counter):
    """For who has forgotten them: those that are over change nothing."""
    assert counter.status().data["faults"] == "none"
    counter.fault("keyvalue.increment", error="access-denied", times=1)
    counter.fault("keyvalue.open", delay=0.001)
    assert counter.status().data["faults"] == "keyvalue.increment, keyvalue.open: %wash fault clear"
    counts(counter)
    assert counter.status().data["faults"] == "keyvalue.open: %wash fault clear"


def test_faults_are_listed_and_cleared(counter):
    """With what they are about, and how often they have struck."""
    assert repr(counter.faults) == "no fault is set: %wash fault keyvalue.get --delay 0.5"
    counter.fault("keyvalue.increment", error="other(full)", times=1)
    counter.fault("http.path_with_query", delay=0.001)
    assert counts(counter) == ["failed", "1", "2"]
    assert [tuple(row.values()) for row in counter.faults.data] == [
        ("keyvalue.increment", "error other(full), once", "wasi:keyvalue/atomics#increment", "1 of 3 calls, over"),
        (
            "http.path_with_query",
            "delay 0.001 s",
            "wasi:http/types#[method]incoming-request.path-with-query",
            "3 of 3 calls",
        ),
    ]
    assert counter.clear_faults("keyvalue.increment") == "cleared keyvalue.increment"
    assert counter.clear_faults() == "cleared http.path_with_query"
    assert counter.clear_faults() == "no fault was set"


def test_injected_calls_are_marked_in_the_trace(counter):
    """In text and HTML, with a shape and a word; no other call is, and no request in which there was none."""
    counter.fault("keyvalue.increment", error="access-denied")
    counter.send("/x")
    trace = counter.trace("last")
    headline, marked = [line for line in repr(trace).splitlines() if "⚡" in line]
    assert headline == "GET /x  500  to counter  ⚡ 1 injected"
    assert "-> error access-denied  ⚡ injected error access-denied" in marked
    assert trace._repr_html_().count("⚡ injected") == trace._repr_html_().count("⚡ 1 injected") == 1
    counter.clear_faults()
    counter.send("/x")
    assert "⚡" not in repr(counter.trace("last"))


def test_a_request_that_succeeds_says_that_something_was_injected(counter):
    """In the picture of the view and in the film, also where the calls that pass a filter are others."""
    counter.fault("keyvalue.open", delay=0.001)
    counter.send("/x")
    view = counter.trace("last", function="increment")
    look = counter.on_host(view.look)
    (row,) = view.picture(look)["requests"]
    assert (row["failed"], row["injected"]) == (False, 1)
    assert repr(view).splitlines()[0] == "GET /x  200  to counter  ⚡ 1 injected"
    entries = [crossing_entry(each) for passage in look.timeline.passages for each in passage.crossings]
    assert [(each["error"], each["answer"]) for each in entries if each["injected"]] == [(False, "bucket#1")]


def test_a_component_that_is_slow_and_one_that_is_broken(notebook):
    """Exports have faults as imports do: offered by TAB, seen by who asks, listed and marked."""
    notebook.run("%wash load example:hello\n%wash load example:adder")
    assert notebook.complete("%wash fault inc") == ["incoming-handler.handle"]
    ran = notebook.run("%wash fault incoming-handler.handle --delay 0.02 --of hello\n%wash fault adder.add --value 7")
    assert ran.text.splitlines() == [
        "fault on incoming-handler.handle: delay 0.02 s, of hello",
        "fault on adder.add: value 7",
    ]
    assert notebook.session.send("/").elapsed >= 0.02
    assert notebook.session["adder"].add(1, 2) == 7
    assert [row["so far"] for row in notebook.session.faults.data] == ["1 of 1 calls"] * 2
    marked = [line for line in repr(notebook.session.trace).splitlines() if "⚡" in line]
    assert [line.split()[0] for line in marked] == ["GET", "1", "call", "1"]
    notebook.run("%wash fault clear\n%wash fault incoming-handler.handle --trap")
    response = notebook.session.send("/")
    assert response.status == 500
    assert "%wash fault clear" in str(response.error)


def test_the_magic(notebook):
    """Sets one with a line about it, lists, and clears."""
    notebook.run("%wash load example:counter --attach keyvalue")
    ran = notebook.run("%wash fault keyvalue.increment --error 'other(disk full)' --after 1 --times 2")
    assert ran.text.splitlines()[0] == "fault on keyvalue.increment: error other(disk full), after 1 call, 2 times"
    assert [notebook.session.send("/x").status == 200 for _ in range(4)] == [True, False, False, True]
    assert "2 of 4 calls, over" in notebook.run("%wash fault").text
    assert notebook.run("%wash fault clear keyvalue.increment").text.strip() == "cleared keyvalue.increment"
    assert notebook.run("%wash fault clear").text.strip() == "no fault was set"
    ran = notebook.run("%wash fault keyvalue.increment --trap\n" * 2)
    assert ran.text.splitlines()[1] == "fault on keyvalue.increment: trap; in place of the one before"
    notebook.run("%wash fault clear")
    ran = notebook.run("%wash fault keyvalue.increment --trap --of counter\n%wash fault clear")
    assert ran.text.splitlines() == ["fault on keyvalue.increment: trap, of counter", "cleared keyvalue.increment"]
    notebook.run("%wash fault keyvalue.increment --error {{RuntimeError('boom')}} --delay 0.001")
    assert "boom" in str(notebook.session.send("/x").error)
    notebook.run("%wash fault clear\n%wash fault keyvalue.increment --value 41+1")
    assert notebook.session.send("/x").text.strip() == "42"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("keyvalue.increment", "nothing is said of what happens to keyvalue.increment"),
        ("keyvalue.incremend --trap", "did you mean keyvalue.increment?"),
        ("keyvalue.increment --error gone", "its errors are no-such-store, access-denied, other(string)"),
        ("keyvalue.increment --delay soon", "'soon' is no number"),
        ("keyvalue.increment --trap --after 1.5", "'1.5' is no whole number"),
        ("keyvalue.increment --trap --times 0", "times and short are 1 or more"),
        ("keyvalue.increment keyvalue.open --trap", "takes one target"),
        ("--trap", "a fault needs a target"),
        ("clear keyvalue.open", "no fault is set on keyvalue.open"),
    ],
)
def test_a_mistake_is_named(notebook, line, said):
    """With what repairs it."""
    notebook.run("%wash load example:counter --attach keyvalue")
    error = notebook.run(f"%wash fault {line}").error
    assert isinstance(error, ConfigError)
    assert said in str(error)


def test_targets_complete(notebook):
    """What the loaded components import, and behind `clear` what has a fault."""
    notebook.run("%wash load example:counter --attach keyvalue\n%wash fault keyvalue.open --trap")
    assert notebook.complete("%wash fault keyv") == ["keyvalue.open", "keyvalue.increment"]
    assert notebook.complete("%wash fault clear ") == ["keyvalue.open"]
