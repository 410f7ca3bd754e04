"""What a host tells WASI about one component, and the WASI interfaces that are made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from washnb.engine import Interface
from washnb.wit import split_version

from . import cli, clocks, filesystem, http, io, random, sockets


@dataclass(frozen=True)
class WasiContext:
    """What one component gets from its host through WASI; see `wasi_interfaces`.

    `on_output` is called with "stdout" or "stderr" and each line that the component prints; `on_write` with the stream
    and the bytes of each write. Both are called on the loop while the guest runs, must be quick and must not raise.
    `send` sends the component's own HTTP requests; without it such a request ends the guest. `initial_cwd` None: the
    component has no working directory.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: Sequence[str] = ()
    initial_cwd: str | None = None
    stdin: bytes | io.InputStream = b""
    on_output: Callable[[str, str], None] | None = None
    on_write: Callable[[str, bytes], None] | None = None
    send: http.Send | None = None

    def output(self, stream: str) -> cli.Output:
        """Return the Output of `stream`, "stdout" or "stderr"."""
        return cli.Output(
            None if self.on_output is None else partial(self.on_output, stream),
            None if self.on_write is None else partial(self.on_write, stream),
        )


def wasi_interfaces(context: WasiContext) -> dict[str, Interface]:
    """Make every WASI 0.2 interface that a component can import, by its name without version.

    One set serves all instances of a component: what belongs to one instance alone is in the resources that it holds.
    """
    interfaces: tuple[Interface, ...] = (
        io.ErrorInterface(),
        io.Poll(),
        io.Streams(),
        clocks.MonotonicClock(),
        clocks.WallClock(),
        clocks.Timezone(),
        random.Random(),
        random.Insecure(),
        random.InsecureSeed(),
        cli.Environment(context.environment, context.arguments, context.initial_cwd),
        cli.Exit(),
        cli.Stdin(context.stdin),
        cli.Stdout(context.output("stdout")),
        cli.Stderr(context.output("stderr")),
        cli.TerminalInputInterface(),
        cli.TerminalOutputInterface(),
        cli.TerminalStdin(),
        cli.TerminalStdout(),
        cli.TerminalStderr(),
        filesystem.Types(),
        filesystem.Preopens(),
        sockets.NetworkInterface(),
        sockets.InstanceNetwork(),
        sockets.IpNameLookup(),
        sockets.Tcp(),
        sockets.TcpCreateSocket(),
        sockets.Udp(),
        sockets.UdpCreateSocket(),
        http.HttpTypes(),
        http.OutgoingHandler(context.send),
    )
    return {split_version(interface.wit)[0]: interface for interface in interfaces}
