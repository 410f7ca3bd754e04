"""Hello over HTTP, a fresh instance for each request, against a bare aiohttp handler; tracing off and on.

A ratio is the median of those of the rounds, in each of which the three take turns. Microseconds are processor time of
the thread that serves, for each request: a machine that has other work to do swings less in them.
"""

import asyncio
import re
import shutil
import statistics
import sys
import time
from typing import NamedTuple
from uuid import uuid4

from aiohttp import web

from washnb.engine import read_source
from washnb.host import DevRouter, HostBuilder, HttpServer
from washnb.types import Component, Workload, WorkloadStartRequest

CLIENTS = (1, 16, 64)
ROUNDS = 7
SECONDS = 1
RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
LATENCY = re.compile(r"\s(50|99)%\s+([\d.]+)(us|ms|s)")
ANSWERED = re.compile(r"(\d+) requests in")
FAILED = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)")
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


class Run(NamedTuple):
    """Requests per second, the milliseconds of the 50th and the 99th of a hundred, and the microseconds of each."""

    rate: float
    half: float
    most: float
    cost: float


async def load(address: str, clients: int) -> Run:
    """Let wrk ask for a while."""
    command = ["wrk", "--latency", "-t1", f"-c{clients}", f"-d{SECONDS}s", f"http://{address}/"]
    began = time.thread_time()
    wrk = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    text = (await wrk.communicate())[0].decode()
    spent = time.thread_time() - began
    if (failed := FAILED.search(text)) is not None:
        raise RuntimeError(f"{address} with {clients} clients: {failed[0]}")
    latencies = {percent: float(value) * UNITS[unit] for percent, value, unit in LATENCY.findall(text)}
    rate, answered = float(RATE.search(text)[1]), int(ANSWERED.search(text)[1])
    return Run(rate, latencies["50"], latencies["99"], spent / answered * 1e6)


def ratio(runs: list[Run], baseline: list[Run]) -> float:
    """How many requests one serves where the other serves one."""
    return statistics.median(run.rate / other.rate for run, other in zip(runs, baseline, strict=True))


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

        print(f"{'clients':>7}  {'':18} {'requests/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'us':>6}  of bare  of off")
        for clients in CLIENTS:
            bares, offs, ons = list[Run](), list[Run](), list[Run]()
            for _ in range(ROUNDS):
                bares.append(await load(bare, clients))
                offs.append(await load(http.addr, clients))
                host.tracing, unsubscribe = True, host.events().subscribe(hear)
                ons.append(await load(http.addr, clients))
                host.tracing = False
                unsubscribe()
            for name, runs in {"bare aiohttp": bares, "hello, tracing off": offs, "hello, tracing on": ons}.items():
                rate, half, most, cost = (statistics.median(column) for column in zip(*runs, strict=True))
                of_off = f"{ratio(ons, offs):7.2f}" if runs is ons else ""
                print(
                    f"{clients:7}  {name:18} {rate:10,.0f} {half:8.2f} {most:8.2f} {cost:6.0f} "
                    f"{ratio(runs, bares):8.2f} {of_off}",
                    flush=True,
                )
        if not heard[0]:
            raise RuntimeError("tracing was on and nothing was heard")
    await runner.cleanup()
    print("aims: 0.2 of bare aiohttp, never under 0.15; with tracing on 0.75 of the rate with it off")


def main() -> int:
    """Measure, where wrk is there."""
    if shutil.which("wrk") is None:
        print("wrk is not installed: apt-get install wrk (Debian), brew install wrk (macOS)")
        return 0
    asyncio.run(measure())
    return 0


if __name__ == "__main__":
    sys.exit(main())
