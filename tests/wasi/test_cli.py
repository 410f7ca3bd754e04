"""wasi:cli without a guest: environment, exit, and standard streams that become lines."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from washnb.engine import Err, Ok
from washnb.wasi import BytesInputStream, ExitRequested, WasiContext, wasi_interfaces
from washnb.wasi.cli import (
    LINE_LIMIT,
    Environment,
    Exit,
    Lines,
    Output,
    Stderr,
    Stdin,
    Stdout,
    TerminalStderr,
    TerminalStdin,
    TerminalStdout,
)


def captured(pieces):
    """Feed pieces of bytes and return the lines that come of them."""
    lines: list[str] = []
    sink = Lines(lines.append)
    for piece in pieces:
        sink.feed(piece)
    sink.end()
    return lines


def printing() -> tuple[list[str], Stdout]:
    """Return a standard output and the list that its lines go to."""
    lines: list[str] = []
    return lines, Stdout(Output(lines.append))


def test_the_environment_is_what_the_context_says():
    """Variables in their order, arguments, and the working directory where there is one."""
    environment = Environment({"B": "2", "A": "1"}, ["prog", "-x"], "/data")
    assert environment.get_environment() == [("B", "2"), ("A", "1")]
    assert environment.get_arguments() == ["prog", "-x"]
    assert environment.initial_cwd() == "/data"
    assert (Environment().get_environment(), Environment().get_arguments(), Environment().initial_cwd()) == (
        [],
        [],
        None,
    )


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda: Exit().exit(Ok(None)), 0),
        (lambda: Exit().exit(Err(None)), 1),
        (lambda: Exit().exit_with_code(0), 0),
        (lambda: Exit().exit_with_code(42), 42),
    ],
)
def test_exit_ends_the_call_with_its_code(end, code):
    """What the guest meant is on the exception, for whoever called it."""
    with pytest.raises(ExitRequested, match=f"code {code}") as caught:
        end()
    assert (caught.value.code, caught.value.ok) == (code, code == 0)


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([], []),
        ([b""], []),
        ([b"\n"], [""]),
        ([b"one\ntwo\n"], ["one", "two"]),
        ([b"no end"], ["no end"]),
        ([b"on", b"e\nt", b"wo\n", b"\n"], ["one", "two", ""]),
        ([b"dos\r", b"\n", b"a\rb\n"], ["dos", "a\rb"]),
        (["€".encode()[:1], "€".encode()[1:] + b"\n"], ["€"]),
        ([b"\xff\n", b"\xe2\x82"], ["\ufffd", "\ufffd"]),
    ],
)
def test_bytes_become_lines(pieces, lines):
    """Line ends are cut off, characters may be split between writes, what is not UTF-8 is shown as such."""
    assert captured(pieces) == lines


@given(st.text(st.characters(exclude_characters="\r", codec="utf-8"), max_size=200), st.lists(st.integers(1, 20)))
def test_lines_do_not_depend_on_how_they_were_written(text, sizes):
    """Any splitting of the bytes gives the lines of the text."""
    rest, pieces = text.encode(), []
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    expected = text.split("\n")
    assert captured([*pieces, rest]) == (expected if expected[-1] else expected[:-1])


@pytest.mark.parametrize("step", [1000, LINE_LIMIT, 10 * LINE_LIMIT])
def test_an_endless_line_comes_in_pieces(step):
    """A guest that never ends its line costs bounded memory; no character is lost."""
    text = "é" * (3 * LINE_LIMIT + 5)
    encoded = text.encode() + b"\nnext\n"
    lines = captured(encoded[start : start + step] for start in range(0, len(encoded), step))
    assert "".join(lines[:-1]) == text
    assert [len(line) for line in lines] == [LINE_LIMIT, LINE_LIMIT, LINE_LIMIT, 5, 4]


@pytest.mark.parametrize("lines", [1, 2, 3])
def test_a_line_as_long_as_a_line_may_be_is_whole(lines):
    """No empty piece follows it."""
    text = "x" * (lines * LINE_LIMIT)
    assert captured([text.encode(), b"\nnext"]) == ["x" * LINE_LIMIT] * lines + ["next"]


async def test_an_unfinished_line_comes_when_the_stream_is_dropped():
    """The last line of a guest may lack its end; nothing is printed for a handle that printed nothing."""
    lines, stdout = printing()
    stream = stdout.get_stdout()
    stream.write(b"first\nlast")
    stdout.get_stdout().drop()
    assert lines == ["first"]
    stream.drop()
    await asyncio.sleep(0)
    assert lines == ["first", "last"]


async def test_a_line_printed_through_several_handles_is_one_line():
    """Rust's print! takes a new handle each time."""
    lines, stdout = printing()
    for piece in ("é".encode()[:1], "é".encode()[1:], b"a", b"b", "é".encode()[:1], "é".encode()[1:], b"c\nd"):
        stream = stdout.get_stdout()
        assert stream.blocking_write_and_flush(piece) is None
        stream.drop()
    assert lines == ["éabéc"]
    await asyncio.sleep(0)
    assert lines == ["éabéc", "d"]


async def test_two_handles_at_once_keep_their_lines_apart():
    """A guest that holds both to its end loses the unfinished line of neither."""
    lines, stdout = printing()
    first, second = stdout.get_stdout(), stdout.get_stdout()
    first.write(b"one")
    second.write(b"two")
    first.drop()
    second.drop()
    await asyncio.sleep(0)
    assert sorted(lines) == ["one", "two"]


async def test_unfinished_lines_of_two_guests_are_not_mixed():
    """Instances of one component share their output, but not their lines."""
    lines, stdout = printing()

    async def guest(name: bytes) -> None:
        for piece in (name, b" says ", b"hello\n", b"and leaves"):
            stream = stdout.get_stdout()
            stream.write(piece)
            stream.drop()

    await asyncio.gather(*(guest(name) for name in (b"one", b"two")))
    await asyncio.sleep(0)
    assert sorted(lines) == ["and leaves", "and leaves", "one says hello", "two says hello"]
    assert stdout._output._unfinished == {}


def test_an_instance_closed_without_a_loop_still_ends_its_line():
    """The process may be on its way out."""
    lines, stdout = printing()
    stream = stdout.get_stdout()
    stream.write(b"bye")
    stream.drop()
    assert lines == ["bye"]


def test_the_context_hears_lines_and_bytes_of_both_streams():
    """`on_output` gets lines, `on_write` the bytes as they were written."""
    lines: list[tuple[str, str]] = []
    written: list[tuple[str, bytes]] = []
    served = wasi_interfaces(
        WasiContext(on_output=lambda *line: lines.append(line), on_write=lambda *piece: written.append(piece))
    )
    out, err = served["wasi:cli/stdout"].get_stdout(), served["wasi:cli/stderr"].get_stderr()
    out.write(b"a\nb\n")
    err.write(b"oops")
    err.write_zeroes(1)
    err.drop()
    assert lines == [("stdout", "a"), ("stdout", "b"), ("stderr", "oops\0")]
    assert written == [("stdout", b"a\nb\n"), ("stderr", b"oops"), ("stderr", b"\0")]


def test_output_that_nobody_listens_to_goes_nowhere():
    """The stream takes it all the same."""
    stream = Stderr(Output()).get_stderr()
    assert stream.check_write() > 0
    assert stream.subscribe().ready()
    assert stream.blocking_write_and_flush(b"x\ny") is None
    assert stream.blocking_flush() is None
    stream.drop()


def test_standard_input_is_read_once_however_many_handles_there_are():
    """Without any it is closed from the start."""
    stdin = Stdin(b"abc")
    assert (stdin.get_stdin().read(1), stdin.get_stdin().read(9)) == (b"a", b"bc")
    for empty in (stdin, Stdin(), Stdin(BytesInputStream(b""))):
        with pytest.raises(Err):
            empty.get_stdin().read(1)


def test_standard_input_is_anything_like_bytes():
    """What is not is refused at once, not when the guest reads."""
    for right in (b"abc", bytearray(b"abc"), memoryview(b"abc")):
        assert Stdin(right).get_stdin().read(9) == b"abc"
    for wrong in (None, 3, "abc", [97]):
        with pytest.raises(TypeError, match="bytes-like"):
            Stdin(wrong)


def test_no_standard_stream_is_a_terminal():
    """They are captured, whatever the host's own are."""
    assert TerminalStdin().get_terminal_stdin() is None
    assert TerminalStdout().get_terminal_stdout() is None
    assert TerminalStderr().get_terminal_stderr() is None
