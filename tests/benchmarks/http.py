"""Hello over HTTP, a fresh instance for each request, against a bare aiohttp handler; tracing off and on."""

import asyncio
import re
import shutil
import statistics
import sys
from uuid import uuid4

from aiohttp import web

from washnb.engine import read_source
from washnb.host import DevRouter, HostBuilder, HttpServer
from washnb.types import Component, Workload, WorkloadStartRequest

CLIENTS = (1, 16, 64)
ROUNDS = 5
SECONDS = 1
RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
LATENCY = re.compile(r"\s(50|99)%\s+([\d.]+)(us|ms|s)")
FAILED = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)")
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


async def load(address: str, clients: int) -> tuple[float, float, float]:
    """Let wrk ask for a while; requests per second, and the milliseconds of the 50th and the 99th of a hundred."""
    command = ["wrk", "--latency", "-t1", f"-c{clients}", f"-d{SECONDS}s", f"http://{address}/"]
    wrk = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    text = (await wrk.communicate())[0].decode()
    if (failed := FAILED.search(text)) is not None:
        raise RuntimeError(f"{address} with {clients} clients: {failed[0]}")
    latencies = {percent: float(value) * UNITS[unit] for percent, value, unit in LATENCY.findall(text)}
    return float(RATE.search(text)[1]), latencies["50"], latencies["99"]


async def bare_aiohttp() -> tuple[web.ServerRunner, str]:
    """Serve the same answer without a guest."""

    async def hello(_: web.BaseRequest) -> web.Response:
        return web.Response(text="Hello from a component!\n")

    runner = web.ServerRunner(web.Server(hello, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    return runner, f"{host}:{port}"


async def measure() -> None:
    """Alternate the three and print medians and ratios."""
    runner, bare = await bare_aiohttp()
    http = await HttpServer.new(DevRouter(), "127.0.0.1:0")
    async with HostBuilder().with_http_handler(http).build() as host:
        component = Component("hello", read_source("example:hello").data)
        workload = Workload("bench", "hello", components=(component,))
        started = await host.workload_start(WorkloadStartRequest(str(uuid4()), workload))
        if started.error is not None:
            raise started.error
        heard = [0]

        def hear(_: object) -> None:
            heard[0] += 1

        print(f"{'clients':>7}  {'':24} {'requests/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'ratio':>7}")
        for clients in CLIENTS:
            runs: dict[str, list[tuple[float, float, float]]] = {}
            for _ in range(ROUNDS):
                runs.setdefault("bare aiohttp", []).append(await load(bare, clients))
                runs.setdefault("hello, tracing off", []).append(await load(http.addr, clients))
                host.tracing, unsubscribe = True, host.events().subscribe(hear)
                runs.setdefault("hello, tracing on", []).append(await load(http.addr, clients))
                host.tracing = False
                unsubscribe()
            baseline = statistics.median(rate for rate, _, _ in runs["bare aiohttp"])
            for name, results in runs.items():
                rate, half, most = (statistics.median(column) for column in zip(*results, strict=True))
                print(f"{clients:7}  {name:24} {rate:10,.0f} {half:8.2f} {most:8.2f} {rate / baseline:7.3f}")
        if not heard[0]:
            raise RuntimeError("tracing was on and nothing was heard")
    await runner.cleanup()
    print("aim: a ratio of 0.2 with a fresh instance for each request, never under 0.15")


def main() -> int:
    """Measure, where wrk is there."""
    if shutil.which("wrk") is None:
        print("wrk is not installed: apt-get install wrk (Debian), brew install wrk (macOS)")
        return 0
    asyncio.run(measure())
    return 0


if __name__ == "__main__":
    sys.exit(main())
