"""Random commands, the same on two key-value backends and on plain dictionaries, end in the same state everywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from washnb.errors import BackendError
from washnb.plugins import NatsServer
from washnb.plugins.keyvalue import Backend, NoSuchBucket
from washnb.plugins.keyvalue.counters import U64_MAX, big_counter_value, counted, counter_bytes, counter_value
from washnb.plugins.keyvalue.files import FilesystemBackend
from washnb.plugins.keyvalue.in_memory import InMemoryBackend
from washnb.plugins.keyvalue.nats import NatsBackend

from .contracts.keyvalue import all_keys

BUCKETS = st.sampled_from(["a", "b", "C"])
ANY_KEY = ["", "k", "../k", "k/k", "\0", "\U0001f511", "K"]
NATS_KEY = ["k", "k/k", "k.k", "K", "=", "-_"]
NAMES = st.runner().flatmap(lambda machine: st.sampled_from(machine.keys))
VALUES = st.binary(max_size=9) | st.integers(0, 2 * U64_MAX).map(lambda number: str(number).encode())
DELTAS = st.sampled_from([0, 1, 2**63, U64_MAX])
SIGNED = st.sampled_from([0, 1, -1, 2**63 - 1, -(2**63)])


@dataclass
class Subject:
    """A backend, and the dictionaries that say what is in it."""

    backend: Backend
    changes: list[tuple[tuple[str, str], str]]
    read_counter: Callable[[bytes], int] = counter_value
    order: str = "little"
    model: dict[str, dict[str, bytes]] = field(default_factory=dict)


def forget(model, *keys):
    """Take keys out of a model."""
    for key in keys:
        model.pop(key, None)


class KeyValueMachine(RuleBasedStateMachine):
    """Memory beside another backend, which `make_other` begins, with the keys that both can have."""

    keys: list[str]
    make_other: Callable[[asyncio.Runner, Callable[[tuple[str, str], str], None]], Subject]

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()
        self.subjects = []
        for make in (in_memory, type(self).make_other):
            changes = []
            self.subjects.append(make(self.runner, lambda *change, changes=changes: changes.append(change)))
            self.subjects[-1].changes = changes

    def teardown(self):
        """Close the loop that all commands ran on."""
        for subject in self.subjects:
            if isinstance(subject.backend, NatsBackend):
                self.runner.run(subject.backend._server.close())
        self.runner.close()

    def run(self, bucket, work, expected):
        """Each backend agrees with its model, on the result, on an error, or that the bucket is missing."""
        for subject in self.subjects:
            if bucket not in subject.model:
                with pytest.raises(NoSuchBucket):
                    self.runner.run(work(subject.backend))
                continue
            try:
                result = expected(subject.model[bucket], subject)
            except BackendError as error:
                with pytest.raises(BackendError, match=str(error)):
                    self.runner.run(work(subject.backend))
            else:
                assert self.runner.run(work(subject.backend)) == result

    @rule(bucket=BUCKETS)
    def open(self, bucket):
        for subject in self.subjects:
            self.runner.run(subject.backend.open(bucket))
            subject.model.setdefault(bucket, {})

    @rule(bucket=BUCKETS, key=NAMES, value=VALUES)
    def set(self, bucket, key, value):
        self.run(bucket, lambda backend: backend.set(bucket, key, value), lambda model, _: model.update({key: value}))

    @rule(bucket=BUCKETS, key=NAMES)
    def get(self, bucket, key):
        self.run(bucket, lambda backend: backend.get(bucket, key), lambda model, _: model.get(key))
        self.run(bucket, lambda backend: backend.exists(bucket, key), lambda model, _: key in model)

    @rule(bucket=BUCKETS, key=NAMES)
    def delete(self, bucket, key):
        self.run(bucket, lambda backend: backend.delete(bucket, key), lambda model, _: forget(model, key))

    @rule(bucket=BUCKETS, key=NAMES, signed=st.booleans(), data=st.data())
    def increment(self, bucket, key, signed, data):
        delta = data.draw(SIGNED if signed else DELTAS)

        def add(model, subject):
            total = counted(subject.read_counter(model.get(key, b"")), delta, signed=signed)
            model[key] = counter_bytes(total, subject.order)
            return total

        self.run(bucket, lambda backend: backend.increment(bucket, key, delta, signed=signed), add)

    @rule(bucket=BUCKETS, key=NAMES, value=VALUES, other=NAMES, between=st.sampled_from(["", "set", "delete"]))
    def swap(self, bucket, key, value, other, between):
        async def work(backend):
            seen = await backend.snapshot(bucket, key)
            if between == "set":
                await backend.set(bucket, other, b"between")
            elif between == "delete":
                await backend.delete(bucket, other)
            return seen.value, await backend.swap(bucket, key, seen, value)

        def expected(model, _):
            seen, swaps = model.get(key), not (other == key and between)
            if between == "set":
                model[other] = b"between"
            elif between == "delete":
                swaps = swaps or seen is None
                forget(model, other)
            if swaps:
                model[key] = value
            return seen, swaps

        self.run(bucket, work, expected)

    @rule(bucket=BUCKETS, entries=st.lists(st.tuples(NAMES, VALUES)))
    def set_many(self, bucket, entries):
        self.run(bucket, lambda backend: backend.set_many(bucket, entries), lambda model, _: model.update(entries))

    @rule(bucket=BUCKETS, keys=st.lists(NAMES))
    def get_many(self, bucket, keys):
        self.run(
            bucket,
            lambda backend: backend.get_many(bucket, keys),
            lambda model, _: [(key, model[key]) if key in model else None for key in keys],
        )

    @rule(bucket=BUCKETS, keys=st.lists(NAMES))
    def delete_many(self, bucket, keys):
        self.run(bucket, lambda backend: backend.delete_many(bucket, keys), lambda model, _: forget(model, *keys))

    @invariant()
    def holds_what_the_model_holds(self):
        """Buckets and keys are the model's, and the same on both."""
        for subject in self.subjects:
            assert list(self.runner.run(subject.backend.buckets())) == sorted(subject.model)
            for bucket, model in subject.model.items():
                assert sorted(self.runner.run(all_keys(subject.backend, bucket))) == sorted(model)
        one, other = ({bucket: set(model) for bucket, model in each.model.items()} for each in self.subjects)
        assert one == other

    @invariant()
    def tells_every_change(self):
        """Whoever follows the changes knows which keys there are."""
        for subject in self.subjects:
            present = {}
            for path, action in subject.changes:
                present[path] = action == "set"
            known = {path for path, there in present.items() if there}
            assert known == {(bucket, key) for bucket, model in subject.model.items() for key in model}


def in_memory(runner, changed) -> Subject:
    """Begin in memory."""
    return Subject(InMemoryBackend(changed), [])


def run_machine(keys: list[str], make_other, examples: int) -> None:
    """Let hypothesis look for commands after which the two do not agree."""
    machine = type("Machine", (KeyValueMachine,), {"keys": keys, "make_other": staticmethod(make_other)})
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=25))


def test_memory_and_files(tmp_path_factory):
    """Memory and a directory do the same, with any names."""

    def in_files(runner, changed):
        return Subject(FilesystemBackend(tmp_path_factory.mktemp("state"), changed), [])

    run_machine(ANY_KEY, in_files, 6)


@pytest.mark.slow
def test_memory_and_nats(nats_accounts):
    """Memory and a NATS server do the same, but for the bytes of counters, with the names that NATS knows."""

    def on_nats(runner, changed):
        server = NatsServer(next(nats_accounts))
        runner.run(server.open())
        return Subject(NatsBackend(server, changed, lambda: False), [], big_counter_value, "big")

    run_machine(NATS_KEY, on_nats, 30)
