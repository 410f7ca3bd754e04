"""Random commands on two blobstore backends end in the same state, and in the same answers."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from washnb.errors import BackendError
from washnb.plugins import NatsServer
from washnb.plugins.blobstore import Backend
from washnb.plugins.blobstore.files import FilesystemBackend
from washnb.plugins.blobstore.in_memory import InMemoryBackend
from washnb.plugins.blobstore.object_store import ObjectStoreBackend

from .contracts.blobstore import broken, contents_of, get, put

CONTAINERS = st.sampled_from(["a", "A", "b-1"])
NAMES = st.sampled_from(["k", "K", "../k", "k/k", "\0", "\U0001f511", "n" * 300])
CONTENTS = st.binary(max_size=9) | st.sampled_from([b"x" * 65_536, b"y" * 131_073])
OFFSETS = st.sampled_from([0, 1, 8, 65_536, 131_072, 2**64])


class TwoBackends(RuleBasedStateMachine):
    """The backend in memory and another one; a subclass says which."""

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()
        self.told = []
        self.memory = InMemoryBackend(lambda path, action: self.told.append((path, action)))
        self.other = self.runner.run(self.begin())

    async def begin(self) -> Backend:
        """Make the other backend, empty."""
        raise AssertionError("a model needs a backend")

    async def end(self) -> None:
        """Take it away."""

    def teardown(self):
        """Close the loop that all commands ran on."""
        self.runner.run(self.end())
        self.runner.close()

    def both(self, work):
        """Do the same on both sides, and compare what comes of it."""

        async def answer(backend):
            try:
                return await work(backend)
            except (BackendError, RuntimeError) as error:
                return type(error), str(error)

        assert self.runner.run(answer(self.memory)) == self.runner.run(answer(self.other))

    @initialize()
    def has_a_container(self):
        """Begin with a container: most commands need one."""
        self.both(lambda backend: backend.create("a"))

    @rule(container=CONTAINERS)
    def create(self, container):
        self.both(lambda backend: backend.create(container))

    @rule(container=CONTAINERS)
    def delete(self, container):
        self.both(lambda backend: backend.delete(container))

    @rule(container=CONTAINERS, name=NAMES, contents=CONTENTS)
    def write(self, container, name, contents):
        self.both(lambda backend: put(backend, container, name, contents))

    @rule(container=CONTAINERS, name=NAMES, contents=CONTENTS)
    def break_off(self, container, name, contents):
        self.both(lambda backend: backend.write(container, name, broken(contents)))

    @rule(container=CONTAINERS, name=NAMES, start=OFFSETS, end=OFFSETS | st.none())
    def read(self, container, name, start, end):
        self.both(lambda backend: get(backend, container, name, start, end))

    @rule(container=CONTAINERS, names=st.lists(NAMES, max_size=3))
    def delete_objects(self, container, names):
        self.both(lambda backend: backend.delete_objects(container, ["k", *names]))

    @rule(container=CONTAINERS)
    def clear(self, container):
        self.both(lambda backend: backend.clear(container))

    @rule(container=CONTAINERS, name=NAMES, to=CONTAINERS, to_name=NAMES)
    def copy(self, container, name, to, to_name):
        self.both(lambda backend: backend.copy(container, name, to, to_name))

    @rule(container=CONTAINERS, name=NAMES, to=CONTAINERS, to_name=NAMES)
    def move(self, container, name, to, to_name):
        self.both(lambda backend: backend.move(container, name, to, to_name))

    @invariant()
    def hold_the_same(self):
        """Containers, objects and what is in them are equal."""
        containers = self.runner.run(self.memory.containers())
        assert list(self.runner.run(self.other.containers())) == list(containers)
        for container in containers:
            self.both(lambda backend, container=container: contents_of(backend, container))

    @invariant()
    def every_change_is_told(self):
        """Whoever follows the changes knows which objects there are."""
        known = set()
        for path, action in self.told:
            if len(path) == 1:
                known = {each for each in known if each[0] != path[0]}
            elif action == "set":
                known.add(path)
            else:
                known.discard(path)
        backend = self.memory
        there = {
            (container, name)
            for container in self.runner.run(backend.containers())
            for name in self.runner.run(backend.objects(container))
        }
        assert known == there


class MemoryAndFiles(TwoBackends):
    """The other backend is on files."""

    async def begin(self) -> Backend:
        self.root = Path(tempfile.mkdtemp(prefix="washnb-test-"))
        return FilesystemBackend(self.root, lambda path, action: None)

    async def end(self) -> None:
        shutil.rmtree(self.root)


class TestMemoryAndFiles(MemoryAndFiles.TestCase):
    """The model on files, in the fast suite."""

    settings = settings(max_examples=10, stateful_step_count=15)


@pytest.mark.slow
def test_memory_and_nats(nats_server):
    """The model on a real server."""

    class MemoryAndNats(TwoBackends):
        async def begin(self) -> Backend:
            self.server = NatsServer(nats_server.url)
            await self.server.open()
            await self.remove()
            return ObjectStoreBackend(self.server)

        async def remove(self):
            backend = ObjectStoreBackend(self.server)
            for container in await backend.containers():
                await backend.delete(container)

        async def end(self) -> None:
            await self.remove()
            await self.server.close()

    MemoryAndNats.TestCase.settings = settings(max_examples=15, stateful_step_count=20)
    MemoryAndNats.TestCase("runTest").runTest()
