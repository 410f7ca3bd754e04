#!/usr/bin/env python3
"""The developer's door to washnb: one command each, from a bare Python.

    python3 dev.py lab      JupyterLab on the quickstart notebook
    python3 dev.py test     everything that must pass
    python3 dev.py bench    what things cost, side by side with a baseline

Uses the standard library only: whatever else is needed goes into `.venv`, which it makes at the first run and brings up
to date when pyproject.toml has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "washnb-extras"
LAB_EXTRAS = "guest,lab,nats,nats-server"  # what the notebooks use
QUICKSTART = "notebooks/01_quickstart.ipynb"
OLDEST_PYTHON = (3, 11)
STEP_TIMEOUT = 20 * 60  # seconds; a step that hangs must not take CI's whole hour
END_TIMEOUT = 20  # seconds; what was interrupted puts away what it has started: browsers, servers, kernels
TOLD = re.compile(r"^(?:SKIPPED .*|=+ .* in [0-9.]+s.* =+)$", re.MULTILINE)  # what pytest says of its tests


class Failure(Exception):  # noqa: N818 - it reads as what it is
    """Something did not work; `str()` is the one line to show, `output` what the failing command had printed."""

    def __init__(self, line: str, output: str = "") -> None:
        """Keep the output beside the line."""
        super().__init__(line)
        self.output = output


@dataclass(frozen=True)
class Step:
    """One part of `test`: a command run in the environment, after `before` has made sure that it can."""

    name: str
    command: tuple[str, ...]
    before: Callable[[], None] = lambda: None
    fast: bool = False


def capture(command: Sequence[str]) -> str:
    """Run a command without a terminal and return what it printed. Raises Failure with the same."""
    line = f"`{' '.join(command)}` failed"
    # What several processes import is compiled once, and what a fresh clone lacks is kept for the next run
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,  # so that `end` reaches what it starts, and Ctrl-C reaches it once
    ) as process:
        try:
            output, _ = process.communicate(timeout=STEP_TIMEOUT)
        except subprocess.TimeoutExpired:
            raise Failure(f"{line}: not done after {STEP_TIMEOUT // 60} minutes", end(process)) from None
        except BaseException:
            end(process)
            raise
    if process.returncode != 0:
        raise Failure(f"{line} with exit code {process.returncode}", output)
    return output


def end(process: subprocess.Popen[str]) -> str:
    """Interrupt a command, so that it puts away what it has started, and return what it had printed."""
    posix = os.name == "posix"
    process.send_signal(signal.SIGINT if posix else signal.SIGTERM)
    try:
        output, _ = process.communicate(timeout=END_TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL) if posix else process.kill()
        output, _ = process.communicate()
    return output


def become(command: Sequence[str]) -> int:
    """Go on as another program, which then has the terminal and gets every signal; on Windows, wait for it."""
    os.chdir(ROOT)
    if os.name == "posix":
        os.execv(command[0], [*command])
    return subprocess.run(command, check=False).returncode


def timed(title: str, work: Callable[[], str]) -> str:
    """Do `work` under a line that says what is being done and, in the end, how long it took."""
    print(f"{title} ... ", end="", flush=True)
    started = time.monotonic()
    verdict = "FAILED"
    try:
        result = work()
        verdict = "ok"
    finally:
        print(f"{verdict} {time.monotonic() - started:.1f} s", flush=True)
    return result


# The environment


def prepare(extras: str) -> None:
    """Make `.venv` hold washnb, editable, with `extras`; quick when it does already. Raises Failure."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        raise Failure(f"washnb needs Python 3.11 or newer, and this is {found}: run dev.py with a newer one")
    wanted = environment_mark(extras)
    if PYTHON.exists() and STAMP.exists() and wanted in STAMP.read_text(encoding="utf-8").split():
        return
    if importlib.util.find_spec("ensurepip") is None:
        raise Failure("this Python cannot make environments: apt-get install python3-venv (Debian, Ubuntu), then again")
    timed(f"environment with {extras}", lambda: install(extras))
    # What `dev` installs holds all the other extras
    marks = [wanted] if extras != "dev" else [wanted, environment_mark(LAB_EXTRAS)]
    STAMP.write_text("\n".join(marks) + "\n", encoding="utf-8")


def install(extras: str) -> str:
    """Build `.venv`, or build it anew over one of another Python, and install into it."""
    links = os.name == "posix"  # also so that one that somebody has made with links can be brought up to date
    venv.EnvBuilder(with_pip=True, symlinks=links, clear=not same_python()).create(VENV)
    quiet = ["--disable-pip-version-check", "--no-input", "--quiet"]
    return capture([str(PYTHON), "-m", "pip", "install", *quiet, "--editable", f".[{extras}]"])


def same_python() -> bool:
    """Whether `.venv` is there and belongs to a Python of this version."""
    settings = VENV / "pyvenv.cfg"
    return settings.exists() and f"version = {platform.python_version()}" in settings.read_text(encoding="utf-8")


def environment_mark(extras: str) -> str:
    """Name what an installation depends on: the extras, pyproject.toml and the Python."""
    pyproject = (ROOT / "pyproject.toml").read_bytes()
    return f"{extras}:{hashlib.sha256(pyproject + sys.version.encode()).hexdigest()[:16]}"


def chromium() -> None:
    """Make sure of the browser that the browser tests drive; on Debian, and as root, by installing it."""
    if shutil.which("chromium"):
        return
    install_line = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium", "fonts-dejavu-core"]
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise Failure(f"the browser tests need Debian's chromium: sudo {' '.join(install_line)}")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    capture(["apt-get", "update"])
    capture(install_line)


# The verbs


def lab(options: argparse.Namespace) -> int:
    """Open JupyterLab on the quickstart, or run it headless and print what its cells print."""
    prepare(LAB_EXTRAS)
    if options.execute:
        return become([str(PYTHON), "notebooks/execute.py", QUICKSTART])
    command = [str(PYTHON), "-m", "jupyterlab", QUICKSTART]
    if options.no_browser:
        command.append("--no-browser")
    if options.port is not None:
        command.append(f"--port={options.port}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # a container's only user
    return become(command)


def steps() -> list[Step]:
    """All that must pass, the quick before the slow."""
    python = str(PYTHON)
    pytest = (python, "-m", "pytest")
    patient = ("--timeout=600",)  # a notebook builds a guest, which takes a slow machine a while
    return [
        Step("lint", (python, "-m", "ruff", "check"), fast=True),
        Step("format", (python, "-m", "ruff", "format", "--check"), fast=True),
        Step("types", (python, "-m", "mypy"), fast=True),
        Step("fast", (*pytest, "-n", "2", "-m", "not slow and not browser"), fast=True),
        Step("slow", (*pytest, "-m", "slow and not browser", "--ignore=tests/test_packaging.py", "--durations=5")),
        Step("browser", (*pytest, "-m", "browser"), before=chromium),
        Step("notebooks", (*pytest, "-p", "nbmake", "--nbmake", "notebooks", "-p", "no:cacheprovider", *patient)),
        Step("wheel", (*pytest, "tests/test_packaging.py")),
    ]


def test(options: argparse.Namespace) -> int:
    """Run the steps asked for, all of them to the end, and sum up."""
    unknown = set(options.steps) - {step.name for step in steps()}
    if unknown:
        raise Failure(f"no step {', '.join(sorted(unknown))}; the steps are {', '.join(step.name for step in steps())}")
    prepare("dev")
    chosen = [step for step in steps() if (step.fast or not options.fast) and step.name in (options.steps or step.name)]
    started = time.monotonic()
    summaries: list[str] = []
    failed: list[str] = []
    for number, step in enumerate(chosen, 1):
        try:
            output = timed(f"[{number}/{len(chosen)}] {step.name}", partial(run, step))
        except Failure as failure:
            failed.append(step.name)
            output = failure.output
            print(f"{output.rstrip()}\n{step.name}: {failure}", flush=True)
        summaries += [f"{step.name}: {told.strip('= ')}" for told in TOLD.findall(output)]
    print(*summaries, sep="\n")
    elapsed = f"{time.monotonic() - started:.0f} s"
    if failed:
        print(f"FAILED: {', '.join(failed)} ({len(chosen) - len(failed)} of {len(chosen)} steps passed, {elapsed})")
        return 1
    print(f"all {len(chosen)} steps passed in {elapsed}")
    return 0


def run(step: Step) -> str:
    """Run one step, and return what it printed."""
    step.before()
    return capture(step.command)


def bench(options: argparse.Namespace) -> int:
    """Measure; a slow machine is no failure, so the exit code says only whether the scripts ran."""
    prepare("dev")
    return become([str(PYTHON), "-P", "tests/benchmarks/__main__.py", *options.names])


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(description="Work on washnb, from a bare Python.")
    verbs = top.add_subparsers(title="verbs", required=True, metavar="VERB")

    verb = verbs.add_parser("lab", help="open JupyterLab on the quickstart notebook")
    verb.add_argument("--execute", action="store_true", help="run the notebook headless and print its outputs")
    verb.add_argument("--no-browser", action="store_true", help="print the address and open nothing")
    verb.add_argument("--port", type=int, help="where JupyterLab listens")
    verb.set_defaults(run=lab)

    verb = verbs.add_parser("test", help="run everything that must pass")
    names = [step.name for step in steps()]
    verb.add_argument("steps", nargs="*", metavar="STEP", help=f"only these steps: {', '.join(names)}")
    verb.add_argument("--fast", action="store_true", help="only lint, format, types and the fast tests")
    verb.set_defaults(run=test)

    verb = verbs.add_parser("bench", help="measure what things cost against a baseline of the same run")
    verb.add_argument("names", nargs="*", metavar="NAME", help="only these benchmarks (files of tests/benchmarks)")
    verb.set_defaults(run=bench)
    return top


def main() -> int:
    """Do what the command line says. A failure is one line on stderr, below what the failing command printed."""
    options = parser().parse_args()
    try:
        code: int = options.run(options)
    except Failure as failure:
        print(f"{failure.output}\ndev.py: {failure}".strip(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dev.py: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    return code


def hear_terminate() -> None:
    """Let SIGTERM end what runs as Ctrl-C does, and not this process alone."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


if __name__ == "__main__":
    hear_terminate()
    sys.exit(main())
