"""`trace --slow`: what is on, what the view shows of a call that is held, and how it ends."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.notebook.test_kernel import kernel  # noqa: F401 - a fixture
from tests.waiting import eventually_there
from washnb.errors import ConfigError
from washnb.events import CallHeld, HostCall, RequestHandled
from washnb.host.recording import slow
from washnb.notebook.hosted.history import History
from washnb.notebook.views import TraceView


def picture(session, view=None):
    """What the widget gets."""
    view = session.trace if view is None else view
    return view.picture(session.on_host(view.look))


@pytest.fixture
def counter(session, monkeypatch):
    """A session with a counter, in slow motion; calls of plugins are held for 40 ms, those of WASI hardly."""
    monkeypatch.setattr(slow, "CALL_SECONDS", 0.04)
    monkeypatch.setattr(slow, "WASI_SECONDS", 0.001)
    session.load("example:counter", attach=["keyvalue"])
    session.trace(slow=1)
    return session


@pytest.fixture
def held(counter, monkeypatch):
    """The same, with a request whose `open` is held."""
    monkeypatch.setattr(slow, "CALL_SECONDS", 30)
    with ThreadPoolExecutor() as pool:
        request = pool.submit(counter.send, "/x")
        eventually_there(lambda: any(each["outcome"] == "under way" and each["n"] == 2 for each in rows(counter)))
        yield counter
        counter.trace(slow="off")
        assert request.result().text == "1"


def rows(session):
    """The calls of the first request as the widget gets them."""
    return next((each["rows"] for each in picture(session)["requests"]), [])


def test_the_view_shows_the_call_that_is_held(held):
    """Last in its request, without an answer, while those before have theirs; the request says what it is."""
    (request,) = picture(held)["requests"]
    assert (request["title"], request["workload"]) == ("GET /x  under way  in counter", "counter")
    assert request["ongoing"] is True
    assert [(each["asked"], each["outcome"], each["answer"]) for each in request["rows"]] == [
        ("incoming-request#1.path-with-query()", "ok", '"/x"'),
        ('open("default")', "under way", ""),
    ]
    assert "GET /x  under way  in counter" in repr(held.trace)


def test_a_call_that_is_held_can_be_opened(held):
    """Its values are there before its answer is."""
    (request,) = picture(held)["requests"]
    wish = {"do": "values", "group": str(request["n"]), "key": "2"}
    told = held.on_host(lambda deployments: held.trace.grant(deployments, wish, b"")).content
    assert (told["outcome"], told["values"], told["result"]) == ("under way", [["identifier", '"default"']], "")


def test_filters_are_for_calls_that_are_held_too(held):
    """A view of other calls, or of other workloads, does not show it."""
    (request,) = picture(held, held.trace(interface="keyvalue"))["requests"]
    assert [each["function"] for each in request["rows"]] == ["open"]
    assert not picture(held, held.trace(interface="logging"))["requests"]
    assert not picture(held, held.trace(of="other"))["requests"]


def test_a_call_is_under_way_until_it_has_its_answer():
    """Not while its guest goes on, nor once its request is over."""
    history = History()
    call = HostCall(1, 1, "w", "c", "i", "f", (), None, None, "p", 0.0, 0.0, 0)
    history.take(CallHeld(call, "GET /"))
    (request,) = history.requests()
    assert (request.held, request.workload, request.headline) == (call, "w", "GET /  under way  in w")
    history.take(call)
    assert (request.held, request.headline) == (None, "GET /  under way  in w")
    history.take(CallHeld(call, "GET /"))
    history.take(RequestHandled(1, "w", "GET", "/", 200, 0.0))
    assert (request.held, request.headline) == (None, "GET /  200  to w")


def test_what_was_held_is_not_counted(counter):
    """Not in what a request took, nor in what its guest did, nor where its calls are on the axis of time."""
    elapsed = counter.send("/x").elapsed
    request = picture(counter)["requests"][0]
    assert request["guest"] < request["took"] < elapsed - 0.08
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
    assert session.status().data["tracing"] == "on, slow motion, speed 0.5"
    assert session.trace(slow="off") == "host calls go at full speed"
    assert picture(session)["place"] == ""
    assert session.status().data["tracing"] == "on"
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
    counter.send("/x")
    film = counter.trace("save", tmp_path / "film.html")
    assert "11 host calls" in film.news


def test_the_host_is_there_while_a_call_is_held(held):
    """For everybody else: edits, and requests to others."""
    held.kv["default"]["y"] = "41"
    held.load("example:hello")
    held.trace("off")
    assert held.send("/", to="hello").status == 200
    assert len(rows(held)) == 2


HELD_FOR_LONG = """
from washnb.events import CallHeld
from washnb.host.recording import slow

slow.WASI_SECONDS = 3
wash.subscribe(lambda event: isinstance(event, CallHeld) and open("held", "w").close())
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_ends_what_is_held(kernel, tmp_path):  # noqa: F811
    """Long before its time; kernel and host are there for the next request, and the trace says how the call ended."""
    kernel.run("%wash load example:counter --attach keyvalue\nwash.trace(slow=0.1)")
    kernel.run(HELD_FOR_LONG)
    message = kernel.begin("wash.send('/x')")
    eventually_there((tmp_path / "held").exists)
    begun = time.monotonic()
    kernel.manager.interrupt_kernel()
    said = kernel.finish(message)
    assert time.monotonic() - begun < 5
    assert [each["content"]["ename"] for each in said if each["msg_type"] == "error"] == ["Interrupted"]
    text = kernel.text("print(wash.trace(slow='off'))\nprint(wash.send('/x').text)\nprint(wash.trace)")
    assert "-> error CancelledError" in text
    assert "GET /x  200  to counter" in text
