"""wasi:cli: environment and arguments of a guest, its exit, and its three standard streams."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from washnb.engine import Err, Interface, Ok, resource, running_task

from .io import READ_LIMIT, InputStream, OutputStream
from .streams import BytesInputStream, SharedInputStream

LINE_LIMIT = 16 * 1024
"""The most characters of a captured line; a longer one is emitted in pieces."""


class ExitRequested(Exception):  # noqa: N818 - not an error: with code 0 the guest has succeeded
    """The guest has called wasi:cli/exit.

    As any exception of host code this ends the guest: the call of the export raises GuestError, with this as its
    `__cause__`. `code` is 0 to 255, `ok` whether it is 0.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"the guest exited with code {code}")
        self.code = code

    @property
    def ok(self) -> bool:
        """Whether the code is 0, which says that the guest has succeeded."""
        return self.code == 0


class Environment(Interface, wit="wasi:cli/environment@0.2.12"):
    """wasi:cli/environment: variables, arguments and working directory, as the host was told them."""

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
        initial_cwd: str | None = None,
    ) -> None:
        self._environment = list((environment or {}).items())
        self._arguments = list(arguments)
        self._initial_cwd = initial_cwd

    def get_environment(self) -> list[tuple[str, str]]:
        """Return the environment variables, in their order."""
        return self._environment

    def get_arguments(self) -> list[str]:
        """Return the arguments. The first is the program's name; a guest that is no command has none."""
        return self._arguments

    def initial_cwd(self) -> str | None:
        """Return the path that relative paths start from, None where the host was not told one."""
        return self._initial_cwd


class Exit(Interface, wit="wasi:cli/exit@0.2.12"):
    """wasi:cli/exit: ending the guest from inside."""

    def exit(self, status: Ok[None] | Err[None]) -> NoReturn:
        """End the guest by raising ExitRequested, with code 0 for ok and 1 for the error."""
        raise ExitRequested(0 if isinstance(status, Ok) else 1)

    def exit_with_code(self, status_code: int) -> NoReturn:
        """End the guest by raising ExitRequested with a code from 0 to 255."""
        raise ExitRequested(status_code)


class Lines:
    """Turns bytes that come in pieces into lines of text, and calls `emit` with each.

    What is not UTF-8 becomes the replacement character.
    """

    def __init__(self, emit: Callable[[str], None]) -> None:
        self._emit = emit
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun: list[str] = []
        self._length = 0

    @property
    def unfinished(self) -> bool:
        """Whether there are characters, or bytes of one, whose line has not ended yet."""
        return bool(self._length or self._decoder.getstate()[0])

    def feed(self, contents: bytes) -> None:
        """Emit the lines that `contents` completes, without their line ends."""
        *lines, rest = self._decoder.decode(contents).split("\n")
        for line in lines:
            self._add(line)
            self._finish()
        if rest:
            self._add(rest)

    def end(self) -> None:
        """Emit the unfinished line, if there is one."""
        self._add(self._decoder.decode(b"", final=True))
        if self.unfinished:
            self._finish()

    def _add(self, text: str) -> None:
        """Append to the unfinished line; once it is longer than `LINE_LIMIT`, emit all of its pieces but the last."""
        self._begun.append(text)
        self._length += len(text)
        if self._length > LINE_LIMIT:
            line = "".join(self._begun)
            last = (self._length - 1) // LINE_LIMIT * LINE_LIMIT
            for start in range(0, last, LINE_LIMIT):
                self._emit(line[start : start + LINE_LIMIT])
            self._begun = [line[last:]]
            self._length -= last

    def _finish(self) -> None:
        self._emit("".join(self._begun).removesuffix("\r"))
        self._begun.clear()
        self._length = 0


class Output:
    """Where stdout or stderr of a component goes: as lines to `on_line`, as bytes to `on_write`, or nowhere.

    A guest may ask for a handle to the stream again and again: Rust does so for every print. An unfinished line whose
    handle is dropped goes on with the next handle of the same call; it is emitted as it is when the guest waits first.
    """

    def __init__(
        self, on_line: Callable[[str], None] | None = None, on_write: Callable[[bytes], None] | None = None
    ) -> None:
        self._on_line = on_line
        self._on_write = on_write
        self._unfinished: dict[asyncio.Task[Any] | None, Lines] = {}

    def open(self) -> CapturedOutputStream:
        """Return a new handle to the stream, which goes on with the unfinished line of this call."""
        lines = self._unfinished.pop(running_task(), None) if self._unfinished else None
        if lines is None and self._on_line is not None:
            lines = Lines(self._on_line)
        return CapturedOutputStream(lines, self._on_write, self._leave)

    def _leave(self, lines: Lines) -> None:
        """Keep the unfinished line of a dropped handle for the next one, until the loop runs something else."""
        call = running_task()
        if call is None or call in self._unfinished:
            lines.end()
        else:
            self._unfinished[call] = lines
            asyncio.get_running_loop().call_soon(self._end, call, lines)

    def _end(self, call: asyncio.Task[Any], lines: Lines) -> None:
        if self._unfinished.get(call) is lines:
            del self._unfinished[call]
            lines.end()


class CapturedOutputStream(OutputStream):
    """One handle to stdout or stderr. It always has room, and passes on at once what the guest writes."""

    def __init__(
        self, lines: Lines | None, on_write: Callable[[bytes], None] | None, on_drop: Callable[[Lines], None]
    ) -> None:
        super().__init__()
        self._lines = lines
        self._on_write = on_write
        self._on_drop = on_drop

    def _room(self) -> int:
        return READ_LIMIT

    def _accept(self, contents: bytes) -> None:
        if self._on_write is not None:
            self._on_write(contents)
        if self._lines is not None:
            self._lines.feed(contents)

    def drop(self) -> None:
        """Leave an unfinished line to the next handle of the same call."""
        if self._lines is not None and self._lines.unfinished:
            self._on_drop(self._lines)


class Stdin(Interface, wit="wasi:cli/stdin@0.2.12"):
    """wasi:cli/stdin: all handles read from one source, so that each byte is read once."""

    def __init__(self, source: bytes | bytearray | memoryview | InputStream = b"") -> None:
        # memoryview raises TypeError for what bytes() would turn into something else: None, numbers, open files
        self._source = source if isinstance(source, InputStream) else BytesInputStream(bytes(memoryview(source)))

    def get_stdin(self) -> InputStream:
        """Return a handle to the standard input."""
        return SharedInputStream(self._source)


class Stdout(Interface, wit="wasi:cli/stdout@0.2.12"):
    """wasi:cli/stdout: what the guest writes goes to an Output."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def get_stdout(self) -> OutputStream:
        """Return a handle to the standard output."""
        return self._output.open()


class Stderr(Interface, wit="wasi:cli/stderr@0.2.12"):
    """wasi:cli/stderr: what the guest writes goes to an Output."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def get_stderr(self) -> OutputStream:
        """Return a handle to the standard error output."""
        return self._output.open()


@resource("terminal-input")
class TerminalInput:
    """The input side of a terminal. No guest has one: its standard streams are captured."""


@resource("terminal-output")
class TerminalOutput:
    """The output side of a terminal. No guest has one: its standard streams are captured."""


class TerminalInputInterface(Interface, wit="wasi:cli/terminal-input@0.2.12"):
    """wasi:cli/terminal-input: the resource alone."""

    TerminalInput = TerminalInput


class TerminalOutputInterface(Interface, wit="wasi:cli/terminal-output@0.2.12"):
    """wasi:cli/terminal-output: the resource alone."""

    TerminalOutput = TerminalOutput


class TerminalStdin(Interface, wit="wasi:cli/terminal-stdin@0.2.12"):
    """wasi:cli/terminal-stdin: whether standard input is a terminal."""

    def get_terminal_stdin(self) -> TerminalInput | None:
        """Return None: standard input is no terminal."""
        return None


class TerminalStdout(Interface, wit="wasi:cli/terminal-stdout@0.2.12"):
    """wasi:cli/terminal-stdout: whether standard output is a terminal."""

    def get_terminal_stdout(self) -> TerminalOutput | None:
        """Return None: standard output is no terminal."""
        return None


class TerminalStderr(Interface, wit="wasi:cli/terminal-stderr@0.2.12"):
    """wasi:cli/terminal-stderr: whether standard error is a terminal."""

    def get_terminal_stderr(self) -> TerminalOutput | None:
        """Return None: standard error is no terminal."""
        return None
