"""What `%load_ext washnb` adds to the start of a kernel, against importing at once what it puts off."""

import statistics
import subprocess
import sys

RUNS = 7
AIM = 0.3  # seconds

MEASURE = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
started = time.perf_counter()
{what}
print(time.perf_counter() - started)
import os
os._exit(0)
"""
PROGRAMS = {
    "%load_ext washnb": MEASURE.format(what="shell.run_line_magic('load_ext', 'washnb')"),
    "its first verb": MEASURE.format(what="shell.run_line_magic('load_ext', 'washnb'); shell.user_ns['wash'].status()"),
    "import aiohttp, ipywidgets, wasmtime": MEASURE.format(what="import aiohttp, ipywidgets, wasmtime.component"),
}


def main() -> None:
    """Alternate between the programs, each in a fresh interpreter, and compare the medians."""
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(RUNS):
        for name, program in PROGRAMS.items():
            done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
            seconds[name].append(float(done.stdout))
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    baseline = list(medians.values())[-1]
    for name, median in medians.items():
        print(f"{name:40} {median * 1000:7.1f} ms   {median / baseline:5.2f} x")
    print(f"aim: %load_ext under {AIM} s")


if __name__ == "__main__":
    main()
