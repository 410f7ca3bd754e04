"""Messages in the notebook: publish and request, the view that follows them, and their rows in the trace."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.waiting import eventually_there
from washnb.errors import BackendError, ConfigError
from washnb.events import MessageHandled
from washnb.notebook import Session, hosted
from washnb.notebook.widgets.live import Live
from washnb.secrecy import HIDDEN

COMPONENTS = Path(__file__).parent.parent / "components"


@pytest.fixture
def worker(session: Session) -> Session:
    """A session with a worker that takes `tasks.*`."""
    session.load("example:worker", attach=["messaging"], config={"subscriptions": "tasks.*"})
    return session


def handled(session: Session, count: int) -> None:
    """Wait until so many messages were handled."""
    eventually_there(lambda: sum(isinstance(each, MessageHandled) for each in session.messages) >= count)


def test_reply_is_a_value(worker):
    """Text, bytes and JSON go out; the reply has the body in every form."""
    reply = worker.request("tasks.shout", "hello")
    assert (reply.text, reply.body, repr(reply)) == ("HELLO", b"HELLO", "HELLO")
    assert worker.request("tasks.shout", {"a": [1]}).json() == {"A": [1]}
    assert "<pre" in reply._repr_html_()


def test_a_handler_without_messages_is_told_at_load(session):
    """With the line that attaches them, in the status, too; then it has them."""
    handler = session.load(COMPONENTS / "messaging_handler.wat", "h")
    news = "h is running; it exports wasmcloud:messaging/handler@0.2.0, which nobody calls: %wash attach messaging"
    assert handler.news == news
    assert "which nobody calls: %wash attach messaging" in repr(session.status())
    session.attach("messaging")
    assert handler.news == session["h"].news == "h is running"
    assert session.publish("x") == "published to x: h took it"
    assert "nobody calls" not in repr(session.status())
    handler.unload()
    assert handler.news == "h is unloaded"


def test_publishing_says_who_took_it(worker):
    """A handler by its name, or nobody, which the view marks."""
    assert worker.publish("tasks.shout", "x") == "published to tasks.shout: worker took it"
    assert worker.publish("elsewhere", b"x") == "published to elsewhere: nobody took it"
    assert worker.messages.still(worker.on_host(worker.messages.look)).data[-1][""] == "nobody took it"


def test_nobody_waits_for_a_reply_to_what_is_over(worker):
    """The page offers a reply where somebody may listen still, and none to the inbox of a request."""
    worker.request("tasks.shout", "x")
    worker.on_host(lambda deployments: hosted.messaging_of(deployments).publish("tasks.shout", b"x", "answers.here"))
    handled(worker, 2)
    listed = worker.messages.picture(worker.on_host(worker.messages.look))["messages"]
    assert {each["reply_to"] for each in listed} == {"", "answers.here"}


def test_a_subject_that_nothing_matches_is_named(worker):
    """In the table and on the page, where one filters within it."""
    worker.publish("tasks.shout", "x")
    view = worker.messages(subject="orders.*")
    look = worker.on_host(view.look)
    assert "no message to a subject that orders.* matches" in repr(view)
    assert view.picture(look)["subject"] == "orders.*"
    assert "orders.*" in view.picture(look)["empty"]


def test_what_cannot_be_sent_has_its_line(worker, session):
    """Nobody who answers, a subject that is none, and no messaging at all."""
    with pytest.raises(BackendError, match="no responders"):
        worker.request("elsewhere")
    with pytest.raises(BackendError, match="nobody has answered"):
        worker.request("tasks.shout", b"", timeout=0.1)
    with pytest.raises(BackendError, match="is invalid"):
        worker.publish("a b")
    session.reset()
    with pytest.raises(ConfigError) as caught:
        session.publish("tasks.a")
    assert "%wash attach messaging" in caught.value.repair


def test_messages_are_filtered_and_without_ids(worker):
    """By subject with wildcards and by workload; inboxes, which are others each time, have no names in faces."""
    worker.request("tasks.shout", "hello")
    worker.publish("elsewhere", "x")
    assert {each.subject for each in worker.messages(subject="tasks.*")} == {"tasks.shout"}
    assert {each.subject for each in worker.messages(subject="elsewhere")} == {"elsewhere"}
    assert {each.workload for each in worker.messages(of="worker")} == {"worker"}
    look = worker.on_host(worker.messages.look)
    rows = {(row[""], row["subject"], row["workload"], row["body"]) for row in worker.messages.still(look).data}
    assert rows == {
        ("sent", "tasks.shout", "from outside", "hello"),
        ("handled", "tasks.shout", "worker", "hello"),
        ("sent", "_INBOX.…", "worker → the requester", "HELLO"),
        ("nobody took it", "elsewhere", "from outside", "x"),
    }


def test_bodies_are_text_and_secrets_hidden(worker):
    """No escape sequence survives, and a subject of a secret shows no body."""
    worker.publish("tasks.x", "<b>\x1b[31m")
    worker.publish("tasks.token", "swordfish")
    handled(worker, 2)
    look = worker.on_host(worker.messages.look)
    shown = repr(worker.messages) + worker.messages.still(look)._repr_html_() + repr(worker.messages.picture(look))
    assert "\x1b" not in repr(worker.messages)
    assert "<b>" not in worker.messages.still(look)._repr_html_()
    assert "swordfish" not in shown
    assert HIDDEN in shown


def test_trace_has_messages_beside_requests(worker):
    """A message is a row with its subject, who handled it and how it ended, and its host calls below."""
    worker.request("tasks.shout", "hello")
    worker.publish("tasks.shout", b"")
    handled(worker, 2)
    first, last = worker.trace().data
    assert first.headline == "message tasks.shout  handled  by worker"
    assert "consumer.publish" in str(first.calls)
    assert last.headline.startswith("message tasks.shout  failed  by worker")
    assert "there is nothing to do" in last.headline


def test_widget_sends_and_shows_the_answer(worker, monkeypatch):
    """The page publishes and asks; it hears who took the message, what came back, and what went wrong."""
    live = Live(worker.messages)
    heard = []
    monkeypatch.setattr(live.widget, "send", lambda content, buffers: heard.append(content))

    def ask(do: str, subject: str, body: bytes):
        live._heard(None, {"do": do, "key": subject, "ticket": "t"}, [memoryview(body)])
        return heard.pop()

    assert ask("publish", "tasks.shout", b"x")["text"] == "published to tasks.shout: worker took it"
    assert ask("request", "tasks.shout", b"x")["text"] == "X"
    assert "no responders" in ask("request", "elsewhere", b"x")["problem"]
    live._heard(None, {"do": "shown", "page": "1"}, [])
    assert live.widget.picture["sends"]
    assert live.widget.picture["place"] == "memory"
    assert {each["state"] for each in live.widget.picture["messages"]} == {"sent", "handled", "failed"}
    live._heard(None, {"do": "hidden", "page": "1"}, [])
    live.widget.close()


def test_listening_shows_what_others_send(session, nats_account):
    """All that passes, in place of the messages of this host, until the view is closed; it stays with its plugin."""
    with pytest.raises(ConfigError, match="nothing is attached that carries messages"):
        session.messages(listen="orders.>")
    session.attach(messaging=nats_account)
    with Session() as other, session.messages(listen="orders.>") as view:
        other.attach(messaging=nats_account)
        other.publish("orders.a", "theirs")
        session.publish("orders.b", "ours")
        other.publish("elsewhere", "x")
        heard(view, 2)
        assert [(each.subject, each.body) for each in view] == [("orders.a", b"theirs"), ("orders.b", b"ours")]
        assert [each.body for each in view(subject="*.b")] == [b"ours"]
        assert len(session.messages) == 1
        table = view.still(session.on_host(view.look))
        assert "messages to orders.>, whoever sends them (nats://" in repr(table)
        assert [row[""] for row in table.data] == ["heard", "heard"]
        session.attach(messaging="memory")
        session.on_host(view.look)
        session.publish("orders.c", "in memory")
        assert len(view) == 3
    session.publish("orders.d", "later")
    assert len(view) == 3
    with pytest.raises(ConfigError, match="hears of subjects, and not of workloads"):
        session.messages(listen="x", of="worker")


def test_a_widget_listens_while_somebody_looks(worker):
    """What comes is on the page; when the page is gone nobody listens, until it is there again."""
    view = worker.messages(listen="tasks.>")
    live = Live(view)
    for number, (does, page) in enumerate([("shown", "1"), ("hidden", "1"), ("shown", "2")]):
        live._heard(None, {"do": does, "page": page}, [])
        worker.publish("tasks.shout", str(number))
    assert [each.body for each in view] == [b"0", b"2"]
    eventually_there(lambda: len(live.widget.picture["messages"]) >= 2)
    messages = live.widget.picture["messages"]
    assert [(each["state"], each["who"], each["text"]) for each in messages] == [("heard", "", "0"), ("heard", "", "2")]
    live._heard(None, {"do": "hidden", "page": "2"}, [])
    live.widget.close()


def test_looks_at_the_same_time_listen_once(session, nats_account):
    """Each message is heard once, and after the last look none."""
    session.attach(messaging=nats_account)
    view = session.messages(listen="tasks.>")
    view.close()

    async def looks(deployments):
        coming = [view.came(deployments) for _ in range(3)]
        await asyncio.gather(*coming, view.left(deployments), view.came(deployments))

    session.on_host(looks)
    for body in "12":
        session.publish("tasks.a", body)
    heard(view, 2)
    view.close()
    session.publish("tasks.a", "3")
    assert [each.body for each in view] == [b"1", b"2"]


def heard(view, count: int) -> None:
    """Wait until a view has heard so many messages."""
    eventually_there(lambda: len(view) >= count)


def test_verbs_of_messages(notebook):
    """Publish tells in a line, request shows the reply, a cell is the body, and the view is text in a terminal."""
    notebook.run("%wash load example:worker --attach messaging --config subscriptions=tasks.*")
    assert notebook.run("%wash publish tasks.a -d hi").text.strip() == "published to tasks.a: worker took it"
    assert notebook.run("%wash request tasks.a -d 'hi there'").result.text == "HI THERE"
    assert notebook.run("%%wash request tasks.a --timeout 2\nin a cell\n").result.text == "IN A CELL\n"
    assert "no number of seconds" in notebook.run("%wash request tasks.a --timeout soon").text
    assert "handled" in notebook.run("%wash messages --subject tasks.>").text
    assert "no message" in notebook.run("%wash messages --subject other").text
    view = notebook.run("%wash messages --listen tasks.*").result
    notebook.run("%wash publish tasks.b -d heard")
    assert [each.body for each in view] == [b"heard"]
