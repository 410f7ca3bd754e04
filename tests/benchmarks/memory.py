"""What a live instance keeps in memory, against a bare Python process."""

import asyncio
import gc
import resource
import subprocess
import sys
from pathlib import Path

from washnb.engine import Bindings, CompiledComponent, Engine, Instance
from washnb.wasi import WasiContext, wasi_interfaces
from washnb.wit import split_version

BUILD = Path(__file__).parent.parent / "components" / "build.py"
BARE = "import os; print(open('/proc/self/statm').read().split()[1])"
MIB = 1 << 20


def resident() -> int:
    """Return the resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def bound(component: CompiledComponent) -> Bindings:
    """Serve all WASI imports of a component; instances are made here, not run."""
    served = wasi_interfaces(WasiContext())
    bindings = Bindings(component)
    for name in bindings.unserved():
        interface = served.get(split_version(name)[0])
        if interface is not None:
            bindings.bind(name, interface, provider="wasi", on_fiber=True)
    return bindings


async def per_instance(component: CompiledComponent, count: int) -> float:
    """Make `count` instances, and return what each adds in bytes."""
    bindings = bound(component)
    (await Instance.new(component, bindings)).close()  # what the first one costs stays
    gc.collect()
    before = resident()
    instances = [await Instance.new(component, bindings) for _ in range(count)]
    added = resident() - before
    for instance in instances:
        instance.close()
    return added / count


async def measure(guest: str) -> tuple[float, float]:
    """Measure a guest in WAT and one in Python."""
    with Engine.builder().build() as engine:
        small = await per_instance(await engine.compile("example:hello"), 500)
        large = await per_instance(await engine.compile(guest), 40)
    return small, large


def output_of(*arguments: str) -> str:
    """Run Python with these arguments, and return what it printed."""
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Compare what instances add with what a process takes."""
    bare = int(output_of("-c", BARE)) * resource.getpagesize()
    small, large = asyncio.run(measure(output_of(str(BUILD), "http_fetch_echo")))
    print(f"{'a bare Python process':40} {bare / MIB:7.2f} MiB")
    for name, size in (("an instance of example:hello", small), ("of a componentize-py guest", large)):
        print(f"{name:40} {size / MIB:7.2f} MiB   {size / bare:6.3f} x")


if __name__ == "__main__":
    main()
