"""Running a command: a component that exports wasi:cli/run, with arguments, an input, and what it prints kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from washnb.engine import CallObserver, Err, Instance
from washnb.errors import ConfigError, GuestError
from washnb.wasi import ExitRequested
from washnb.wit import split_version

from .assembly import bind_wasi
from .workload import WorkloadComponent

OUTPUT_LIMIT = 16 * 1024 * 1024
"""How much of each stream is kept, in bytes; what a command prints beyond that is lost."""

_RUN = "wasi:cli/run"


@dataclass(frozen=True)
class CommandResult:
    """A command that has ended: 0 is success, as with any process."""

    exit_code: int
    stdout: bytes
    stderr: bytes


async def run_command(
    component: WorkloadComponent, arguments: Sequence[str], stdin: bytes, observer: CallObserver | None
) -> CommandResult:
    """Run a command in a fresh instance. Raises GuestError where it traps, ConfigError where it is no command."""
    export = next((name for name in component.compiled.exports if split_version(name)[0] == _RUN), None)
    if export is None:
        raise ConfigError(
            f"{component.label} is no command: it does not export {_RUN}",
            component=component.name,
            repair="a command is built with the world wasi:cli/command",
        )
    kept = {"stdout": bytearray(), "stderr": bytearray()}

    def write(stream: str, data: bytes) -> None:
        kept[stream] += data[: OUTPUT_LIMIT - len(kept[stream])]

    context = replace(
        component.wasi, arguments=(component.name, *arguments), stdin=stdin, on_output=None, on_write=write
    )
    bindings = component.bindings.copy()
    bind_wasi(bindings, component.compiled, context, package="wasi:cli")
    async with await Instance.new(
        component.compiled, bindings, limits=component.limits, observer=observer, label=component.label
    ) as instance:
        exit_code = await _exit_code(instance, export)
    return CommandResult(exit_code, bytes(kept["stdout"]), bytes(kept["stderr"]))


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
