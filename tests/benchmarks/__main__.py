"""What washnb costs, each thing side by side with a baseline of the same run.

    python3 dev.py bench            everything
    python3 dev.py bench abi idle   some of it

Machines swing by a factor of two, between minutes and between each other: so runs alternate, medians are compared, and
the ratios are what counts. Every benchmark is a program of its own, in a process of its own, and nothing here fails
because a machine is slow.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Run the benchmarks that the command line names, or all of them; 1 where one could not run."""
    scripts = {path.stem: path for path in sorted(HERE.glob("*.py")) if path != Path(__file__)}
    names = sys.argv[1:] or list(scripts)
    unknown = [name for name in names if name not in scripts]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(scripts)}", file=sys.stderr)
        return 1
    print(
        f"Python {platform.python_version()}, wasmtime {version('wasmtime')}, aiohttp {version('aiohttp')}, "
        f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}, load {os.getloadavg()[0]:.1f}"
    )
    codes = []
    for name in names:
        print(f"\n== {name}", flush=True)
        # -P: the folder holds names such as `http`, which must not hide those of the standard library
        codes.append(
            subprocess.run([sys.executable, "-P", scripts[name]], cwd=HERE.parent.parent, check=False).returncode
        )
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
