"""The view `trace`: data and filters, the static face, the picture for the widget, and what it tells of one call."""

from __future__ import annotations

import json

import pytest

from tests.waiting import eventually_there
from washnb.notebook.hosted import history
from washnb.notebook.views import trace
from washnb.notebook.widgets.live import Live
from washnb.secrecy import HIDDEN


@pytest.fixture
def counted(session):
    """A session with a counter that has counted once and was then denied, and a greeter."""
    session.load("example:counter", attach=["keyvalue"])
    session.send("/x")
    session.detach("keyvalue", "counter")
    session.send("/x")
    session.load("example:greeter", attach=["config", "logging"])
    session.send("/x", to="greeter")
    return session


def picture(session, view=None):
    """What the widget gets."""
    view = session.trace if view is None else view
    return view.picture(session.on_host(view.look))


def test_filters_choose_calls(counted):
    """By workload, interface, function, trouble and duration, one after the other and all at once."""
    view = counted.trace
    assert [each.workload for each in view] == ["counter", "counter", "greeter"]
    assert [each.workload for each in view(of="greeter").data] == ["greeter"]
    assert [call.function for each in view(interface="keyvalue") for call in each.calls] == [
        "open",
        "increment",
        "open",
    ]
    assert [call.function for each in view(function="incr") for call in each.calls] == ["increment"]
    assert [call.error for each in view(errors=True) for call in each.calls] == ["access-denied"]
    assert len(view(slower=60)) == 0
    assert [each.workload for each in view("last")] == ["greeter"]
    assert [each.number for each in view("last", of="counter")] == [view.data[1].number]
    closer = view(of="counter")(function="open")
    assert [len(each.calls) for each in closer.data] == [1, 1]
    assert "increment" not in repr(closer)
    assert "open" in repr(closer)
    assert "GET /x  200  to counter" in repr(view)


def test_a_request_in_trouble_without_a_call_in_trouble_is_shown_with_all_its_calls(session):
    """A guest that trapped, or that was answered with what does not fit, is what `--errors` is asked for."""
    session.load("example:trap")
    session.send("/")
    session.load("example:hello")
    session.send("/", to="hello")
    view = session.trace(errors=True)
    assert [each.workload for each in view] == ["trap"]
    assert "unreachable" in repr(view)
    assert [each["failed"] for each in picture(session, view)["requests"]] == [True]
    assert not session.trace(errors=True, interface="wasi").data


def test_the_verb_takes_the_filters(notebook):
    """`%wash trace --interface ...` shows the same as the method, and refuses what is no number."""
    notebook.run("%wash load example:counter --attach keyvalue\n%wash send /x")
    shown = notebook.run("%wash trace last --of counter --interface keyvalue --function incr --slower 0").result
    assert [call.function for each in shown.data for call in each.calls] == ["increment"]
    assert "no number" in str(notebook.run("%wash trace --slower much").error)
    assert "not recorded" in notebook.run("%wash trace off").text
    assert notebook.session.tracing is False


def test_picture_has_rows_with_shares_and_calls(counted):
    """Each request says where its time went; each call when it began, how it ended, and whether it changed state."""
    counter, denied, greeter = picture(counted)["requests"]
    assert counter["took"] == pytest.approx(counter["guest"] + counter["host"] + counter["waiting"])
    assert (counter["failed"], denied["failed"]) == (False, True)
    increment = next(call for call in counter["rows"] if call["function"] == "increment")
    assert (increment["outcome"], increment["changed"], increment["provider"]) == ("ok", True, "wasi-keyvalue")
    assert 0 <= increment["at"] <= counter["took"]
    assert [(call["outcome"], call["provider"]) for call in denied["rows"][1:2]] == [("denied", "nobody")]
    assert [call["waits"] for call in greeter["rows"] if "blocking" in call["function"]] == [True]


def test_a_closer_look_begins_with_calls(counted):
    """Requests are open in the widget where calls were chosen, or the last request; a workload chooses no calls."""
    view = counted.trace
    looks = (view(), view(of="counter"), view("last"), view(errors=True), view(interface="config"))
    assert [picture(counted, each)["closer"] for each in looks] == [False, False, True, True, True]


def test_the_head_says_what_was_chosen(counted):
    """What is left out by the verb is named beside the title: the widget's own filters know nothing of it."""
    view = counted.trace
    chosen = view("last", of="counter", interface="keyvalue", function="incr", errors=True, slower=0.5)
    words = "the last request · of counter · interface keyvalue · function incr · in trouble · 0.5 s or more"
    assert [picture(counted, each)["place"] for each in (view, chosen)] == ["", words]
    counted.tracing = False
    assert picture(counted, view(of="greeter"))["place"] == "recording is off · of greeter"


def test_one_call_is_told_in_full(counted, monkeypatch):
    """Its values, the value before and after, the line that it logged; of one that is gone, that it is."""
    live = Live(counted.trace)
    heard = []
    monkeypatch.setattr(live.widget, "send", lambda content, buffers: heard.append(content))
    requests = picture(counted)["requests"]
    rows = {call["function"]: (str(each["n"]), str(call["n"])) for each in requests for call in each["rows"]}

    def ask(function):
        group, key = rows.get(function, ("0", "0"))
        live._heard(None, {"do": "values", "group": group, "key": key, "ticket": "t"}, [])
        return heard[-1]

    increment = ask("increment")
    assert ["key", '"x"'] in increment["values"]
    assert increment["changes"][0]["path"] == ["default", "x"]
    assert (increment["changes"][0]["before"], increment["changes"][0]["after"]) == (None, "1")
    assert ask("log")["lines"] == ["Hello, x!"]
    assert "no longer remembered" in ask("nothing")["problem"]
    live._heard(None, {"do": "set", "ticket": "t"}, [])
    assert "cannot do" in heard[-1]["problem"]


def test_secrets_and_markup_stay_what_they_are(session):
    """Values of secret keys are redacted in every face, and what a guest wrote is text."""
    session.load("example:greeter", attach=["config", "logging"], config={"greeting": "swordfish"})
    session.send("/<b>x</b>?token=swordfish", headers={"cookie": "swordfish"})
    view = session.trace
    look = session.on_host(view.look)
    assert "<b>" not in view.still(look)._repr_html_()
    assert "token=<redacted>" in repr(view) or HIDDEN in repr(view)
    assert "cookie: swordfish" not in json.dumps(view.picture(look))


def test_the_picture_is_bounded(session, monkeypatch):
    """The latest requests stay, with their calls as long as there is room; the older ones are counted."""
    session.load("example:counter", attach=["keyvalue"])
    for _ in range(5):
        session.send("/x")
    monkeypatch.setattr(trace, "_SHOWN_CALLS", 15)
    monkeypatch.setattr(trace, "_SHOWN_REQUESTS", 3)
    shown = picture(session)
    assert [(each["calls"], len(each["rows"])) for each in shown["requests"]] == [(11, 0), (11, 4), (11, 11)]
    assert (shown["older"], shown["forgotten"]) == (2, 0)
    monkeypatch.setattr(history, "KEPT_REQUESTS", 3)
    session.send("/x")
    assert picture(session)["forgotten"] == 1
    monkeypatch.setattr(trace, "_LOOKED_AT", 12)
    assert len(picture(session)["requests"]) == 1


def test_one_request_of_many_calls_leaves_room_for_others(session, monkeypatch):
    """It is there in part, and the widget asks for the rest, of which a filter leaves out the same."""
    session.load("example:counter", attach=["keyvalue"])
    for _ in range(2):
        session.send("/x")
    monkeypatch.setattr(trace, "_SHOWN_OF_ONE", 4)
    monkeypatch.setattr(trace, "_SHOWN_CALLS", 8)
    requests = picture(session)["requests"]
    assert [(each["passing"], len(each["rows"])) for each in requests] == [(11, 4), (11, 4)]

    def asked(view, first):
        wish = {"do": "calls", "group": str(requests[0]["n"]), "key": str(first)}
        return session.on_host(lambda deployments: view.grant(deployments, wish, b"")).content["rows"]

    assert [each["place"] for each in asked(session.trace, 4)] == list(range(4, 11))
    assert [each["function"] for each in asked(session.trace(function="open"), 0)] == ["open"]
    session.trace("clear")
    with pytest.raises(KeyError, match="no longer remembered"):
        asked(session.trace, 4)


def test_a_report_is_bounded(session, monkeypatch):
    """It is saved with the notebook: the latest requests are shown, and how many are not; all are in `data`."""
    session.load("example:counter", attach=["keyvalue"])
    for number in range(4):
        session.send(f"/{number}")
    monkeypatch.setattr(history, "_SHOWN_CALLS", 22)
    for face in (repr(session.trace), session.trace._repr_html_()):
        assert "2 older requests are not shown" in face
        assert [f"GET /{number}" in face for number in range(4)] == [False, False, True, True]
    assert len(session.trace.data) == 4


def test_the_widget_follows_requests(session):
    """A request that comes while the view is shown is in its picture a moment later; what is off is said."""
    session.load("example:hello")
    session.trace("off")
    live = Live(session.trace)
    live._heard(None, {"do": "shown", "page": "1"}, [])
    assert live.widget.picture["place"] == "recording is off"
    session.trace("on")
    session.send("/")
    eventually_there(lambda: live.widget.picture.get("requests"))
    live._heard(None, {"do": "hidden", "page": "1"}, [])
