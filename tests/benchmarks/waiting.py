"""200 requests at once that each wait a second for a slow upstream, against the same waits with no guest between."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

from washnb.engine import read_source
from washnb.host import Host
from washnb.presets import dev_host
from washnb.types import Component, LocalResources, Workload, WorkloadStartRequest

COMPONENTS = Path(__file__).parent.parent / "components"
REQUESTS = 200
PER_WORKLOAD = 50  # a workload takes 64 at once


async def slow_upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each connection's one request after a second."""
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(1)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
    await writer.drain()
    writer.close()


async def bare(port: int) -> None:
    """Make the request without a guest."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nhost: upstream\r\n\r\n")
    await reader.read()
    writer.close()


async def at_once(request: Callable[[int], Awaitable[object]]) -> float:
    """Make all requests at once, and return the seconds until the last is answered."""
    started = time.perf_counter()
    await asyncio.gather(*map(request, range(REQUESTS)))
    return time.perf_counter() - started


async def start(host: Host, name: str, source: str) -> None:
    """Start the workloads that share the requests."""
    read = read_source(source)
    for number in range(REQUESTS // PER_WORKLOAD):
        component = Component(name, read.data, local_resources=LocalResources(allowed_hosts=("*",)))
        workload = Workload("bench", f"{name}-{number}", components=(component,))
        response = await host.workload_start(WorkloadStartRequest(str(uuid4()), workload))
        if response.error is not None:
            raise response.error


async def through(host: Host, name: str, target: str, upstream: str) -> float:
    """Let the guests of that name make all the requests, and return the seconds."""

    async def send(number: int) -> None:
        workload = f"{name}-{number // PER_WORKLOAD}"
        response = await host.send("GET", target, headers=[("url", upstream.encode())], to=workload, timeout=60)
        if response.status != 200:
            raise RuntimeError(f"{name}: {response.status} {response.text}")

    return await at_once(send)


async def measure(python_guest: str) -> None:
    """Compare each guest with no guest at all."""
    server = await asyncio.start_server(slow_upstream, "127.0.0.1", 0, backlog=REQUESTS)
    port = server.sockets[0].getsockname()[1]
    upstream = f"http://127.0.0.1:{port}/"
    guests = {"WAT": ("example:proxy", f"/{upstream}"), "Python": (python_guest, "/fetch")}
    baseline = await at_once(lambda _: bare(port))
    print(f"{'without a guest':40} {baseline:6.2f} s")
    async with server, dev_host() as host:
        for name, (source, target) in guests.items():
            await start(host, name, source)
            seconds = await through(host, name, target, upstream)
            print(f"{'a guest in ' + name:40} {seconds:6.2f} s   {seconds / baseline:5.2f} x")
    print("aim: under 2 s in WAT, under 6 s in Python")


def main() -> None:
    """Build the guest in Python and measure."""
    build = [sys.executable, str(COMPONENTS / "build.py"), "http_fetch_echo"]
    asyncio.run(measure(subprocess.run(build, capture_output=True, text=True, check=True).stdout.strip()))


if __name__ == "__main__":
    main()
