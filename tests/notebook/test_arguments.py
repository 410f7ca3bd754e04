"""Lines of a notebook become words, options and values."""

from __future__ import annotations

import pytest

from washnb.errors import ConfigError
from washnb.notebook.arguments import HelpWanted, VerbParser, closest, insert, one_edit_apart, pairs, quoted, words


@pytest.mark.parametrize(
    ("line", "parted"),
    [
        (r"load C:\temp\new.wasm --as x", ["load", r"C:\temp\new.wasm", "--as", "x"]),
        ("send /pay -d $5", ["send", "/pay", "-d", "$5"]),
        ("""-H 'K: a b' -H "L: 'c'" """, ["-H", "K: a b", "-H", "L: 'c'"]),
        ("-d it's", ["-d", "it's"]),
        ('-d {"a": {"b": "}"}} next', ["-d", '{"a": {"b": "}"}}', "next"]),
        ("--json [1, (2, 3)] x", ["--json", "[1, (2, 3)]", "x"]),
        ("--config text='a b' json={\"k\": 1}", ["--config", "text=a b", 'json={"k": 1}']),
        ("/users/{{ user['id'] }}/x {{a + b}}", ["/users/{{ user['id'] }}/x", "{{a + b}}"]),
        ("(open", ["(open"]),
        ("  ", []),
    ],
)
def test_words_are_taken_literally(line, parted):
    """Nothing but spaces parts words, and quotes and brackets hold them together."""
    assert words(line) == parted


def test_quote_that_is_not_closed_is_named():
    """The error shows where the quote opens."""
    with pytest.raises(ConfigError, match="'abc def"):
        words("send 'abc def")


def test_inserted_expressions_are_values_when_alone_and_text_otherwise():
    """`{{x}}` alone is the object itself; within a text its str is inserted."""
    data = b"\0asm"
    assert insert("{{data}}", {"data": data}) is data
    assert insert("{{a}}/{{a + b}}", {"a": 1, "b": 2}) == "1/3"
    assert insert('{"a": {"b": {}}}', {}) == '{"a": {"b": {}}}'


def test_expression_that_is_none_or_raises_is_an_error_in_a_line():
    """A wrong expression is a mistake in a line, with the exception that it raised as its cause."""
    with pytest.raises(ConfigError, match="not a Python expression"):
        insert("{{1 +}}", {})
    with pytest.raises(ConfigError, match="'missing' raised NameError: name 'missing' is not defined") as caught:
        insert("{{missing}}", {})
    assert isinstance(caught.value.__cause__, NameError)


def parser() -> VerbParser:
    """A parser with every kind of option."""
    made = VerbParser("send", "send a request")
    made.word("request", nargs="+")
    made.option("-H", dest="headers", action="append", default=[])
    made.option("--timeout")
    made.switch("--all")
    return made


def test_options_and_words_mix():
    """Options stand before, between and behind words."""
    options = parser().read(["-H", "A: b", "POST", "--timeout", "2", "/x", "-H=C: d", "--all"])
    assert vars(options) == {"request": ["POST", "/x"], "headers": ["A: b", "C: d"], "timeout": "2", "all": True}


def test_words_behind_two_dashes_are_no_options():
    """A guest's own options stand behind `--`."""
    assert parser().read(["a", "--", "--verbose", "-x"]).request == ["a", "--verbose", "-x"]


def test_unknown_option_gets_the_closest_one():
    """A typing mistake is answered with the option that was meant."""
    with pytest.raises(ConfigError, match="no option --tmeout") as caught:
        parser().read(["/x", "--tmeout=3"])
    assert caught.value.repair == ("did you mean --timeout?",)
    with pytest.raises(ConfigError) as caught:
        parser().read(["/x", "--zzzzzz"])
    assert "%wash send --help" in caught.value.repair[0]


@pytest.mark.parametrize("arguments", [[], ["/x", "--timeout"], ["/x", "-q"]])
def test_wrong_use_shows_the_right_one(arguments):
    """A missing word, a missing value and an unknown letter are answered with the usage."""
    with pytest.raises(ConfigError) as caught:
        parser().read(arguments)
    assert caught.value.repair[0].startswith("%wash send ")


def test_words_too_many_may_be_one_that_wants_quotes():
    """A path with spaces, unquoted, is told of quotes."""
    made = VerbParser("load", "load a component")
    made.word("source")
    with pytest.raises(ConfigError, match=r"'file\.wasm' is too much") as caught:
        made.read(["my", "file.wasm"])
    assert "quotes" in caught.value.repair[1]


def test_help_is_no_error():
    """`--help` wins over everything else in the line."""
    with pytest.raises(HelpWanted, match="send a request"):
        parser().read(["--help", "--nonsense"])


def test_pairs_are_checked():
    """`K=V` may hold further equal signs; one without is refused."""
    assert pairs(["a=b=c", "d="], "--env") == {"a": "b=c", "d": ""}
    with pytest.raises(ConfigError, match="KEY=VALUE"):
        pairs(["novalue"], "--env")


def test_closest_is_none_where_nothing_is_near():
    """A guess is made only where it is a good one."""
    assert closest("atach", ["attach", "detach"]) == "attach"
    assert closest("qqq", ["attach"]) is None


@pytest.mark.parametrize(
    ("word", "other", "apart"),
    [
        *[("GTE", "GET", True), ("GE", "GET", True), ("ET", "GET", True), ("GETT", "GET", True), ("GAT", "GET", True)],
        *[("GET", "GET", False), ("TEG", "GET", False), ("COPY", "POST", False), ("G", "GET", False), ("", "A", True)],
    ],
)
def test_one_slip_of_the_finger_is_known(word, other, apart):
    """A letter more, less, another one, or two that changed places; in both directions."""
    assert one_edit_apart(word, other) is one_edit_apart(other, word) is apart


def test_names_stand_in_quotes_where_they_must():
    """A plain word stands as it is."""
    assert [quoted(name) for name in ("adder", "a-b_1", "my adder", "a.b")] == ["adder", "a-b_1", '"my adder"', '"a.b"']


@pytest.mark.parametrize("name", ["a\nb", " a", 'a"b', "it's", "f(x)", "\x1b[1m", 5])
def test_a_name_that_no_line_could_write_is_refused(session, name):
    """What is loaded can be named by every verb; the error offers a name that works."""
    with pytest.raises(ConfigError, match="a workload cannot be called") as caught:
        session.load("example:adder", name)
    session.load("example:adder", caught.value.repair[0].rpartition(" ")[2])
