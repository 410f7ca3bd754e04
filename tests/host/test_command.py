"""Components that are commands: run once, with arguments and an input, to an exit code."""

from __future__ import annotations

import asyncio

import pytest

from washnb.errors import ConfigError, GuestTimeout, TrapError
from washnb.events import LogLine
from washnb.host import command as commands

from .guests import start


async def test_a_command_gets_arguments_and_input(host):
    """What it prints is kept, apart for each stream, and not among the log lines of its workload."""
    lines = []
    host.events().subscribe(lambda event: lines.append(event) if isinstance(event, LogLine) else None)
    await start(host, "command")
    result = await host.run("command", "-v", stdin=b"input\xff")
    assert (result.exit_code, result.stdout, result.stderr) == (0, b"command\n-v\ninput\xff", b"done\n")
    assert not lines


async def test_runs_are_independent(host):
    """Each run has an instance and an output of its own."""
    await start(host, "command")
    results = [await host.run("command", text) for text in ("a", "b")]
    assert [result.stdout for result in results] == [b"command\na\n", b"command\nb\n"]


@pytest.mark.parametrize("arguments", [("a", "b"), ("a", "b", "c", "d")])
async def test_an_error_is_exit_code_1(host, arguments):
    """wasi:cli/exit with an error and an error returned from run are both exit code 1, with the output kept."""
    await start(host, "command")
    result = await host.run("command", *arguments)
    assert (result.exit_code, result.stderr) == (1, b"done\n")


async def test_a_trap_is_raised(host):
    """A command that traps has no exit code."""
    await start(host, "command")
    with pytest.raises(TrapError) as caught:
        await host.run("command", "a", "b", "c")
    assert (caught.value.workload, caught.value.component) == ("command", "command")


async def test_an_error_carries_what_was_printed_last(host, monkeypatch):
    """The last lines of stderr, or else of stdout, are noted beneath a trap and a timeout: there programs say why."""
    await start(host, "command")
    with pytest.raises(TrapError) as caught:
        await host.run("command", "a", "b", "c", stdin=b"input")
    assert caught.value.__notes__ == ["stderr: done"]

    async def print_and_wait(_component, _arguments, _stdin, printed: commands.Printed, _observer) -> None:
        printed.write("stdout", b"".join(b"line %d\n" % number for number in range(20)) + b"x" * 1000)
        await asyncio.sleep(60)

    monkeypatch.setattr("washnb.host.dispatch.run_command", print_and_wait)
    with pytest.raises(GuestTimeout) as late:
        await host.run("command", timeout=0.05)
    assert late.value.__notes__ == [*(f"stdout: line {number}" for number in range(11, 20)), "stdout: " + "x" * 300]


async def test_what_is_no_command_is_refused(host):
    """A component without wasi:cli/run cannot be run."""
    await start(host, "hello")
    with pytest.raises(ConfigError, match="hello is no command"):
        await host.run("hello")


async def test_a_run_has_its_time(host, monkeypatch):
    """A command that takes longer than it may is ended."""

    async def never(*_: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("washnb.host.dispatch.run_command", never)
    await start(host, "command")
    with pytest.raises(GuestTimeout):
        await host.run("command", timeout=0.05)


async def test_output_is_bounded(host, monkeypatch):
    """Of a stream only so much is kept, and the rest is counted."""
    monkeypatch.setattr(commands, "OUTPUT_LIMIT", 10)
    await start(host, "command")
    result = await host.run("command", stdin=b"x" * 100)
    assert (result.stdout, result.stderr, result.dropped) == (b"command\nxx", b"done\n", 98)
