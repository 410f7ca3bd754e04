"""What a live guest keeps in memory, in the midst of a request that waits, against a bare Python process."""

import asyncio
import gc
import resource
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from washnb.engine import read_source
from washnb.host import Host
from washnb.presets import dev_host
from washnb.types import Component, LocalResources, Workload, WorkloadStartRequest

BUILD = Path(__file__).parent.parent / "components" / "build.py"
BARE = "print(open('/proc/self/statm').read().split()[1])"
GUESTS = 50
SETTLED = 5.0  # seconds until all of them wait
MIB = 1 << 20


def resident() -> int:
    """Return the resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Be an upstream that its clients wait for."""
    await reader.read()
    writer.close()


async def start(host: Host, name: str, source: str) -> None:
    """Start the guest, and answer one request that fails, so that what only the first one costs is paid."""
    component = Component(name, read_source(source).data, local_resources=LocalResources(allowed_hosts=("127.0.0.1",)))
    workload = Workload("bench", name, components=(component,))
    response = await host.workload_start(WorkloadStartRequest(str(uuid4()), workload))
    if response.error is not None:
        raise response.error
    await host.send("GET", "/", to=name)


async def per_guest(host: Host, name: str, target: str, upstream: str) -> float:
    """Let guests wait, and return the bytes that each of them adds."""
    gc.collect()
    before = resident()
    requests = [
        asyncio.create_task(host.send("GET", target, headers=[("url", upstream.encode())], to=name))
        for _ in range(GUESTS)
    ]
    await asyncio.sleep(SETTLED)
    added = resident() - before
    for request in requests:
        request.cancel()
    await asyncio.gather(*requests, return_exceptions=True)
    return added / GUESTS


async def measure(python_guest: str) -> list[float]:
    """Measure a guest in WAT and one in Python."""
    server = await asyncio.start_server(never_answer, "127.0.0.1", 0, backlog=GUESTS)
    upstream = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, dev_host() as host:
        await start(host, "wat", "example:proxy")
        await start(host, "python", python_guest)
        return [
            await per_guest(host, "wat", f"/{upstream}", upstream),
            await per_guest(host, "python", "/fetch", upstream),
        ]


def output_of(*arguments: str) -> str:
    """Run Python with these arguments, and return what it printed."""
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Compare what guests add with what a process takes."""
    bare = int(output_of("-c", BARE)) * resource.getpagesize()
    small, large = asyncio.run(measure(output_of(str(BUILD), "http_fetch_echo")))
    print(f"{'a bare Python process':40} {bare / MIB:7.2f} MiB")
    for name, size in (("a waiting guest in WAT", small), ("a waiting componentize-py guest", large)):
        print(f"{name:40} {size / MIB:7.2f} MiB   {size / bare:6.3f} x")


if __name__ == "__main__":
    main()
