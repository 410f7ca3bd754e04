"""Running a command, a component that exports wasi:cli/run: its arguments, its input, and the output that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from washnb.engine import CallObserver, Err, Instance
from washnb.errors import ConfigError, GuestError
from washnb.wasi import ExitRequested
from washnb.wit import split_version

from .component import WorkloadComponent, bind_wasi

OUTPUT_LIMIT = 16 * 1024 * 1024
"""Bytes of stdout and of stderr that are kept; what a command prints beyond that is only counted."""

NOTED_LINES = 10
"""How many of the last lines that a command has printed are added to its error as a note."""

_NOTED_CHARACTERS = 300
RUN = "wasi:cli/run"


@dataclass(frozen=True)
class CommandResult:
    """The end of a command: its exit code, 0 for success, and its output, of which `dropped` bytes were not kept."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    dropped: int = 0


class Printed:
    """Collects what a command prints while it runs, up to `OUTPUT_LIMIT` bytes of each stream."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._kept = {"stdout": bytearray(), "stderr": bytearray()}
        self._dropped = 0

    def write(self, stream: str, contents: bytes) -> None:
        """Keep `contents`, which the command has printed to `stream` (stdout or stderr), as far as there is room."""
        kept = self._kept[stream]
        room = OUTPUT_LIMIT - len(kept)
        kept += contents[:room]
        self._dropped += max(0, len(contents) - room)

    def note_beneath(self, error: GuestError) -> None:
        """Add the last lines of the output to `error` as a note: programs print there why they end."""
        stream = "stderr" if self._kept["stderr"] else "stdout"
        lines = self._kept[stream].decode("utf-8", "replace").splitlines()
        for line in lines[-NOTED_LINES:]:
            error.add_note(f"{stream}: {line[:_NOTED_CHARACTERS]}")

    def result(self, exit_code: int) -> CommandResult:
        """Return the output that was kept, with the exit code."""
        return CommandResult(exit_code, bytes(self._kept["stdout"]), bytes(self._kept["stderr"]), self._dropped)


async def run_command(
    component: WorkloadComponent,
    arguments: Sequence[str],
    stdin: bytes,
    printed: Printed,
    observer: CallObserver | None,
) -> int:
    """Run a component as a command, in a fresh instance, and return its exit code.

    Raises GuestError where the guest traps, ConfigError where the component does not export wasi:cli/run.
    """
    export = next((name for name in component.compiled.exports if split_version(name)[0] == RUN), None)
    if export is None:
        raise ConfigError(
            f"{component.label} is no command: it does not export {RUN}",
            component=component.name,
            repair="a command is built with the world wasi:cli/command",
        )
    context = replace(
        component.wasi,
        arguments=(component.name, *arguments),
        stdin=stdin,
        on_output=None,
        on_write=printed.write,
    )
    bindings = component.bindings.copy()
    bind_wasi(bindings, component.compiled, context, prefix="wasi:cli")
    async with await Instance.new(
        component.compiled, bindings, limits=component.limits, observer=observer, label=component.label
    ) as instance:
        return await _exit_code(instance, export)


async def _exit_code(instance: Instance, export: str) -> int:
    try:
        await instance.call(f"{export}#run")
    except Err:
        return 1
    except GuestError as error:
        if isinstance(error.__cause__, ExitRequested):
            return error.__cause__.code
        raise
    return 0
