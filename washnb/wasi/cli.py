"""wasi:cli: what a process knows from its start, how it ends, and the three standard streams."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from washnb.engine import Err, Interface, Ok, resource, running_task

from .io import READ_LIMIT, InputStream, OutputStream
from .streams import BytesInputStream, SharedInputStream

LINE_LIMIT = 16 * 1024
"""The most characters of a captured line; a longer one is captured in pieces."""


class ExitRequested(Exception):  # noqa: N818 - not an error: the guest has done what it came for
    """The guest called wasi:cli/exit, and its call is over.

    As any exception of host code it ends the guest; who called the guest receives a GuestError whose `__cause__` is
    this. `code` is 0 to 255, `ok` whether it is 0.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"the guest exited with code {code}")
        self.code = code

    @property
    def ok(self) -> bool:
        """Whether the guest calls its end a success."""
        return self.code == 0


class Environment(Interface, wit="wasi:cli/environment@0.2.12"):
    """wasi:cli/environment."""

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
        """Return the arguments; the first is the program's name, where there are any."""
        return self._arguments

    def initial_cwd(self) -> str | None:
        """Return the path that stands for `.`."""
        return self._initial_cwd


class Exit(Interface, wit="wasi:cli/exit@0.2.12"):
    """wasi:cli/exit."""

    def exit(self, status: Ok[None] | Err[None]) -> NoReturn:
        """End the guest (ExitRequested) with 0 or 1."""
        raise ExitRequested(0 if isinstance(status, Ok) else 1)

    def exit_with_code(self, status_code: int) -> NoReturn:
        """End the guest (ExitRequested) with a code."""
        raise ExitRequested(status_code)


class Lines:
    """Makes lines of bytes that come in pieces. What is not UTF-8 becomes the replacement character."""

    def __init__(self, emit: Callable[[str], None]) -> None:
        self._emit = emit
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun: list[str] = []
        self._length = 0

    @property
    def unfinished(self) -> bool:
        """Whether a line has begun that has no end yet."""
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
        """Go on with the line that has begun; what is longer than a line may be is emitted, but for the last piece."""
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
    """Where one standard stream of a component goes: as bytes, as lines, or nowhere.

    The guest may ask for the stream as often as it likes: Rust does so for every print. So a line that is unfinished
    when a handle is dropped goes on with the next handle of the same call, and counts as finished when the guest waits.
    """

    def __init__(
        self, on_line: Callable[[str], None] | None = None, on_write: Callable[[bytes], None] | None = None
    ) -> None:
        self._on_line = on_line
        self._on_write = on_write
        self._unfinished: dict[asyncio.Task[Any] | None, Lines] = {}

    def open(self) -> CapturedOutputStream:
        """Return a new handle to the stream."""
        lines = self._unfinished.pop(running_task(), None) if self._unfinished else None
        if lines is None and self._on_line is not None:
            lines = Lines(self._on_line)
        return CapturedOutputStream(lines, self._on_write, self._leave)

    def _leave(self, lines: Lines) -> None:
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
    """One handle to a standard stream. It takes whatever the guest writes, at once."""

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
        """Leave an unfinished line to the next handle."""
        if self._lines is not None and self._lines.unfinished:
            self._on_drop(self._lines)


class Stdin(Interface, wit="wasi:cli/stdin@0.2.12"):
    """wasi:cli/stdin: all handles read from one source."""

    def __init__(self, source: bytes | bytearray | memoryview | InputStream = b"") -> None:
        # a memoryview of it refuses what bytes() would make something of: None, numbers, open files
        self._source = source if isinstance(source, InputStream) else BytesInputStream(bytes(memoryview(source)))

    def get_stdin(self) -> InputStream:
        """Return a handle to the input."""
        return SharedInputStream(self._source)


class Stdout(Interface, wit="wasi:cli/stdout@0.2.12"):
    """wasi:cli/stdout."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def get_stdout(self) -> OutputStream:
        """Return a handle to the output."""
        return self._output.open()


class Stderr(Interface, wit="wasi:cli/stderr@0.2.12"):
    """wasi:cli/stderr."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def get_stderr(self) -> OutputStream:
        """Return a handle to the error output."""
        return self._output.open()


@resource("terminal-input")
class TerminalInput:
    """The input side of a terminal. No guest has one: its standard streams are captured."""


@resource("terminal-output")
class TerminalOutput:
    """The output side of a terminal. No guest has one."""


class TerminalInputInterface(Interface, wit="wasi:cli/terminal-input@0.2.12"):
    """wasi:cli/terminal-input."""

    TerminalInput = TerminalInput


class TerminalOutputInterface(Interface, wit="wasi:cli/terminal-output@0.2.12"):
    """wasi:cli/terminal-output."""

    TerminalOutput = TerminalOutput


class TerminalStdin(Interface, wit="wasi:cli/terminal-stdin@0.2.12"):
    """wasi:cli/terminal-stdin."""

    def get_terminal_stdin(self) -> TerminalInput | None:
        """Return None: standard input is no terminal."""
        return None


class TerminalStdout(Interface, wit="wasi:cli/terminal-stdout@0.2.12"):
    """wasi:cli/terminal-stdout."""

    def get_terminal_stdout(self) -> TerminalOutput | None:
        """Return None: standard output is no terminal."""
        return None


class TerminalStderr(Interface, wit="wasi:cli/terminal-stderr@0.2.12"):
    """wasi:cli/terminal-stderr."""

    def get_terminal_stderr(self) -> TerminalOutput | None:
        """Return None: standard error is no terminal."""
        return None
