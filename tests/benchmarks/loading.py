"""How long a component of a real toolchain takes to load, cold and cached, and until it has answered a request."""

import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = 7
GUESTS = ("http_counter", "http_hello_js")
AIM_CACHED, AIM_RUNNING = 50, 150  # ms, for a component of 20 MB that was compiled before

LOAD = """
import asyncio, json, sys, time
from washnb import Engine

async def main():
    with Engine.builder().with_cache_dir(sys.argv[2]).build() as engine:
        started = time.perf_counter()
        await engine.compile(sys.argv[1])
        print(json.dumps([(time.perf_counter() - started) * 1000]))

asyncio.run(main())
"""
ANSWER = """
import asyncio, json, sys, time
from washnb import Engine, presets
from washnb.engine import read_source
from washnb.types import Component, Workload, WorkloadStartRequest

async def main():
    with Engine.builder().with_cache_dir(sys.argv[2]).build() as engine:
        async with presets.dev_host(engine) as host:
            started = time.perf_counter()
            workload = Workload("bench", "guest", components=(Component("guest", read_source(sys.argv[1]).data),))
            response = await host.workload_start(WorkloadStartRequest("guest", workload))
            running = time.perf_counter()
            assert response.error is None, response.error
            answer = await host.send("GET", "/")
            assert answer.status == 200, answer
            print(json.dumps([(running - started) * 1000, (time.perf_counter() - started) * 1000]))

asyncio.run(main())
"""
BASELINE = """
import hashlib, json, sys, time
from washnb.engine import Engine
from wasmtime.component import Component

with Engine.builder().with_cache_dir(None).build() as engine:
    started = time.perf_counter()
    hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest()
    hashed = time.perf_counter()
    Component.deserialize_file(engine.runtime.raw, sys.argv[2])
    mapped = time.perf_counter()
    print(json.dumps([(hashed - started) * 1000, (mapped - hashed) * 1000]))
"""


def main() -> None:
    """Compile each guest once, then load it again and again in fresh processes, alternating with the bare parts."""
    print(
        f"{'ms':16} {'MB':>6} {'cold':>7} {'cached':>7} {'running':>8} {'answered':>9}  bare: {'sha256':>7} {'map':>5}"
    )
    for name in GUESTS:
        path = build(name)
        with tempfile.TemporaryDirectory() as cache:
            (cold,) = measure(LOAD, path, cache)
            (artifact,) = Path(cache).glob("*.cwasm")
            runs = [
                (*measure(LOAD, path, cache), *measure(ANSWER, path, cache), *measure(BASELINE, path, artifact))
                for _ in range(RUNS)
            ]
        cached, running, answered, hashed, mapped = (statistics.median(column) for column in zip(*runs, strict=True))
        print(
            f"{name:16} {path.stat().st_size / 1e6:6.1f} {cold:7.0f} {cached:7.1f} {running:8.1f} {answered:9.1f}"
            f"        {hashed:7.1f} {mapped:5.1f}"
        )
    print(f"aim, for 20 MB: loaded from the cache under {AIM_CACHED} ms, running under {AIM_RUNNING} ms")


def measure(program: str, *arguments: str | Path) -> list[float]:
    """What a program prints, in a process of its own."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def build(name: str) -> Path:
    """A guest of `tests/components/build.py`, which keeps what it has built."""
    spec = importlib.util.spec_from_file_location("guests", Path(__file__).parents[1] / "components" / "build.py")
    guests = sys.modules["guests"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(guests)
    return guests.build(name)


if __name__ == "__main__":
    main()
