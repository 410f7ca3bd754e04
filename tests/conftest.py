"""What tests of several rooms share."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from washnb.engine import Engine
from washnb.engine.store import STORES
from washnb.plugins import LocalNats

hypothesis.settings.register_profile("fast", max_examples=30, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=200, deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "fast"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell has it for what it starts in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Leave what was imported out of every later collection: tests that hunt leaks ask for many."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """One engine for all tests that do not want one of their own, and with it what it has compiled."""
    with Engine.builder().with_cache_dir(None).build() as engine:
        yield engine


@pytest.fixture(autouse=True)
def _no_store_is_left() -> Iterator[None]:
    """Hold every test to what its calls promise: ended in whatever way, they leave no store and so no handle behind."""
    before = set(STORES)
    yield
    assert set(STORES) <= before, "a store outlived the test that made it"


@pytest.fixture(scope="session")
def built_guest() -> Callable[[str], Path]:
    """Builds a guest of `tests/components/build.py` by its name, unless it was built before, and gives its path."""
    spec = importlib.util.spec_from_file_location("guests", Path(__file__).parent / "components" / "build.py")
    guests = importlib.util.module_from_spec(spec)
    sys.modules["guests"] = guests
    spec.loader.exec_module(guests)

    def build(name: str) -> Path:
        if name.endswith("_js") and shutil.which("npm") is None:
            pytest.skip("componentize-js needs Node and npm, which this machine does not have")
        return guests.build(name)

    return build


class PrivateNats(LocalNats):
    """A NATS server that one test has for itself, and may harm; what it stores outlives `kill` and `restart`."""

    async def kill(self) -> None:
        """End the server as a crash does."""
        os.kill(self.pid, signal.SIGKILL)
        await self.stop()

    async def restart(self) -> None:
        """Stop the server where it runs, and start it at the same URL with the same streams."""
        await self.stop()
        await self.start(self.store)


@pytest.fixture(scope="session")
def nats_server() -> Iterator[LocalNats]:
    """One NATS server for all tests of a process, started for the first: each gives its buckets names of its own."""
    server = LocalNats()
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())


@pytest.fixture(scope="session")
def nats_accounts(tmp_path_factory) -> Iterator[Iterator[str]]:
    """URLs of accounts of NATS, without end: each is of another one, in which nobody else keeps anything.

    To delete what is there would not do: nats-server removes files after it has answered, and a stream that is deleted
    again before it has done so leaves its messages to the next one of that name.
    """
    config = tmp_path_factory.mktemp("accounts") / "server.conf"
    names = [f"account-{number}" for number in range(100)]
    each = (f'  {name} {{ jetstream: enabled, users: [{{ user: {name}, password: "" }}] }}\n' for name in names)
    config.write_text(f"accounts {{\n{''.join(each)}}}\n")
    servers: list[LocalNats] = []

    def accounts() -> Iterator[str]:
        while True:
            servers.append(LocalNats(("-c", str(config))))
            place = asyncio.run(servers[-1].start()).removeprefix("nats://")
            yield from (f"nats://{name}:@{place}" for name in names)

    yield accounts()
    for server in servers:
        asyncio.run(server.stop())


@pytest.fixture
def nats_account(nats_accounts) -> str:
    """Give the URL of an account that is this test's own: it may have any names, and expect nothing else there."""
    return next(nats_accounts)


@pytest.fixture
async def nats_servers(tmp_path_factory) -> AsyncIterator[Callable[..., Awaitable[PrivateNats]]]:
    """Give what starts servers for one test: it is awaited, with further arguments of nats-server."""
    servers: list[PrivateNats] = []

    async def start(*arguments: str) -> PrivateNats:
        servers.append(PrivateNats(arguments))
        await servers[-1].start(tmp_path_factory.mktemp("streams"))
        return servers[-1]

    yield start
    for server in servers:
        await server.stop()
