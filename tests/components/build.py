"""Builds the guests that need a toolchain, once for each state of their sources.

    python tests/components/build.py [NAME]...

A build takes a quarter of a minute, so its result is kept in the user's cache directory under the hash of everything
that goes into it. Processes that want the same guest at once wait for the one that builds it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
NOTEBOOK_GUESTS = HERE.parent.parent / "notebooks" / "guests"
WIT = NOTEBOOK_GUESTS / "wit"
CAPABILITIES = ("blobstore", "config", "keyvalue", "logging", "messaging")
KEPT = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "washnb-guests"

COMPONENTIZE_JS = "@bytecodealliance/componentize-js@0.23.0"
JS_VERSION = "0.2.10"  # componentize-js listens to `fetch` events where exactly this version is exported
JS_WORLD = f"package washnb:javascript;\nworld hello {{\n  export wasi:http/incoming-handler@{JS_VERSION};\n}}\n"
JS_BUILD = """
import { writeFile } from "node:fs/promises";
import { componentize } from "@bytecodealliance/componentize-js";
const [sourcePath, witPath, output] = process.argv.slice(2);
const { component } = await componentize({ sourcePath, witPath, worldName: "hello" });
await writeFile(output, component);
"""
C_ADAPT = """
import { readFile, writeFile } from "node:fs/promises";
import { componentNew, preview1AdapterCommandPath } from "@bytecodealliance/jco";
const [core, output] = process.argv.slice(2);
const adapter = await readFile(preview1AdapterCommandPath());
await writeFile(output, await componentNew(await readFile(core), [["wasi_snapshot_preview1", adapter]]));
"""


@dataclass(frozen=True)
class Guest:
    """A source, and the toolchain that makes a component of it; `recipe` is part of what the build depends on."""

    source: Path
    recipe: str
    make: Callable[[Path, Path], None]

    def key(self) -> str:
        """The hash of everything that goes into the build."""
        digest = hashlib.sha256(self.recipe.encode())
        for path in [self.source, *sorted(WIT.rglob("*.wit"))]:
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]


def python_guest(source: Path, world: str) -> Guest:
    """A guest of componentize-py."""

    def make(source: Path, output: Path) -> None:
        tool = Path(sys.executable).with_name("componentize-py")
        _run([tool, "-q", "-d", WIT, "-w", world, "componentize", source.stem, "-o", output], cwd=source.parent)

    return Guest(source, f"componentize-py {version('componentize-py')} {world}", make)


def javascript_guest(source: Path) -> Guest:
    """A guest of componentize-js, which is fetched from npm the first time."""

    def make(source: Path, output: Path) -> None:
        node = _node_project()
        wit = output.parent / "wit"
        shutil.copytree(WIT, wit, ignore=lambda _, names: {*CAPABILITIES, "worlds.wit"} & set(names))
        for path in wit.rglob("*.wit"):
            path.write_text(path.read_text().replace("@0.2.0", f"@{JS_VERSION}"))
        (wit / "world.wit").write_text(JS_WORLD)
        _run(["node", node / "build.mjs", source, wit, output], cwd=node)

    return Guest(source, f"{COMPONENTIZE_JS} {JS_BUILD} {JS_WORLD}", make)


def c_guest(source: Path) -> Guest:
    """A guest of Debian's clang and wasi-libc, made a component by jco, which componentize-js brings along."""

    def make(source: Path, output: Path) -> None:
        core = output.with_suffix(".core.wasm")
        _run(["clang", "--target=wasm32-wasi", "--sysroot=/usr", "-O2", source, "-o", core], cwd=output.parent)
        node = _node_project()
        (node / "adapt.mjs").write_text(C_ADAPT)
        _run(["node", node / "adapt.mjs", core, output], cwd=node)

    return Guest(source, f"{COMPONENTIZE_JS} {C_ADAPT}", make)


GUESTS = {
    "http_counter": python_guest(NOTEBOOK_GUESTS / "http_counter.py", "counter"),
    "http_capabilities": python_guest(HERE / "http_capabilities.py", "everything"),
    "http_fetch_echo": python_guest(HERE / "http_fetch_echo.py", "proxy"),
    "http_hello_js": javascript_guest(HERE / "http_hello.js"),
    "posix": c_guest(HERE / "posix.c"),
}


def build(name: str) -> Path:
    """The component of that name, built now unless this state of its sources was built before."""
    guest = GUESTS[name]
    path = KEPT / f"{name}-{guest.key()}.wasm"
    with _locked(name):
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=KEPT) as scratch:
                output = Path(scratch) / "guest.wasm"
                guest.make(guest.source, output)
                for outdated in KEPT.glob(f"{name}-*.wasm"):
                    outdated.unlink()
                output.replace(path)
    return path


def _node_project() -> Path:
    project = KEPT / f"node-{hashlib.sha256(JS_BUILD.encode() + COMPONENTIZE_JS.encode()).hexdigest()[:16]}"
    if not (project / "build.mjs").exists():
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir()
        _run(
            ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", project, COMPONENTIZE_JS], cwd=project
        )
        (project / "build.mjs").write_text(JS_BUILD)
    return project


@contextlib.contextmanager
def _locked(name: str) -> Iterator[None]:
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: list[str | Path], cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    for each in sys.argv[1:] or GUESTS:
        print(build(each))
