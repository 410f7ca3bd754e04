"""The forms in which a request may be written, and what is told with its answer."""

from __future__ import annotations

import pytest

from washnb.errors import ConfigError
from washnb.notebook.requests import asked_of


@pytest.mark.parametrize("request_", [("POST /x",), ("POST", "/x"), ("post", "/x")])
def test_method_and_path_in_one_text_or_two(request_):
    """Both spellings are one request, and the case of a known method does not matter."""
    asked = asked_of(request_, (), None, None)
    assert (asked.method, asked.path) == ("POST", "/x")


def test_body_makes_it_a_post():
    """Without a method, a body is posted and nothing is fetched."""
    assert asked_of(("/x",), (), "ü", None).method == "POST"
    assert asked_of(("/x",), (), "ü", None).body == "ü".encode()
    assert asked_of(("/x",), (), None, None).method == "GET"


def test_json_brings_its_content_type_unless_one_is_given():
    """A JSON value becomes the body."""
    asked = asked_of(("/x",), {}, None, {"n": 1})
    assert (asked.body, asked.headers) == (b'{"n": 1}', (("content-type", "application/json"),))
    assert asked_of(("/x",), {"Content-Type": "a/b"}, None, 1).headers == (("Content-Type", "a/b"),)


def test_url_gives_path_query_and_host():
    """A whole address goes through the router, as its Host header says."""
    asked = asked_of(("PUT", "http://shop.test:81/a?b=c"), (), None, None)
    assert (asked.method, asked.path, asked.headers) == ("PUT", "/a?b=c", (("host", "shop.test:81"),))
    assert asked_of(("http://shop.test",), [("Host", "x")], None, None).headers == (("Host", "x"),)


def test_methods_that_nobody_mistypes_are_taken_as_they_are():
    """Any token may be a method; what is far from the usual ones is meant."""
    assert asked_of(("PROPFIND", "/x"), (), None, None).method == "PROPFIND"
    assert asked_of(("COPY /x",), (), None, None).method == "COPY"


def test_targets_are_ascii():
    """Letters beyond ASCII are sent percent-encoded; the rest stays as it is written."""
    assert asked_of(("/ü/%20?q=ö&r=1",), (), None, None).path == "/%C3%BC/%20?q=%C3%B6&r=1"
    assert asked_of(("http://shop.test/ü",), (), None, None).path == "/%C3%BC"


@pytest.mark.parametrize(
    ("request_", "body", "json", "repair"),
    [
        ((), None, None, "%wash send /"),
        (("hello",), None, None, "%wash send /hello"),
        (("GET",), None, None, "%wash send GET /"),
        (("/a b",), None, None, "%wash send /a%20b  # a path with spaces %wash send /a -d 'b'  # a body"),
        (("POST /a b",), None, None, "%wash send POST /a%20b  # a path with spaces %wash send POST /a -d 'b'"),
        (("get it", "/x"), None, None, ""),
        (("pots", "/x"), None, None, "did you mean POST?"),
        (("GTE", "/x"), None, None, "did you mean GET?"),
        (("HED /x",), None, None, "did you mean HEAD?"),
        (("nonsense", "/x"), None, None, "%wash send POST /x"),
        ((5,), None, None, "%wash send /5"),
        (("/x",), "a", {}, "--json"),
        (("/x",), None, object(), "--json"),
    ],
)
def test_what_is_no_request_is_repaired(request_, body, json, repair):
    """Each mistake is answered with the line that would be right."""
    with pytest.raises(ConfigError) as caught:
        asked_of(request_, (), body, json)
    assert repair in " ".join(caught.value.repair)


def test_a_denied_request_of_the_guest_is_told_with_its_answer(session):
    """The guest learns an error-code; who sent the request learns which host was denied, and what allows it."""
    session.load("example:proxy")
    denied = session.send("/http://127.0.0.1:1/")
    assert (denied.text, len(denied.denied)) == ("HTTP-request-denied\n", 1)
    line = "! outgoing request to host '127.0.0.1' denied: allowed_hosts is empty (deny-all); --allow-host 127.0.0.1"
    assert line in repr(denied)
    assert "%wash logs" in repr(denied)
    assert "--allow-host 127.0.0.1 allows it" in denied._repr_html_()


def test_an_answer_without_trouble_tells_of_none(session):
    """What was denied to another workload, or before, is not told."""
    session.load("example:proxy")
    session.load("example:hello")
    session.send("/http://127.0.0.1:1/", to="proxy")
    assert session.send("/", to="hello").denied == ()
    assert "!" not in repr(session.send("/", to="hello")).replace("component!", "")


def test_serve_says_who_answers_and_how_another_one_does(session):
    """The port goes to the one loaded last; the line that is offered changes that."""
    assert session.serve(0).news.endswith(": nobody answers yet, then the one loaded last")
    session.load("example:hello", "one")
    assert session.serve().news.endswith(": one answers")
    session.load("example:hello", "two")
    session.send("/", to="one")
    line = ": two answers, the one loaded last (%wash reload one lets that one answer)"
    assert session.serve().news.endswith(line)
    session.reload("one")
    assert ": one answers, " in session.serve().news


@pytest.mark.parametrize("line", ["%%wash", "%%wash status", "%%wash --help", "%%wash nonsense"])
def test_a_cell_that_no_verb_would_read_is_refused(notebook, line):
    """Its lines would be left out, and nobody told."""
    ran = notebook.run(f"{line}\nload example:adder\n")
    assert "only %%wash send, %%wash publish, %%wash request, %%wash run take the rest of a cell" in ran.text
    assert "with one %" in ran.text
