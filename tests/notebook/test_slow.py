"""`trace --slow`: what is on, what the view shows of a call that is held, and how it ends."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.notebook.test_kernel import kernel  # noqa: F401 - a fixture
from washnb.errors import ConfigError
from washnb.host import slow
from washnb.notebook.views import TraceView


def picture(session, view=None):
    """What the widget gets."""
    view = session.trace if view is None else view
    return view.picture(session.on_host(view.look))


@pytest.fixture
def counter(session):
    """A session with a counter, in slow motion."""
    session.load("example:counter", attach=["keyvalue"])
    session.trace(slow=2)
    return session


@pytest.fixture
def watched(counter):
    """The same, with a request that comes to `increment`: the session, and the pictures until then."""
    with ThreadPoolExecutor() as pool:
        request = pool.submit(counter.send, "/x")
        pictures = []
        while not pictures or pictures[-1]["rows"][-1]["function"] != "increment":
            pictures += picture(counter)["requests"]
            assert not request.done()
            time.sleep(0.02)
        yield counter, pictures
        counter.trace(slow="off")
        assert request.result().text == "1"


def test_the_view_shows_the_call_that_is_held(watched):
    """Last in its request, without an answer, while those before have theirs; the request says what it is."""
    session, pictures = watched
    names = ["incoming-request#1.path-with-query()", 'open("default")', 'increment(bucket#1, "x", 1)']
    assert list(dict.fromkeys(each["rows"][-1]["asked"] for each in pictures)) == names
    request = pictures[-1]
    assert (request["title"], request["workload"], request["ongoing"]) == (
        "GET /x  under way  in counter",
        "counter",
        True,
    )
    assert [(each["outcome"], each["answer"]) for each in request["rows"]] == [
        ("ok", '"/x"'),
        ("ok", "bucket#1"),
        ("under way", ""),
    ]
    assert "under way" in repr(session.trace)


def test_filters_are_for_calls_that_are_held_too(watched):
    """A view of other calls, or of other workloads, does not show it."""
    session, _ = watched
    shown = [each["function"] for each in picture(session, session.trace(interface="keyvalue"))["requests"][0]["rows"]]
    assert shown == ["open", "increment"]
    assert not picture(session, session.trace(interface="logging"))["requests"]
    assert not picture(session, session.trace(of="other"))["requests"]


def test_what_was_held_is_not_counted(counter, monkeypatch):
    """Not in what a request took, nor in what its guest did, nor where its calls are on the axis of time."""
    monkeypatch.setattr(slow, "CALL_SECONDS", 0.2)
    monkeypatch.setattr(slow, "WASI_SECONDS", 0.02)
    counter.send("/x")
    request = picture(counter)["requests"][0]
    assert request["took"] < 0.1
    assert request["guest"] < 0.1
    places = [each["at"] for each in request["rows"]]
    assert places == sorted(places)
    assert 0 <= places[0] < places[-1] <= request["took"]
    assert request["ongoing"] is False


def test_on_and_off(session):
    """On, there is the view, and recording with it; off, it is said. A fresh host goes at full speed."""
    session.trace("off")
    view = session.trace(slow=0.5)
    assert isinstance(view, TraceView)
    assert picture(session, view)["place"] == "slow motion, speed 0.5"
    assert session.trace(slow="off") == "host calls go at full speed"
    assert picture(session)["place"] == ""
    session.trace(slow="2")
    assert session.host.slow_motion.speed == 2
    session.trace(slow=0)
    assert session.host.slow_motion.speed is None
    session.trace(slow=1)
    session.reset()
    assert session.host.slow_motion.speed is None


def test_the_magic(notebook):
    """`--slow` beside the other options; what is no speed is told with what is one."""
    notebook.run("%wash load example:hello")
    assert isinstance(notebook.run("%wash trace last --slow 0.25").result, TraceView)
    assert notebook.session.host.slow_motion.speed == 0.25
    error = notebook.run("%wash trace --slow much").error
    assert isinstance(error, ConfigError)
    assert "'much' is no speed: that is a number from 0.1 to 10, or off" in str(error)
    assert "full speed" in notebook.run("%wash trace --slow off").text
    assert notebook.complete("%wash trace --slow 0") == ["0.25", "0.5"]
    assert "--slow SPEED" in notebook.run("%wash trace --help").text


def test_a_film_of_what_was_held(counter, tmp_path):
    """Has the calls in their order, each with its own duration."""
    counter.trace(slow=10)
    counter.send("/x")
    film = counter.trace("save", tmp_path / "film.html")
    assert "11 host calls" in film.news


def test_an_edit_goes_on_while_a_call_is_held(counter):
    """The host is there for everybody else: a value is changed, and the guest that was held finds it."""
    counter.trace(slow=1)
    thread = threading.Thread(target=counter.send, args=("/x",))
    thread.start()
    counter.kv["default"]["x"] = "41"
    counter.trace(slow="off")
    thread.join()
    assert counter.kv["default"]["x"] == (42).to_bytes(8, "little")


@pytest.mark.slow
@pytest.mark.filterwarnings("default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_ends_what_is_held(kernel):  # noqa: F811
    """Within a second; kernel and host are there for the next request, and the trace says how the call ended."""
    kernel.run("%wash load example:counter --attach keyvalue\nwash.trace(slow=0.1)")
    message = kernel.begin("wash.send('/x')")
    time.sleep(1)
    begun = time.monotonic()
    kernel.manager.interrupt_kernel()
    said = kernel.finish(message)
    assert time.monotonic() - begun < 1
    assert [each["content"]["ename"] for each in said if each["msg_type"] == "error"] == ["Interrupted"]
    text = kernel.text("print(wash.trace(slow='off'))\nprint(wash.send('/x').text)\nprint(wash.trace)")
    assert "-> error CancelledError" in text
    assert "GET /x  200  to counter" in text
